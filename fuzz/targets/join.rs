// SPDX-License-Identifier: MIT
//! Any bytes as packets: whatever is joined falls apart into packets that were put in, each once. A packet is described
//! by a few bytes of the input, so that most of them are nearly right; others are the input's bytes as they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::cpu::Cpu;
use tuntap::flags::Kind;
use tuntap::offload::join::{Joiner, Joins};
use tuntap::offload::split::Splitter;

const HEADERS: usize = 64;

/// The headers of a packet, with right lengths and checksums, of one of a few flows.
fn packet(kind: Kind, recipe: &[u8; 8], count: u8) -> Vec<u8> {
    let [shape, flow, flags, size, step, change, place, _] = *recipe;
    let (v6, tcp) = (shape & 1 != 0, shape & 2 != 0);
    let network = if kind == Kind::Tap { 14 } else { 0 };
    let transport = network + if v6 { 40 } else { 20 };
    let headers = transport + if tcp { 20 } else { 8 };
    let mut packet = vec![0; headers + usize::from(size)];
    let length = packet.len();
    if kind == Kind::Tap {
        packet[12..14].copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[8, 0] });
    }
    let number = count.wrapping_mul(step & 3);
    if v6 {
        packet[network] = 0x60;
        packet[network + 4..network + 6].copy_from_slice(&((length - network - 40) as u16).to_be_bytes());
        packet[network + 6] = if tcp { 6 } else { 17 };
        packet[network + 8] = 0xfd;
    } else {
        packet[network] = 0x45;
        packet[network + 2..network + 4].copy_from_slice(&((length - network) as u16).to_be_bytes());
        packet[network + 5] = number;
        packet[network + 6] = shape & 0x40;
        packet[network + 9] = if tcp { 6 } else { 17 };
        packet[network + 12] = 10;
        let sum = !sum(&packet[network..transport], 0);
        packet[network + 10..network + 12].copy_from_slice(&sum.to_be_bytes());
    }
    packet[transport] = flow & 3;
    if tcp {
        packet[transport + 6..transport + 8]
            .copy_from_slice(&u16::from(number).wrapping_mul(size.into()).to_be_bytes());
        packet[transport + 12] = 0x50;
        packet[transport + 13] = 0x10 | flags;
    } else {
        packet[transport + 4..transport + 6].copy_from_slice(&((length - transport) as u16).to_be_bytes());
    }
    let addresses = if v6 { network + 8..network + 40 } else { network + 12..network + 20 };
    let pseudo = (length - transport) as u32 + if tcp { 6 } else { 17 };
    let pseudo = pseudo + u32::from(sum(&packet[addresses], 0));
    let checksum = match !sum(&packet[transport..], pseudo) {
        0 if !tcp => 0xffff,
        checksum => checksum,
    };
    let at = transport + if tcp { 16 } else { 6 };
    packet[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    if shape & 0x30 == 0x30 {
        let place = usize::from(place) % packet.len();
        packet[place] ^= change;
    }
    packet
}

fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = start;
    for (place, byte) in bytes.iter().enumerate() {
        sum += u32::from(*byte) << if place % 2 == 0 { 8 } else { 0 };
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// But for the identification and the checksum over it, which may change where fragmenting is forbidden.
fn essence(kind: Kind, packet: &[u8]) -> Vec<u8> {
    let network = if kind == Kind::Tap { 14 } else { 0 };
    let mut packet = packet.to_vec();
    if packet.len() >= network + 20 && packet[network] == 0x45 && packet[network + 6] & 0x40 != 0 {
        packet[network + 4..network + 6].fill(0);
        packet[network + 10..network + 12].fill(0);
    }
    packet
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let mut joiner = Joiner::new(Cpu::best(), kind, Joins::ALL, false).unwrap();
    let mut put = Vec::new();
    let mut count = 0;
    while let Some((recipe, later)) = rest.split_first_chunk::<8>().filter(|_| count < 200) {
        rest = later;
        count += 1;
        let raw = recipe[0] & 0x88 == 0x88;
        let bytes = if raw { rest[..rest.len().min(HEADERS)].to_vec() } else { packet(kind, recipe, count) };
        if joiner.put(&bytes).is_err() {
            break;
        }
        put.push(essence(kind, &bytes));
    }
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    let mut got = Vec::new();
    while let Some((offload, bytes)) = joiner.peek() {
        let mut bytes = bytes.to_vec();
        splitter.begin(kind, offload, &mut bytes).unwrap();
        while let Some(place) = splitter.next(&mut bytes) {
            got.push(essence(kind, &bytes[place]));
        }
        joiner.pop();
    }
    put.sort();
    got.sort();
    assert!(put == got, "{} packets were put in, {} came out", put.len(), got.len());
});
