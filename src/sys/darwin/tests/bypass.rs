// SPDX-License-Identifier: MIT
use super::*;
use crate::device::monitor::Monitor;
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::event::Kind;
use crate::model::lookup::Lookup;
use crate::sys::darwin::layout::{RTF_HOST, RTF_STATIC};
use crate::sys::darwin::simulated::boot;

const SERVER: &str = "198.51.100.7";
const OTHER_GATEWAY: &str = "192.0.2.254";

fn bypass_to(destination: &str) -> Bypass {
    Bypass::parse(Some(destination), 0, 0).unwrap()
}

/// A device with a default route.
fn with_default_route() -> Device {
    let device = with_addresses();
    device.add_default_route(&DefaultRoute::parse(None, None, 0).unwrap()).unwrap();
    device
}

/// The interface and the gateway of a packet of the host.
fn next_hop(machine: &Machine, destination: &str) -> (String, String) {
    let (name, gateway) = machine.next_hop(destination).unwrap();
    (name, gateway.map(|gateway| gateway.to_string()).unwrap_or_default())
}

fn via(name: &str, gateway: &str) -> (String, String) {
    (name.to_owned(), gateway.to_owned())
}

/// The network of the host has another gateway.
fn change_gateway(machine: &Machine) {
    machine.del_route("0.0.0.0", 0);
    machine.add_route_via("en0", "0.0.0.0", 0, Some(OTHER_GATEWAY), RTF_UP | RTF_GATEWAY | RTF_STATIC);
}

#[test]
fn packets_bypass_the_default_route_through_the_device() {
    let machine = boot();
    with_ipv6(&machine);
    let before = machine.routes("en0");
    let device = with_default_route();
    assert_eq!(next_hop(&machine, SERVER), via("utun7", ""));
    for destination in [SERVER, "203.0.113.0/24", "2001:db8:1::7", "2001:db8:2::/48"] {
        device.add_bypass(&bypass_to(destination), false).unwrap();
        device.add_bypass(&bypass_to(destination), false).unwrap();
    }
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.1"));
    assert_eq!(next_hop(&machine, "203.0.113.200"), via("en0", "192.0.2.1"));
    assert_eq!(next_hop(&machine, "203.0.114.1"), via("utun7", ""));
    assert_eq!(next_hop(&machine, "2001:db8:1::7"), via("en0", "fe80::1"));
    assert_eq!(next_hop(&machine, "2001:db8:2:1::7"), via("en0", "fe80::1"));
    assert_eq!(next_hop(&machine, "2001:db8:1::8"), via("utun7", ""));
    let found = Device::find_route(None, &Lookup::parse(SERVER, None, 0).unwrap()).unwrap();
    assert_eq!(found.route.route.to_string(), "198.51.100.7/32 via 192.0.2.1 src 192.0.2.10");
    for destination in [SERVER, "203.0.113.0/24", "2001:db8:1::7", "2001:db8:2::/48"] {
        device.del_bypass(&bypass_to(destination)).unwrap();
        assert_eq!(refusal(device.del_bypass(&bypass_to(destination))), (Errno::ENOENT, Reason::Unset));
    }
    assert_eq!(machine.routes("en0"), before);
    assert_eq!(next_hop(&machine, SERVER), via("utun7", ""));
}

#[test]
fn a_bypass_can_be_added_before_the_default_route() {
    let machine = boot();
    let device = with_addresses();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    device.add_default_route(&DefaultRoute::parse(None, None, 0).unwrap()).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.1"));
    device.del_default_route(None).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.1"));
}

