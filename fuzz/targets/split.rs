// SPDX-License-Identifier: MIT
//! Segments any bytes, or a nearly valid super-packet, as a virtio header and a packet. The splitter must end, stay within
//! the packet, and make the same segments in place and with a copy, which together have the whole payload. The first byte
//! selects the kind of device, the implementation of the sums, and the kind of input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::{Layout, MIN_SIZE};
use tuntap::offload::split::Splitter;

#[path = "../packet/mod.rs"]
mod packet;
use packet::{RECIPE, Recipe};

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let made = match rest.split_first_chunk::<RECIPE>() {
        Some((recipe, [size, a, b, c, d, ..])) if choice & 0x80 != 0 => {
            packet::framed(Layout::default(), &Recipe::of(choice & 1 != 0, recipe), *size, &[*a, *b, *c, *d])
        }
        _ => rest.to_vec(),
    };
    let Some((header, packet)) = made.split_first_chunk::<MIN_SIZE>() else { return };
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let ways: Vec<Cpu> = Cpu::all().collect();
    let cpu = ways[usize::from(choice >> 1 & 0x3f) % ways.len()];
    let hdr = Layout::default().read(header);

    let (mut in_place, mut elsewhere) = (packet.to_vec(), packet.to_vec());
    let (mut first, mut second) =
        (Splitter::new(cpu, false).unwrap(), Splitter::new(Cpu::best(), false).unwrap());
    let begun = first.begin(kind, hdr, &mut in_place);
    assert_eq!(begun, second.begin(kind, hdr, &mut elsewhere));
    if begun.is_err() {
        assert_eq!(in_place, packet);
    }
    let headers = first.headers();
    let (mut packets, mut total, mut payload) = (0, 0, Vec::new());
    loop {
        let length = second.length();
        let Some(place) = first.next(&mut in_place) else {
            assert_eq!(length, None);
            break;
        };
        assert_eq!(length, Some(place.len()));
        let mut copy = vec![0; place.len()];
        second.next_into(&elsewhere, &mut copy).unwrap();
        assert_eq!(in_place[place.clone()], copy);
        // An endless splitter would be found here.
        packets += 1;
        total += place.len();
        assert!(total <= packet.len() * (1 + headers) + headers);
        payload.extend_from_slice(&copy[headers.min(copy.len())..]);
    }
    // A single packet has all bytes. Otherwise each segment has the headers, and a part of the payload.
    match packets {
        0 => assert!(begun.is_err()),
        1 => assert_eq!(total, packet.len()),
        _ => assert_eq!(payload, packet[headers..]),
    }
});
