// SPDX-License-Identifier: MIT
use std::io::{IoSlice, IoSliceMut};
use std::thread;
use std::time::Instant;

use super::*;
use crate::model::address::AddressRequest;
use crate::model::assigned::Options;
use crate::model::link::Mac;
use crate::model::readiness::Readiness;
use crate::sys::Backend;
use crate::sys::darwin::Port;
use crate::sys::darwin::simulated::{Machine, boot};
use crate::sys::descriptor;

#[test]
fn a_tap_is_one_end_of_a_pair() {
    let machine = boot();
    let device = tap("feth7");
    let (own, end) = (machine.interface("feth7").unwrap(), machine.interface("feth0").unwrap());
    assert_eq!((own.peer.as_deref(), end.peer.as_deref()), (Some("feth0"), Some("feth7")));
    // The caller sets the device up. Its other end is up at once.
    assert_eq!((own.up, end.up), (false, true));
    assert_eq!(device.index().unwrap(), own.index);
    let other = tap("feth%d");
    assert_eq!(other.name().unwrap().to_string(), "feth1");
    assert_eq!(machine.interface("feth1").unwrap().peer.as_deref(), Some("feth2"));
    drop(device);
    assert!(machine.interface("feth7").is_none() && machine.interface("feth0").is_none());
    assert!(machine.interface("feth1").is_some() && machine.interface("feth2").is_some());
}

#[test]
fn adding_an_address_sets_a_device_up() {
    let machine = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    let add = |device: &Device, text: &str| {
        device.add_addr(&AddressRequest::parse(text, None).unwrap(), &Options::default(), false).unwrap();
    };
    let up = |name: &str| machine.interface(name).unwrap().up;
    // The first address of each family, because it attaches the protocol. On a TAP every IPv4 address.
    for (device, name, text, sets_up) in [
        (&tun, "utun7", "10.8.0.1/24", true),
        (&tun, "utun7", "10.8.0.2/24", false),
        (&tun, "utun7", "fd00::1/64", true),
        (&tun, "utun7", "fd00::2/64", false),
        (&tap, "feth7", "10.9.0.1/24", true),
        (&tap, "feth7", "10.9.0.2/24", true),
        (&tap, "feth7", "fd01::1/64", true),
        (&tap, "feth7", "fd01::2/64", false),
    ] {
        device.set_up(false).unwrap();
        add(device, text);
        assert_eq!(up(name), sets_up, "{name} {text}");
    }
}

#[test]
fn each_frame_of_a_burst_is_read_once_and_in_order() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    assert!(!is_readable(device.fd()));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    // Lengths with every alignment.
    let frames: Vec<_> = (0..9).map(|number| frame(&vec![number; 46 + usize::from(number)])).collect();
    frames.iter().for_each(|frame| machine.transmit("feth7", frame));
    let calls = machine.calls();
    for frame in &frames {
        assert!(is_readable(device.fd()));
        assert_eq!(&read(&device).unwrap(), frame);
    }
    assert_eq!(
        machine.calls() - calls,
        2,
        "one read for the whole burst, and one look at what is ready after it"
    );
    assert!(!is_readable(device.fd()));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    machine.transmit("feth7", &frames[3]);
    assert!(is_readable(device.fd()));
    assert_eq!(read(&device).unwrap(), frames[3]);
    assert!(!is_readable(device.fd()));
}

#[test]
fn frames_that_exceed_a_burst_are_in_the_next_one() {
    let machine = boot();
    machine.cap_bpf(4096);
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let frames: Vec<_> = (0..20).map(|number| frame(&vec![number; 1000])).collect();
    frames.iter().for_each(|frame| machine.transmit("feth7", frame));
    for frame in &frames {
        assert!(is_readable(device.fd()));
        assert_eq!(&read(&device).unwrap(), frame);
    }
    assert!(!is_readable(device.fd()));
}

#[test]
fn a_truncated_or_too_long_frame_does_not_affect_others() {
    let machine = boot();
    machine.cap_bpf(2048);
    let device = tap("feth7");
    device.set_up(true).unwrap();
    machine.transmit("feth7", &frame(&[1; 4000]));
    machine.transmit("feth7", &frame(&[2; 100]));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    assert_eq!(read(&device).unwrap(), frame(&[2; 100]));
    for number in [3, 4, 5] {
        machine.transmit("feth7", &frame(&[number; 100]));
    }
    assert_eq!(read(&device).unwrap(), frame(&[3; 100]));
    assert_eq!(read_into(&device, 113), Err(Errno::EMSGSIZE));
    assert_eq!(read_into(&device, 114).unwrap(), frame(&[5; 100]));
}