#[test]
fn destinations_with_a_specific_route_need_no_other() {
    let machine = boot();
    machine.add_route_via("en0", "10.66.0.0", 16, Some("192.0.2.2"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
    machine.add_route_via("en0", SERVER, 32, Some("192.0.2.3"), RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_HOST);
    let before = machine.routes("en0");
    let device = with_default_route();
    for (destination, gateway) in [("192.0.2.77", ""), ("10.66.1.1", "192.0.2.2"), (SERVER, "192.0.2.3")] {
        device.add_bypass(&bypass_to(destination), false).unwrap();
        assert_eq!(next_hop(&machine, destination), via("en0", gateway));
        assert_eq!(machine.routes("en0"), before, "{destination}");
        device.del_bypass(&bypass_to(destination)).unwrap();
        assert_eq!(machine.routes("en0"), before, "{destination}");
    }
    // This also applies to a route of this device that is not a default route.
    device.add_route(&Route::parse("10.67.0.0/16", None, 0, 0).unwrap(), false).unwrap();
    device.add_bypass(&bypass_to("10.67.0.1"), false).unwrap();
    assert_eq!(next_hop(&machine, "10.67.0.1"), via("utun7", ""));
    device.add_bypass(&bypass_to("fe80::7"), false).unwrap();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    drop(device);
    assert_eq!(machine.routes("en0"), before);
}

#[test]
fn foreign_routes_are_neither_replaced_nor_removed() {
    let machine = boot();
    let device = with_default_route();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    // Another program replaces it.
    machine.del_route(SERVER, 32);
    machine.add_route_via("en0", SERVER, 32, Some("192.0.2.3"), RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_HOST);
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.3"));
    device.del_bypass(&bypass_to(SERVER)).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.3"));
    device.add_bypass(&bypass_to("198.51.100.8"), false).unwrap();
    machine.del_route("198.51.100.8", 32);
    machine.add_route("en0", "198.51.100.8", 32, RTF_UP | RTF_STATIC | RTF_HOST);
    drop(device);
    let routes = machine.routes("en0");
    assert!(routes.contains(&"198.51.100.7/32 via 192.0.2.3".to_owned()), "{routes:?}");
    assert!(routes.contains(&"198.51.100.8/32".to_owned()), "{routes:?}");
}

#[test]
fn an_event_reports_when_to_add_a_bypass_again() {
    let machine = boot();
    let device = with_default_route();
    let monitor = Monitor::open(Some(&device), flags::MONITOR_DEFAULT_ROUTE).unwrap();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    while monitor.next(SHORT).is_ok() {}
    change_gateway(&machine);
    let event =
        std::iter::from_fn(|| monitor.next(SHORT).ok()).find(|event| event.kind == Kind::DefaultRoute);
    let default = event.unwrap().route.unwrap().route;
    assert_eq!(default.gateway(), Some(OTHER_GATEWAY.parse().unwrap()));
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.1"), "a route keeps its gateway");
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", OTHER_GATEWAY));
    // The host has no network, and then another one.
    machine.del_route("0.0.0.0", 0);
    let error = device.add_bypass(&bypass_to(SERVER), false).unwrap_err();
    assert!(error.message().contains("no route leads there without the device"), "{error}");
    assert_eq!(kind(error), (Errno::ENETUNREACH, Reason::Unset));
    assert_eq!(next_hop(&machine, SERVER), via("en0", OTHER_GATEWAY), "what was there stays");
    machine.add_interface("en1", "203.0.113.10", 24);
    machine.add_route("en1", "203.0.113.0", 24, RTF_UP);
    machine.add_route_via("en1", "0.0.0.0", 0, Some("203.0.113.1"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en1", "203.0.113.1"));
    // Now the destination has a more specific route.
    machine.add_route("en1", "198.51.100.0", 24, RTF_UP);
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en1", ""));
    device.del_bypass(&bypass_to(SERVER)).unwrap();
}

#[test]
fn a_removed_route_is_added_again() {
    let machine = boot();
    let device = with_default_route();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    machine.del_route(SERVER, 32);
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", "192.0.2.1"));
    machine.del_route(SERVER, 32);
    device.del_bypass(&bypass_to(SERVER)).unwrap();
}

#[test]
fn a_close_removes_bypasses_without_keep() {
    let machine = boot();
    let before = machine.routes("en0");
    let device = with_default_route();
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    drop(device);
    assert_eq!(machine.routes("en0"), before);
    let device = with_default_route();
    for (destination, keep) in [(SERVER, false), (SERVER, true), (SERVER, false), ("198.51.100.8", false)] {
        device.add_bypass(&bypass_to(destination), keep).unwrap();
    }
    assert!(machine.open_descriptors() > 1);
    drop(device.release());
    assert!(machine.interface("utun7").is_none());
    let kept = "198.51.100.7/32 via 192.0.2.1".to_owned();
    assert!(machine.routes("en0").contains(&kept));
    assert_eq!(machine.routes("en0").len(), before.len() + 1);
    assert_eq!(machine.open_descriptors(), 0);
    // No handle owns it now.
    let device = with_default_route();
    assert_eq!(refusal(device.del_bypass(&bypass_to(SERVER))), (Errno::ENOENT, Reason::Unset));
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    device.del_bypass(&bypass_to(SERVER)).unwrap();
    assert!(machine.routes("en0").contains(&kept));
}

#[test]
fn the_first_bypass_needs_root() {
    let machine = boot();
    let before = machine.routes("en0");
    let device = with_default_route();
    machine.set_privileged(false);
    let error = device.add_bypass(&bypass_to(SERVER), false).unwrap_err();
    assert!(error.message().contains("198.51.100.7/32: this needs root"), "{error}");
    assert_eq!(kind(error), (Errno::EPERM, Reason::Privilege));
    assert_eq!(machine.routes("en0"), before);
    machine.set_privileged(true);
    device.add_bypass(&bypass_to("192.0.2.77"), false).unwrap();
    // The process drops its privileges.
    machine.set_privileged(false);
    change_gateway(&machine);
    device.add_bypass(&bypass_to(SERVER), false).unwrap();
    assert_eq!(next_hop(&machine, SERVER), via("en0", OTHER_GATEWAY));
    device.add_bypass(&bypass_to("198.51.100.8"), false).unwrap();
    drop(device);
    assert_eq!(machine.routes("en0").len(), before.len());
}

#[test]
fn marks_and_conflicting_destinations_are_refused() {
    let machine = boot();
    let device = with_default_route();
    let before = machine.routes("en0");
    for bypass in [Bypass::parse(None, 7, 0), Bypass::parse(Some(SERVER), 7, 0)].map(Result::unwrap) {
        let refused = (Errno::EOPNOTSUPP, Reason::Platform);
        assert_eq!(refusal(device.add_bypass(&bypass, false)), refused);
        assert_eq!(refusal(device.del_bypass(&bypass)), refused);
    }
    machine.add_route("en0", "128.0.0.0", 2, RTF_UP);
    assert_eq!(refusal(device.add_bypass(&bypass_to("128.0.0.0/1"), false)), (Errno::EEXIST, Reason::Busy));
    machine.destroy("utun7");
    assert_eq!(refusal(device.add_bypass(&bypass_to(SERVER), false)), (Errno::ENODEV, Reason::Removed));
    machine.del_route("128.0.0.0", 2);
    assert_eq!(machine.routes("en0"), before);
}

#[test]
fn a_failed_change_restores_the_routes() {
    for changed in [false, true] {
        for number in 1.. {
            let machine = boot();
            let device = with_default_route();
            if changed {
                device.add_bypass(&bypass_to(SERVER), false).unwrap();
                change_gateway(&machine);
            }
            let before = machine.routes("en0");
            machine.fail(number, Errno::EIO);
            let added = device.add_bypass(&bypass_to(SERVER), false);
            if !machine.has_failed() {
                added.unwrap();
                assert!(number > 3, "{:?}", machine.log());
                break;
            }
            assert_eq!(added.unwrap_err().errno(), Errno::EIO, "call {number}");
            assert_eq!(machine.routes("en0"), before, "call {number}");
            drop(device);
            assert_eq!(machine.open_descriptors(), 0, "call {number}");
        }
    }
}
