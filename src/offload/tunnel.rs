// SPDX-License-Identifier: MIT
//! The headers of a UDP tunnel (VXLAN, Geneve) before those of the segments inside: an IP header, a UDP header, and
//! bytes that are the same in all segments (Linux: skb_udp_tunnel_segment).

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::checksum;
use super::headers::{Ip, UDP_HEADER, VLAN_TAG, byte, header_mut, network, put, u16_at};
use super::ip::IpHeader;
use crate::model::flags::Kind;
use crate::model::packet::{ETHERNET_HEADER, IPV6_HEADER};
use crate::model::vnet_hdr::{F_UDP_TUNNEL_CSUM, GSO_UDP_TUNNEL_IPV4, GSO_UDP_TUNNEL_IPV6, VnetHdr};

/// Corrects the offsets of the tunnel. Since 6.17 (7.2 still does), Linux does not count a VLAN tag that the device
/// inserts. If such a header is written back, the kernel reads the version of the inner IP header 4 bytes too early, in
/// the source MAC address. If it finds 6 there, it refuses UDP over IPv4.
pub fn count_tag(kind: Kind, hdr: VnetHdr, packet: &[u8]) -> VnetHdr {
    let counted =
        network(packet, kind, usize::MAX).and_then(|(at, version)| with_tag(hdr, packet, at, version));
    counted.unwrap_or(hdr)
}

/// The same for a packet whose IP header is at this offset. None: no tag was left out.
fn with_tag(hdr: VnetHdr, packet: &[u8], at: usize, version: Ip) -> Option<VnetHdr> {
    let tag = VLAN_TAG as u16;
    let outer_th_offset = hdr.outer_th_offset.checked_add(tag)?;
    let inner_nh_offset = hdr.inner_nh_offset.checked_add(tag)?;
    let ip = usize::from(outer_th_offset).checked_sub(at)?;
    let is_left_out = match version {
        Ip::V4 => ip == usize::from(byte(packet, at)? & 0xf) * 4,
        // Extension headers have multiples of 8 bytes.
        Ip::V6 => ip >= IPV6_HEADER && (ip - IPV6_HEADER) % 8 == 0,
    };
    // Only behind a tag does the IP header begin so late.
    (at > ETHERNET_HEADER && is_left_out).then_some(VnetHdr { outer_th_offset, inner_nh_offset, ..hdr })
}

/// Offsets have 16 bits, as those of [`IpHeader`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Tunnel {
    ip: IpHeader,
    /// Offset of its UDP header.
    transport: u16,
    /// Offset of the IP header inside.
    inner: u16,
    /// The sum of its pseudo header without the length, if its checksum is to be computed.
    pseudo: Option<u64>,
}

impl Tunnel {
    /// Finds the headers with the virtio header. None if the packet does not match the virtio header.
    pub(super) fn find(kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Option<Self> {
        if hdr.gso_type & GSO_UDP_TUNNEL_IPV4 != 0 && hdr.gso_type & GSO_UDP_TUNNEL_IPV6 != 0 {
            return None;
        }
        let (at, version) = network(packet, kind, usize::MAX)?;
        let hdr = with_tag(hdr, packet, at, version).unwrap_or(hdr);
        let (transport, inner) = (usize::from(hdr.outer_th_offset), usize::from(hdr.inner_nh_offset));
        let ip = IpHeader::find(packet, version, at, transport)?;
        // Sums are of 16-bit words, so the headers must not begin at odd offsets from each other.
        let right = inner >= transport + UDP_HEADER && (inner - transport) % 2 == 0;
        let pseudo = (hdr.flags & F_UDP_TUNNEL_CSUM != 0).then_some(0);
        let (transport, inner) = (transport.try_into().ok()?, inner.try_into().ok()?);
        right.then_some(Self { ip, transport, inner, pseudo })
    }

    /// Offset of its UDP header.
    fn transport(&self) -> usize {
        self.transport.into()
    }

    /// Offset of the IP header inside.
    pub(super) fn inner(&self) -> usize {
        self.inner.into()
    }

    /// The version of the IP header inside.
    pub(super) fn inner_version(&self, packet: &[u8]) -> Option<Ip> {
        match byte(packet, self.inner())? >> 4 {
            4 => Some(Ip::V4),
            6 => Some(Ip::V6),
            _ => None,
        }
    }

    /// Sets the fields that differ between segments to 0. The checksum field has the sum of the pseudo header, which
    /// includes the length of the super-packet. A checksum that is not to be computed stays as it is.
    pub(super) fn prepare(self, headers: &mut [u8], length: usize) -> Option<Self> {
        let ip = self.ip.prepare(headers, self.transport())?;
        let field = checksum::word(u16_at(headers, self.transport() + 6)?);
        let old_length = checksum::word((length - self.transport()) as u16);
        put(headers, self.transport() + 4, [0; 2]);
        let pseudo = self.pseudo.map(|_| field + checksum::without(old_length));
        if pseudo.is_some() {
            put(headers, self.transport() + 6, [0; 2]);
        }
        Some(Self { ip, pseudo, ..self })
    }

    /// Writes the fields that differ, after those of the headers inside, for a payload of this length and sum. None:
    /// `headers` are too short.
    ///
    /// Not inlined: it would use registers that segments without a tunnel need.
    #[inline(never)]
    pub(super) fn write(&mut self, headers: &mut [u8], payload: usize, sum: u64) -> Option<()> {
        let end = headers.len() + payload;
        self.ip.write(headers, end)?;
        let length = (end - self.transport()) as u16;
        put(header_mut::<UDP_HEADER>(headers, self.transport())?, 4, length.to_be_bytes());
        let Some(pseudo) = self.pseudo else { return Some(()) };
        let all = checksum::of_header(headers.get(self.transport()..)?).wrapping_add(sum);
        let sum = !checksum::fold(all.wrapping_add(pseudo).wrapping_add(checksum::word(length)));
        put(headers, self.transport() + 6, if sum == 0 { 0xffff_u16 } else { sum }.to_ne_bytes());
        Some(())
    }
}
