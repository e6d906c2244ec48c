// SPDX-License-Identifier: MIT
use super::*;
use crate::model::address::AddressRequest;
use crate::model::assigned::{Label, Lifetimes, Options, Scope};
use crate::model::prefix::Prefix;
use crate::sys::darwin::simulated::boot;

fn request(text: &str) -> AddressRequest {
    AddressRequest::parse(text, None).unwrap()
}

fn add(device: &Device, text: &str) -> Result<()> {
    device.add_addr(&request(text), &Options::default(), false)
}

fn listed(device: &Device) -> Vec<String> {
    device.addresses().unwrap().iter().map(|assigned| assigned.address.to_string()).collect()
}

#[test]
fn an_ipv4_address_of_a_tun_is_its_own_peer_and_has_a_network_route() {
    let machine = boot();
    let device = tun("utun7");
    // Also prefixes that end within a byte.
    for (text, network) in [
        ("10.8.0.1/24", "10.8.0.0/24"),
        ("10.9.3.1/23", "10.9.2.0/23"),
        ("10.64.0.1/11", "10.64.0.0/11"),
        ("11.0.0.1/1", "0.0.0.0/1"),
        ("10.8.0.1/31", "10.8.0.0/31"),
    ] {
        device.set_addr(&request(text)).unwrap();
        let local = text.split('/').next().unwrap();
        assert_eq!(machine.addresses("utun7"), [format!("{text} {local}")]);
        let mut routes = [network.to_owned(), format!("{local}/32")];
        routes.sort();
        let mut found = machine.routes("utun7");
        found.sort();
        assert_eq!(found, routes);
        assert_eq!(listed(&device), [text]);
    }
    device.del_addr(&request("10.8.0.1")).unwrap();
    assert!(machine.addresses("utun7").is_empty() && machine.routes("utun7").is_empty());
    assert_eq!(refusal(device.del_addr(&request("10.8.0.1"))), (Errno::ENOENT, Reason::Unset));
}

#[test]
fn the_single_setters_change_the_first_address() {
    let machine = boot();
    let device = tun("utun7");
    device.set_addr(&request("10.8.0.1")).unwrap();
    device.set_dstaddr("10.8.0.2".parse().unwrap()).unwrap();
    device.set_netmask(Prefix::parse_netmask("255.255.255.0").unwrap()).unwrap();
    assert_eq!(machine.addresses("utun7"), ["10.8.0.1/24 10.8.0.2"]);
    assert_eq!(machine.routes("utun7"), ["10.8.0.0/24", "10.8.0.2/32"]);
    let reported = [device.addr().unwrap(), device.dstaddr().unwrap(), device.netmask().unwrap().into()];
    assert_eq!(reported.map(|ip| ip.to_string()), ["10.8.0.1", "10.8.0.2", "255.255.255.0"]);
}

#[test]
fn a_deletion_keeps_the_route_that_another_address_needs() {
    let machine = boot();
    let device = tun("utun7");
    add(&device, "10.8.0.1/24").unwrap();
    add(&device, "10.8.0.2/24").unwrap();
    device.del_addr(&request("10.8.0.1")).unwrap();
    assert_eq!(machine.addresses("utun7"), ["10.8.0.2/24 10.8.0.2"]);
    assert_eq!(machine.routes("utun7"), ["10.8.0.0/24", "10.8.0.2/32"]);
}

#[test]
fn an_address_is_removed_if_its_route_cannot_be_added() {
    let machine = boot();
    let device = tun("utun7");
    device
        .add_addr(&request("10.8.0.1/24"), &Options { noprefixroute: true, ..Options::default() }, false)
        .unwrap();
    assert_eq!(machine.routes("utun7"), ["10.8.0.1/32"]);
    // The write to the routing socket, after the list of interfaces, the address, and the socket.
    machine.fail(5, Errno::ENOBUFS);
    assert_eq!(refusal(add(&device, "10.9.0.1/24")), (Errno::ENOBUFS, Reason::System));
    assert!(machine.has_failed());
    assert_eq!(machine.addresses("utun7"), ["10.8.0.1/24 10.8.0.1"]);
}

#[test]
fn changes_of_addresses_keep_foreign_routes() {
    let machine = boot();
    let device = tun("utun7");
    let theirs = || machine.routes("en0").contains(&"10.10.0.0/24".to_owned());
    machine.add_route("en0", "10.10.0.0", 24, 1);
    add(&device, "10.10.0.1/24").unwrap();
    assert!(theirs());
    // Neither a deletion with another address of the network left, nor a replacement removes it.
    add(&device, "10.10.0.2/24").unwrap();
    device.del_addr(&request("10.10.0.1/24")).unwrap();
    device.set_addr(&request("10.8.0.1/24")).unwrap();
    assert!(theirs());
    assert_eq!(machine.routes("utun7"), ["10.8.0.0/24", "10.8.0.1/32"]);
}

