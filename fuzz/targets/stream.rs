// SPDX-License-Identifier: MIT
//! Super-packets one after the other, behind any offload header: a stream makes of each what a fresh one makes of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::flags::Kind;
use tuntap::fuzzing::Stream;
use tuntap::offload::{self, Offload};

#[path = "../packet/mod.rs"]
mod packet;
use packet::{RECIPE, Recipe};

/// All packets of what was read: in place, or each elsewhere.
fn split(stream: &mut Stream, elsewhere: bool) -> Vec<Vec<u8>> {
    let mut memory = if elsewhere { vec![0; 2 * 65_536] } else { Vec::new() };
    let mut next = || if elsewhere { stream.split_into(&mut memory) } else { stream.split() };
    std::iter::from_fn(&mut next).collect()
}

/// A super-packet with its offload header, in which `lies` may be wrong.
fn made(recipe: &Recipe, size: u8, lies: &[u8; 4]) -> Vec<u8> {
    let packet = recipe.packet(recipe.payload, true);
    let kind = match (recipe.tcp, recipe.v6) {
        (false, _) => offload::UDP,
        (true, false) => offload::TCP4,
        (true, true) => offload::TCP6,
    };
    let header = Offload {
        flags: offload::CHECKSUM,
        kind,
        header_length: 0,
        segment_size: u16::from(size) * 4,
        checksum_start: recipe.transport() as u16,
        checksum_offset: if recipe.tcp { 16 } else { 6 },
    };
    let mut bytes = [&header.to_bytes()[..], &packet].concat();
    let [place, change, end, end_high] = *lies;
    if change & 1 != 0 {
        let place = usize::from(place) % bytes.len();
        bytes[place] ^= change;
    }
    if change & 2 != 0 {
        bytes.truncate(usize::from(u16::from_le_bytes([end, end_high])));
    }
    bytes
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let mut stream = Stream::new(kind);
    for turn in 0..64 {
        let Some((recipe, later)) = rest.split_first_chunk::<RECIPE>() else { break };
        let Some(([size, lies @ ..], later)) = later.split_first_chunk::<5>() else { break };
        rest = later;
        let bytes = made(&Recipe::of(kind == Kind::Tap, recipe), *size, lies);
        let mut fresh = Stream::new(kind);
        assert_eq!(stream.take(&bytes), fresh.take(&bytes), "packet {turn}");
        let packets = split(&mut stream, size & 1 != 0);
        let wanted = split(&mut fresh, false);
        assert!(packets == wanted, "packet {turn}: {} packets, {} wanted", packets.len(), wanted.len());
    }
});
