// SPDX-License-Identifier: MIT
use std::io::{IoSlice, IoSliceMut};
use std::thread;
use std::time::Instant;

use super::*;
use crate::model::flags::FdFlags;
use crate::sys::darwin::simulated::{Machine, boot};

/// In network byte order: if_utun.c, utun_ctl_send and utun_output.
const INET: [u8; 4] = [0, 0, 0, 2];
const INET6: [u8; 4] = [0, 0, 0, 30];

#[test]
fn reads_omit_the_address_family() {
    let machine = boot();
    let device = tun("utun7");
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    for packet in [ipv4(b"four"), ipv6(b"six"), ipv4(&[7; 1480])] {
        machine.transmit("utun7", &packet);
        assert_eq!(read(&device).unwrap(), packet);
    }
}

/// Sends packets of the size of the MTU without a reader. Returns how many of them can be read afterwards.
fn burst(machine: &Machine, device: &Device, count: u16) -> usize {
    let packet = |number: u16| {
        let mut packet = ipv4(&number.to_ne_bytes());
        packet.resize(device.mtu().unwrap() as usize, 0);
        packet
    };
    (0..count).for_each(|number| machine.transmit("utun7", &packet(number)));
    (0..count).take_while(|number| read(device).is_ok_and(|read| read == packet(*number))).count()
}

#[test]
fn a_burst_is_queued_for_a_slow_reader() {
    let machine = boot();
    let device = tun("utun7");
    // 512 packets wait in the socket, and 128 in the queue of the interface.
    assert_eq!(burst(&machine, &device, 640), 640);
    for (mtu, count) in [(9000, 640), (1400, 640), (1280, 640)] {
        device.set_mtu(mtu).unwrap();
        assert_eq!(burst(&machine, &device, count), usize::from(count), "{mtu}");
    }
    // The largest socket buffer has room for this many.
    device.set_mtu(65_535).unwrap();
    assert_eq!(burst(&machine, &device, 127 + 128), 127 + 128);
    assert_eq!(read(&device), Err(Errno::ETIMEDOUT));
    // After a failed change the limit still fits the old MTU.
    device.set_mtu(1500).unwrap();
    machine.fail(8, Errno::EIO);
    assert_eq!(refusal(device.set_mtu(65_535)), (Errno::EIO, Reason::System));
    assert_eq!(burst(&machine, &device, 640), 640);
}

#[test]
fn a_foreign_utun_queues_packets_of_its_mtu() {
    let machine = boot();
    let theirs = machine.give_utun();
    machine.set_mtu("utun0", 9000);
    let device = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(flags::BORROW).unwrap()).unwrap();
    (0..640_u16).for_each(|number| machine.transmit("utun0", &ipv4(&vec![number as u8; 8980])));
    for number in 0..640_u16 {
        assert_eq!(read(&device).unwrap(), ipv4(&vec![number as u8; 8980]));
    }
}

#[test]
fn a_packet_longer_than_the_buffer_is_reported_as_lost() {
    let machine = boot();
    let device = tun("utun7");
    for size in [0, 1, 23] {
        machine.transmit("utun7", &ipv4(b"four"));
        assert_eq!(read_into(&device, size), Err(Errno::EMSGSIZE));
    }
    machine.transmit("utun7", &ipv4(b"four"));
    assert_eq!(read_into(&device, 24).unwrap(), ipv4(b"four"));
}

#[test]
fn vectors_are_filled_in_order() {
    let machine = boot();
    let device = tun("utun7");
    let packet = ipv4(&(0..=255).collect::<Vec<u8>>());
    for count in [2, 13, 14, 15, 100, 1022] {
        let mut memory = vec![[0_u8; 20]; count];
        let mut bufs: Vec<_> = memory.iter_mut().map(|buf| IoSliceMut::new(buf)).collect();
        machine.transmit("utun7", &packet);
        let read = device.readv(&mut bufs, SHORT);
        match count {
            2 | 13 => assert_eq!(read, Err(Errno::EMSGSIZE), "{count}"),
            _ => {
                assert_eq!(read, Ok(packet.len()), "{count}");
                assert_eq!(memory.concat()[..packet.len()], packet);
            }
        }
        let parts: Vec<_> = packet.chunks(packet.len().div_ceil(count)).map(IoSlice::new).collect();
        assert_eq!(device.writev(&parts, SHORT), Ok(packet.len()));
        assert_eq!(machine.received("utun7").pop().unwrap(), [&INET[..], &packet].concat());
    }
}

