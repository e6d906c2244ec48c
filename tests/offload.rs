// SPDX-License-Identifier: MIT
//! Joining and splitting in memory: splitting restores exactly the packets that were joined. tests/c/stress/oracle.c
//! shows that the kernel splits as this library does.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::{F_NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, VnetHdr};
use tuntap::offload::join::{Joiner, Protocols};
use tuntap::offload::split::{Fault, Splitter};

/// xorshift64*: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The sender of a flow, and its current state.
#[derive(Clone)]
struct Sender {
    tap: bool,
    vlan: bool,
    v6: bool,
    tcp: bool,
    number: u8,
    id: u16,
    fixed_id: bool,
    sequence: u32,
    size: usize,
    options: bool,
}

impl Sender {
    fn new(random: &mut Random, tap: bool, number: u8) -> Self {
        let largest = if random.chance(3) { 9000 } else { 1448 };
        Self {
            tap,
            vlan: tap && random.chance(2),
            v6: random.chance(2),
            tcp: random.chance(2),
            number,
            id: random.below(65_536) as u16,
            fixed_id: false,
            sequence: random.below(1 << 31) as u32 * 2,
            size: 1 + random.below(largest),
            options: random.chance(2),
        }
    }

    fn network(&self) -> usize {
        match (self.tap, self.vlan) {
            (false, _) => 0,
            (true, false) => 14,
            (true, true) => 18,
        }
    }

    fn transport(&self) -> usize {
        self.network() + if self.v6 { 40 } else { 20 }
    }

    fn headers(&self) -> usize {
        self.transport()
            + match (self.tcp, self.options) {
                (true, true) => 32,
                (true, false) => 20,
                (false, _) => 8,
            }
    }

