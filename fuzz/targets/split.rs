// SPDX-License-Identifier: MIT
//! Any bytes, or a super-packet that is nearly right, as a virtio header and a packet: the splitter ends, stays within the
//! packet, in place as elsewhere, and makes the same packets both ways, with all of the payload in them. The first byte
//! chooses the kind of device, the processor's way, and which of both it is.
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
        // What goes on for ever would do so here.
        packets += 1;
        total += place.len();
        assert!(total <= packet.len() * (1 + headers) + headers);
        payload.extend_from_slice(&copy[headers.min(copy.len())..]);
    }
    // One is all of it; of more, each has the headers, and a part of the rest.
    match packets {
        0 => assert!(begun.is_err()),
        1 => assert_eq!(total, packet.len()),
        _ => assert_eq!(payload, packet[headers..]),
    }
});
