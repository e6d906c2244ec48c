// SPDX-License-Identifier: MIT
//! Splitting super-packets of UDP tunnels in memory: the segments are exactly the packets of a sender without offload.
//! tests/c/stress/tunnel_oracle.c shows that the kernel splits as this library does.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::vnet_hdr::{
    F_NEEDS_CSUM, F_UDP_TUNNEL_CSUM, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_UDP_TUNNEL_IPV4,
    GSO_UDP_TUNNEL_IPV6, VnetHdr,
};
use tuntap::offload::split::{Fault, Splitter};
use tuntap::offload::tunnel::count_tag;

const FIN_PSH: u8 = 0x09;
const CWR: u8 = 0x80;

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum()
}

fn put(bytes: &mut [u8], at: usize, number: usize) {
    bytes[at..at + 2].copy_from_slice(&(number as u16).to_be_bytes());
}

/// The headers of a tunnel with a packet inside.
#[derive(Clone, Copy, Debug)]
struct Shape {
    vlan: bool,
    tap: bool,
    /// Of the tunnel.
    v6: bool,
    checksum: bool,
    /// Of the packet inside.
    inner_v6: bool,
    tcp: bool,
}

/// The fields that differ between segments.
#[derive(Clone, Copy)]
struct Fields {
    outer_id: u16,
    id: u16,
    sequence: u32,
    flags: u8,
}

/// Bytes between the UDP header of the tunnel and the IP header inside: VXLAN and Ethernet.
const BETWEEN: [u8; 22] = [8, 0, 0, 0, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0xee, 0xee];

impl Shape {
    fn all() -> impl Iterator<Item = Self> {
        (0..64).filter(|bits| bits & 3 != 2).map(|bits| Self {
            tap: bits & 1 != 0,
            vlan: bits & 2 != 0,
            v6: bits & 4 != 0,
            checksum: bits & 8 != 0,
            inner_v6: bits & 16 != 0,
            tcp: bits & 32 != 0,
        })
    }

    fn kind(self) -> Kind {
        if self.tap { Kind::Tap } else { Kind::Tun }
    }

    /// Offsets of the IP header of the tunnel, its UDP header, the IP header inside, TCP or UDP, and the payload.
    fn offsets(self) -> [usize; 5] {
        let network = usize::from(self.tap) * 14 + usize::from(self.vlan) * 4;
        let transport = network + if self.v6 { 40 } else { 20 };
        let inner = transport + 8 + BETWEEN.len();
        let inner_transport = inner + if self.inner_v6 { 40 } else { 20 };
        [network, transport, inner, inner_transport, inner_transport + if self.tcp { 32 } else { 8 }]
    }

    /// A packet with all checksums, or with `partial` a super-packet.
    fn packet(self, fields: Fields, payload: &[u8], partial: bool) -> Vec<u8> {
        let [network, transport, inner, inner_transport, headers] = self.offsets();
        let mut packet = vec![0x33; headers];
        packet.extend_from_slice(payload);
        if self.tap {
            let ethertype = if self.v6 { [0x86, 0xdd] } else { [8, 0] };
            packet[12..14].copy_from_slice(&[0x81, 0]);
            packet[network - 2..network].copy_from_slice(&ethertype);
        }
        packet[transport + 8..inner].copy_from_slice(&BETWEEN);
        put_ip(&mut packet[inner..], self.inner_v6, if self.tcp { 6 } else { 17 }, fields.id);
        put_ip(&mut packet[network..], self.v6, 17, fields.outer_id);
        if self.tcp {
            let tcp = &mut packet[inner_transport..];
            tcp[4..8].copy_from_slice(&fields.sequence.to_be_bytes());
            tcp[12..14].copy_from_slice(&[0x80, fields.flags]);
            put(tcp, 16, 0);
        } else {
            let length = packet.len() - inner_transport;
            put(&mut packet[inner_transport..], 4, length);
            put(&mut packet[inner_transport..], 6, 0);
        }
        set_checksum(&mut packet, inner, self.inner_v6, self.tcp, partial);
        let length = packet.len() - transport;
        put(&mut packet[transport..], 4, length);
        put(&mut packet[transport..], 6, 0);
        if self.checksum {
            set_checksum(&mut packet, network, self.v6, false, partial);
        }
        packet
    }

