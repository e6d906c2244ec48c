// SPDX-License-Identifier: MIT
use std::time::Instant;

use super::*;
use crate::model::flags::FdFlags;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::simulated::{self as kernel, boot};
use crate::sys::descriptor;

#[test]
fn a_tun_is_the_first_free_utun_or_the_one_asked_for() {
    let mac = boot();
    let first = open("", flags::TUN).unwrap();
    assert_eq!(first.name().unwrap().to_string(), "utun0");
    let seventh = tun("utun7");
    let second = tun("utun%d");
    assert_eq!(second.name().unwrap().to_string(), "utun1");
    for name in ["utun0", "utun1", "utun7"] {
        let interface = mac.interface(name).unwrap();
        assert!(interface.up && interface.mtu == 1500 && interface.addresses.is_empty(), "{name}");
    }
    assert_eq!(seventh.index().unwrap(), mac.interface("utun7").unwrap().index);
    assert_eq!(seventh.flags().unwrap(), flags::TUN);
}

#[test]
fn a_name_that_is_taken_is_busy() {
    let mac = boot();
    let _device = tun("utun7");
    assert_eq!(refusal(open("utun7", flags::TUN)), (Errno::EBUSY, Reason::Busy));
    assert_eq!(refusal(open("utun7", flags::TUN | flags::EXCLUSIVE)), (Errno::EBUSY, Reason::Busy));
    let _tap = tap("feth7");
    assert_eq!(refusal(open("feth7", flags::TAP)), (Errno::EBUSY, Reason::Busy));
    assert!(mac.interface("utun7").is_some() && mac.interface("feth7").is_some());
}

#[test]
fn a_name_that_was_closed_is_waited_for_and_one_in_use_is_not() {
    let mac = boot();
    for (name, bits) in [("utun7", flags::TUN), ("feth7", flags::TAP)] {
        mac.linger(Duration::from_millis(50));
        drop(open(name, bits).unwrap());
        let device = open(name, bits).unwrap();
        let start = Instant::now();
        assert_eq!(refusal(open(name, bits)), (Errno::EBUSY, Reason::Busy));
        assert!(start.elapsed() < Duration::from_millis(500), "{name}");
        mac.linger(Duration::from_secs(60));
        drop(device);
        assert_eq!(refusal(open(name, bits)), (Errno::EBUSY, Reason::Busy));
        assert!(start.elapsed() >= Duration::from_secs(1), "{name}");
        assert_eq!(mac.open_descriptors(), 0);
    }
}

#[test]
fn a_name_is_the_drivers_and_a_number() {
    let mac = boot();
    let before = mac.open_descriptors();
    for name in ["vpn0", "utun", "utun07", "utun-1", "utun7x", "tun7", "feth7", "vpn%d", "utun7%d"] {
        assert_eq!(refusal(open(name, flags::TUN)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    // For a larger number the kernel would create another device. The library makes no such call.
    let calls = mac.calls();
    for name in ["utun32768", "utun65536", "utun4294967294", "utun4294967295"] {
        assert_eq!(refusal(open(name, flags::TUN)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    assert_eq!(mac.calls(), calls);
    assert_eq!(tun("utun32767").name().unwrap().to_string(), "utun32767");
    for name in ["utun7", "tap0", "feth07", "feth32768", "feth99999", "feth4294967295"] {
        assert_eq!(refusal(open(name, flags::TAP)), (Errno::EINVAL, Reason::Name), "{name}");
    }
    assert_eq!(mac.open_descriptors(), before);
}

#[test]
fn making_a_device_needs_root() {
    let mac = boot();
    mac.set_privileged(false);
    for bits in [flags::TUN, flags::TAP] {
        assert_eq!(refusal(open("", bits)), (Errno::EPERM, Reason::Privilege));
    }
    assert_eq!(mac.open_descriptors(), 0);
}

#[test]
fn closing_takes_the_device_and_every_descriptor_away() {
    let mac = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    let monitor = crate::device::monitor::Monitor::open(None, 0).unwrap();
    drop((tun, tap, monitor));
    assert!(mac.interface("utun7").is_none() && mac.interface("feth7").is_none());
    // The other end is removed too.
    assert!(mac.interface("feth0").is_none());
    assert_eq!(mac.open_descriptors(), 0);
}

#[test]
fn a_descriptor_from_elsewhere_is_taken_over_or_borrowed() {
    let mac = boot();
    let theirs = mac.give_utun();
    let fd = theirs.as_raw_fd();
    let borrowed = Device::open_fd(fd, FdFlags::parse(flags::BORROW).unwrap()).unwrap();
    let name = borrowed.name().unwrap().to_string();
    assert_ne!(borrowed.fd().as_raw_fd(), fd);
    drop(borrowed);
    assert!(mac.interface(&name).is_some());
    let own = Device::open_fd(fd, FdFlags::parse(0).unwrap()).unwrap();
    std::mem::forget(theirs);
    mac.transmit(&name, &ipv4(b"out"));
    assert_eq!(read(&own).unwrap(), ipv4(b"out"));
    own.write(&ipv6(b"in"), SHORT).unwrap();
    assert_eq!(mac.received(&name), [[&[0, 0, 0, 30][..], &ipv6(b"in")].concat()]);
    drop(own);
    assert!(mac.interface(&name).is_none());
}

#[test]
fn a_descriptor_of_something_else_stays_the_callers() {
    let _mac = boot();
    let (out, _into) = descriptor::pipe().unwrap();
    let parse = |bits| FdFlags::parse(bits).unwrap();
    assert_eq!(refusal(Device::open_fd(out.as_raw_fd(), parse(0))), (Errno::EINVAL, Reason::Kind));
    assert!(descriptor::close_on_exec(&out).is_ok());
    for fd in [-1, 1_000_000] {
        assert_eq!(refusal(Device::open_fd(fd, parse(0))), (Errno::EBADF, Reason::Argument));
    }
}

#[test]
fn a_utun_with_a_longer_header_is_none_of_ours() {
    let mac = boot();
    let theirs = mac.give_utun_with_process();
    let opened = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(0).unwrap());
    assert_eq!(refusal(opened), (Errno::EINVAL, Reason::Kind));
    assert!(mac.interface("utun0").is_some());
}

#[test]
fn a_control_socket_without_a_utun_is_none_of_ours() {
    let _mac = boot();
    let theirs = kernel::socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL).unwrap();
    let opened = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(0).unwrap());
    assert_eq!(refusal(opened), (Errno::EINVAL, Reason::Kind));
}
