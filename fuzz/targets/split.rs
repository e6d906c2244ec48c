// SPDX-License-Identifier: MIT
//! Segments any bytes, or a nearly valid super-packet, as a virtio header and a packet. The splitter must end, stay within
//! the packet, and make the same segments in place and with a copy, which together have the whole payload. The first byte
//! selects the kind of device, the implementation of the sums, the size of the virtio header, and the kind of input. Segments
//! in a tunnel that was not made wrong have good lengths and checksums.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::{Endian, Layout, TUNNEL_SIZE};
use tuntap::offload::split::Splitter;

#[path = "../packet/mod.rs"]
mod packet;
use packet::{RECIPE, Recipe};

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let layout = match choice & 0x40 {
        0 => Layout::default(),
        _ => Layout::new(TUNNEL_SIZE, Endian::Little).unwrap(),
    };
    let mut known = None;
    let made = match rest.split_first_chunk::<RECIPE>() {
        Some((recipe, [size, a, change, c, d, ..])) if choice & 0x80 != 0 => {
            let recipe = Recipe::of(choice & 1 != 0, recipe);
            known = recipe
                .tunnel
                .filter(|_| change & 3 == 0 && layout.has_tunnels())
                .map(|tunnel| (recipe, tunnel));
            packet::framed(layout, &recipe, *size, &[*a, *change, *c, *d])
        }
        _ => rest.to_vec(),
    };
    let Some((header, packet)) = made.split_at_checked(layout.size()) else { return };
    // The offsets of longer ones are wrong.
    let known = known.filter(|_| packet.len() <= usize::from(u16::MAX));
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let cpus: Vec<Cpu> = Cpu::all().collect();
    let cpu = cpus[usize::from(choice >> 1 & 0x1f) % cpus.len()];
    let hdr = layout.read(header);

    let (mut in_place, mut elsewhere) = (packet.to_vec(), packet.to_vec());
    let (mut first, mut second) =
        (Splitter::new(cpu, false).unwrap(), Splitter::new(Cpu::best(), false).unwrap());
    let result = first.begin(kind, hdr, &mut in_place);
    assert_eq!(result, second.begin(kind, hdr, &mut elsewhere));
    if result.is_err() {
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
        if let Some((recipe, tunnel)) = &known {
            assert!(packet::is_good_tunnel(recipe, *tunnel, &copy));
        }
        // An endless splitter would be found here.
        packets += 1;
        total += place.len();
        assert!(total <= packet.len() * (1 + headers) + headers);
        payload.extend_from_slice(&copy[headers.min(copy.len())..]);
    }
    // A single packet has all bytes. Otherwise each segment has the headers, and a part of the payload.
    match packets {
        0 => assert!(result.is_err()),
        1 => assert_eq!(total, packet.len()),
        _ => assert_eq!(payload, packet[headers..]),
    }
});