    fn hdr(self, size: usize) -> VnetHdr {
        let [_, transport, inner, inner_transport, headers] = self.offsets();
        let gso_type = match (self.tcp, self.inner_v6) {
            (false, _) => GSO_UDP_L4,
            (true, false) => GSO_TCPV4,
            (true, true) => GSO_TCPV6,
        };
        VnetHdr {
            flags: F_NEEDS_CSUM | if self.checksum { F_UDP_TUNNEL_CSUM } else { 0 },
            gso_type: gso_type | if self.v6 { GSO_UDP_TUNNEL_IPV6 } else { GSO_UDP_TUNNEL_IPV4 },
            hdr_len: headers as u16,
            gso_size: size as u16,
            csum_start: inner_transport as u16,
            csum_offset: if self.tcp { 16 } else { 6 },
            num_buffers: 0,
            outer_th_offset: transport as u16,
            inner_nh_offset: inner as u16,
        }
    }
}

fn put_ip(ip: &mut [u8], v6: bool, protocol: u8, id: u16) {
    let length = ip.len();
    if v6 {
        ip[..8].copy_from_slice(&[0x60, 0, 0, 0, 0, 0, protocol, 64]);
        put(ip, 4, length - 40);
    } else {
        ip[..12].copy_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
        put(ip, 2, length);
        put(ip, 4, id.into());
        let sum = !fold(sum(&ip[..20]));
        put(ip, 10, sum.into());
    }
}

/// Sets the checksum of the TCP or UDP packet with this IP header. `partial`: only the sum of the pseudo header.
fn set_checksum(packet: &mut [u8], network: usize, v6: bool, tcp: bool, partial: bool) {
    let (transport, addresses) = if v6 {
        (network + 40, network + 8..network + 40)
    } else {
        (network + 20, network + 12..network + 20)
    };
    let pseudo = sum(&packet[addresses]) + if tcp { 6 } else { 17 } + (packet.len() - transport) as u32;
    let checksum = match if partial { fold(pseudo) } else { !fold(pseudo + sum(&packet[transport..])) } {
        0 if !partial => 0xffff,
        checksum => checksum,
    };
    put(packet, transport + if tcp { 16 } else { 6 }, checksum.into());
}

/// A super-packet, and the packets that it represents.
fn example(shape: Shape, payload: usize, size: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let payload: Vec<u8> = (0..payload).map(|number| (number * 7 + number / 251) as u8).collect();
    let all = Fields { outer_id: 0xfffe, id: 0xfffd, sequence: 0xffff_fc00, flags: 0x10 | FIN_PSH | CWR };
    let chunks = payload.chunks(size).count();
    let segments = payload.chunks(size).enumerate().map(|(number, chunk)| {
        let only_first = if number == 0 { 0 } else { CWR };
        let only_last = if number + 1 == chunks { 0 } else { FIN_PSH };
        let fields = Fields {
            outer_id: all.outer_id.wrapping_add(number as u16),
            id: all.id.wrapping_add(number as u16),
            sequence: all.sequence.wrapping_add((number * size) as u32),
            flags: all.flags & !only_first & !only_last,
        };
        shape.packet(fields, chunk, false)
    });
    (shape.packet(all, &payload, true), segments.collect())
}

fn split(splitter: &mut Splitter, kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut packet = packet.to_vec();
    splitter.begin(kind, hdr, &packet)?;
    let mut segments = Vec::new();
    while let Some(place) = splitter.next(&mut packet) {
        segments.push(packet[place].to_vec());
    }
    Ok(segments)
}

