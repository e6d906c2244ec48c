// SPDX-License-Identifier: MIT
//! The TCP or UDP flow of a packet, and the position of the packet in the flow.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::checksum;
use super::headers::{
    FIN, FRAGMENT, Ip, PSH, TCP, TCP_HEADER, UDP, UDP_HEADER, byte, header, put, u16_at, u32_at,
};
use crate::model::packet::{IPV4_HEADER, IPV6_HEADER};
use crate::model::vnet_hdr::{F_NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, VnetHdr};

const ACK: u8 = 0x10;
const ECE: u8 = 0x40;
/// The flags that only the last segment of a super-packet gets.
pub(super) const LAST: u8 = FIN | PSH;

/// Limit of the bytes of a super-packet.
pub(super) const MAX_TOTAL: usize = 65_535;

/// The properties of a packet that decide with which packets it can be coalesced. Offsets of its headers have 8 bits,
/// so that the compiler knows that a sum of a few of them does not overflow.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    pub(super) ip: Ip,
    pub(super) tcp: bool,
    network: u8,
    transport: u8,
    headers: u8,
    /// The packet is complete, without trailing bytes: its checksum can be recomputed.
    pub(super) complete: bool,
    /// The packet can be coalesced with others.
    pub(super) coalesces: bool,
    /// No packet can be appended after it.
    pub(super) is_last: bool,
    pub(super) sequence: u32,
    pub(super) id: u16,
}

impl Flow {
    /// None if the flow cannot be found from the headers. `coalesces`: the packet may be coalesced.
    #[inline]
    pub(super) fn of(packet: &[u8], network: usize, ip: Ip, tcp: bool, coalesces: bool) -> Option<Self> {
        let (ip_header, length, id, sum) = match ip {
            Ip::V4 => {
                let ip = header::<IPV4_HEADER>(packet, network)?;
                if byte(ip, 0)? != 0x45 || u16_at(ip, 6)? & FRAGMENT != 0 {
                    return None;
                }
                (IPV4_HEADER, usize::from(u16_at(ip, 2)?), u16_at(ip, 4)?, u16_at(ip, 10)?)
            }
            Ip::V6 => {
                let ip = header::<IPV6_HEADER>(packet, network)?;
                (IPV6_HEADER, usize::from(u16_at(ip, 4)?) + IPV6_HEADER, 0, 0)
            }
        };
        let complete = length == packet.len() - network;
        let transport = network + ip_header;
        let tail = if tcp { Tail::tcp(packet, transport)? } else { Tail::udp(packet, transport)? };
        let headers = transport + tail.header;
        if headers > packet.len() {
            return None;
        }
        Some(Self {
            ip,
            tcp,
            network: network.try_into().ok()?,
            transport: transport.try_into().ok()?,
            headers: headers.try_into().ok()?,
            complete: complete && tail.complete,
            // 0xffff is an unusual form of 0. If recomputed, it would become 0.
            coalesces: coalesces
                && complete
                && tail.coalesces
                && sum != 0xffff
                && headers < packet.len()
                && packet.len() <= MAX_TOTAL,
            is_last: tail.is_last,
            sequence: tail.sequence,
            id,
        })
    }

    /// Offset of the IP header.
    #[inline]
    pub(super) fn network(&self) -> usize {
        self.network.into()
    }

    /// Offset of the TCP or UDP header.
    #[inline]
    pub(super) fn transport(&self) -> usize {
        self.transport.into()
    }

    /// Length of all headers.
    #[inline]
    pub(super) fn headers(&self) -> usize {
        self.headers.into()
    }

    /// Offset of the IP addresses.
    #[inline]
    fn addresses(&self) -> usize {
        self.network() + if self.ip == Ip::V4 { 12 } else { 8 }
    }

    /// Whether another packet has the same protocols at the same offsets, so that the headers can be compared.
    #[inline]
    pub(super) fn has_same_layout(&self, other: &Self) -> bool {
        self.tcp == other.tcp && self.ip == other.ip && self.network == other.network
    }

    /// Whether two packets have the same addresses and the same ports, which follow the addresses.
    ///
    /// Always inlined: a call would cost as much as the comparison.
    #[inline(always)]
    pub(super) fn same_endpoints(&self, a: &[u8], b: &[u8]) -> Option<bool> {
        let at = self.addresses();
        Some(match self.ip {
            Ip::V4 => header::<12>(a, at)? == header::<12>(b, at)?,
            Ip::V6 => header::<36>(a, at)? == header::<36>(b, at)?,
        })
    }