#[test]
fn writes_add_the_address_family() {
    let machine = boot();
    let device = tun("utun7");
    assert_eq!(device.write(&ipv4(b"four"), SHORT), Ok(24));
    assert_eq!(device.write(&ipv6(b"six"), SHORT), Ok(43));
    let expected = [[&INET[..], &ipv4(b"four")].concat(), [&INET6[..], &ipv6(b"six")].concat()];
    assert_eq!(machine.received("utun7"), expected);
}

#[test]
fn invalid_packets_are_refused() {
    let machine = boot();
    let device = tun("utun7");
    for packet in [&[][..], &[0x45], &[0x00; 60], &[0x50; 60], &[0xf0; 60], &ipv6(b"")[..39]] {
        assert_eq!(device.write(packet, SHORT), Err(Errno::EINVAL));
        let error = device.explain_write(Errno::EINVAL, packet.first().copied(), packet.len());
        assert_eq!(error.reason(), Reason::Packet);
    }
    assert!(machine.received("utun7").is_empty());
}

#[test]
fn packet_information_is_the_address_family() {
    let machine = boot();
    let device = open("utun7", flags::TUN | flags::PI).unwrap();
    machine.transmit("utun7", &ipv6(b"six"));
    assert_eq!(read(&device).unwrap(), [&INET6[..], &ipv6(b"six")].concat());
    let packet = [&INET[..], &ipv4(b"four")].concat();
    assert_eq!(device.write(&packet, SHORT), Ok(28));
    assert_eq!(device.writev(&[IoSlice::new(&packet[..3]), IoSlice::new(&packet[3..])], SHORT), Ok(28));
    assert_eq!(machine.received("utun7"), [packet.clone(), packet]);
    // The kernel would drop each of these without an error.
    for family in [[0, 0, 0, 0], INET6, [2, 0, 0, 0], [0, 0, 8, 0]] {
        let wrong = [&family[..], &ipv4(b"four")].concat();
        assert_eq!(device.write(&wrong, SHORT), Err(Errno::EINVAL));
    }
    assert_eq!(device.write(&INET, SHORT), Err(Errno::EINVAL));
    assert_eq!(read_into(&device, 3), Err(Errno::EINVAL));
}

#[test]
fn a_truncated_address_family_is_an_error() {
    let machine = boot();
    let device = tun("utun7");
    for length in 1..4 {
        machine.transmit_raw("utun7", &INET[..length]);
        assert_eq!(read(&device), Err(Errno::EIO));
    }
    machine.transmit_raw("utun7", &INET);
    assert_eq!(read(&device).unwrap(), b"");
}

#[test]
fn a_full_queue_is_reported_as_full() {
    let machine = boot();
    let theirs = machine.give_utun_with_netif();
    let device = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(flags::BORROW).unwrap()).unwrap();
    machine.set_input_full("utun0", true);
    device.set_nonblock(true).unwrap();
    assert_eq!(device.write(&ipv4(b""), Limit::Handle), Err(Errno::EAGAIN));
    assert_eq!(device.explain_write(Errno::EAGAIN, Some(0x45), 20).reason(), Reason::Full);
    // It waits for its time limit, and not in a busy loop.
    let (calls, start) = (machine.calls(), Instant::now());
    assert_eq!(device.write(&ipv4(b""), SHORT), Err(Errno::ETIMEDOUT));
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert!(machine.calls() - calls <= 22, "{} calls in 20 ms", machine.calls() - calls);
    device.set_nonblock(false).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| device.write(&ipv4(b"late"), Limit::Handle));
        thread::sleep(Duration::from_millis(10));
        machine.set_input_full("utun0", false);
        assert_eq!(writer.join().unwrap(), Ok(24));
    });
    assert_eq!(machine.received("utun0"), [[&INET[..], &ipv4(b"late")].concat()]);
    assert_eq!(device.explain_write(Errno::EAGAIN, Some(0x45), 20).reason(), Reason::Again);
}

