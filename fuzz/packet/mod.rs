// SPDX-License-Identifier: MIT
//! Builds packets for the targets from a few bytes of the input each, with all kinds of headers, and wrong fields if the
//! input says so. Also parses packets independently of the library.
#![allow(dead_code)]

use tuntap::model::offload::LARGEST;
use tuntap::model::vnet_hdr::{
    F_NEEDS_CSUM, F_UDP_TUNNEL_CSUM, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_UDP_TUNNEL_IPV4,
    GSO_UDP_TUNNEL_IPV6, Layout, VnetHdr,
};

/// Size of a recipe.
pub const RECIPE: usize = 16;

/// Describes a packet.
#[derive(Clone, Copy)]
pub struct Recipe {
    pub tap: bool,
    pub v6: bool,
    pub tcp: bool,
    pub tags: usize,
    /// Number of 4-byte words.
    pub ip_options: usize,
    /// Length of each extension header.
    pub extensions: [usize; 2],
    pub fragment: u8,
    pub flow: u8,
    /// Position in the flow, which gives the sequence number and the identification.
    pub number: u16,
    pub id_step: u16,
    pub no_fragments: bool,
    pub tcp_options: usize,
    pub flags: u8,
    pub payload: usize,
    pub fill: u8,
    pub hops: u8,
    pub tunnel: Option<Tunnel>,
}

/// The headers of a UDP tunnel before the packet.
#[derive(Clone, Copy)]
pub struct Tunnel {
    pub v6: bool,
    pub checksum: bool,
    /// Bytes after the UDP header of the tunnel.
    pub between: usize,
}

impl Recipe {
    pub fn of(tap: bool, bytes: &[u8; RECIPE]) -> Self {
        let [
            shape,
            flow,
            tags,
            options,
            a,
            b,
            fragment,
            number,
            steps,
            tcp_options,
            flags,
            size,
            more,
            fill,
            hops,
            tunnel,
        ] = *bytes;
        Self {
            tap,
            v6: shape & 1 != 0,
            tcp: shape & 2 != 0,
            tags: match shape & 4 {
                0 => 0,
                // Headers that are nearly as long as the longest packet, or longer.
                _ if more >= 0xe0 => 15_900 + usize::from(tags),
                _ => tags.into(),
            },
            ip_options: if shape & 8 != 0 { usize::from(options % 11) } else { 0 },
            extensions: if shape & 16 != 0 { [usize::from(a) * 8, usize::from(b) * 8] } else { [0; 2] },
            fragment: if shape & 32 != 0 { fragment } else { 0 },
            flow: flow & 3,
            number: number.into(),
            id_step: (steps & 3).into(),
            no_fragments: steps & 4 != 0,
            tcp_options: usize::from(tcp_options % 11),
            flags: 0x10 | flags,
            payload: usize::from(size) + usize::from(more & 7) * 256,
            fill,
            hops: if hops < 250 { 64 } else { hops },
            tunnel: (tunnel & 0x80 != 0).then_some(Tunnel {
                v6: tunnel & 0x40 != 0,
                checksum: tunnel & 0x20 != 0,
                between: usize::from(tunnel & 0x1f) * 2,
            }),
        }
    }

    fn link(&self) -> usize {
        if self.tap { 14 + 4 * self.tags } else { 0 }
    }

    pub fn transport(&self) -> usize {
        let ip =
            if self.v6 { 40 + self.extensions[0] + self.extensions[1] } else { 20 + 4 * self.ip_options };
        self.link() + ip
    }

    pub fn headers(&self) -> usize {
        self.transport() + if self.tcp { 20 + 4 * self.tcp_options } else { 8 }
    }

