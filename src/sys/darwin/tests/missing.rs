// SPDX-License-Identifier: MIT
//! Features that Darwin does not support.

use super::*;
use crate::model::feature::Feature;
use crate::model::link::Alias;
use crate::model::name::Name;
use crate::model::steering::Program;
use crate::sys::darwin::simulated::boot;

const PLATFORM: (Errno, Reason) = (Errno::EOPNOTSUPP, Reason::Platform);

#[test]
fn unsupported_opens_are_refused_before_any_system_call() {
    let machine = boot();
    use flags::{EXISTING, MULTI_QUEUE, NAPI, NAPI_FRAGS, OFFLOAD, PERSIST, PI, TAP, TUN};
    for bits in [
        TUN | MULTI_QUEUE,
        TUN | OFFLOAD,
        TUN | NAPI,
        TAP | NAPI_FRAGS,
        TUN | PERSIST,
        TUN | EXISTING,
        TAP | PI,
    ] {
        assert_eq!(refusal(open("", bits)), PLATFORM, "{bits:#x}");
    }
    let config = Config { node: Some("/dev/tun0".into()), ..Config::default() };
    assert_eq!(refusal(open_with("", TUN, &config)), PLATFORM);
    assert_eq!((machine.calls(), machine.open_descriptors()), (0, 0));
}

#[test]
fn a_refused_option_removes_the_new_device() {
    let machine = boot();
    let alias = || Some(Alias::new(b"vpn").unwrap());
    let configs = [
        Config { owner: Some(501), ..Config::default() },
        Config { group: Some(20), ..Config::default() },
        Config { alias: alias(), mtu: Some(1400), ..Config::default() },
        Config { tx_queue_length: Some(1), ..Config::default() },
    ];
    for config in configs {
        assert_eq!(refusal(open_with("utun7", flags::TUN, &config)), PLATFORM);
        assert!(machine.interface("utun7").is_none());
    }
}

#[test]
fn unsupported_calls_are_refused() {
    let machine = boot();
    let (device, tap) = (tun("utun7"), tap("feth7"));
    let calls = machine.calls();
    let refusals = [
        refusal(device.set_persist(true)),
        refusal(device.owner()),
        refusal(device.group()),
        refusal(device.set_owner(0)),
        refusal(device.set_group(0)),
        refusal(device.set_carrier(false)),
        refusal(device.set_program(Program::Steering, None)),
        refusal(device.set_program(Program::Filter, None)),
        refusal(tap.set_filter_bpf(&[])),
        refusal(tap.set_filter_mac(&[], 0)),
    ];
    assert_eq!(refusals, [PLATFORM; 10]);
    assert_eq!(machine.calls(), calls);
    assert_eq!(refusal(device.set_name(Name::new(b"vpn0").unwrap())), PLATFORM);
    assert_eq!(refusal(device.set_alias(&Alias::new(b"vpn").unwrap())), PLATFORM);
    assert_eq!(refusal(device.set_tx_queue_length(7)), PLATFORM);
    assert_eq!(refusal(device.open_queue(false)), PLATFORM);
    assert_eq!(refusal(device.attach()), PLATFORM);
    assert_eq!(refusal(device.detach()), PLATFORM);
    assert_eq!(refusal(device.set_offloads(0)), PLATFORM);
    assert_eq!(refusal(device.needs_offload("read a super-packet from")), PLATFORM);
}

#[test]
fn unsupported_settings_have_a_fixed_value() {
    let _machine = boot();
    let device = tun("utun7");
    assert_eq!(device.alias().unwrap(), b"");
    assert_eq!(device.offloads().unwrap(), 0);
    device.set_persist(false).unwrap();
    assert_eq!(device.flags().unwrap() & flags::PERSIST, 0);
    device.set_send_buffer(50_000).unwrap();
    assert_eq!(device.send_buffer().unwrap(), 50_000);
}

#[test]
fn supported_features_are_reported() {
    use Feature::*;
    let has = [Tun, Tap, Pi, Ipv4, Ipv6, Route, Wake, Monitor, FindRoute, DefaultRoute, Bypass];
    for number in 1..=25 {
        let feature = Feature::from_number(number).unwrap();
        assert_eq!(Device::has(feature), has.contains(&feature), "{feature:?}");
    }
}
