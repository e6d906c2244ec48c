// SPDX-License-Identifier: MIT
use std::thread;

use super::*;
use crate::device::monitor::Monitor;
use crate::model::event::Event;
use crate::sys::darwin::simulated::boot;

fn text(event: Event) -> String {
    let name = event.link.map(|link| link.name.to_string()).unwrap_or_default();
    match event.address {
        Some(assigned) => format!("{:?} {name} {}", event.kind, assigned.address),
        None => format!("{:?} {name}", event.kind),
    }
}

/// What has happened so far.
fn heard(monitor: &mut Monitor) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        match monitor.next(Limit::For(Duration::ZERO)) {
            Ok(event) => events.push(text(event)),
            Err(error) if error.errno() == Errno::ETIMEDOUT => return events,
            Err(error) => {
                events.push(format!("{:?}", error.errno()));
                return events;
            }
        }
    }
}

#[test]
fn what_is_there_is_told_first() {
    let mac = boot();
    let _device = tun("utun7");
    mac.add_address("utun7", "10.8.0.1", 24);
    let mut monitor = Monitor::open(None).unwrap();
    assert_eq!(heard(&mut monitor), ["Device utun7", "AddrAdded utun7 10.8.0.1/24", "Complete "]);
    assert_eq!(heard(&mut monitor), [""; 0]);
    assert!(!is_readable(monitor.fd()));
}

#[test]
fn changes_are_told_in_their_order() {
    let mac = boot();
    let _device = tun("utun7");
    let mut monitor = Monitor::open(None).unwrap();
    heard(&mut monitor);
    mac.set_flags("utun7", false);
    mac.set_mtu("utun7", 1400);
    mac.set_flags("utun7", true);
    mac.add_address("utun7", "fd00::1", 64);
    mac.add_address("utun7", "10.8.0.1", 32);
    mac.del_address("utun7", "fd00::1");
    assert!(is_readable(monitor.fd()));
    assert_eq!(
        heard(&mut monitor),
        [
            "Down utun7",
            "Mtu utun7",
            "Up utun7",
            "AddrAdded utun7 fd00::1/64",
            "AddrAdded utun7 10.8.0.1/32",
            "AddrRemoved utun7 fd00::1/64",
        ]
    );
}

#[test]
fn new_devices_and_those_that_go_are_told() {
    let mac = boot();
    let mut monitor = Monitor::open(None).unwrap();
    heard(&mut monitor);
    let name = mac.create_utun();
    assert_eq!(heard(&mut monitor), [format!("Device {name}")]);
    mac.set_flags(&name, false);
    assert_eq!(heard(&mut monitor), [format!("Down {name}")]);
    // PF_ROUTE has nothing to say of one that goes when it is down and has no address.
    mac.destroy(&name);
    assert!(is_readable(monitor.fd()));
    assert_eq!(heard(&mut monitor), [format!("Removed {name}")]);
    assert!(!is_readable(monitor.fd()));
}

#[test]
fn what_the_routing_socket_does_not_tell_is_heard_as_well() {
    let mac = boot();
    let device = tap("feth7");
    let mut monitor = Monitor::open(Some(&device)).unwrap();
    heard(&mut monitor);
    mac.set_mac("feth7", [2, 0, 0, 0, 0, 9]);
    assert!(is_readable(monitor.fd()));
    assert_eq!(heard(&mut monitor), ["Mac feth7"]);
    // The driver has it run after the routing message.
    mac.set_flags("feth7", true);
    assert_eq!(heard(&mut monitor), ["Up feth7", "CarrierOn feth7"]);
    assert!(!is_readable(monitor.fd()));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| monitor.next(LONG).map(text));
        thread::sleep(Duration::from_millis(20));
        mac.set_mac("feth7", [2, 0, 0, 0, 0, 8]);
        assert_eq!(waiter.join().unwrap().unwrap(), "Mac feth7");
    });
    assert_eq!(monitor.next(SHORT).unwrap_err().errno(), Errno::ETIMEDOUT);
}

#[test]
fn one_device_is_watched_to_its_end() {
    let mac = boot();
    let device = tun("utun7");
    let _other = tun("utun8");
    let mut monitor = Monitor::open(Some(&device)).unwrap();
    assert_eq!(heard(&mut monitor), ["Device utun7", "Complete "]);
    mac.set_mtu("utun8", 1400);
    mac.add_address("utun7", "10.8.0.1", 24);
    mac.destroy("utun7");
    assert_eq!(
        heard(&mut monitor),
        [
            "AddrAdded utun7 10.8.0.1/24",
            "Down utun7",
            "AddrRemoved utun7 10.8.0.1/24",
            "Removed utun7",
            "ENODEV",
        ]
    );
}

#[test]
fn what_was_lost_is_found_by_looking() {
    let mac = boot();
    let _device = tun("utun7");
    let mut monitor = Monitor::open(None).unwrap();
    heard(&mut monitor);
    // Far more than a slow reader's socket has room for; XNU drops the rest without a word.
    for round in 0..5_000 {
        mac.set_mtu("utun7", 1300 + round % 7);
    }
    mac.set_mtu("utun7", 1234);
    mac.add_address("utun7", "10.8.0.1", 24);
    let events = heard(&mut monitor);
    assert_eq!(events.last().unwrap(), "AddrAdded utun7 10.8.0.1/24");
    assert!(events.len() < 5_000, "nothing was lost");
    let mut fresh = Monitor::open(None).unwrap();
    let told = fresh.next(Limit::For(Duration::ZERO)).unwrap().link.unwrap();
    assert_eq!(told.mtu, 1234);
}
