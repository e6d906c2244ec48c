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

fn to(destination: &str) -> Bypass {
    Bypass::parse(Some(destination), 0, 0).unwrap()
}

/// A device with a default route.
fn with_default_route() -> Device {
    let device = with_addresses();
    device.add_default_route(&DefaultRoute::parse(None, None, 0).unwrap()).unwrap();
    device
}

/// The interface and the gateway of a packet of the host.
fn way(mac: &Machine, destination: &str) -> (String, String) {
    let (name, gateway) = mac.way(destination).unwrap();
    (name, gateway.map(|gateway| gateway.to_string()).unwrap_or_default())
}

fn by(name: &str, gateway: &str) -> (String, String) {
    (name.to_owned(), gateway.to_owned())
}

/// The network of the host has another gateway.
fn change_gateway(mac: &Machine) {
    mac.del_route("0.0.0.0", 0);
    mac.add_route_by("en0", "0.0.0.0", 0, Some(OTHER_GATEWAY), RTF_UP | RTF_GATEWAY | RTF_STATIC);
}

#[test]
fn packets_bypass_the_default_route_through_the_device() {
    let mac = boot();
    with_ipv6(&mac);
    let before = mac.routes("en0");
    let device = with_default_route();
    assert_eq!(way(&mac, SERVER), by("utun7", ""));
    for destination in [SERVER, "203.0.113.0/24", "2001:db8:1::7", "2001:db8:2::/48"] {
        device.add_bypass(&to(destination), false).unwrap();
        device.add_bypass(&to(destination), false).unwrap();
    }
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.1"));
    assert_eq!(way(&mac, "203.0.113.200"), by("en0", "192.0.2.1"));
    assert_eq!(way(&mac, "203.0.114.1"), by("utun7", ""));
    assert_eq!(way(&mac, "2001:db8:1::7"), by("en0", "fe80::1"));
    assert_eq!(way(&mac, "2001:db8:2:1::7"), by("en0", "fe80::1"));
    assert_eq!(way(&mac, "2001:db8:1::8"), by("utun7", ""));
    let found = Device::find_route(None, &Lookup::parse(SERVER, None, 0).unwrap()).unwrap();
    assert_eq!(found.route.route.to_string(), "198.51.100.7/32 via 192.0.2.1 src 192.0.2.10");
    for destination in [SERVER, "203.0.113.0/24", "2001:db8:1::7", "2001:db8:2::/48"] {
        device.del_bypass(&to(destination)).unwrap();
        assert_eq!(refusal(device.del_bypass(&to(destination))), (Errno::ENOENT, Reason::Unset));
    }
    assert_eq!(mac.routes("en0"), before);
    assert_eq!(way(&mac, SERVER), by("utun7", ""));
}

#[test]
fn it_can_come_before_the_default_route() {
    let mac = boot();
    let device = with_addresses();
    device.add_bypass(&to(SERVER), false).unwrap();
    device.add_default_route(&DefaultRoute::parse(None, None, 0).unwrap()).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.1"));
    device.del_default_route(None).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.1"));
}

