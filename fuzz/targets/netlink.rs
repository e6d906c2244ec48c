// SPDX-License-Identifier: MIT
//! Parses any bytes as messages of the kernel about links, addresses and routes: wrong lengths, truncated and nested
//! attributes. The first byte is the index of the interface. The second byte replaces a length in the rest, at the offset
//! in the third byte.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(([index, length, place], datagram)) = input.split_first_chunk() else { return };
    let mut datagram = datagram.to_vec();
    tuntap::fuzz::netlink(u32::from(*index), &datagram);
    if let Some(byte) = datagram.get_mut(usize::from(*place) * 4) {
        *byte = *length;
        tuntap::fuzz::netlink(u32::from(*index), &datagram);
    }
    let half = datagram.len() / 2;
    tuntap::fuzz::netlink(u32::from(*index), &datagram[..half]);
});
