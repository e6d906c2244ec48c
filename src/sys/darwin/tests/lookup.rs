// SPDX-License-Identifier: MIT
use std::net::IpAddr;
use std::time::Instant;

use super::*;
use crate::model::default_route::DefaultRoute;
use crate::model::lookup::{Found, Lookup};
use crate::sys::darwin::layout::{RTF_BLACKHOLE, RTF_HOST, RTF_REJECT, RTF_STATIC};
use crate::sys::darwin::simulated::boot;

const NO_ROUTE: (Errno, Reason) = (Errno::ENETUNREACH, Reason::Unset);

fn find(destination: &str) -> Result<Found> {
    Device::find_route(None, &Lookup::parse(destination, None, 0)?)
}

/// The interface and the route that were found, as text, with the MTU.
fn found(machine: &Machine, destination: &str) -> (String, String, u32) {
    let Found { route, index } = find(destination).unwrap();
    let name = ["lo0", "en0", "en1", "utun7"]
        .into_iter()
        .find(|name| machine.interface(name).is_some_and(|interface| interface.index == index));
    (name.unwrap().to_owned(), route.route.to_string(), route.route.details.mtu)
}

fn route_through(name: &str, route: &str, mtu: u32) -> (String, String, u32) {
    (name.to_owned(), route.to_owned(), mtu)
}

#[test]
fn the_route_that_a_packet_takes_is_found() {
    let machine = boot();
    with_ipv6(&machine);
    let device = with_addresses();
    device.add_route(&Route::parse("10.9.0.0/16", Some("10.8.0.9"), 0, 0).unwrap(), false).unwrap();
    device.add_route(&Route::parse("fd01::/33", None, 0, 0).unwrap(), false).unwrap();
    machine.set_mtu("utun7", 1400);
    for (destination, expected) in [
        ("198.51.100.7", route_through("en0", "0.0.0.0/0 via 192.0.2.1 src 192.0.2.10", 1500)),
        ("192.0.2.77", route_through("en0", "192.0.2.0/24 src 192.0.2.10", 1500)),
        ("10.9.1.1", route_through("utun7", "10.9.0.0/16 via 10.8.0.9 src 10.8.0.1", 1400)),
        ("10.8.0.200", route_through("utun7", "10.8.0.0/24 src 10.8.0.1", 1400)),
        // A router has a link-local address, in which the kernel's message has the interface. The source depends on the
        // packet.
        ("2001:db8:1::7", route_through("en0", "::/0 via fe80::1", 1500)),
        ("2001:db8::77", route_through("en0", "2001:db8::/64", 1500)),
        ("fd01::5", route_through("utun7", "fd01::/33", 1400)),
    ] {
        assert_eq!(found(&machine, destination), expected, "{destination}");
        assert!(!find(destination).unwrap().route.partial, "{destination}");
    }
    let through_device = Device::find_route(Some(&device), &Lookup::parse("10.9.1.1", None, 0).unwrap());
    assert_eq!(through_device.unwrap(), find("10.9.1.1").unwrap());
    device.add_default_route(&DefaultRoute::parse(None, None, 0).unwrap()).unwrap();
    assert_eq!(found(&machine, "198.51.100.7"), route_through("utun7", "128.0.0.0/1 src 10.8.0.1", 1400));
    assert_eq!(found(&machine, "2001:db8:1::7"), route_through("utun7", "::/1", 1400));
}

#[test]
fn unreachable_destinations_are_reported() {
    let machine = boot();
    assert_eq!(refusal(find("2001:db8:1::7")), NO_ROUTE);
    machine.add_route("en0", "10.66.0.0", 16, RTF_UP | RTF_STATIC | RTF_BLACKHOLE);
    machine.add_route("en0", "10.67.0.1", 32, RTF_UP | RTF_STATIC | RTF_REJECT | RTF_HOST);
    assert_eq!(refusal(find("10.66.1.1")), NO_ROUTE);
    assert_eq!(refusal(find("10.67.0.1")), NO_ROUTE);
    // Each link has these addresses: without an interface even the default route does not lead there.
    with_ipv6(&machine);
    for destination in ["fe80::77", "ff02::1", "ff11::1"] {
        assert_eq!(refusal(find(destination)), NO_ROUTE, "{destination}");
    }
    machine.del_route("0.0.0.0", 0);
    assert_eq!(refusal(find("198.51.100.7")), NO_ROUTE);
}

