// SPDX-License-Identifier: MIT
use std::io::{IoSlice, IoSliceMut};
use std::thread;
use std::time::Instant;

use super::*;
use crate::model::address::{AddressRequest, Options};
use crate::model::link::Mac;
use crate::model::readiness::Readiness;
use crate::sys::Backend;
use crate::sys::darwin::Port;
use crate::sys::darwin::simulated::{Machine, boot};
use crate::sys::descriptor;

#[test]
fn a_tap_is_one_end_of_a_pair() {
    let mac = boot();
    let device = tap("feth7");
    let (own, end) = (mac.interface("feth7").unwrap(), mac.interface("feth0").unwrap());
    assert_eq!((own.peer.as_deref(), end.peer.as_deref()), (Some("feth0"), Some("feth7")));
    // The caller sets the device up. Its other end is up at once.
    assert_eq!((own.up, end.up), (false, true));
    assert_eq!(device.index().unwrap(), own.index);
    let other = tap("feth%d");
    assert_eq!(other.name().unwrap().to_string(), "feth1");
    assert_eq!(mac.interface("feth1").unwrap().peer.as_deref(), Some("feth2"));
    drop(device);
    assert!(mac.interface("feth7").is_none() && mac.interface("feth0").is_none());
    assert!(mac.interface("feth1").is_some() && mac.interface("feth2").is_some());
}

#[test]
fn addresses_take_a_device_up() {
    let mac = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    let add = |device: &Device, text: &str| {
        device.add_addr(&AddressRequest::parse(text, None).unwrap(), &Options::default(), false).unwrap();
    };
    let up = |name: &str| mac.interface(name).unwrap().up;
    // The first address of each family, because it attaches the protocol. On a TAP every IPv4 address.
    for (device, name, text, takes_up) in [
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
        assert_eq!(up(name), takes_up, "{name} {text}");
    }
}

#[test]
fn each_frame_of_a_burst_is_read_once_and_in_order() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    assert!(!is_readable(device.fd()));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    // Lengths with every alignment.
    let frames: Vec<_> = (0..9).map(|number| frame(&vec![number; 46 + usize::from(number)])).collect();
    frames.iter().for_each(|frame| mac.transmit("feth7", frame));
    let calls = mac.calls();
    for frame in &frames {
        assert!(is_readable(device.fd()));
        assert_eq!(&read(&device).unwrap(), frame);
    }
    assert_eq!(
        mac.calls() - calls,
        2,
        "one read for the whole burst, and one look at what is ready after it"
    );
    assert!(!is_readable(device.fd()));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    mac.transmit("feth7", &frames[3]);
    assert!(is_readable(device.fd()));
    assert_eq!(read(&device).unwrap(), frames[3]);
    assert!(!is_readable(device.fd()));
}

#[test]
fn a_burst_that_the_kernel_cuts_goes_on_in_the_next() {
    let mac = boot();
    mac.cap_bpf(4096);
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let frames: Vec<_> = (0..20).map(|number| frame(&vec![number; 1000])).collect();
    frames.iter().for_each(|frame| mac.transmit("feth7", frame));
    for frame in &frames {
        assert!(is_readable(device.fd()));
        assert_eq!(&read(&device).unwrap(), frame);
    }
    assert!(!is_readable(device.fd()));
}

#[test]
fn a_frame_that_was_cut_or_is_too_long_for_the_buffer_is_lost_alone() {
    let mac = boot();
    mac.cap_bpf(2048);
    let device = tap("feth7");
    device.set_up(true).unwrap();
    mac.transmit("feth7", &frame(&[1; 4000]));
    mac.transmit("feth7", &frame(&[2; 100]));
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    assert_eq!(read(&device).unwrap(), frame(&[2; 100]));
    for number in [3, 4, 5] {
        mac.transmit("feth7", &frame(&[number; 100]));
    }
    assert_eq!(read(&device).unwrap(), frame(&[3; 100]));
    assert_eq!(read_into(&device, 113), Err(Errno::EMSGSIZE));
    assert_eq!(read_into(&device, 114).unwrap(), frame(&[5; 100]));
}

