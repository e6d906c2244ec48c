// SPDX-License-Identifier: MIT
//! Reads super-packets one after the other, with virtio headers of any layout. A stream must return the same as a new one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuntap::fuzzing::Stream;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::{Endian, Layout, MAX_SIZE, MIN_SIZE};

#[path = "../packet/mod.rs"]
mod packet;
use packet::{RECIPE, Recipe};

/// All packets of a read: in place, or each copied.
fn split(stream: &mut Stream, copied: bool) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| if copied { stream.copy() } else { stream.split() }).collect()
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let kind = if choice & 1 == 0 { Kind::Tun } else { Kind::Tap };
    let endian = if choice & 2 == 0 { Endian::NATIVE } else { Endian::Big };
    let size = [MIN_SIZE, 12, 20, 24, 65, MAX_SIZE][usize::from(choice >> 2) % 6];
    let layout = Layout::new(size, endian).unwrap();
    let mut stream = Stream::new(kind, layout);
    for turn in 0..64 {
        let Some((recipe, later)) = rest.split_first_chunk::<RECIPE>() else { break };
        let Some(([size, lies @ ..], later)) = later.split_first_chunk::<5>() else { break };
        rest = later;
        let bytes = packet::framed(layout, &Recipe::of(kind == Kind::Tap, recipe), *size, lies);
        let mut fresh = Stream::new(kind, layout);
        assert_eq!(stream.take(&bytes), fresh.take(&bytes), "packet {turn}");
        let packets = split(&mut stream, size & 1 != 0);
        let wanted = split(&mut fresh, false);
        assert!(packets == wanted, "packet {turn}: {} packets, {} wanted", packets.len(), wanted.len());
    }
});