    fn packet(&mut self, random: &mut Random, payload: usize, flags: u8) -> Vec<u8> {
        let (network, transport, headers) = (self.network(), self.transport(), self.headers());
        let mut packet = vec![0; headers];
        if self.tap {
            packet[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
            if self.vlan {
                packet[12..16].copy_from_slice(&[0x81, 0, 0, 7]);
            }
            packet[network - 2..network].copy_from_slice(if self.v6 { &[0x86, 0xdd] } else { &[8, 0] });
        }
        packet.extend((0..payload).map(|_| random.below(256) as u8));
        let length = packet.len();
        let ip = &mut packet[network..];
        if self.v6 {
            ip[0] = 0x60;
            ip[4..6].copy_from_slice(&((length - network - 40) as u16).to_be_bytes());
            ip[6] = if self.tcp { 6 } else { 17 };
            ip[7] = 64;
            ip[8] = 0xfd;
            ip[24] = 0xfd;
            ip[39] = 9;
        } else {
            ip[0] = 0x45;
            ip[2..4].copy_from_slice(&((length - network) as u16).to_be_bytes());
            ip[4..6].copy_from_slice(&self.id.to_be_bytes());
            ip[6] = if self.fixed_id { 0x40 } else { 0 };
            ip[8] = 64;
            ip[9] = if self.tcp { 6 } else { 17 };
            ip[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
            let sum = !fold(sum(&ip[..20]));
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        let segment = &mut packet[transport..];
        segment[..4].copy_from_slice(&[4, self.number, 1, 187]);
        if self.tcp {
            segment[4..8].copy_from_slice(&self.sequence.to_be_bytes());
            segment[12] = ((headers - transport) as u8 / 4) << 4;
            segment[13] = flags;
            segment[14] = 1;
            if self.options {
                segment[20..24].copy_from_slice(&[1, 1, 8, 10]);
            }
        } else {
            segment[4..6].copy_from_slice(&((length - transport) as u16).to_be_bytes());
        }
        self.set_checksum(&mut packet);
        self.id = if self.fixed_id { self.id } else { self.id.wrapping_add(1) };
        self.sequence = self.sequence.wrapping_add(payload as u32);
        packet
    }

    /// Sets the TCP or UDP checksum.
    fn set_checksum(&self, packet: &mut [u8]) {
        let transport = self.transport();
        let at = transport + if self.tcp { 16 } else { 6 };
        packet[at..at + 2].fill(0);
        let addresses = if self.v6 { self.network() + 8..transport } else { self.network() + 12..transport };
        let length = packet.len() - transport;
        let pseudo = sum(&packet[addresses]) + if self.tcp { 6 } else { 17 } + length as u32;
        let sum = !fold(pseudo + sum(&packet[transport..]));
        let sum = if sum == 0 && !self.tcp { 0xffff } else { sum };
        packet[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
}

fn kind(tap: bool) -> Kind {
    if tap { Kind::Tap } else { Kind::Tun }
}

/// The packets after splitting all items of the joiner, and the number of items.
fn split_all(joiner: &mut Joiner, tap: bool) -> (Vec<Vec<u8>>, usize) {
    let (mut packets, mut items) = (Vec::new(), 0);
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    while let Some((hdr, packet)) = joiner.peek() {
        let mut packet = packet.to_vec();
        splitter.begin(kind(tap), hdr, &packet).unwrap();
        while let Some(place) = splitter.next(&mut packet) {
            packets.push(packet[place].to_vec());
        }
        items += 1;
        joiner.pop();
    }
    (packets, items)
}

/// Flips one bit of a packet that does not change its flow.
fn damage(random: &mut Random, sender: &Sender, packet: &mut [u8]) {
    let (network, transport) = (sender.network(), sender.transport());
    let protocol = network + if sender.v6 { 6 } else { 9 };
    let places: Vec<_> = (network + 1..network + 8)
        .chain(transport + 4..packet.len())
        .filter(|place| *place != protocol)
        .collect();
    packet[places[random.below(places.len())]] ^= 1 << random.below(8);
}

#[test]
fn splitting_restores_the_joined_packets() {
    let mut random = Random(42);
    let (mut packets_in_all, mut items_in_all) = (0, 0);
    for round in 0..2000 {
        let tap = round % 2 == 1;
        let mut senders: Vec<_> =
            (0..1 + random.below(4) as u8).map(|n| Sender::new(&mut random, tap, n)).collect();
        let mut joiner = Joiner::new(Cpu::best(), kind(tap), Protocols::ALL, false).unwrap();
        let mut sent = vec![Vec::new(); senders.len()];
        for _ in 0..1 + random.below(60) {
            let place = random.below(senders.len());
            let sender = &mut senders[place];
            if random.chance(20) {
                sender.sequence = sender.sequence.wrapping_add(1);
            }
            if random.chance(20) {
                sender.id = sender.id.wrapping_add(7);
            }
            let payload = if random.chance(8) { random.below(sender.size + 1) } else { sender.size };
            let flags = match random.below(16) {
                0 => random.below(256) as u8,
                // FIN, PSH and ECE, which are coalesced.
                1 | 2 => 0x10 | (random.below(256) as u8 & 0x49),
                _ => 0x10,
            };
            let mut packet = sender.packet(&mut random, payload, flags);
            if random.chance(15) {
                damage(&mut random, sender, &mut packet);
            }
            if joiner.put(&packet).is_err() {
                break;
            }
            sent[place].push(packet);
        }
        let (got, items) = split_all(&mut joiner, tap);
        assert_eq!(got.len(), sent.iter().map(Vec::len).sum::<usize>());
        assert!(joiner.is_empty());
        packets_in_all += got.len();
        items_in_all += items;
        for sent in sent {
            let mut later = got.iter();
            assert!(sent.iter().all(|packet| later.any(|got| got == packet)), "round {round}");
        }
    }
    assert!(packets_in_all > items_in_all * 3 / 2, "{packets_in_all} packets, {items_in_all} items");
}

/// Joins packets of a sender, each modified by `change`. Returns the number of items.
fn items(sender: &Sender, count: usize, mut change: impl FnMut(usize, &mut Sender, &mut Vec<u8>)) -> usize {
    let mut random = Random(7);
    let mut sender = sender.clone();
    let mut joiner = Joiner::new(Cpu::best(), kind(sender.tap), Protocols::ALL, false).unwrap();
    for turn in 0..count {
        let size = sender.size;
        let mut packet = sender.packet(&mut random, size, 0x10);
        change(turn, &mut sender, &mut packet);
        joiner.put(&packet).unwrap();
    }
    split_all(&mut joiner, sender.tap).1
}

fn every_sender() -> impl Iterator<Item = Sender> {
    (0..16).map(|bits| Sender {
        tap: bits & 1 != 0,
        vlan: bits & 1 != 0,
        v6: bits & 2 != 0,
        tcp: bits & 4 != 0,
        options: bits & 8 != 0,
        number: 5,
        id: 65_530,
        fixed_id: false,
        sequence: u32::MAX - 3000,
        size: 1000,
    })
}

#[test]
fn a_flow_becomes_one_super_packet() {
    for sender in every_sender() {
        assert_eq!(items(&sender, 20, |_, _, _| {}), 1);
        assert_eq!(items(&sender, 66, |_, _, _| {}), 2, "64 KiB are full");
        let small = Sender { size: 10, ..sender.clone() };
        assert_eq!(items(&small, 130, |_, _, _| {}), if sender.tcp { 1 } else { 3 }, "64 datagrams are full");
        let fixed = Sender { fixed_id: true, ..sender };
        assert_eq!(items(&fixed, 20, |_, _, _| {}), 1, "a fixed id where fragmenting is forbidden");
    }
}

/// Changes the third of five packets, and checks the number of items.
#[test]
fn packets_that_differ_are_not_joined() {
    for sender in every_sender() {
        let (network, transport) = (sender.network(), sender.transport());
        let third = |change: &dyn Fn(&mut Vec<u8>)| {
            items(&sender, 5, |turn, sender, packet| {
                if turn == 2 {
                    change(packet);
                    if !sender.v6 {
                        packet[network + 10..network + 12].fill(0);
                        let sum = !fold(sum(&packet[network..transport]));
                        packet[network + 10..network + 12].copy_from_slice(&sum.to_be_bytes());
                    }
                    sender.set_checksum(packet);
                }
            })
        };
        assert_eq!(third(&|_| {}), 1);
        let hops = network + if sender.v6 { 7 } else { 8 };
        assert_eq!(third(&|packet| packet[hops] -= 1), 3, "hop limit");
        assert_eq!(third(&|packet| packet[network + 1] ^= 0x20), 3, "traffic class");
        if !sender.v6 {
            assert_eq!(third(&|packet| packet[network + 6] |= 0x40), 3, "do not fragment");
            assert_eq!(third(&|packet| packet[network + 5] ^= 0x40), 3, "identification");
            assert_eq!(third(&|packet| packet[network + 6] |= 0x20), 3, "a fragment");
        }
        if sender.tap {
            assert_eq!(third(&|packet| packet[4] ^= 1), 3, "MAC address");
            assert_eq!(third(&|packet| packet[15] ^= 1), 3, "VLAN");
        }
        if sender.tcp {
            assert_eq!(third(&|packet| packet[transport + 14] ^= 1), 3, "window");
            assert_eq!(third(&|packet| packet[transport + 11] ^= 1), 3, "acknowledgement");
            assert_eq!(third(&|packet| packet[transport + 7] ^= 1), 3, "sequence");
            assert_eq!(third(&|packet| packet[transport + 13] |= 0x08), 2, "PSH ends it");
            assert_eq!(third(&|packet| packet[transport + 13] |= 0x01), 2, "FIN ends it");
            for flag in [0x02, 0x04, 0x20, 0x40, 0x80] {
                assert_eq!(third(&|packet| packet[transport + 13] |= flag), 3, "flag {flag:#x}");
            }
            if sender.options {
                assert_eq!(third(&|packet| packet[transport + 30] ^= 1), 3, "options");
            }
        }
    }
}

#[test]
fn flags_that_the_kernel_restores_are_joined() {
    for sender in every_sender().filter(|sender| sender.tcp) {
        let flags = sender.transport() + 13;
        let number = |all: u8, last: u8| {
            items(&sender, 5, |turn, sender, packet| {
                packet[flags] |= if turn == 4 { all | last } else { all };
                sender.set_checksum(packet);
            })
        };
        assert_eq!(number(0x40, 0), 1, "ECE");
        assert_eq!(number(0, 0x01), 1, "FIN on the last");
        assert_eq!(number(0x40, 0x09), 1, "ECE, and FIN and PSH on the last");
        assert_eq!(number(0x01, 0), 5, "FIN on all");
        assert_eq!(number(0x80, 0), 5, "CWR");
        assert_eq!(number(0x20, 0), 5, "URG");
    }
}

/// A packet of an unknown flow is not reordered with the packets of any flow.
#[test]
fn packets_are_not_reordered_around_a_fragment() {
    for sender in every_sender().filter(|sender| !sender.tcp) {
        let (network, transport) = (sender.network(), sender.transport());
        let sender = Sender { fixed_id: true, ..sender };
        let number = items(&sender, 5, |turn, sender, packet| {
            if turn != 2 {
                return;
            }
            if sender.v6 {
                // The IPv6 header announces a fragment header.
                packet[network + 6] = 44;
            } else {
                packet[network + 6] = 0x20;
                packet[network + 10..network + 12].fill(0);
                let sum = !fold(sum(&packet[network..transport]));
                packet[network + 10..network + 12].copy_from_slice(&sum.to_be_bytes());
            }
        });
        assert_eq!(number, 3);
    }
}

/// A checksum of 0xffff means 0: it is valid, but splitting would not restore it.
#[test]
fn a_checksum_of_ffff_is_kept() {
    for sender in every_sender().filter(|sender| sender.tcp) {
        let at = sender.transport() + 16;
        let number = items(&sender, 5, |turn, sender, packet| {
            if turn != 2 {
                return;
            }
            let end = packet.len() - 2;
            packet[end..].fill(0);
            sender.set_checksum(packet);
            let rest = [packet[at], packet[at + 1]];
            packet[end..].copy_from_slice(&rest);
            sender.set_checksum(packet);
            assert_eq!(packet[at..at + 2], [0, 0]);
            packet[at..at + 2].fill(0xff);
        });
        assert_eq!(number, 3);
    }
}

#[test]
fn packets_with_a_bad_checksum_are_not_joined() {
    for sender in every_sender() {
        let (network, transport) = (sender.network(), sender.transport());
        for place in [transport + 40, transport + if sender.tcp { 17 } else { 7 }] {
            for bad in 0..5 {
                let number = items(&sender, 5, |turn, _, packet| {
                    if turn == bad {
                        packet[place] ^= 4;
                    }
                });
                assert_eq!(number, if bad == 0 || bad == 4 { 2 } else { 3 });
            }
        }
        if !sender.v6 {
            let number = items(&sender, 5, |turn, _, packet| {
                if turn == 2 {
                    packet[network + 11] ^= 1;
                }
            });
            assert_eq!(number, 3);
        }
        if !sender.v6 && !sender.tcp {
            let none = items(&sender, 5, |_, _, packet| packet[transport + 6..transport + 8].fill(0));
            assert_eq!(none, 5, "UDP without a checksum");
        }
    }
}

#[test]
fn wrong_virtio_headers_are_refused() {
    let mut random = Random(3);
    let mut sender =
        Sender { tap: false, vlan: false, v6: false, tcp: true, ..Sender::new(&mut random, false, 1) };
    let packet = sender.packet(&mut random, 5000, 0x10);
    let (transport, right) = (
        sender.transport() as u16,
        VnetHdr {
            flags: F_NEEDS_CSUM,
            gso_type: GSO_TCPV4,
            hdr_len: 0,
            gso_size: 1000,
            csum_start: sender.transport() as u16,
            csum_offset: 16,
            ..VnetHdr::default()
        },
    );
    let cases = [
        (Fault::GsoType, VnetHdr { gso_type: 3, ..right }),
        (Fault::GsoType, VnetHdr { gso_type: 77, ..right }),
        (Fault::Headers, VnetHdr { gso_type: GSO_TCPV6, ..right }),
        (Fault::Headers, VnetHdr { gso_type: GSO_UDP_L4, ..right }),
        (Fault::Headers, VnetHdr { flags: 0, ..right }),
        (Fault::Headers, VnetHdr { gso_size: 0, ..right }),
        (Fault::Headers, VnetHdr { csum_start: 0, ..right }),
        (Fault::Headers, VnetHdr { csum_start: transport - 1, ..right }),
        (Fault::Headers, VnetHdr { csum_start: transport + 4, ..right }),
        (Fault::Headers, VnetHdr { csum_start: u16::MAX, ..right }),
        (Fault::Headers, VnetHdr { csum_offset: 6, ..right }),
        (Fault::Checksum, VnetHdr { gso_type: GSO_NONE, csum_start: u16::MAX, ..right }),
        (Fault::Checksum, VnetHdr { gso_type: GSO_NONE, csum_offset: u16::MAX, ..right }),
    ];
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for (fault, wrong) in cases {
        let mut given = packet.clone();
        assert_eq!(splitter.begin(Kind::Tun, wrong, &given), Err(fault), "{wrong:?}");
        assert_eq!(given, packet);
        assert_eq!(splitter.next(&mut given), None);
    }
    for length in 0..transport as usize + 20 {
        assert!(splitter.begin(Kind::Tun, right, &packet[..length]).is_err());
    }
}

/// Truncated super-packets with arbitrary offsets in the virtio header.
#[test]
fn truncated_packets_are_split_or_refused() {
    let mut random = Random(5);
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for sender in every_sender() {
        let complete = sender.clone().packet(&mut random, 100, 0x10);
        for start in 0..100 {
            let wrong = VnetHdr {
                flags: F_NEEDS_CSUM,
                gso_type: if !sender.tcp {
                    GSO_UDP_L4
                } else if sender.v6 {
                    GSO_TCPV6
                } else {
                    GSO_TCPV4
                },
                hdr_len: 0,
                gso_size: 1,
                csum_start: start,
                csum_offset: if sender.tcp { 16 } else { 6 },
                ..VnetHdr::default()
            };
            for length in 0..sender.headers() {
                let mut truncated = complete[..length].to_vec();
                if splitter.begin(kind(sender.tap), wrong, &truncated).is_err() {
                    assert_eq!(truncated, complete[..length]);
                }
                while let Some(place) = splitter.next(&mut truncated) {
                    assert!(place.end <= length);
                }
            }
        }
    }
}
