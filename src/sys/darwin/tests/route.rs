// SPDX-License-Identifier: MIT
use super::*;
use crate::model::route::{Details, Type};
use crate::sys::darwin::layout::{RTF_LLINFO, RTF_MULTICAST};
use crate::sys::darwin::simulated::boot;

fn route(destination: &str, gateway: Option<&str>) -> Route {
    Route::parse(destination, gateway, 0, 0).unwrap()
}

fn listed(device: &Device) -> Vec<String> {
    device.routes().unwrap().iter().map(|installed| installed.route.to_string()).collect()
}

#[test]
fn routes_are_added_listed_and_deleted() {
    let machine = boot();
    let device = with_addresses();
    let wanted = ["10.9.0.0/23", "10.10.0.1", "0.0.0.0/1", "fd01::/33", "fd02::1", "::/1"];
    for destination in wanted {
        device.add_route(&route(destination, None), false).unwrap();
    }
    device.add_route(&route("10.11.0.0/16", Some("10.8.0.9")), false).unwrap();
    device.add_route(&route("fd03::/64", Some("fd00::9")), false).unwrap();
    let theirs = [
        "0.0.0.0/1",
        "10.8.0.0/24",
        "10.8.0.1/32",
        "10.9.0.0/23",
        "10.10.0.1/32",
        "10.11.0.0/16 via 10.8.0.9",
        "::/1",
        "fd00::/64",
        "fd01::/33",
        "fd02::1/128",
        "fd03::/64 via fd00::9",
        "fe80::/64",
    ];
    assert_eq!(machine.routes("utun7"), theirs);
    // Darwin manages the routes to the device's own address and of its link.
    let own = ["10.8.0.1/32", "fe80::/64"];
    let ours: Vec<_> = theirs.iter().copied().filter(|text| !own.contains(text)).collect();
    assert_eq!(listed(&device), ours);
    for destination in wanted {
        device.del_route(&route(destination, None), false).unwrap();
    }
    device.del_route(&route("10.11.0.0/16", Some("10.8.0.9")), false).unwrap();
    assert_eq!(listed(&device), ["10.8.0.0/24", "fd00::/64", "fd03::/64 via fd00::9"]);
    assert_eq!(refusal(device.del_route(&route("10.9.0.0/23", None), false)), (Errno::ENOENT, Reason::Unset));
}

#[test]
fn only_routes_that_a_caller_can_add_are_listed() {
    let machine = boot();
    let device = with_addresses();
    machine.add_route("utun7", "10.8.0.7", 32, RTF_UP | RTF_LLINFO);
    machine.add_route("utun7", "224.0.0.0", 8, RTF_UP | RTF_MULTICAST);
    machine.add_route("utun7", "ff02::", 16, RTF_UP);
    machine.add_route("utun7", "10.77.0.0", 16, RTF_UP | RTF_IFSCOPE);
    machine.add_route("utun7", "10.78.0.0", 16, 0);
    assert_eq!(listed(&device), ["10.8.0.0/24", "fd00::/64"]);
}

#[test]
fn a_foreign_route_is_reported_as_foreign() {
    let machine = boot();
    let device = with_addresses();
    assert_eq!(refusal(device.add_route(&route("0.0.0.0/0", None), false)), (Errno::EEXIST, Reason::Busy));
    // It is not deleted through this device.
    assert_eq!(
        refusal(device.del_route(&route("0.0.0.0/0", Some("192.0.2.1")), false)),
        (Errno::ENOENT, Reason::Unset)
    );
    assert!(machine.routes("en0").contains(&"0.0.0.0/0 via 192.0.2.1".to_owned()));
    let before = machine.calls();
    device.add_route(&route("10.8.0.0/24", None), false).unwrap();
    assert_eq!(machine.calls() - before, 4, "what is there is looked for, and not added");
}

#[test]
fn metrics_tables_and_unreachable_gateways_are_refused() {
    let machine = boot();
    let device = with_addresses();
    let before = machine.routes("utun7");
    for (metric, table) in [(1, 0), (0, 100)] {
        let asked = Route::parse("10.9.0.0/16", None, metric, table).unwrap();
        assert_eq!(refusal(device.add_route(&asked, false)), (Errno::EOPNOTSUPP, Reason::Platform));
    }
    machine.set_privileged(false);
    assert_eq!(
        refusal(device.add_route(&route("10.9.0.0/16", None), false)),
        (Errno::EPERM, Reason::Privilege)
    );
    machine.set_privileged(true);
    let far = route("fd05::/64", Some("fd09::1"));
    assert_eq!(refusal(device.add_route(&far, false)), (Errno::ENETUNREACH, Reason::Argument));
    assert_eq!(machine.routes("utun7"), before);
}

#[test]
fn a_route_needs_an_address_of_its_family() {
    let machine = boot();
    let device = tun("utun7");
    device
        .add_addr(&AddressRequest::parse("10.8.0.1/24", None).unwrap(), &Options::default(), false)
        .unwrap();
    device.add_route(&route("10.9.0.0/16", None), false).unwrap();
    let error = device.add_route(&route("fd01::/64", None), false).unwrap_err();
    assert!(error.message().contains("add an IPv6 address to the device first"), "{error}");
    assert_eq!(kind(error), (Errno::ENETUNREACH, Reason::Argument));
    device.add_addr(&AddressRequest::parse("fd00::1/64", None).unwrap(), &Options::default(), false).unwrap();
    device.add_route(&route("fd01::/64", None), false).unwrap();
    assert!(machine.routes("utun7").contains(&"fd01::/64".to_owned()));
}

#[test]
fn a_conflicting_route_of_the_device_is_replaced() {
    let machine = boot();
    let device = with_addresses();
    device.add_route(&route("10.9.0.0/16", Some("10.8.0.9")), false).unwrap();
    let other = route("10.9.0.0/16", Some("10.8.0.8"));
    assert_eq!(refusal(device.add_route(&other, false)), (Errno::EEXIST, Reason::Busy));
    device.add_route(&other, true).unwrap();
    assert!(listed(&device).contains(&"10.9.0.0/16 via 10.8.0.8".to_owned()));
    let theirs = || machine.routes("en0").contains(&"10.10.0.0/24".to_owned());
    machine.add_route("en0", "10.10.0.0", 24, 1);
    assert_eq!(refusal(device.add_route(&route("10.10.0.0/24", None), true)), (Errno::EEXIST, Reason::Busy));
    assert!(theirs());
}

#[test]
fn unsupported_attributes_are_refused() {
    let machine = boot();
    let device = with_addresses();
    let before = machine.routes("utun7");
    let plain = route("10.9.0.0/16", None);
    let with = |details| {
        let mut route = plain;
        route.details = details;
        route
    };
    for asked in [
        with(Details { kind: Type::Broadcast, ..Details::default() }),
        with(Details { protocol: 4, ..Details::default() }),
        with(Details { mtu: 1400, ..Details::default() }),
        with(Details { onlink: true, ..Details::default() }),
        plain.with_source("10.8.0.1").unwrap(),
        plain.with_gateway("fe80::1").unwrap(),
    ] {
        assert_eq!(refusal(device.add_route(&asked, false)), (Errno::EOPNOTSUPP, Reason::Platform));
    }
    assert_eq!(machine.routes("utun7"), before);
}