#[test]
fn a_wake_ends_a_reader_and_a_writer() {
    let machine = boot();
    let theirs = machine.give_utun_with_netif();
    let device = Device::open_fd(theirs.as_raw_fd(), FdFlags::parse(flags::BORROW).unwrap()).unwrap();
    machine.set_input_full("utun0", true);
    thread::scope(|scope| {
        let reader = scope.spawn(|| read_blocking(&device));
        let writer = scope.spawn(|| device.write(&ipv4(b""), Limit::Handle));
        thread::sleep(Duration::from_millis(20));
        device.wake();
        assert_eq!(reader.join().unwrap(), Err(Errno::ECANCELED));
        // The writer may have been between two waits. Then another wake ends the next one.
        while !writer.is_finished() {
            device.wake();
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(writer.join().unwrap(), Err(Errno::ECANCELED));
    });
}

#[test]
fn a_reader_waits_for_a_packet_until_its_time_limit() {
    let machine = boot();
    let device = tun("utun7");
    let start = Instant::now();
    let mut buf = [MaybeUninit::uninit(); 64];
    assert_eq!(device.read(&mut buf, SHORT), Err(Errno::ETIMEDOUT));
    assert!(start.elapsed() >= Duration::from_millis(20));
    thread::scope(|scope| {
        let reader = scope.spawn(|| read_blocking(&device));
        thread::sleep(Duration::from_millis(10));
        machine.transmit("utun7", &ipv4(b"here"));
        assert_eq!(reader.join().unwrap(), Ok(24));
    });
    assert!(!is_readable(device.fd()));
    machine.transmit("utun7", &ipv4(b"here"));
    assert!(is_readable(device.fd()));
}

fn read_blocking(device: &Device) -> std::result::Result<usize, Errno> {
    device.read(&mut [MaybeUninit::uninit(); 2048], Limit::Handle)
}

#[test]
fn calls_on_a_removed_utun_fail_with_enodev() {
    let machine = boot();
    let device = tun("utun7");
    machine.destroy("utun7");
    assert_eq!(read(&device), Err(Errno::ENODEV));
    assert_eq!(device.write(&ipv4(b""), SHORT), Err(Errno::ENODEV));
    assert_eq!(refusal(device.mtu()), (Errno::ENODEV, Reason::Removed));
    assert_eq!(refusal(device.set_mtu(1400)), (Errno::ENODEV, Reason::Removed));
}

#[test]
fn link_settings_match_the_kernel() {
    let machine = boot();
    let device = tun("utun7");
    device.set_mtu(9000).unwrap();
    assert_eq!(machine.interface("utun7").unwrap().mtu, 9000);
    device.set_up(false).unwrap();
    assert!(!machine.interface("utun7").unwrap().up);
    device.set_up(true).unwrap();
    assert!(machine.interface("utun7").unwrap().up);
    for wrong in [0, 71, 65_536, u32::MAX] {
        assert_eq!(refusal(device.set_mtu(wrong)), (Errno::EINVAL, Reason::Range));
    }
    assert_eq!(machine.interface("utun7").unwrap().mtu, 9000);
    machine.set_mtu("utun7", 1300);
    machine.set_flags("utun7", false);
    assert_eq!((device.mtu().unwrap(), device.is_up().unwrap()), (1300, false));
    // Setting the current value needs no privilege.
    machine.set_privileged(false);
    device.set_mtu(1300).unwrap();
    device.set_up(false).unwrap();
    assert_eq!(refusal(device.set_up(true)), (Errno::EPERM, Reason::Privilege));
}