#[test]
fn readers_that_wait_hear_of_frames_that_another_left() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let read = || device.read(&mut [MaybeUninit::uninit(); 2048], Limit::Handle);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        thread::sleep(Duration::from_millis(20));
        for _ in 0..3 {
            mac.transmit("feth7", &frame(&[0; 46]));
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
fn times_out(mac: &Machine, device: &Device) -> bool {
    let (calls, start) = (mac.calls(), Instant::now());
    let read = device.read(&mut [MaybeUninit::uninit(); 2048], SHORT);
    read == Err(Errno::ETIMEDOUT) && start.elapsed() >= Duration::from_millis(20) && mac.calls() - calls < 9
}

#[test]
fn a_time_limit_holds_after_a_frame_was_read() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    assert!(times_out(&mac, &device));
    mac.transmit("feth7", &frame(&[1; 46]));
    mac.transmit("feth7", &frame(&[2; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert!(times_out(&mac, &device));
    assert!(!is_readable(device.fd()));
}

#[test]
fn a_time_limit_holds_even_where_poll_is_wrong() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    mac.mislead("feth0");
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
fn frames_that_are_left_are_not_hidden_by_a_mark_that_failed() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let Port::Feth(feth) = &device.backend.port else { panic!("no feth") };
    let [_, mark, ..] = feth.sources();
    // A pipe without a reader cannot be written to.
    let (silence, _into) = descriptor::pipe().unwrap();
    // SAFETY: takes numbers only. The handle closes the descriptor that replaces its own.
    assert!(unsafe { libc::dup2(silence.as_raw_fd(), mark.as_raw_fd()) } >= 0);
    let wait = || device.backend.wait(Readiness::READ, Some(Instant::now() + Duration::from_millis(20)));
    mac.transmit("feth7", &frame(&[1; 46]));
    mac.transmit("feth7", &frame(&[2; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(wait(), Ok(Readiness::READ));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert_eq!(wait(), Err(Errno::ETIMEDOUT));
}

#[test]
fn what_is_written_comes_in_at_the_device_and_not_back() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    let out = frame(&[7; 200]);
    assert_eq!(device.write(&out, SHORT), Ok(214));
    assert_eq!(device.writev(&[IoSlice::new(&out[..9]), IoSlice::new(&out[9..])], SHORT), Ok(214));
    assert_eq!(mac.received("feth7"), [out.clone(), out.clone()]);
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    mac.transmit("feth7", &out);
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
fn only_the_other_end_refuses_frames_when_it_is_down() {
    let mac = boot();
    let (tun, tap) = (tun("utun7"), tap("feth7"));
    tun.set_up(false).unwrap();
    assert_eq!(tun.write(&ipv4(b"in"), SHORT), Ok(22));
    assert_eq!(tap.write(&frame(&[7; 46]), SHORT), Ok(60));
    assert_eq!((mac.received("utun7").len(), mac.received("feth7").len()), (1, 1));
    mac.set_flags("feth0", false);
    assert_eq!(tap.write(&frame(&[7; 46]), SHORT), Err(Errno::ENETDOWN));
}

#[test]
fn the_link_of_both_ends_is_what_was_asked_for() {
    let mac = boot();
    let device = tap("feth7");
    let wanted = [2, 0x11, 0x22, 0x33, 0x44, 0x55];
    device.set_mac(Mac::new(wanted).unwrap()).unwrap();
    assert_eq!(mac.interface("feth7").unwrap().mac, Some(wanted));
    assert_eq!(device.mac().unwrap().octets(), wanted);
    device.set_mtu(2000).unwrap();
    assert_eq!((mac.interface("feth7").unwrap().mtu, mac.interface("feth0").unwrap().mtu), (2000, 2000));
    assert_eq!(refusal(device.set_mtu(2049)), (Errno::EINVAL, Reason::Range));
    mac.fail(6, Errno::EIO);
    assert_eq!(refusal(device.set_mtu(1300)), (Errno::EIO, Reason::System));
    assert!(mac.has_failed());
    device.set_mtu(1400).unwrap();
    assert_eq!((mac.interface("feth7").unwrap().mtu, mac.interface("feth0").unwrap().mtu), (1400, 1400));
    assert_eq!(refusal(tun("utun7").mac()), (Errno::EOPNOTSUPP, Reason::Kind));
}

#[test]
fn a_bpf_device_in_use_is_passed_over() {
    let mac = boot();
    mac.take_bpf(5);
    let taps = [tap("feth7"), tap("feth8")];
    drop(taps);
    mac.take_bpf(1000);
    assert_eq!(refusal(open("feth7", flags::TAP)), (Errno::EBUSY, Reason::Busy));
    assert!(mac.interface("feth7").is_none() && mac.open_descriptors() == 0);
}

#[test]
fn a_tap_that_went_is_said_to_be_gone() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    mac.destroy("feth0");
    assert_eq!(read(&device), Err(Errno::ENODEV));
    assert_eq!(device.write(&frame(&[0; 46]), SHORT), Err(Errno::ENODEV));
}

#[test]
fn a_reader_that_waits_hears_that_either_interface_went() {
    for name in ["feth7", "feth0"] {
        let mac = boot();
        let device = tap("feth7");
        device.set_up(true).unwrap();
        // Also after a frame.
        mac.transmit("feth7", &frame(&[1; 46]));
        assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
        assert!(!is_readable(device.fd()));
        thread::scope(|scope| {
            let reader = scope.spawn(|| device.read(&mut [MaybeUninit::uninit(); 2048], LONG));
            thread::sleep(Duration::from_millis(20));
            mac.destroy(name);
            assert_eq!(reader.join().unwrap(), Err(Errno::ENODEV), "{name}");
        });
        assert_eq!(device.explain_read(Errno::ENODEV, 2048).reason(), Reason::Removed);
        assert!(is_readable(device.fd()), "{name}");
        assert_eq!(read(&device), Err(Errno::ENODEV), "{name}");
    }
}

#[test]
fn frames_that_came_before_the_device_went_are_read() {
    let mac = boot();
    let device = tap("feth7");
    device.set_up(true).unwrap();
    mac.transmit("feth7", &frame(&[1; 46]));
    mac.transmit("feth7", &frame(&[2; 46]));
    mac.destroy("feth7");
    assert_eq!(read(&device).unwrap(), frame(&[1; 46]));
    assert_eq!(read(&device).unwrap(), frame(&[2; 46]));
    assert_eq!(read(&device), Err(Errno::ENODEV));
}

#[test]
fn an_interface_of_somebody_elses_with_the_same_name_stays() {
    for (theirs, ours) in [(7, "feth0"), (0, "feth7")] {
        let mac = boot();
        let device = tap("feth7");
        let name = format!("feth{theirs}");
        mac.destroy(&name);
        mac.create_feth(theirs);
        drop(device);
        assert!(mac.interface(&name).is_some(), "{name}");
        assert!(mac.interface(ours).is_none(), "{ours}");
    }
}