#[test]
fn what_precedes_the_device_needs_no_route() {
    let mac = boot();
    mac.add_route_by("en0", "10.66.0.0", 16, Some("192.0.2.2"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
    mac.add_route_by("en0", SERVER, 32, Some("192.0.2.3"), RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_HOST);
    let before = mac.routes("en0");
    let device = with_default_route();
    for (destination, gateway) in [("192.0.2.77", ""), ("10.66.1.1", "192.0.2.2"), (SERVER, "192.0.2.3")] {
        device.add_bypass(&to(destination), false).unwrap();
        assert_eq!(way(&mac, destination), by("en0", gateway));
        assert_eq!(mac.routes("en0"), before, "{destination}");
        device.del_bypass(&to(destination)).unwrap();
        assert_eq!(mac.routes("en0"), before, "{destination}");
    }
    // Also one of this device: it is no default route.
    device.add_route(&Route::parse("10.67.0.0/16", None, 0, 0).unwrap(), false).unwrap();
    device.add_bypass(&to("10.67.0.1"), false).unwrap();
    assert_eq!(way(&mac, "10.67.0.1"), by("utun7", ""));
    device.add_bypass(&to("fe80::7"), false).unwrap();
    device.add_bypass(&to(SERVER), false).unwrap();
    drop(device);
    assert_eq!(mac.routes("en0"), before);
}

#[test]
fn the_routes_of_others_are_neither_replaced_nor_removed() {
    let mac = boot();
    let device = with_default_route();
    device.add_bypass(&to(SERVER), false).unwrap();
    // Another program replaces it.
    mac.del_route(SERVER, 32);
    mac.add_route_by("en0", SERVER, 32, Some("192.0.2.3"), RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_HOST);
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.3"));
    device.del_bypass(&to(SERVER)).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.3"));
    device.add_bypass(&to("198.51.100.8"), false).unwrap();
    mac.del_route("198.51.100.8", 32);
    mac.add_route("en0", "198.51.100.8", 32, RTF_UP | RTF_STATIC | RTF_HOST);
    drop(device);
    let routes = mac.routes("en0");
    assert!(routes.contains(&"198.51.100.7/32 via 192.0.2.3".to_owned()), "{routes:?}");
    assert!(routes.contains(&"198.51.100.8/32".to_owned()), "{routes:?}");
}

#[test]
fn an_event_reports_when_to_add_it_again() {
    let mac = boot();
    let device = with_default_route();
    let monitor = Monitor::open(Some(&device), flags::MONITOR_DEFAULT_ROUTE).unwrap();
    device.add_bypass(&to(SERVER), false).unwrap();
    while monitor.next(SHORT).is_ok() {}
    change_gateway(&mac);
    let event =
        std::iter::from_fn(|| monitor.next(SHORT).ok()).find(|event| event.kind == Kind::DefaultRoute);
    let default = event.unwrap().route.unwrap().route;
    assert_eq!(default.gateway(), Some(OTHER_GATEWAY.parse().unwrap()));
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.1"), "a route keeps its gateway");
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", OTHER_GATEWAY));
    // No network, and another one.
    mac.del_route("0.0.0.0", 0);
    let error = device.add_bypass(&to(SERVER), false).unwrap_err();
    assert!(error.message().contains("no route leads there without the device"), "{error}");
    assert_eq!(kind(error), (Errno::ENETUNREACH, Reason::Unset));
    assert_eq!(way(&mac, SERVER), by("en0", OTHER_GATEWAY), "what was there stays");
    mac.add_interface("en1", "203.0.113.10", 24);
    mac.add_route("en1", "203.0.113.0", 24, RTF_UP);
    mac.add_route_by("en1", "0.0.0.0", 0, Some("203.0.113.1"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en1", "203.0.113.1"));
    // It may have a more specific route now.
    mac.add_route("en1", "198.51.100.0", 24, RTF_UP);
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en1", ""));
    device.del_bypass(&to(SERVER)).unwrap();
}

#[test]
fn a_route_that_the_system_has_removed_is_added_again() {
    let mac = boot();
    let device = with_default_route();
    device.add_bypass(&to(SERVER), false).unwrap();
    mac.del_route(SERVER, 32);
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", "192.0.2.1"));
    mac.del_route(SERVER, 32);
    device.del_bypass(&to(SERVER)).unwrap();
}

#[test]
fn a_close_removes_it_unless_it_is_kept() {
    let mac = boot();
    let before = mac.routes("en0");
    let device = with_default_route();
    device.add_bypass(&to(SERVER), false).unwrap();
    drop(device);
    assert_eq!(mac.routes("en0"), before);
    let device = with_default_route();
    for (destination, keep) in [(SERVER, false), (SERVER, true), (SERVER, false), ("198.51.100.8", false)] {
        device.add_bypass(&to(destination), keep).unwrap();
    }
    assert!(mac.open_descriptors() > 1);
    drop(device.release());
    assert!(mac.interface("utun7").is_none());
    let kept = "198.51.100.7/32 via 192.0.2.1".to_owned();
    assert!(mac.routes("en0").contains(&kept));
    assert_eq!(mac.routes("en0").len(), before.len() + 1);
    assert_eq!(mac.open_descriptors(), 0);
    // It is nobody's now.
    let device = with_default_route();
    assert_eq!(refusal(device.del_bypass(&to(SERVER))), (Errno::ENOENT, Reason::Unset));
    device.add_bypass(&to(SERVER), false).unwrap();
    device.del_bypass(&to(SERVER)).unwrap();
    assert!(mac.routes("en0").contains(&kept));
}

#[test]
fn it_needs_root_when_it_is_first_added() {
    let mac = boot();
    let before = mac.routes("en0");
    let device = with_default_route();
    mac.set_privileged(false);
    let error = device.add_bypass(&to(SERVER), false).unwrap_err();
    assert!(error.message().contains("198.51.100.7/32: this needs root"), "{error}");
    assert_eq!(kind(error), (Errno::EPERM, Reason::Privilege));
    assert_eq!(mac.routes("en0"), before);
    mac.set_privileged(true);
    device.add_bypass(&to("192.0.2.77"), false).unwrap();
    // The process drops its privileges.
    mac.set_privileged(false);
    change_gateway(&mac);
    device.add_bypass(&to(SERVER), false).unwrap();
    assert_eq!(way(&mac, SERVER), by("en0", OTHER_GATEWAY));
    device.add_bypass(&to("198.51.100.8"), false).unwrap();
    drop(device);
    assert_eq!(mac.routes("en0").len(), before.len());
}

#[test]
fn a_bypass_by_mark_is_refused() {
    let mac = boot();
    let device = with_default_route();
    let before = mac.routes("en0");
    for bypass in [Bypass::parse(None, 7, 0), Bypass::parse(Some(SERVER), 7, 0)].map(Result::unwrap) {
        let refused = (Errno::EOPNOTSUPP, Reason::Platform);
        assert_eq!(refusal(device.add_bypass(&bypass, false)), refused);
        assert_eq!(refusal(device.del_bypass(&bypass)), refused);
    }
    mac.add_route("en0", "128.0.0.0", 2, RTF_UP);
    assert_eq!(refusal(device.add_bypass(&to("128.0.0.0/1"), false)), (Errno::EEXIST, Reason::Busy));
    mac.destroy("utun7");
    assert_eq!(refusal(device.add_bypass(&to(SERVER), false)), (Errno::ENODEV, Reason::Removed));
    mac.del_route("128.0.0.0", 2);
    assert_eq!(mac.routes("en0"), before);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    for changed in [false, true] {
        for number in 1.. {
            let mac = boot();
            let device = with_default_route();
            if changed {
                device.add_bypass(&to(SERVER), false).unwrap();
                change_gateway(&mac);
            }
            let before = mac.routes("en0");
            mac.fail(number, Errno::EIO);
            let added = device.add_bypass(&to(SERVER), false);
            if !mac.has_failed() {
                added.unwrap();
                assert!(number > 3, "{:?}", mac.log());
                break;
            }
            assert_eq!(added.unwrap_err().errno(), Errno::EIO, "call {number}");
            assert_eq!(mac.routes("en0"), before, "call {number}");
            drop(device);
            assert_eq!(mac.open_descriptors(), 0, "call {number}");
        }
    }
}
