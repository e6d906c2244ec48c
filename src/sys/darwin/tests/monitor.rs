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
fn take_events(monitor: &Monitor) -> Vec<String> {
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
    let machine = boot();
    let _device = tun("utun7");
    machine.add_address("utun7", "10.8.0.1", 24);
    let monitor = Monitor::open(None, 0).unwrap();
    assert_eq!(take_events(&monitor), ["Device utun7", "AddrAdded utun7 10.8.0.1/24", "Complete "]);
    assert_eq!(take_events(&monitor), [""; 0]);
    assert!(!is_readable(monitor_fd(&monitor)));
}

#[test]
fn changes_are_reported_in_order() {
    let machine = boot();
    let _device = tun("utun7");
    let monitor = Monitor::open(None, 0).unwrap();
    take_events(&monitor);
    machine.set_flags("utun7", false);
    machine.set_mtu("utun7", 1400);
    machine.set_flags("utun7", true);
    machine.add_address("utun7", "fd00::1", 64);
    machine.add_address("utun7", "10.8.0.1", 32);
    machine.del_address("utun7", "fd00::1");
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(
        take_events(&monitor),
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
    let machine = boot();
    let monitor = Monitor::open(None, 0).unwrap();
    take_events(&monitor);
    let name = machine.create_utun();
    assert_eq!(take_events(&monitor), [format!("Device {name}")]);
    machine.set_flags(&name, false);
    assert_eq!(take_events(&monitor), [format!("Down {name}")]);
    // PF_ROUTE does not report the end of an interface that is down and has no address.
    machine.destroy(&name);
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(take_events(&monitor), [format!("Removed {name}")]);
    assert!(!is_readable(monitor_fd(&monitor)));
}

#[test]
fn changes_that_the_routing_socket_omits_are_reported() {
    let machine = boot();
    let device = tap("feth7");
    let monitor = Monitor::open(Some(&device), 0).unwrap();
    take_events(&monitor);
    machine.set_mac("feth7", [2, 0, 0, 0, 0, 9]);
    assert!(is_readable(monitor_fd(&monitor)));
    assert_eq!(take_events(&monitor), ["Mac feth7"]);
    // The driver sets it running after the routing message.
    machine.set_flags("feth7", true);
    assert_eq!(take_events(&monitor), ["Up feth7", "CarrierOn feth7"]);
    assert!(!is_readable(monitor_fd(&monitor)));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| monitor.next(LONG).map(text));
        thread::sleep(Duration::from_millis(20));
        machine.set_mac("feth7", [2, 0, 0, 0, 0, 8]);
        assert_eq!(waiter.join().unwrap().unwrap(), "Mac feth7");
    });
    assert_eq!(monitor.next(SHORT).unwrap_err().errno(), Errno::ETIMEDOUT);
}

#[test]
fn one_device_is_watched_until_its_removal() {
    let machine = boot();
    let device = tun("utun7");
    let _other = tun("utun8");
    let monitor = Monitor::open(Some(&device), 0).unwrap();
    assert_eq!(take_events(&monitor), ["Device utun7", "Complete "]);
    machine.set_mtu("utun8", 1400);
    machine.add_address("utun7", "10.8.0.1", 24);
    machine.destroy("utun7");
    assert_eq!(
        take_events(&monitor),
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
fn a_survey_finds_lost_changes() {
    let machine = boot();
    let _device = tun("utun7");
    let monitor = Monitor::open(None, 0).unwrap();
    take_events(&monitor);
    // Far more messages than the socket of a slow reader can hold. XNU drops the rest without an error.
    for round in 0..5_000 {
        machine.set_mtu("utun7", 1300 + round % 7);
    }
    machine.set_mtu("utun7", 1234);
    machine.add_address("utun7", "10.8.0.1", 24);
    let events = take_events(&monitor);
    assert_eq!(events.last().unwrap(), "AddrAdded utun7 10.8.0.1/24");
    assert!(events.len() < 5_000, "nothing was lost");
    let fresh = Monitor::open(None, 0).unwrap();
    let reported = fresh.next(Limit::For(Duration::ZERO)).unwrap().link.unwrap();
    assert_eq!(reported.mtu, 1234);
}

#[test]
fn routes_are_reported_if_requested() {
    let machine = boot();
    let device = tun("utun7");
    machine.add_address("utun7", "10.8.0.1", 32);
    let add = |destination: &str| {
        device.add_route(&Route::parse(destination, None, 0, 0).unwrap(), false).unwrap();
    };
    add("10.9.0.0/16");
    let (without, with) = (Monitor::open(None, 0).unwrap(), Monitor::open(Some(&device), 1).unwrap());
    take_events(&without);
    let first = take_events(&with);
    assert_eq!(first[2..], ["RouteAdded utun7 10.9.0.0/16", "Complete "]);
    add("10.10.0.0/16");
    device.del_route(&Route::parse("10.9.0.0/16", None, 0, 0).unwrap(), false).unwrap();
    assert_eq!(take_events(&with), ["RouteRemoved utun7 10.9.0.0/16", "RouteAdded utun7 10.10.0.0/16"]);
    assert_eq!(take_events(&without), [""; 0]);
}

#[test]
fn a_shutdown_ends_present_and_later_waits() {
    let _machine = boot();
    let monitor = Monitor::open(None, 0).unwrap();
    take_events(&monitor);
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
    let machine = boot();
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
    drop((again, machine));
}
