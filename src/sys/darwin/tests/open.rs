// SPDX-License-Identifier: MIT
use std::time::Instant;

use super::*;
use crate::model::flags::FdFlags;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::simulated::{self as kernel, boot};
use crate::sys::descriptor;

#[test]
fn a_tun_is_the_first_free_or_the_requested_utun() {
    let machine = boot();
    let first = open("", flags::TUN).unwrap();
    assert_eq!(first.name().unwrap().to_string(), "utun0");
    let seventh = tun("utun7");
    let second = tun("utun%d");
    assert_eq!(second.name().unwrap().to_string(), "utun1");
    for name in ["utun0", "utun1", "utun7"] {
        let interface = machine.interface(name).unwrap();
        assert!(interface.up && interface.mtu == 1500 && interface.addresses.is_empty(), "{name}");
    }
    assert_eq!(seventh.index().unwrap(), machine.interface("utun7").unwrap().index);
    assert_eq!(seventh.flags().unwrap(), flags::TUN);
}

#[test]
fn a_name_in_use_is_busy() {
    let machine = boot();
    let _device = tun("utun7");
    assert_eq!(refusal(open("utun7", flags::TUN)), (Errno::EBUSY, Reason::Busy));
    assert_eq!(refusal(open("utun7", flags::TUN | flags::EXCLUSIVE)), (Errno::EBUSY, Reason::Busy));
    let _tap = tap("feth7");
    assert_eq!(refusal(open("feth7", flags::TAP)), (Errno::EBUSY, Reason::Busy));
    assert!(machine.interface("utun7").is_some() && machine.interface("feth7").is_some());
}

#[test]
fn an_open_waits_for_a_closed_name_but_not_for_one_in_use() {
    let machine = boot();
    for (name, bits) in [("utun7", flags::TUN), ("feth7", flags::TAP)] {
        machine.linger(Duration::from_millis(50));
        drop(open(name, bits).unwrap());
        let device = open(name, bits).unwrap();
        let start = Instant::now();
        assert_eq!(refusal(open(name, bits)), (Errno::EBUSY, Reason::Busy));
        assert!(start.elapsed() < Duration::from_millis(500), "{name}");
        machine.linger(Duration::from_secs(60));
        drop(device);
        assert_eq!(refusal(open(name, bits)), (Errno::EBUSY, Reason::Busy));
        assert!(start.elapsed() >= Duration::from_secs(1), "{name}");
        assert_eq!(machine.open_descriptors(), 0);
    }
}

#[test]
fn a_name_must_be_the_driver_name_and_a_number() {
    let machine = boot();
    let before = machine.open_descriptors();
    for name in ["vpn0", "utun", "utun07", "utun-1", "utun7x", "tun7", "feth7", "vpn%d", "utun7%d"] {
        assert_eq!(refusal(open(name, flags::TUN)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    // For a larger number the kernel would create another device, so the library does not call it.
    let calls = machine.calls();
    for name in ["utun32768", "utun65536", "utun4294967294", "utun4294967295"] {
        assert_eq!(refusal(open(name, flags::TUN)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    assert_eq!(machine.calls(), calls);
    assert_eq!(tun("utun32767").name().unwrap().to_string(), "utun32767");
    for name in ["utun7", "tap0", "feth07", "feth32768", "feth99999", "feth4294967295"] {
        assert_eq!(refusal(open(name, flags::TAP)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    assert_eq!(machine.open_descriptors(), before);
}

#[test]
fn creating_a_device_needs_root() {
    let machine = boot();
    machine.set_privileged(false);
    for bits in [flags::TUN, flags::TAP] {
        assert_eq!(refusal(open("", bits)), (Errno::EPERM, Reason::Privilege));
    }
    assert_eq!(machine.open_descriptors(), 0);
}

#[test]
fn a_close_removes_the_device_and_all_descriptors() {
    let machine = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    let monitor = crate::device::monitor::Monitor::open(None, 0).unwrap();
    drop((tun, tap, monitor));
    assert!(machine.interface("utun7").is_none() && machine.interface("feth7").is_none());
    // The other end is removed too.
    assert!(machine.interface("feth0").is_none());
    assert_eq!(machine.open_descriptors(), 0);
}

#[test]
fn a_foreign_descriptor_is_taken_over_or_borrowed() {
    let machine = boot();
    let theirs = machine.give_utun();
    let fd = theirs.as_raw_fd();
    let borrowed = Device::open_fd(fd, FdFlags::parse(flags::BORROW).unwrap()).unwrap();
    let name = borrowed.name().unwrap().to_string();
    assert_ne!(borrowed.fd().as_raw_fd(), fd);
    drop(borrowed);
    assert!(machine.interface(&name).is_some());
    let own = Device::open_fd(fd, FdFlags::parse(0).unwrap()).unwrap();
    std::mem::forget(theirs);
    machine.transmit(&name, &ipv4(b"out"));
    assert_eq!(read(&own).unwrap(), ipv4(b"out"));
    own.write(&ipv6(b"in"), SHORT).unwrap();
    assert_eq!(machine.received(&name), [[&[0, 0, 0, 30][..], &ipv6(b"in")].concat()]);
    drop(own);
    assert!(machine.interface(&name).is_none());
}

#[test]
fn other_descriptors_are_refused_and_stay_open() {
    let _machine = boot();
    let (read_end, _write_end) = descriptor::pipe().unwrap();
    let parse = |bits| FdFlags::parse(bits).unwrap();
    assert_eq!(refusal(Device::open_fd(read_end.as_raw_fd(), parse(0))), (Errno::EINVAL, Reason::Kind));
    assert!(descriptor::close_on_exec(&read_end).is_ok());
    for fd in [-1, 1_000_000] {
        assert_eq!(refusal(Device::open_fd(fd, parse(0))), (Errno::EBADF, Reason::Argument));
    }
}

#[test]
fn a_utun_with_a_longer_header_is_refused() {
    let machine = boot();
    let theirs = machine.give_utun_with_process();
    let opened = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(0).unwrap());
    assert_eq!(refusal(opened), (Errno::EINVAL, Reason::Kind));
    assert!(machine.interface("utun0").is_some());
}

#[test]
fn a_control_socket_without_a_utun_is_refused() {
    let _machine = boot();
    let theirs = kernel::socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL).unwrap();
    let opened = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(0).unwrap());
    assert_eq!(refusal(opened), (Errno::EINVAL, Reason::Kind));
}
