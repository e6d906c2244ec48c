// SPDX-License-Identifier: MIT
//! The segments of a super-packet: the header fields that they share, and the fields that differ.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::checksum;
use super::headers::{
    FIN, FRAGMENT, Ip, MAX_LINK, PSH, TCP, TCP_HEADER, UDP, UDP_HEADER, array, byte, header, header_mut, put,
    u16_at, u32_at,
};
use super::ip::IpHeader;
use crate::model::packet::{IPV4_HEADER, IPV6_HEADER};
use crate::model::vnet_hdr::{F_NEEDS_CSUM, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, VnetHdr};

const CWR: u8 = 0x80;

/// Describes the segments of a super-packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments {
    /// Payload bytes of each segment. The last segment may have fewer.
    pub(super) size: usize,
    ip: IpHeader,
    transport: usize,
    /// Length of all headers.
    pub(super) headers: usize,
    /// The sums of payloads are left out.
    pub(super) skip_sums: bool,
    /// The sum of the TCP or UDP header and its pseudo header, without fields that differ.
    sum: u64,
    tcp: Option<Tcp>,
}

#[derive(Clone, Copy, Debug)]
struct Tcp {
    sequence: u32,
    flags: u8,
}

impl Segments {
    /// Finds the headers with the virtio header and the IP header at offset `network`. None if the packet does not
    /// match the virtio header.
    pub(super) fn find(hdr: VnetHdr, packet: &[u8], network: usize, version: Ip) -> Option<Self> {
        let transport = usize::from(hdr.csum_start);
        let ip = IpHeader::find(packet, version, network, transport)?;
        let right_version = match hdr.protocol() {
            GSO_TCPV4 => version == Ip::V4,
            GSO_TCPV6 => version == Ip::V6,
            _ => true,
        };
        let (least, transport_header, csum_offset, tcp) = if hdr.protocol() == GSO_UDP_L4 {
            (UDP_HEADER, UDP_HEADER, 6, None)
        } else {
            let tcp = header::<TCP_HEADER>(packet, transport)?;
            let length = usize::from(byte(tcp, 12)? >> 4) * 4;
            (TCP_HEADER, length, 16, Some(Tcp { sequence: u32_at(tcp, 4)?, flags: byte(tcp, 13)? }))
        };
        let size = usize::from(hdr.gso_size);
        let right = right_version
            && hdr.flags & F_NEEDS_CSUM != 0
            && usize::from(hdr.csum_offset) == csum_offset
            && transport_header >= least
            && size != 0;
        let headers = transport + transport_header;
        let fits = headers <= packet.len();
        (right && fits).then_some(Self { size, ip, transport, headers, skip_sums: false, sum: 0, tcp })
    }

    /// Whether a joiner always recognizes the segments as packets of a flow.
    pub(super) fn are_plain(&self, headers: &[u8]) -> Option<bool> {
        let wanted = if self.tcp.is_some() { TCP } else { UDP };
        let network = self.ip.at();
        let (header, protocol, fragment) = match self.ip.version {
            Ip::V4 => (IPV4_HEADER, byte(headers, network + 9)?, u16_at(headers, network + 6)? & FRAGMENT),
            Ip::V6 => (IPV6_HEADER, byte(headers, network + 6)?, 0),
        };
        let plain = network <= MAX_LINK && self.transport == network + header;
        Some(plain && protocol == wanted && fragment == 0)
    }

    /// Sets the header fields that differ between segments to 0, and computes the sum of the other fields. `skip_sums`:
    /// the sums of payloads are left out.
    ///
    /// The checksum field has the sum of the pseudo header, which includes the length of the super-packet.
    #[inline]
    pub(super) fn prepare(self, headers: &mut [u8], length: usize, skip_sums: bool) -> Option<Self> {
        let checksum_at = self.transport + if self.tcp.is_some() { 16 } else { 6 };
        let pseudo = u64::from(u16::from_ne_bytes(array(headers, checksum_at)?));
        let old_length = match self.tcp {
            Some(_) => (length - self.transport) as u16,
            None => u16_at(headers, self.transport + 4)?,
        };
        put(headers, checksum_at, [0; 2]);
        match self.tcp {
            Some(_) => {
                put(headers, self.transport + 4, [0; 4]);
                put(headers, self.transport + 13, [0]);
            }
            None => put(headers, self.transport + 4, [0; 2]),
        }
        let transport = checksum::of_header(headers.get(self.transport..)?);
        let sum = transport + pseudo + checksum::without(checksum::word(old_length));
        let ip = self.ip.prepare(headers, self.transport)?;
        Some(Self { ip, skip_sums, sum, ..self })
    }

    /// Writes the fields that differ, for a payload of this length and sum. None: `headers` are too short.
    #[inline]
    pub(super) fn write(
        &mut self,
        headers: &mut [u8],
        payload: usize,
        sum: u64,
        first: bool,
        last: bool,
    ) -> Option<()> {
        let end = headers.len() + payload;
        self.ip.write(headers, end)?;
        let length = (end - self.transport) as u16;
        let sum = self.sum.wrapping_add(sum).wrapping_add(checksum::word(length));
        match &mut self.tcp {
            Some(tcp) => {
                let only_last = if last { 0 } else { FIN | PSH };
                let only_first = if first { 0 } else { CWR };
                let flags = tcp.flags & !only_last & !only_first;
                let sequence = tcp.sequence.to_be_bytes();
                tcp.sequence = tcp.sequence.wrapping_add(payload as u32);
                let sum = sum
                    .wrapping_add(u64::from(u32::from_ne_bytes(sequence)))
                    .wrapping_add(checksum::word(flags.into()));
                let tcp = header_mut::<TCP_HEADER>(headers, self.transport)?;
                put(tcp, 4, sequence);
                put(tcp, 13, [flags]);
                put(tcp, 16, (!checksum::fold(sum)).to_ne_bytes());
            }
            None => {
                let sum = !checksum::fold(sum.wrapping_add(checksum::word(length)));
                let udp = header_mut::<UDP_HEADER>(headers, self.transport)?;
                put(udp, 4, length.to_be_bytes());
                put(udp, 6, if sum == 0 { 0xffff_u16 } else { sum }.to_ne_bytes());
            }
        }
        Some(())
    }
}
