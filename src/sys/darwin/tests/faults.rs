// SPDX-License-Identifier: MIT
//! Each system call of an open fails in turn.

use super::*;
use crate::device::config::Addition;
use crate::model::address::AddressRequest;
use crate::model::assigned::Options;
use crate::model::route::Route;
use crate::sys::darwin::simulated::boot;
use crate::sys::descriptor;

/// All options that Darwin supports.
fn config(bits: u64) -> Config {
    let address = |text| {
        let item = (AddressRequest::parse(text, None).unwrap(), Options::default());
        Addition { item, replace: false }
    };
    Config {
        mtu: Some(1400),
        mac: (bits & flags::TAP != 0).then(|| crate::model::link::Mac::new([2, 0, 0, 0, 0, 7]).unwrap()),
        send_buffer: Some(100_000),
        addresses: vec![address("10.8.0.1/24"), address("fd00::1/64")],
        routes: vec![Addition { item: Route::parse("10.9.0.0/16", None, 0, 0).unwrap(), replace: false }],
        up: Some(true),
        ..Config::default()
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_failed_open_leaves_nothing() {
    for (name, bits) in [("utun7", flags::TUN), ("feth7", flags::TAP)] {
        drop(boot());
        let before = descriptors();
        let mut failures = 0;
        let mut number = 1;
        loop {
            let machine = boot();
            machine.fail(number, Errno::EIO);
            let opened = open_with(name, bits, &config(bits));
            if !machine.has_failed() {
                opened.unwrap();
                break;
            }
            match opened {
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.errno(), Errno::EIO, "call {number}: {error} {:?}", machine.log());
                    let is_named = [name, "TAP", "bpf", "descriptor", "option"]
                        .iter()
                        .any(|word| error.message().contains(word));
                    assert!(is_named, "call {number}: {error}");
                }
                // Optional steps: a longer queue, the flags of an address.
                Ok(device) => {
                    assert_eq!(device.mtu().unwrap(), 1400);
                    drop(device);
                }
            }
            assert!(machine.interface(name).is_none(), "call {number}: {:?}", machine.log());
            assert_eq!(
                machine.interface("feth0").map(|it| it.name),
                None,
                "call {number}: {:?}",
                machine.log()
            );
            assert!(!machine.routes("en0").iter().any(|route| route.starts_with("10.")), "call {number}");
            assert_eq!(machine.open_descriptors(), 0, "call {number}");
            drop(machine);
            number += 1;
        }
        assert!(failures > 30, "{failures} of {number} calls");
        drop(boot());
        assert_eq!(descriptors(), before, "{name}");
    }
}

#[test]
fn a_failed_open_fd_leaves_the_descriptor_as_it_was() {
    for borrow in [0, flags::BORROW] {
        let (mut failures, mut number) = (0, 1);
        loop {
            let machine = boot();
            let theirs = machine.give_utun();
            descriptor::set_flags(&theirs, 0).unwrap();
            machine.fail(number, Errno::EIO);
            let opened = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(borrow).unwrap());
            let failed = machine.has_failed();
            match opened {
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.errno(), Errno::EIO, "call {number}: {error}");
                    assert_eq!(descriptor::flags(&theirs), Ok(0), "call {number}: {:?}", machine.log());
                    assert!(machine.interface("utun0").is_some(), "call {number}: {:?}", machine.log());
                }
                Ok(device) if borrow == 0 => assert!(theirs.as_raw_fd() == device.release().into_raw_fd()),
                Ok(_) => {}
            }
            if !failed {
                break;
            }
            number += 1;
        }
        assert!(failures > 3, "{failures} of {number} calls");
    }
}

#[test]
fn a_failed_read_or_write_can_be_repeated() {
    let machine = boot();
    let device = tun("utun7");
    for errno in [Errno::EIO, Errno::ENOMEM, Errno::EINTR, Errno::ENOBUFS, Errno::EPERM] {
        machine.fail(1, errno);
        machine.transmit("utun7", &ipv4(b"out"));
        assert_eq!(read(&device), Err(errno));
        assert_eq!(read(&device).unwrap(), ipv4(b"out"));
        machine.fail(1, errno);
        device.set_nonblock(true).unwrap();
        let expected = if errno == Errno::ENOBUFS { Errno::EAGAIN } else { errno };
        assert_eq!(device.write(&ipv4(b"in"), Limit::Handle), Err(expected));
        assert_eq!(device.write(&ipv4(b"in"), Limit::Handle), Ok(22));
    }
}