    /// The addresses and ports.
    #[inline]
    pub(super) fn endpoints<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        packet.get(self.addresses()..self.transport() + 4).unwrap_or_default()
    }

    /// The sum of the pseudo header for a TCP or UDP packet of this length.
    #[inline]
    fn pseudo_sum(&self, packet: &[u8], length: u16) -> Option<u64> {
        let addresses = match self.ip {
            Ip::V4 => checksum::of_header(header::<8>(packet, self.addresses())?),
            Ip::V6 => checksum::of_header(header::<32>(packet, self.addresses())?),
        };
        let protocol = if self.tcp { TCP } else { UDP };
        Some(addresses.wrapping_add(checksum::word(protocol.into())).wrapping_add(checksum::word(length)))
    }

    /// Whether the checksums are good. `payload`: the sum of the payload.
    #[inline]
    pub(super) fn verify(&self, packet: &[u8], payload: u64) -> Option<bool> {
        if self.ip == Ip::V4 {
            let header = header::<IPV4_HEADER>(packet, self.network())?;
            if checksum::fold(checksum::of_header(header)) != 0xffff {
                return Some(false);
            }
        }
        let header = match self.tcp {
            true => checksum::of_header(packet.get(self.transport()..self.headers())?),
            false => checksum::of_header(header::<UDP_HEADER>(packet, self.transport())?),
        };
        let pseudo = self.pseudo_sum(packet, (packet.len() - self.transport()) as u16)?;
        Some(checksum::fold(header.wrapping_add(pseudo).wrapping_add(payload)) == 0xffff)
    }

    /// Writes the lengths and checksums of a super-packet. The TCP or UDP checksum is partial.
    pub(super) fn finish(&self, gso_size: usize, packet: &mut [u8]) -> VnetHdr {
        match self.ip {
            Ip::V4 => {
                let total = (packet.len() - self.network()) as u16;
                put(packet, self.network() + 2, total.to_be_bytes());
                put(packet, self.network() + 10, [0; 2]);
                let header = packet.get(self.network()..self.transport()).unwrap_or_default();
                let sum = !checksum::fold(checksum::of_header(header));
                put(packet, self.network() + 10, sum.to_ne_bytes());
            }
            Ip::V6 => {
                let length = (packet.len() - self.network() - IPV6_HEADER) as u16;
                put(packet, self.network() + 4, length.to_be_bytes());
            }
        }
        if !self.tcp {
            let length = (packet.len() - self.transport()) as u16;
            put(packet, self.transport() + 4, length.to_be_bytes());
        }
        let gso_type = match (self.tcp, self.ip) {
            (true, Ip::V4) => GSO_TCPV4,
            (true, Ip::V6) => GSO_TCPV6,
            (false, _) => GSO_UDP_L4,
        };
        VnetHdr { gso_type, gso_size: gso_size as u16, ..self.finish_partial(packet) }
    }

    /// Writes a partial checksum to a packet, which the kernel completes.
    pub(super) fn finish_partial(&self, packet: &mut [u8]) -> VnetHdr {
        let csum_offset = if self.tcp { 16 } else { 6 };
        let length = (packet.len() - self.transport()) as u16;
        let sum = checksum::fold(self.pseudo_sum(packet, length).unwrap_or_default());
        put(packet, self.transport() + csum_offset, sum.to_ne_bytes());
        VnetHdr {
            flags: F_NEEDS_CSUM,
            gso_type: GSO_NONE,
            hdr_len: self.headers.into(),
            gso_size: 0,
            csum_start: self.transport.into(),
            csum_offset: csum_offset as u16,
            num_buffers: 0,
            outer_th_offset: 0,
            inner_nh_offset: 0,
        }
    }
}

/// The properties in the TCP or UDP header.
struct Tail {
    /// Length of the header.
    header: usize,
    complete: bool,
    coalesces: bool,
    is_last: bool,
    sequence: u32,
}

impl Tail {
    #[inline]
    fn tcp(packet: &[u8], at: usize) -> Option<Self> {
        let tcp = header::<TCP_HEADER>(packet, at)?;
        let length = usize::from(byte(tcp, 12)? >> 4) * 4;
        let flags = byte(tcp, 13)?;
        let complete = length >= TCP_HEADER;
        Some(Self {
            header: length,
            complete,
            coalesces: complete && flags & !(LAST | ECE) == ACK && u16_at(tcp, 16)? != 0xffff,
            is_last: flags & LAST != 0,
            sequence: u32_at(tcp, 4)?,
        })
    }

    /// A checksum of 0 means that there is no checksum.
    #[inline]
    fn udp(packet: &[u8], at: usize) -> Option<Self> {
        let udp = header::<UDP_HEADER>(packet, at)?;
        let complete = usize::from(u16_at(udp, 4)?) == packet.len() - at && u16_at(udp, 6)? != 0;
        Some(Self { header: UDP_HEADER, complete, coalesces: complete, is_last: false, sequence: 0 })
    }
}