#[test]
fn waiting_readers_get_the_remaining_frames_of_a_burst() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let read = || device.read(&mut [MaybeUninit::uninit(); 2048], Limit::Handle);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        thread::sleep(Duration::from_millis(20));
        for _ in 0..3 {
            machine.transmit("feth7", &frame(&[0; 46]));
        }
        for reader in readers {
            assert_eq!(reader.join().unwrap(), Ok(60));
        }
    });
    thread::scope(|scope| {
        let reader = scope.spawn(read);
        thread::sleep(Duration::from_millis(20));
        device.wake();
        assert_eq!(reader.join().unwrap(), Err(Errno::ECANCELED));
    });
    assert_eq!(device.read(&mut [MaybeUninit::uninit(); 2048], SHORT), Err(Errno::ETIMEDOUT));
}

/// Whether a blocking read ends with its time limit, and does not wait in a busy loop.
fn times_out(machine: &Machine, device: &Device) -> bool {
    let (calls, start) = (machine.calls(), Instant::now());
    let read = device.read(&mut [MaybeUninit::uninit(); 2048], SHORT);
    read == Err(Errno::ETIMEDOUT)
        && start.elapsed() >= Duration::from_millis(20)
        && machine.calls() - calls < 9
}

#[test]
fn a_time_limit_applies_after_a_frame_was_read() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    assert!(times_out(&machine, &device));
    machine.transmit("feth7", &frame(&[1; 46]));
    machine.transmit("feth7", &frame(&[2; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert!(times_out(&machine, &device));
    assert!(!is_readable(device.fd()));
}

#[test]
fn a_time_limit_applies_if_poll_is_wrong() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    machine.report_false_readiness("feth0");
    let start = Instant::now();
    assert_eq!(device.read(&mut [MaybeUninit::uninit(); 2048], SHORT), Err(Errno::ETIMEDOUT));
    assert!(start.elapsed() >= Duration::from_millis(20));
    thread::scope(|scope| {
        let reader = scope.spawn(|| device.read(&mut [MaybeUninit::uninit(); 2048], Limit::Handle));
        device.wake();
        assert_eq!(reader.join().unwrap(), Err(Errno::ECANCELED));
    });
}

#[test]
fn remaining_frames_are_read_if_the_mark_fails() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let Port::Feth(feth) = &device.backend.port else { panic!("no feth") };
    let [_, mark, ..] = feth.sources();
    // A pipe without a reader cannot be written to.
    let (idle, _writable) = descriptor::pipe().unwrap();
    // SAFETY: takes numbers only. The handle closes the descriptor that replaces its own.
    assert!(unsafe { libc::dup2(idle.as_raw_fd(), mark.as_raw_fd()) } >= 0);
    let wait = || {
        device.backend.wait(
            device.backend.wakes(),
            Readiness::READ,
            Some(Instant::now() + Duration::from_millis(20)),
        )
    };
    machine.transmit("feth7", &frame(&[1; 46]));
    machine.transmit("feth7", &frame(&[2; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(wait(), Ok(Readiness::READ));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert_eq!(wait(), Err(Errno::ETIMEDOUT));
}

#[test]
fn written_frames_are_received_by_the_host_only() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let out = frame(&[7; 200]);
    assert_eq!(device.write(&out, SHORT), Ok(214));
    assert_eq!(device.writev(&[IoSlice::new(&out[..9]), IoSlice::new(&out[9..])], SHORT), Ok(214));
    assert_eq!(machine.received("feth7"), [out.clone(), out.clone()]);
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    machine.transmit("feth7", &out);
    let mut memory = [[0; 100]; 3];
    let mut bufs = memory.each_mut().map(|buf| IoSliceMut::new(buf));
    assert_eq!(device.readv(&mut bufs, SHORT), Ok(214));
    assert_eq!(memory.concat()[..214], out);
    let largest = vec![1; device.read_size()];
    assert_eq!(device.write(&largest, SHORT), Ok(largest.len()));
    assert_eq!(device.write(&[1; 13], SHORT), Err(Errno::EINVAL));
    assert_eq!(device.write(&vec![1; device.read_size() + 1], SHORT), Err(Errno::EMSGSIZE));
}

#[test]
fn writes_fail_only_if_the_other_end_is_down() {
    let machine = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    tun.set_up(false).unwrap();
    assert_eq!(tun.write(&ipv4(b"in"), SHORT), Ok(22));
    assert_eq!(tap.write(&frame(&[7; 46]), SHORT), Ok(60));
    assert_eq!((machine.received("utun7").len(), machine.received("feth7").len()), (1, 1));
    machine.set_flags("feth0", false);
    assert_eq!(tap.write(&frame(&[7; 46]), SHORT), Err(Errno::ENETDOWN));
}

#[test]
fn link_settings_are_applied_and_restored() {
    let machine = boot();
    let device = tap("feth7");
    let wanted = [2, 0x11, 0x22, 0x33, 0x44, 0x55];
    device.set_mac(Mac::new(wanted).unwrap()).unwrap();
    assert_eq!(machine.interface("feth7").unwrap().mac, Some(wanted));
    assert_eq!(device.mac().unwrap().octets(), wanted);
    device.set_mtu(2000).unwrap();
    assert_eq!(
        (machine.interface("feth7").unwrap().mtu, machine.interface("feth0").unwrap().mtu),
        (2000, 2000)
    );
    assert_eq!(refusal(device.set_mtu(2049)), (Errno::EINVAL, Reason::Range));
    machine.fail(6, Errno::EIO);
    assert_eq!(refusal(device.set_mtu(1300)), (Errno::EIO, Reason::System));
    assert!(machine.has_failed());
    device.set_mtu(1400).unwrap();
    assert_eq!(
        (machine.interface("feth7").unwrap().mtu, machine.interface("feth0").unwrap().mtu),
        (1400, 1400)
    );
    assert_eq!(refusal(tun("utun7").mac()), (Errno::EOPNOTSUPP, Reason::Kind));
}

#[test]
fn bpf_devices_in_use_are_skipped() {
    let machine = boot();
    machine.take_bpf(5);
    let taps = [tap("feth7"), tap("feth8")];
    drop(taps);
    machine.take_bpf(1000);
    assert_eq!(refusal(open("feth7", flags::TAP)), (Errno::EBUSY, Reason::Busy));
    assert!(machine.interface("feth7").is_none() && machine.open_descriptors() == 0);
}

#[test]
fn calls_on_a_removed_tap_fail_with_enodev() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    machine.destroy("feth0");
    assert_eq!(read(&device), Err(Errno::ENODEV));
    assert_eq!(device.write(&frame(&[0; 46]), SHORT), Err(Errno::ENODEV));
}

#[test]
fn a_waiting_reader_detects_the_removal_of_either_end() {
    for name in ["feth7", "feth0"] {
        let machine = boot();
        let device = tap("feth7");
        device.set_up(true).unwrap();
        // Also after a frame was read.
        machine.transmit("feth7", &frame(&[1; 46]));
        assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
        assert!(!is_readable(device.fd()));
        thread::scope(|scope| {
            let reader = scope.spawn(|| device.read(&mut [MaybeUninit::uninit(); 2048], LONG));
            thread::sleep(Duration::from_millis(20));
            machine.destroy(name);
            assert_eq!(reader.join().unwrap(), Err(Errno::ENODEV), "{name}");
        });
        assert_eq!(device.explain_read(Errno::ENODEV, 2048).reason(), Reason::Removed);
        assert!(is_readable(device.fd()), "{name}");
        assert_eq!(read(&device), Err(Errno::ENODEV), "{name}");
    }
}

#[test]
fn frames_from_before_the_removal_are_read() {
    let machine = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    machine.transmit("feth7", &frame(&[1; 46]));
    machine.transmit("feth7", &frame(&[2; 46]));
    machine.destroy("feth7");
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert_eq!(read(&device), Err(Errno::ENODEV));
}

#[test]
fn a_foreign_interface_with_the_same_name_is_not_removed() {
    for (theirs, ours) in [(7, "feth0"), (0, "feth7")] {
        let machine = boot();
        let device = tap("feth7");
        let name = format!("feth{theirs}");
        machine.destroy(&name);
        machine.create_feth(theirs);
        drop(device);
        assert!(machine.interface(&name).is_some(), "{name}");
        assert!(machine.interface(ours).is_none(), "{ours}");
    }
}
