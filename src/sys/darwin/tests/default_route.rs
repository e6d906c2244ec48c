// SPDX-License-Identifier: MIT
use super::*;
use crate::device::monitor::Monitor;
use crate::model::default_route::{DefaultRoute, KEEP, OVERRIDE};
use crate::model::event::Kind;
use crate::model::ipv6::Setting;
use crate::model::prefix::Family;
use crate::sys::darwin::simulated::boot;

const HALVES: [&str; 4] = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];

fn wanted(family: Option<Family>, bits: u64) -> DefaultRoute {
    DefaultRoute::parse(family, None, bits).unwrap()
}

#[test]
fn a_default_route_is_added_as_two_halves() {
    let machine = boot();
    let device = with_addresses();
    let before = machine.routes("utun7");
    device.add_default_route(&wanted(None, 0)).unwrap();
    device.add_default_route(&wanted(None, 0)).unwrap();
    let routes = machine.routes("utun7");
    assert!(HALVES.iter().all(|half| routes.contains(&(*half).to_owned())), "{routes:?}");
    assert_eq!(routes.len(), before.len() + HALVES.len());
    device.del_default_route(Some(Family::V4)).unwrap();
    assert!(!machine.routes("utun7").contains(&"128.0.0.0/1".to_owned()));
    device.del_default_route(None).unwrap();
    assert_eq!(machine.routes("utun7"), before);
    assert_eq!(refusal(device.del_default_route(None)), (Errno::ENOENT, Reason::Unset));
}

#[test]
fn unsupported_flags_and_settings_are_refused() {
    let machine = boot();
    let device = with_addresses();
    let before = machine.routes("utun7");
    for bits in [KEEP, OVERRIDE] {
        let refused = refusal(device.add_default_route(&wanted(None, bits)));
        assert_eq!(refused, (Errno::EOPNOTSUPP, Reason::Platform));
    }
    assert_eq!(machine.routes("utun7"), before);
    for refused in [
        refusal(device.set_master(None)),
        refusal(device.master().map(drop)),
        refusal(device.set_ipv6(Setting::AcceptRa, 0)),
        refusal(device.ipv6(Setting::AcceptRa).map(drop)),
    ] {
        assert_eq!(refused, (Errno::EOPNOTSUPP, Reason::Platform));
    }
}

#[test]
fn the_default_route_of_the_system_is_reported() {
    let machine = boot();
    let device = with_addresses();
    let monitor = Monitor::open(Some(&device), flags::MONITOR_DEFAULT_ROUTE).unwrap();
    let mut found = Vec::new();
    while let Ok(event) = monitor.next(SHORT) {
        if event.kind == Kind::DefaultRoute {
            found.push((event.link.unwrap().name.to_string(), event.family));
        }
    }
    assert_eq!(found, [("en0".to_owned(), Some(Family::V4))]);
    device.add_default_route(&wanted(None, 0)).unwrap();
    machine.set_flags("en0", false);
    let gone = std::iter::from_fn(|| monitor.next(SHORT).ok()).find(|event| event.kind == Kind::DefaultRoute);
    assert!(gone.is_some_and(|event| event.link.is_none() && event.family == Some(Family::V4)));
}
