// SPDX-License-Identifier: MIT
//! Header fields at their limits, as in the kernel's own test of receive offload: pairs and triples of packets that
//! differ in one field. However many of them are joined, splitting restores them, in the same order.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::GSO_NONE;
use tuntap::offload::join::{Joiner, Protocols};
use tuntap::offload::split::Splitter;

/// One packet.
#[derive(Clone)]
struct Packet {
    v6: bool,
    tcp: bool,
    tags: usize,
    class: u8,
    label: u8,
    hops: u8,
    no_fragments: bool,
    fragment: u16,
    id: u16,
    ip_options: Vec<u8>,
    /// The type and the size of an extension header.
    extension: Option<(u8, usize)>,
    port: u16,
    sequence: u32,
    acknowledged: u32,
    flags: u8,
    window: u16,
    urgent: u16,
    tcp_options: Vec<u8>,
    payload: usize,
}

const BASE: Packet = Packet {
    v6: false,
    tcp: true,
    tags: 0,
    class: 0,
    label: 1,
    hops: 64,
    no_fragments: true,
    fragment: 0,
    id: 100,
    ip_options: Vec::new(),
    extension: None,
    port: 1024,
    sequence: 5000,
    acknowledged: 7,
    flags: 0x10,
    window: 1000,
    urgent: 0,
    tcp_options: Vec::new(),
    payload: 100,
};

fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = start;
    for (place, byte) in bytes.iter().enumerate() {
        sum += u32::from(*byte) << if place % 2 == 0 { 8 } else { 0 };
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

impl Packet {
    /// The packet that follows it.
    fn next(&self) -> Self {
        let sequence = self.sequence.wrapping_add(self.payload as u32);
        Self { sequence, id: self.id.wrapping_add(1), ..self.clone() }
    }

    /// The bytes, with an Ethernet header.
    fn bytes(&self) -> Vec<u8> {
        let protocol = if self.tcp { 6 } else { 17 };
        let mut transport = [self.port.to_be_bytes(), [1, 187]].concat();
        if self.tcp {
            transport.extend(self.sequence.to_be_bytes());
            transport.extend(self.acknowledged.to_be_bytes());
            transport.extend([(((20 + self.tcp_options.len()) / 4) << 4) as u8, self.flags]);
            transport.extend(self.window.to_be_bytes());
            transport.extend([0, 0]);
            transport.extend(self.urgent.to_be_bytes());
            transport.extend(&self.tcp_options);
        } else {
            transport.extend(((8 + self.payload) as u16).to_be_bytes());
            transport.extend([0, 0]);
        }
        transport.extend((0..self.payload).map(|place| (place as u32 + self.sequence) as u8));
        let pseudo = if self.v6 { 2 * 0xfd00 } else { 0x0a00 + 1 + 0x0a00 + 2 };
        let at = if self.tcp { 16 } else { 6 };
        let checksum = match !sum(&transport, pseudo + protocol + transport.len() as u32) {
            0 => 0xffff,
            checksum => checksum,
        };
        // TCP would keep a checksum of 0, but no packet here has that sum.
        transport[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        [self.link(), self.ip(protocol as u8, transport.len()), transport].concat()
    }

    fn link(&self) -> Vec<u8> {
        let mut link = vec![2; 12];
        link.extend([0x81, 0, 0, 7].repeat(self.tags));
        link.extend(if self.v6 { [0x86, 0xdd] } else { [8, 0] });
        link
    }

    fn ip(&self, protocol: u8, length: usize) -> Vec<u8> {
        if !self.v6 {
            let header = 20 + self.ip_options.len();
            let bits = self.fragment | if self.no_fragments { 0x4000 } else { 0 };
            let mut ip = vec![0x40 | (header / 4) as u8, self.class];
            ip.extend(((header + length) as u16).to_be_bytes());
            ip.extend([self.id.to_be_bytes(), bits.to_be_bytes(), [self.hops, protocol], [0, 0]].concat());
            ip.extend([10, 0, 0, 1, 10, 0, 0, 2]);
            ip.extend(&self.ip_options);
            let checksum = !sum(&ip, 0);
            ip[10..12].copy_from_slice(&checksum.to_be_bytes());
            return ip;
        }
        let (first, extension) = match self.extension {
            Some((kind, size)) => {
                let comparable = if kind == 44 { 0 } else { (size / 8 - 1) as u8 };
                (kind, [vec![protocol, comparable], vec![0; size - 2]].concat())
            }
            None => (protocol, Vec::new()),
        };
        let mut ip = vec![0x60 | self.class >> 4, self.class << 4, 0, self.label];
        ip.extend(((extension.len() + length) as u16).to_be_bytes());
        ip.extend([first, self.hops]);
        for _ in 0..2 {
            ip.extend([[0xfd, 0].as_slice(), &[0; 14]].concat());
        }
        ip.extend(extension);
        ip
    }
}

/// The number of items that the packets are joined to. Checks that splitting restores the packets, in the same order.
fn items(packets: &[Packet]) -> usize {
    let sent: Vec<_> = packets.iter().map(Packet::bytes).collect();
    let mut joiner = Joiner::new(Cpu::best(), Kind::Tap, Protocols::ALL, false).unwrap();
    for packet in &sent {
        joiner.put(packet).unwrap();
    }
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    let (mut got, mut items) = (Vec::new(), 0);
    while let Some((hdr, bytes)) = joiner.peek() {
        assert!(bytes.len() <= 65_535 || hdr.gso_type == GSO_NONE);
        let mut bytes = bytes.to_vec();
        splitter.begin(Kind::Tap, hdr, &bytes).unwrap();
        while let Some(place) = splitter.next(&mut bytes) {
            got.push(bytes[place].to_vec());
        }
        items += 1;
        joiner.pop();
    }
    assert_eq!(got.len(), sent.len());
    for (packet, (got, sent)) in packets.iter().zip(got.iter().zip(&sent)) {
        assert_eq!(comparable(packet, got), comparable(packet, sent));
    }
    items
}

/// The bytes without the identification and the checksum, which may change if fragmentation is forbidden.
fn comparable(packet: &Packet, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = 14 + 4 * packet.tags;
    if !packet.v6 && packet.no_fragments && packet.ip_options.is_empty() {
        assert_eq!(sum(&bytes[at..at + 20], 0), 0xffff);
        bytes[at + 4..at + 6].fill(0);
        bytes[at + 10..at + 12].fill(0);
    }
    bytes
}

/// The number of items for a packet and those that follow it, each modified by `change`.
fn run(base: &Packet, count: usize, change: impl Fn(usize, &mut Packet)) -> usize {
    let mut plain = base.clone();
    let packets: Vec<_> = (0..count)
        .map(|turn| {
            let mut packet = plain.clone();
            change(turn, &mut packet);
            plain = plain.next();
            packet
        })
        .collect();
    items(&packets)
}

fn every_base() -> impl Iterator<Item = Packet> {
    (0..4)
        .flat_map(|bits| [0, 1, 2].map(|tags| Packet { v6: bits & 1 != 0, tcp: bits & 2 != 0, tags, ..BASE }))
}

#[test]
fn packets_with_at_most_two_tags_are_joined() {
    for base in every_base() {
        assert_eq!(run(&base, 3, |_, _| {}), 1);
        let tagged = Packet { tags: base.tags + 3, ..base };
        assert_eq!(run(&tagged, 3, |_, _| {}), 3);
    }
}

/// All combinations of DF and of increments of the identification, for three packets.
#[test]
fn identifications_decide_what_is_joined() {
    for tcp in [true, false] {
        for forbidden in 0..8_usize {
            for steps in [[0, 0], [1, 1], [0, 1], [1, 0], [2, 2], [1, 2]] {
                let base = Packet { tcp, ..BASE };
                let number = run(&base, 3, |turn, packet| {
                    packet.no_fragments = forbidden >> turn & 1 != 0;
                    packet.id = 65_535_u16.wrapping_add(steps[..turn].iter().sum());
                });
                let alike = |turn: usize| forbidden >> turn & 1 == forbidden >> (turn - 1) & 1;
                let df = forbidden & 1 != 0;
                let wanted = match (alike(1), alike(2), steps) {
                    (true, true, [1, 1]) => 1,
                    (true, true, [0, 0]) if df => 1,
                    (true, true, [0, 0] | [2, 2]) => 3,
                    (true, true, [0, 1]) => 2,
                    (true, true, _) => 2,
                    // The first two packets, or the last two.
                    (true, false, [step, _]) | (false, true, [_, step]) => {
                        let pair = if alike(1) { df } else { forbidden & 4 != 0 };
                        if step == 1 || (step == 0 && pair) { 2 } else { 3 }
                    }
                    (false, false, _) => 3,
                };
                assert_eq!(number, wanted, "tcp {tcp}, DF {forbidden:03b}, steps {steps:?}");
            }
        }
    }
}

/// Two packets that differ in one field are not joined.
#[test]
fn packets_that_differ_are_not_joined() {
    type Change = fn(&mut Packet);
    let any: [(&str, Change); 4] = [
        ("hops", |packet| packet.hops = 63),
        ("class", |packet| packet.class = 0x0c),
        ("port", |packet| packet.port = 1025),
        ("tags", |packet| packet.tags = (packet.tags + 1) % 3),
    ];
    let v4: [(&str, Change); 3] = [
        ("options", |packet| packet.ip_options = vec![1; 4]),
        ("the most options", |packet| packet.ip_options = vec![1; 40]),
        ("fragment", |packet| packet.fragment = 0x2000),
    ];
    let v6: [(&str, Change); 5] = [
        ("flow label", |packet| packet.label = 2),
        ("hop by hop", |packet| packet.extension = Some((0, 8))),
        ("destination options", |packet| packet.extension = Some((60, 2048))),
        ("routing", |packet| packet.extension = Some((43, 24))),
        ("fragment", |packet| packet.extension = Some((44, 8))),
    ];
    let tcp: [(&str, Change); 13] = [
        ("later", |packet| packet.sequence += 1),
        ("again", |packet| packet.sequence -= 100),
        ("earlier", |packet| packet.sequence -= 1),
        ("SYN", |packet| packet.flags |= 2),
        ("RST", |packet| packet.flags |= 4),
        ("URG", |packet| packet.flags |= 0x20),
        ("ECE", |packet| packet.flags |= 0x40),
        ("CWR", |packet| packet.flags |= 0x80),
        ("no ACK", |packet| packet.flags = 0),
        ("window", |packet| packet.window += 1),
        ("urgent", |packet| packet.urgent = 1),
        ("options", |packet| packet.tcp_options = vec![1; 12]),
        ("acknowledged", |packet| packet.acknowledged += 1),
    ];
    for base in every_base() {
        let network: &[_] = if base.v6 { &v6 } else { &v4 };
        let transport: &[_] = if base.tcp { &tcp } else { &[] };
        for (what, change) in any.iter().chain(network).chain(transport) {
            let number = run(&base, 2, |turn, packet| {
                if turn == 1 {
                    change(packet);
                }
            });
            assert_eq!(number, 2, "{what}");
            let number = run(&base, 2, |turn, packet| {
                if turn == 0 {
                    change(packet);
                }
            });
            assert_eq!(number, 2, "{what}, the other way");
        }
    }
}

/// They are not joined even if all packets have the same ones, of any length. TCP options are joined.
#[test]
fn packets_with_ip_options_or_extension_headers_are_not_joined() {
    for base in every_base() {
        let sizes: &[usize] = if base.v6 { &[8, 16, 440, 2048] } else { &[4, 20, 40] };
        for size in sizes {
            let number = run(&base, 3, |_, packet| {
                packet.ip_options = vec![1; *size];
                packet.extension = Some((60, *size));
            });
            assert_eq!(number, 3);
        }
        if base.tcp {
            for size in (0..=40).step_by(4) {
                assert_eq!(run(&base, 3, |_, packet| packet.tcp_options = vec![1; size]), 1);
            }
        }
    }
}

#[test]
fn tcp_flags_decide_what_is_joined() {
    for base in every_base().filter(|base| base.tcp) {
        for flags in 0..=255 {
            // ACK, or ACK and ECE.
            let wanted = if flags & !0x40 == 0x10 { 1 } else { 3 };
            assert_eq!(run(&base, 3, |_, packet| packet.flags = flags), wanted, "{flags:#x}");
        }
        for (flag, what) in [(8, "PSH"), (1, "FIN"), (9, "FIN and PSH")] {
            let with = |which: usize| {
                run(&base, 3, |turn, packet| packet.flags |= if turn == which { flag } else { 0 })
            };
            assert_eq!([with(0), with(1), with(2)], [2, 2, 1], "{what} ends a super-packet");
        }
    }
}

/// Smaller, larger and empty payloads, and packets out of order.
#[test]
fn lengths_and_order_decide_what_is_joined() {
    for base in every_base() {
        let of = |sizes: &[usize]| {
            let mut plain = base.clone();
            let packets: Vec<_> = sizes
                .iter()
                .map(|size| {
                    let packet = Packet { payload: *size, ..plain.clone() };
                    plain = packet.next();
                    packet
                })
                .collect();
            items(&packets)
        };
        assert_eq!(of(&[100, 100, 100]), 1);
        assert_eq!(of(&[100, 100, 1]), 1, "the last may be smaller");
        assert_eq!(of(&[100, 1, 100]), 2, "and nothing comes behind it");
        assert_eq!(of(&[100, 101]), 2);
        assert_eq!(of(&[0, 0, 0]), 3);
        assert_eq!(of(&[100, 0, 100]), 3);
        assert_eq!(of(&[1, 1, 1]), 1);
        let number = |order: [u16; 3]| {
            run(&base, 3, |turn, packet| {
                packet.id = 100 + order[turn];
                packet.sequence = 5000 + 100 * u32::from(order[turn]);
            })
        };
        for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
            let pairs = order.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
            let numbered = base.tcp || !base.v6;
            assert_eq!(number(order), if numbered { 3 - pairs } else { 1 }, "{order:?}");
        }
    }
}

/// The limit is 65,535 bytes with all headers.
#[test]
fn a_super_packet_has_at_most_65535_bytes() {
    for base in every_base().filter(|base| base.tcp) {
        let headers = 14 + 4 * base.tags + if base.v6 { 40 } else { 20 } + 20;
        let fits = (65_535 - headers) / 1400 + 1;
        let rest = (65_535 - headers) % 1400;
        let base = Packet { payload: 1400, ..base };
        let of = |last: usize| {
            run(&base, fits, |turn, packet| {
                if turn + 1 == fits {
                    packet.payload = last;
                }
            })
        };
        assert_eq!(of(rest), 1);
        assert_eq!(of(rest + 1), 2);
        let alone = Packet { payload: 65_535 - (headers - 14 - 4 * base.tags), ..base.clone() };
        assert_eq!(items(&[alone.clone(), alone.next()]), 2);
    }
}