fn copy(splitter: &mut Splitter, kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Vec<Vec<u8>> {
    splitter.begin(kind, hdr, packet).unwrap();
    let mut segments = Vec::new();
    while let Some(length) = splitter.length() {
        let mut segment = vec![0; length];
        splitter.next_into(packet, &mut segment).unwrap();
        segments.push(segment);
    }
    segments
}

#[test]
fn segments_equal_the_packets_of_a_sender_without_offload() {
    for cpu in Cpu::all() {
        for trusted in [false, true] {
            let mut splitter = Splitter::new(cpu, trusted).unwrap();
            for shape in Shape::all() {
                for (payload, size) in
                    [(5000, 1371), (2742, 1371), (64_000, 9000), (9, 1), (100, 100), (100, 999)]
                {
                    let (packet, wanted) = example(shape, payload, size);
                    let hdr = shape.hdr(size);
                    assert_eq!(
                        split(&mut splitter, shape.kind(), hdr, &packet).unwrap(),
                        wanted,
                        "{shape:?} {size}"
                    );
                    assert_eq!(copy(&mut splitter, shape.kind(), hdr, &packet), wanted, "{shape:?} {size}");
                }
            }
        }
    }
}

#[test]
fn the_tunnel_of_the_previous_packet_is_forgotten() {
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    let shape = Shape { tap: false, vlan: false, v6: false, checksum: true, inner_v6: false, tcp: true };
    let (packet, wanted) = example(shape, 3000, 1000);
    let [_, _, inner, inner_transport, _] = shape.offsets();
    let hdr =
        VnetHdr { gso_type: GSO_TCPV4, csum_start: (inner_transport - inner) as u16, ..shape.hdr(1000) };
    for _ in 0..2 {
        assert_eq!(split(&mut splitter, Kind::Tun, shape.hdr(1000), &packet).unwrap(), wanted);
        let plain: Vec<_> = wanted.iter().map(|packet| packet[inner..].to_vec()).collect();
        assert_eq!(split(&mut splitter, Kind::Tun, hdr, &packet[inner..]).unwrap(), plain);
    }
}

/// The header for a packet whose VLAN tag is not counted.
fn without_tag(hdr: VnetHdr) -> VnetHdr {
    let (outer_th_offset, inner_nh_offset) = (hdr.outer_th_offset - 4, hdr.inner_nh_offset - 4);
    VnetHdr { outer_th_offset, inner_nh_offset, ..hdr }
}

/// Linux 6.17 to 7.2 do not count a VLAN tag that the device inserts, except for the checksum.
#[test]
fn a_missing_vlan_tag_is_added_to_the_offsets() {
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for shape in Shape::all().filter(|shape| shape.vlan) {
        let (packet, wanted) = example(shape, 3000, 1000);
        let hdr = without_tag(shape.hdr(1000));
        assert_eq!(count_tag(Kind::Tap, hdr, &packet), shape.hdr(1000));
        assert_eq!(count_tag(Kind::Tap, shape.hdr(1000), &packet), shape.hdr(1000));
        assert_eq!(split(&mut splitter, Kind::Tap, hdr, &packet).unwrap(), wanted, "{shape:?}");
        let untagged = Shape { vlan: false, ..shape };
        let (packet, _) = example(untagged, 3000, 1000);
        let hdr = without_tag(untagged.hdr(1000));
        assert_eq!(count_tag(Kind::Tap, hdr, &packet), hdr);
        assert_eq!(splitter.begin(Kind::Tap, hdr, &packet), Err(Fault::Headers));
    }
}

/// With IP options, extension headers and several tags, and for truncated frames.
#[test]
fn only_a_missing_vlan_tag_is_added_to_the_offsets() {
    let ipv4 = |options: usize| [&[0x45 + (options / 4) as u8][..], &[0; 19], &[1; 40][..options]].concat();
    let ipv6 = |extension: usize| [&[0x60][..], &[0; 39], &[0; 40][..extension]].concat();
    let ips =
        [(0x0800_u16, ipv4(0)), (0x0800, ipv4(40)), (0x86dd, ipv6(0)), (0x86dd, ipv6(8)), (0x86dd, ipv6(40))];
    for (ethertype, ip) in ips {
        for tags in 0..=2 {
            let link = [vec![2; 12], [0x81, 0, 0, 5].repeat(tags), ethertype.to_be_bytes().to_vec()].concat();
            let outer = (link.len() + ip.len()) as u16;
            let right = VnetHdr {
                gso_type: GSO_UDP_L4 | GSO_UDP_TUNNEL_IPV4,
                outer_th_offset: outer,
                inner_nh_offset: outer + 30,
                ..VnetHdr::default()
            };
            let frame = [link, ip.clone(), vec![0; 8 + 22 + 28 + 100]].concat();
            let wanted = if tags > 0 { right } else { without_tag(right) };
            assert_eq!(count_tag(Kind::Tap, right, &frame), right, "{ethertype:#x}, {tags} tags");
            assert_eq!(
                count_tag(Kind::Tap, without_tag(right), &frame),
                wanted,
                "{ethertype:#x}, {tags} tags"
            );
            assert_eq!(count_tag(Kind::Tun, without_tag(right), &frame), without_tag(right));
            for length in 0..frame.len() {
                let counted = count_tag(Kind::Tap, without_tag(right), &frame[..length]);
                assert!(counted == without_tag(right) || counted == wanted);
            }
        }
    }
}

#[test]
fn wrong_virtio_headers_are_refused() {
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for shape in Shape::all() {
        let (packet, _) = example(shape, 3000, 1000);
        let right = shape.hdr(1000);
        let (outer, inner) = (right.outer_th_offset, right.inner_nh_offset);
        let both = GSO_UDP_TUNNEL_IPV4 | GSO_UDP_TUNNEL_IPV6;
        let other = if right.gso_type & 0xf == GSO_TCPV4 { GSO_TCPV6 } else { GSO_TCPV4 };
        let cases = [
            (Fault::GsoType, VnetHdr { gso_type: GSO_NONE | GSO_UDP_TUNNEL_IPV4, ..right }),
            (Fault::GsoType, VnetHdr { gso_type: 3 | GSO_UDP_TUNNEL_IPV4, ..right }),
            (Fault::Headers, VnetHdr { gso_type: right.gso_type | both, ..right }),
            (Fault::Headers, VnetHdr { gso_type: other | right.gso_type & both, ..right }),
            (Fault::Headers, VnetHdr { flags: right.flags & !F_NEEDS_CSUM, ..right }),
            (Fault::Headers, VnetHdr { gso_size: 0, ..right }),
            (Fault::Headers, VnetHdr { outer_th_offset: 0, ..right }),
            (Fault::Headers, VnetHdr { outer_th_offset: outer - 2, ..right }),
            (Fault::Headers, VnetHdr { outer_th_offset: u16::MAX, ..right }),
            (Fault::Headers, VnetHdr { inner_nh_offset: outer + 7, ..right }),
            (Fault::Headers, VnetHdr { inner_nh_offset: inner + 1, ..right }),
            (Fault::Headers, VnetHdr { inner_nh_offset: right.csum_start, ..right }),
            (Fault::Headers, VnetHdr { inner_nh_offset: u16::MAX, ..right }),
            (Fault::Headers, VnetHdr { csum_start: inner, ..right }),
            (Fault::Headers, VnetHdr { csum_start: u16::MAX, ..right }),
            (Fault::Headers, VnetHdr { csum_offset: right.csum_offset + 2, ..right }),
        ];
        for (fault, wrong) in cases {
            let mut given = packet.clone();
            assert_eq!(splitter.begin(shape.kind(), wrong, &given), Err(fault), "{shape:?} {wrong:?}");
            assert_eq!(splitter.next(&mut given), None);
            assert_eq!(given, packet);
        }
        for length in 0..shape.offsets()[4] {
            assert!(splitter.begin(shape.kind(), right, &packet[..length]).is_err());
        }
    }
}

/// A packet that is longer than the length fields of the tunnel can represent.
#[test]
fn a_too_long_tunnel_packet_is_refused() {
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for shape in Shape::all() {
        let [network, ..] = shape.offsets();
        let limit = network + usize::from(u16::MAX) + if shape.v6 { 40 } else { 0 };
        let (mut packet, _) = example(shape, 60_000, 9000);
        packet.resize(limit, 0);
        assert!(splitter.begin(shape.kind(), shape.hdr(9000), &packet).is_ok());
        packet.push(0);
        assert_eq!(splitter.begin(shape.kind(), shape.hdr(9000), &packet), Err(Fault::Headers));
    }
}

/// Truncated super-packets with arbitrary offsets of the headers.
#[test]
fn truncated_packets_are_split_or_refused() {
    let mut splitter = Splitter::new(Cpu::best(), false).unwrap();
    for shape in Shape::all() {
        let (packet, _) = example(shape, 4, 1);
        let right = shape.hdr(1);
        for step in 0..packet.len() as u16 {
            let cases = [
                VnetHdr { outer_th_offset: step, ..right },
                VnetHdr { inner_nh_offset: step, ..right },
                VnetHdr { csum_start: step, ..right },
                VnetHdr { inner_nh_offset: step, csum_start: step + 20, ..right },
                VnetHdr { outer_th_offset: step, inner_nh_offset: step + 8, csum_start: step + 48, ..right },
            ];
            for (wrong, length) in
                cases.into_iter().zip([usize::from(step), packet.len()].into_iter().cycle())
            {
                let mut truncated = packet[..length].to_vec();
                if splitter.begin(shape.kind(), wrong, &truncated).is_err() {
                    assert_eq!(truncated, packet[..length]);
                }
                while let Some(place) = splitter.next(&mut truncated) {
                    assert!(place.end <= length);
                }
            }
        }
    }
}
