// SPDX-License-Identifier: MIT
use std::thread;

use super::*;
use crate::device::monitor::Monitor;
use crate::model::event::Event;
use crate::sys::darwin::simulated::boot;

fn text(event: Event) -> String {
    let name = event.link.map(|link| link.name.to_string()).unwrap_or_default();
    match (event.address, event.route) {
        (Some(assigned), _) => format!("{:?} {name} {}", event.kind, assigned.address),
        (None, Some(installed)) => format!("{:?} {name} {}", event.kind, installed.route),
        (None, None) => format!("{:?} {name}", event.kind),
    }
}

fn monitor_fd(monitor: &Monitor) -> BorrowedFd<'_> {
    // SAFETY: it is open while the monitor exists.
    unsafe { BorrowedFd::borrow_raw(monitor.fd()) }
}

/// The events so far.
fn heard(monitor: &Monitor) -> Vec<String> {
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
fn the_present_state_is_reported_first() {
    let mac = boot();
    let _device = tun("utun7");
    mac.add_address("utun7", "10.8.0.1", 24);
    let monitor = Monitor::open(None, 0).unwrap();
    assert_eq!(heard(&monitor), ["Device utun7", "AddrAdded utun7 10.8.0.1/24", "Complete "]);
    assert_eq!(heard(&monitor), [""; 0]);
    assert!(!is_readable(monitor_fd(&monitor)));
}

#[test]
fn changes_are_reported_in_order() {
    let mac = boot();
    let _device = tun("utun7");
    let monitor = Monitor::open(None, 0).unwrap();
    heard(&monitor);
    mac.set_flags("utun7", false);
    mac.set_mtu("utun7", 1400);
    mac.set_flags("utun7", true);
    mac.add_address("utun7", "fd00::1", 64);
    mac.add_address("utun7", "10.8.0.1", 32);
    mac.del_address("utun7", "fd00::1");
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(
        heard(&monitor),
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
fn new_and_removed_devices_are_reported() {
    let mac = boot();
    let monitor = Monitor::open(None, 0).unwrap();
    heard(&monitor);
    let name = mac.create_utun();
    assert_eq!(heard(&monitor), [format!("Device {name}")]);
    mac.set_flags(&name, false);
    assert_eq!(heard(&monitor), [format!("Down {name}")]);
    // PF_ROUTE does not report the end of an interface that is down and has no address.
    mac.destroy(&name);
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(heard(&monitor), [format!("Removed {name}")]);
    assert!(!is_readable(monitor_fd(&monitor)));
}

#[test]
fn changes_that_the_routing_socket_omits_are_reported() {
    let mac = boot();
    let device = tap("feth7");
    let monitor = Monitor::open(Some(&device), 0).unwrap();
    heard(&monitor);
    mac.set_mac("feth7", [2, 0, 0, 0, 0, 9]);
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(heard(&monitor), ["Mac feth7"]);
    // The driver sets it running after the routing message.
    mac.set_flags("feth7", true);
    assert_eq!(heard(&monitor), ["Up feth7", "CarrierOn feth7"]);
    assert!(!is_readable(monitor_fd(&monitor)));
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
    let monitor = Monitor::open(Some(&device), 0).unwrap();
    assert_eq!(heard(&monitor), ["Device utun7", "Complete "]);
    mac.set_mtu("utun8", 1400);
    mac.add_address("utun7", "10.8.0.1", 24);
    mac.destroy("utun7");
    assert_eq!(
        heard(&monitor),
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
    let monitor = Monitor::open(None, 0).unwrap();
    heard(&monitor);
    // Far more messages than the socket of a slow reader can hold. XNU drops the rest without an error.
    for round in 0..5_000 {
        mac.set_mtu("utun7", 1300 + round % 7);
    }
    mac.set_mtu("utun7", 1234);
    mac.add_address("utun7", "10.8.0.1", 24);
    let events = heard(&monitor);
    assert_eq!(events.last().unwrap(), "AddrAdded utun7 10.8.0.1/24");
    assert!(events.len() < 5_000, "nothing was lost");
    let fresh = Monitor::open(None, 0).unwrap();
    let reported = fresh.next(Limit::For(Duration::ZERO)).unwrap().link.unwrap();
    assert_eq!(reported.mtu, 1234);
}

#[test]
fn routes_are_reported_if_requested() {
    let mac = boot();
    let device = tun("utun7");
    mac.add_address("utun7", "10.8.0.1", 32);
    let add = |destination: &str| {
        device.add_route(&Route::parse(destination, None, 0, 0).unwrap(), false).unwrap();
    };
    add("10.9.0.0/16");
    let (without, with) = (Monitor::open(None, 0).unwrap(), Monitor::open(Some(&device), 1).unwrap());
    heard(&without);
    let first = heard(&with);
    assert_eq!(first[2..], ["RouteAdded utun7 10.9.0.0/16", "Complete "]);
    add("10.10.0.0/16");
    device.del_route(&Route::parse("10.9.0.0/16", None, 0, 0).unwrap(), true).unwrap();
    assert_eq!(heard(&with), ["RouteRemoved utun7 10.9.0.0/16", "RouteAdded utun7 10.10.0.0/16"]);
    assert_eq!(heard(&without), [""; 0]);
}

#[test]
fn a_shutdown_ends_a_wait_for_good() {
    let _machine = boot();
    let monitor = Monitor::open(None, 0).unwrap();
    heard(&monitor);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| monitor.next(LONG).map(text));
        thread::sleep(Duration::from_millis(20));
        monitor.shut_down();
        assert_eq!(waiter.join().unwrap().unwrap_err().reason(), Reason::Shutdown);
    });
    assert_eq!(monitor.next(SHORT).unwrap_err().errno(), Errno::ECANCELED);
}

#[test]
fn devices_are_listed_and_released() {
    let mac = boot();
    let (utun, feth) = (tun("utun7"), tap("feth7"));
    let names: Vec<_> = presence::list().unwrap().iter().map(|link| link.name.to_string()).collect();
    assert!(names.contains(&"utun7".into()) && names.contains(&"feth7".into()), "{names:?}");
    assert!(!names.contains(&"lo0".into()));
    assert!(presence::probe(Some(&utun), Feature::Tun).unwrap());
    assert!(!presence::probe(Some(&utun), Feature::Tap).unwrap());
    assert!(!presence::probe(None, Feature::Carrier).unwrap());
    let name = Name::new(b"utun7").unwrap();
    assert_eq!(presence::delete(&name, 0).unwrap_err().reason(), Reason::Platform);
    assert_eq!(feth.check_release().unwrap_err().reason(), Reason::Platform);
    utun.check_release().unwrap();
    let again = Device::open_fd(utun.release().into_raw_fd(), FdFlags::parse(0).unwrap()).unwrap();
    assert_eq!(again.name().unwrap(), name);
    drop((again, mac));
}
