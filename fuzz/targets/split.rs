// SPDX-License-Identifier: MIT
//! Any bytes as an offload header and a packet: the splitter ends, stays within the packet, in place as elsewhere, and
//! makes the same packets both ways. The first byte chooses the kind of device and the processor's way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::cpu::Cpu;
use tuntap::flags::Kind;
use tuntap::offload::Offload;
use tuntap::offload::split::Splitter;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let Some((header, packet)) = rest.split_first_chunk() else { return };
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let ways: Vec<Cpu> = Cpu::all().collect();
    let cpu = ways[usize::from(choice >> 1) % ways.len()];
    let offload = Offload::from_bytes(*header);

    let (mut in_place, mut elsewhere) = (packet.to_vec(), packet.to_vec());
    let (mut first, mut second) =
        (Splitter::new(cpu, false).unwrap(), Splitter::new(Cpu::best(), false).unwrap());
    let begun = first.begin(kind, offload, &mut in_place);
    assert_eq!(begun, second.begin(kind, offload, &mut elsewhere));
    if begun.is_err() {
        assert_eq!(in_place, packet);
    }
    let mut payload = 0;
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
        payload += place.len();
        assert!(payload <= packet.len() * (1 + first.headers()) + first.headers());
    }
});