#[test]
fn a_cloned_route_is_reported_as_its_original() {
    let machine = boot();
    let before = found(&machine, "198.51.100.7");
    machine.resolve("198.51.100.7");
    assert!(machine.routes("en0").contains(&"198.51.100.7/32 scoped via 192.0.2.1".to_owned()));
    assert_eq!(found(&machine, "198.51.100.7"), before);
    assert_eq!(found(&machine, "192.0.2.1"), route_through("en0", "192.0.2.0/24 src 192.0.2.10", 1500));
}

#[test]
fn routes_that_are_scoped_to_an_interface_are_ignored() {
    let machine = boot();
    // A second uplink, as macOS has it: its default route is only for sockets that are bound to it.
    machine.add_interface("en1", "203.0.113.10", 24);
    machine.add_route("en1", "203.0.113.0", 24, RTF_UP);
    machine.add_route_via("en1", "0.0.0.0", 0, Some("203.0.113.1"), RTF_UP | RTF_GATEWAY | RTF_IFSCOPE);
    assert_eq!(found(&machine, "198.51.100.7").1, "0.0.0.0/0 via 192.0.2.1 src 192.0.2.10");
    assert_eq!(
        found(&machine, "203.0.113.77"),
        route_through("en1", "203.0.113.0/24 src 203.0.113.10", 1500)
    );
    // A multicast route has an attribute that a tuntap_route does not have.
    assert!(find("224.0.0.251").unwrap().route.partial);
}

#[test]
fn the_mtu_is_the_smaller_of_route_and_interface() {
    let machine = boot();
    machine.set_route_mtu("0.0.0.0", 0, 1280);
    assert_eq!(found(&machine, "198.51.100.7").2, 1280);
    machine.set_route_mtu("0.0.0.0", 0, 9000);
    assert_eq!(found(&machine, "198.51.100.7").2, 1500, "the interface has a smaller one");
    machine.set_route_mtu("0.0.0.0", 0, 0);
    assert_eq!(found(&machine, "198.51.100.7").2, 1500);
}

#[test]
fn lookups_with_a_source_or_a_mark_are_refused() {
    let machine = boot();
    let calls = machine.calls();
    for (source, mark) in [(Some("192.0.2.10"), 0), (None, 7)] {
        let lookup = Lookup::parse("198.51.100.7", source, mark).unwrap();
        assert_eq!(refusal(Device::find_route(None, &lookup)), (Errno::EOPNOTSUPP, Reason::Platform));
    }
    assert_eq!(machine.calls(), calls);
    machine.set_privileged(false);
    find("198.51.100.7").unwrap();
}

#[test]
fn answers_to_other_requests_are_skipped() {
    let _machine = boot();
    std::thread::scope(|scope| {
        let of = |destination: &'static str, network: &'static str| {
            move || {
                for _ in 0..200 {
                    let address: IpAddr = network.parse().unwrap();
                    assert_eq!(find(destination).unwrap().route.route.network(), address);
                }
            }
        };
        let others =
            [of("198.51.100.7", "0.0.0.0"), of("192.0.2.77", "192.0.2.0"), of("224.0.0.1", "224.0.0.0")];
        others
            .into_iter()
            .map(|run| scope.spawn(run))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|it| it.join().unwrap());
    });
}

#[test]
fn a_lost_answer_times_out() {
    let machine = boot();
    machine.lose_messages(true);
    let start = Instant::now();
    assert_eq!(find("198.51.100.7").unwrap_err().errno(), Errno::ETIMEDOUT);
    assert!(start.elapsed() < Duration::from_secs(60));
    machine.lose_messages(false);
    find("198.51.100.7").unwrap();
    assert_eq!(machine.open_descriptors(), 0);
}

#[test]
fn each_failed_system_call_is_reported() {
    let machine = boot();
    for number in 1.. {
        machine.fail(number, Errno::EIO);
        let result = find("198.51.100.7");
        if !machine.has_failed() {
            result.unwrap();
            assert!(number > 3, "{:?}", machine.log());
            break;
        }
        assert_eq!(result.unwrap_err().errno(), Errno::EIO, "call {number}");
        assert_eq!(machine.open_descriptors(), 0, "call {number}");
    }
}