/// The addresses without the link-local one that the kernel adds, which must exist.
fn without_automatic(all: Vec<String>) -> Vec<String> {
    let (automatic, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|text| text.starts_with("fe80::1"));
    assert_eq!(automatic.len(), 1, "{automatic:?}");
    others
}

#[test]
fn ipv6_addresses_are_added_listed_and_deleted() {
    let machine = boot();
    let device = tun("utun7");
    device.add_addr(&request("fd00::1/64"), &Options { nodad: true, ..Options::default() }, false).unwrap();
    add(&device, "fd01::1/57").unwrap();
    add(&device, "fe80::7/64").unwrap();
    add(&device, "fd02::1").unwrap();
    let wanted = ["fd00::1/64", "fd01::1/57", "fe80::7/64", "fd02::1/128"];
    assert_eq!(without_automatic(machine.addresses("utun7")), wanted);
    assert_eq!(without_automatic(listed(&device)), wanted);
    let flags: Vec<_> = device.addresses().unwrap().iter().map(|assigned| assigned.flags).collect();
    assert_eq!(flags, [0, crate::model::assigned::NODAD, 0, 0, 0]);
    device.set_addr(&request("fd03::1/64")).unwrap();
    // Link-local addresses are a separate case.
    assert_eq!(without_automatic(machine.addresses("utun7")), ["fe80::7/64", "fd03::1/64"]);
    device.del_addr(&request("fe80::7")).unwrap();
    assert_eq!(without_automatic(machine.addresses("utun7")), ["fd03::1/64"]);
    // The routes of deleted addresses are removed a little later.
    assert_eq!(machine.routes("utun7"), ["fd00::/64", "fd01::/57", "fd03::/64", "fe80::/64"]);
    device.set_addr(&request("fd01::2/57")).unwrap();
    machine.serve_ipv6();
    assert_eq!(machine.routes("utun7"), ["fd01::/57", "fe80::/64"]);
    assert_eq!(device.routes().unwrap().len(), 1, "routes that are scoped to the interface are not listed");
}

#[test]
fn a_set_link_local_address_replaces_the_automatic_one() {
    let machine = boot();
    let (first, second) = (tun("utun7"), tun("utun8"));
    first.set_addr(&request("fe80::7/64")).unwrap();
    assert_eq!(machine.addresses("utun7"), ["fe80::7/64"]);
    add(&second, "fd00::1/64").unwrap();
    second.set_addr(&request("fe80::7/64")).unwrap();
    assert_eq!(machine.addresses("utun8"), ["fd00::1/64", "fe80::7/64"]);
    add(&second, "fe80::8/64").unwrap();
    assert_eq!(machine.addresses("utun8"), ["fd00::1/64", "fe80::7/64", "fe80::8/64"]);
}

#[test]
fn a_failed_change_restores_the_ipv6_addresses() {
    let machine = boot();
    let device = tun("utun7");
    add(&device, "fd00::1/64").unwrap();
    add(&device, "fd01::1/64").unwrap();
    let sorted = || {
        let mut addresses = machine.addresses("utun7");
        addresses.sort();
        addresses
    };
    let before = sorted();
    for number in 1.. {
        machine.fail(number, Errno::EIO);
        let set = device.set_addr(&request("fd02::1/64"));
        if !machine.has_failed() {
            set.unwrap();
            break;
        }
        // The flags of an address are optional.
        if set.is_ok() {
            device.set_addr(&request("fd00::1/64")).unwrap();
            add(&device, "fd01::1/64").unwrap();
        }
        assert_eq!(sorted(), before, "call {number}");
    }
}

#[test]
fn peers_are_accepted_only_where_darwin_supports_them() {
    let machine = boot();
    let (device, tap) = (tun("utun7"), tap("feth7"));
    let peer = |text, peer| AddressRequest::parse(text, Some(peer)).unwrap();
    device.add_addr(&peer("10.8.0.1/24", "10.9.0.2"), &Options::default(), false).unwrap();
    device.add_addr(&peer("fd00::1/128", "fd00::2"), &Options::default(), false).unwrap();
    assert_eq!(
        without_automatic(machine.addresses("utun7")),
        ["10.8.0.1/24 10.9.0.2", "fd00::1/128 fd00::2"]
    );
    assert_eq!(machine.routes("utun7"), ["10.9.0.0/24", "10.9.0.2/32", "fe80::/64"]);
    assert_eq!(without_automatic(listed(&device)), ["10.8.0.1 peer 10.9.0.2/24", "fd00::1 peer fd00::2/128"]);
    let ipv6 = peer("fd01::1/64", "fd01::2");
    assert_eq!(refusal(device.add_addr(&ipv6, &Options::default(), false)), (Errno::EINVAL, Reason::Address));
    let ipv4 = peer("10.8.0.1/24", "10.8.0.2");
    assert_eq!(
        refusal(tap.add_addr(&ipv4, &Options::default(), false)),
        (Errno::EOPNOTSUPP, Reason::Platform)
    );
    assert!(machine.addresses("feth7").is_empty());
}

