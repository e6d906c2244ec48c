// SPDX-License-Identifier: MIT
//! tunrs-memory SEGMENTS: the measurement of benches/memory.c for tun-rs: segments a TCP super-packet and coalesces its
//! segments again, in memory. Prints the tenth percentile in nanoseconds.

use std::time::Instant;

use tun_rs::{gso_split, handle_gro, VirtioNetHdr, IDEAL_BATCH_SIZE, VIRTIO_NET_HDR_LEN};
use tunrs::Buffer;

const HEADERS: usize = 52;
const SIZE: usize = 1448;
const ROUNDS: usize = 20_000;

fn super_packet(length: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = (0..length).map(|place| (place * 7919 >> 3) as u8).collect();
    packet[..HEADERS].fill(0);
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = 6;
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    packet[32] = 0x80;
    packet[33] = 0x10;
    packet
}

fn main() {
    let segments = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(44);
    let length = HEADERS + segments * SIZE;
    let whole = super_packet(length);
    let mut packet = whole.clone();
    let mut buffers: Vec<Buffer> = (0..IDEAL_BATCH_SIZE).map(|_| Buffer::new()).collect();
    let mut sizes = vec![0; IDEAL_BATCH_SIZE];
    let (mut tcp, mut udp, mut to_write) = (Default::default(), Default::default(), Vec::new());
    let mut times: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let header = VirtioNetHdr {
                flags: 1,
                gso_type: 1,
                hdr_len: HEADERS as u16,
                gso_size: SIZE as u16,
                csum_start: 20,
                csum_offset: 16,
            };
            packet.copy_from_slice(&whole);
            for buffer in &mut buffers {
                buffer.reset();
            }
            // Replaces the tables by new ones, because the method with which its send_multiple clears them is not public.
            to_write.clear();
            let start = Instant::now();
            let count = gso_split(&mut packet, header, &mut buffers, &mut sizes, VIRTIO_NET_HDR_LEN, false)
                .expect("it is split");
            for (buffer, size) in buffers.iter_mut().zip(&sizes[..count]) {
                buffer.set_length(VIRTIO_NET_HDR_LEN + size);
            }
            handle_gro(&mut buffers[..count], VIRTIO_NET_HDR_LEN, &mut tcp, &mut udp, true, &mut to_write)
                .expect("it is joined");
            let time = start.elapsed().as_nanos();
            assert_eq!((count, to_write.len()), (segments, 1));
            (tcp, udp) = (Default::default(), Default::default());
            time
        })
        .collect();
    times.sort_unstable();
    println!("{}", times[ROUNDS / 10]);
}