    /// Builds a segment of `size` bytes that follows the one before, with correct lengths and checksums. `super_packet`:
    /// with a partial checksum.
    pub fn packet(&self, size: usize, super_packet: bool) -> Vec<u8> {
        let (network, transport, headers) = (self.link(), self.transport(), self.headers());
        let mut packet = vec![0; headers];
        packet.resize(headers + self.payload, self.fill);
        let length = packet.len();
        self.put_link(&mut packet);
        let protocol = if self.tcp { 6 } else { 17 };
        let counted = |from: usize| ((length - from) as u16).to_be_bytes();
        if self.v6 {
            packet[network] = 0x60;
            packet[network + 4..network + 6].copy_from_slice(&counted(network + 40));
            packet[network + 7] = self.hops;
            packet[network + 8] = 0xfd;
            packet[network + 24] = 0xfd;
            self.put_extensions(&mut packet[network..], protocol);
        } else {
            let ip = &mut packet[network..transport];
            ip.fill(1);
            ip[0] = 0x40 | (ip.len() / 4) as u8;
            ip[1] = 0;
            ip[2..4].copy_from_slice(&counted(network));
            ip[4..6].copy_from_slice(&self.number.wrapping_mul(self.id_step).to_be_bytes());
            ip[6] = if self.no_fragments { 0x40 } else { 0 } | self.fragment & 0x3f;
            ip[7] = 0;
            ip[8] = self.hops;
            ip[9] = protocol;
            ip[10..12].fill(0);
            ip[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
            let sum = !sum(ip, 0);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        packet[transport + 1] = self.flow;
        if self.tcp {
            let sequence = u32::from(self.number).wrapping_mul(size as u32).wrapping_add(0xffff_f000);
            packet[transport + 4..transport + 8].copy_from_slice(&sequence.to_be_bytes());
            packet[transport + 12] = ((headers - transport) / 4 << 4) as u8;
            packet[transport + 13] = self.flags;
        } else {
            packet[transport + 4..transport + 6].copy_from_slice(&counted(transport));
        }
        let addresses = if self.v6 { network + 8..network + 40 } else { network + 12..network + 20 };
        let pseudo =
            (length - transport) as u32 + u32::from(protocol) + u32::from(sum(&packet[addresses], 0));
        let checksum = if super_packet { sum(&[], pseudo) } else { !sum(&packet[transport..], pseudo) };
        let checksum = if checksum == 0 && !self.tcp { 0xffff } else { checksum };
        let at = transport + if self.tcp { 16 } else { 6 };
        packet[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        packet
    }

    fn put_link(&self, packet: &mut [u8]) {
        if !self.tap {
            return;
        }
        packet[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        for tag in 0..self.tags {
            packet[12 + 4 * tag..16 + 4 * tag].copy_from_slice(&[0x81, 0, 0, 7]);
        }
        let end = self.link();
        let v6 = self.tunnel.map_or(self.v6, |tunnel| tunnel.v6);
        packet[end - 2..end].copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[8, 0] });
    }

    /// The packet inside the tunnel of this recipe, or alone.
    fn inside(&self) -> Self {
        match self.tunnel {
            Some(_) => Self { tap: false, tags: 0, tunnel: None, ..*self },
            None => *self,
        }
    }

    /// Whether [`is_good`] understands the packet inside the tunnel.
    pub fn is_simple(&self) -> bool {
        self.ip_options == 0 && self.extensions == [0; 2] && self.fragment == 0
    }

    /// Offsets of the UDP header of a tunnel, and of the IP header inside.
    pub fn offsets(&self, tunnel: Tunnel) -> (usize, usize) {
        let transport = self.link() + if tunnel.v6 { 40 } else { 20 };
        (transport, transport + 8 + tunnel.between)
    }

    /// Puts the headers of the tunnel before a super-packet.
    fn wrap(&self, tunnel: Tunnel, inside: &[u8]) -> Vec<u8> {
        let (network, (transport, inner)) = (self.link(), self.offsets(tunnel));
        let mut packet = vec![self.fill; inner];
        packet.extend_from_slice(inside);
        self.put_link(&mut packet);
        let length = packet.len();
        let counted = |from: usize| (length.wrapping_sub(from) as u16).to_be_bytes();
        packet[network..transport].fill(1);
        let (total, addresses) = if tunnel.v6 {
            packet[network..network + 8].copy_from_slice(&[0x60, 0, 0, 0, 0, 0, 17, self.hops]);
            (network + 4, network + 8..network + 40)
        } else {
            packet[network..network + 12].copy_from_slice(&[0x45, 0, 0, 0, 0, 9, 0, 0, self.hops, 17, 0, 0]);
            (network + 2, network + 12..network + 20)
        };
        packet[total..total + 2].copy_from_slice(&counted(if tunnel.v6 { transport } else { network }));
        packet[transport + 4..transport + 6].copy_from_slice(&counted(transport));
        let pseudo = (length - transport) as u32 + 17 + u32::from(sum(&packet[addresses], 0));
        let checksum = if tunnel.checksum { sum(&[], pseudo) } else { 0 };
        packet[transport + 6..transport + 8].copy_from_slice(&checksum.to_be_bytes());
        packet
    }

    /// Destination options, or fragment headers if the recipe has a fragment.
    fn put_extensions(&self, ip: &mut [u8], protocol: u8) {
        let kind = if self.fragment != 0 { 44 } else { 60 };
        let (mut field, mut at) = (6, 40);
        for size in self.extensions.into_iter().filter(|size| *size != 0) {
            ip[field] = kind;
            ip[at + 1] = if kind == 60 { (size / 8 - 1) as u8 } else { 0 };
            (field, at) = (at, at + size);
        }
        ip[field] = protocol;
    }
}

/// A super-packet after its virtio header of this layout. `lies` makes fields of the header wrong.
pub fn framed(layout: Layout, recipe: &Recipe, size: u8, lies: &[u8; 4]) -> Vec<u8> {
    let inside = recipe.inside();
    let mut packet = inside.packet(recipe.payload, true);
    let gso_type = match (recipe.tcp, recipe.v6) {
        (false, _) => GSO_UDP_L4,
        (true, false) => GSO_TCPV4,
        (true, true) => GSO_TCPV6,
    };
    let mut hdr = VnetHdr {
        flags: F_NEEDS_CSUM,
        gso_type,
        hdr_len: 0,
        gso_size: u16::from(size) * 4,
        csum_start: inside.transport() as u16,
        csum_offset: if recipe.tcp { 16 } else { 6 },
        ..VnetHdr::default()
    };
    if let Some(tunnel) = recipe.tunnel {
        packet = recipe.wrap(tunnel, &packet);
        let (transport, inner) = recipe.offsets(tunnel);
        hdr.flags |= if tunnel.checksum { F_UDP_TUNNEL_CSUM } else { 0 };
        hdr.gso_type |= if tunnel.v6 { GSO_UDP_TUNNEL_IPV6 } else { GSO_UDP_TUNNEL_IPV4 };
        hdr.csum_start = (inner + inside.transport()) as u16;
        (hdr.outer_th_offset, hdr.inner_nh_offset) = (transport as u16, inner as u16);
    }
    let mut bytes = vec![0; layout.size()];
    layout.write(hdr, &mut bytes);
    bytes.extend_from_slice(&packet);
    bytes.truncate(layout.size() + LARGEST);
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

/// Whether a segment in a tunnel has good lengths and checksums, both of the tunnel and, if it is simple, inside.
pub fn is_good_tunnel(recipe: &Recipe, tunnel: Tunnel, segment: &[u8]) -> bool {
    let (network, (transport, inner)) = (recipe.link(), recipe.offsets(tunnel));
    let number = |at: usize| usize::from(u16::from_be_bytes([segment[at], segment[at + 1]]));
    let length = segment.len();
    let total = if tunnel.v6 { number(network + 4) + transport } else { number(network + 2) + network };
    let checksum = match (tunnel.checksum, number(transport + 6)) {
        (true, 0) | (false, 1..) => false,
        (true, _) => is_good(recipe.tap, segment),
        (false, _) => tunnel.v6 || sum(&segment[network..transport], 0) == 0xffff,
    };
    let inside = !recipe.is_simple() || is_good(false, &segment[inner..]);
    total == length && number(transport + 4) == length - transport && checksum && inside
}

/// Adds bytes to a sum.
pub fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = u64::from(start);
    for (place, byte) in bytes.iter().enumerate() {
        sum += u64::from(*byte) << if place % 2 == 0 { 8 } else { 0 };
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Offset of the IP header, after any number of VLAN tags.
pub fn network(tap: bool, packet: &[u8]) -> Option<usize> {
    let mut at = if tap { 14 } else { 0 };
    while tap && matches!(packet.get(at - 2..at)?, [0x81, 0] | [0x88, 0xa8]) {
        at += 4;
    }
    let ip = !tap || matches!(packet.get(at - 2..at)?, [8, 0] | [0x86, 0xdd]);
    (ip && matches!(packet.get(at)? >> 4, 4 | 6)).then_some(at)
}

/// VLAN tags, addresses, protocol and ports of a TCP or UDP packet without IP options or extension headers.
pub fn flow(tap: bool, packet: &[u8]) -> Option<Vec<u8>> {
    let at = network(tap, packet)?;
    let ip = &packet[at..];
    let (protocol, addresses, transport) = match ip[0] >> 4 {
        4 => (*ip.get(9)?, ip.get(12..20)?, usize::from(ip[0] & 15) * 4),
        _ => (*ip.get(6)?, ip.get(8..40)?, 40),
    };
    let fragment = ip[0] >> 4 == 4 && (ip[6] & 0x3f, ip[7]) != (0, 0);
    let ports = ip.get(transport..transport + 4)?;
    (matches!(protocol, 6 | 17) && !fragment)
        .then(|| [&(at as u16).to_be_bytes()[..], &[protocol], addresses, ports].concat())
}

/// Whether the checksums of a TCP or UDP packet without IP options or extension headers are good.
pub fn is_good(tap: bool, packet: &[u8]) -> bool {
    let Some(at) = network(tap, packet) else { return false };
    let ip = &packet[at..];
    let (protocol, addresses, header) =
        if ip[0] >> 4 == 4 { (ip[9], &ip[12..20], 20) } else { (ip[6], &ip[8..40], 40) };
    let start = (ip.len() - header) as u32 + u32::from(protocol) + u32::from(sum(addresses, 0));
    (header == 40 || sum(&ip[..20], 0) == 0xffff) && sum(&ip[header..], start) == 0xffff
}