#[test]
fn a_tap_gets_a_broadcast_address_and_a_kernel_route() {
    let machine = boot();
    let device = tap("feth7");
    add(&device, "10.8.2.1/23").unwrap();
    add(&device, "fd00::1/64").unwrap();
    assert_eq!(without_automatic(machine.addresses("feth7")), ["10.8.2.1/23 10.8.3.255", "fd00::1/64"]);
    assert_eq!(machine.routes("feth7"), ["10.8.2.0/23", "fd00::/64", "fe80::/64"]);
    assert_eq!(without_automatic(listed(&device)), ["10.8.2.1/23", "fd00::1/64"]);
    device.del_addr(&request("10.8.2.1/23")).unwrap();
    assert_eq!(machine.routes("feth7"), ["fd00::/64", "fe80::/64"]);
}

#[test]
fn unsupported_addresses_are_refused_first() {
    let machine = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    let bare = Options { noprefixroute: true, ..Options::default() };
    let refused = (Errno::EOPNOTSUPP, Reason::Platform);
    assert_eq!(refusal(tap.add_addr(&request("10.8.0.1/24"), &bare, false)), refused);
    assert_eq!(refusal(tun.add_addr(&request("fd00::1/64"), &bare, false)), refused);
    assert_eq!(refusal(add(&tun, "10.8.0.1/0")), (Errno::EINVAL, Reason::Address));
    tun.set_mtu(1000).unwrap();
    assert_eq!(refusal(add(&tun, "fd00::1/64")), (Errno::EINVAL, Reason::Range));
    assert!(machine.addresses("utun7").is_empty() && machine.addresses("feth7").is_empty());
}

#[test]
fn existing_addresses_need_no_privilege() {
    let machine = boot();
    let device = tun("utun7");
    add(&device, "10.8.0.1/24").unwrap();
    machine.set_privileged(false);
    add(&device, "10.8.0.1/24").unwrap();
    device.set_addr(&request("10.8.0.1")).unwrap();
    assert_eq!(refusal(device.set_addr(&request("10.8.0.2"))), (Errno::EPERM, Reason::Privilege));
    assert_eq!(machine.addresses("utun7"), ["10.8.0.1/24 10.8.0.1"]);
}

#[test]
fn unsupported_options_are_refused_and_listed_ones_accepted() {
    let machine = boot();
    let device = tun("utun7");
    let plain = Options::default();
    for options in [
        Options { lifetimes: Lifetimes::new(60, 0, false).unwrap(), ..plain },
        Options { scope: Some(Scope::Host), ..plain },
        Options { label: Label::new(b"utun7:1").unwrap(), ..plain },
        Options { metric: 7, ..plain },
        Options { protocol: 3, ..plain },
        Options { nobroadcast: true, ..plain },
    ] {
        let refused = refusal(device.add_addr(&request("10.8.0.1/24"), &options, false));
        assert_eq!(refused, (Errno::EOPNOTSUPP, Reason::Platform), "{options:?}");
    }
    assert!(machine.addresses("utun7").is_empty());
    add(&device, "10.8.0.1/24").unwrap();
    device.add_addr(&request("fd00::1/64"), &Options { nodad: true, ..plain }, false).unwrap();
    let (before, listed) = (machine.addresses("utun7"), device.addresses().unwrap());
    for assigned in &listed {
        device
            .del_addr(&AddressRequest::parse(&assigned.address.local().to_string(), None).unwrap())
            .unwrap();
    }
    for assigned in &listed {
        let text = format!("{}/{}", assigned.address.local(), assigned.address.prefix().bits());
        device.add_addr(&request(&text), &assigned.options, false).unwrap();
    }
    assert_eq!(sorted(machine.addresses("utun7")), sorted(before));
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

#[test]
fn a_conflicting_address_is_replaced_on_request() {
    let machine = boot();
    let device = tun("utun7");
    add(&device, "fd00::1/64").unwrap();
    assert_eq!(refusal(add(&device, "fd00::1/48")), (Errno::EEXIST, Reason::Busy));
    device.add_addr(&request("fd00::1/48"), &Options::default(), true).unwrap();
    assert_eq!(without_automatic(machine.addresses("utun7")), ["fd00::1/48"]);
}
