// SPDX-License-Identifier: MIT
//! Any bytes as what the kernel sends about links, addresses and routes: lengths that lie, what is cut short, what is
//! nested. The first byte is the index of the interface that they may be about, the second makes one length of the rest
//! another, at the place that the third says.
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
