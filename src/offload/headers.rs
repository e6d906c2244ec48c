// SPDX-License-Identifier: MIT
//! Offsets and fields of the headers of a packet.

use crate::model::flags::Kind;
use crate::model::packet::{ETHERNET_HEADER, IPV6_HEADER};

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const UDP_HEADER: usize = 8;
pub(super) const TCP_HEADER: usize = 20;
pub(super) const VLAN_TAG: usize = 4;

pub(super) const FIN: u8 = 0x01;
pub(super) const PSH: u8 = 0x08;

/// Limit of the VLAN tags of a packet that is coalesced: a service tag and a customer tag.
pub(super) const MAX_TAGS: usize = 2;
/// Limit of the length of their Ethernet header and VLAN tags.
pub(super) const MAX_LINK: usize = ETHERNET_HEADER + MAX_TAGS * VLAN_TAG;
/// Limit of the length of all their headers. They have no IPv4 options and no IPv6 extension headers.
pub(super) const MAX_HEADERS: usize = MAX_LINK + IPV6_HEADER + TCP_HEADER + TCP_OPTIONS;

/// The bits that are set in an IPv4 fragment: "more fragments", or an offset.
pub(super) const FRAGMENT: u16 = 0x3fff;

const TCP_OPTIONS: usize = 40;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_SERVICE_VLAN: u16 = 0x88a8;

/// The version of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ip {
    V4,
    V6,
}

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A header of a fixed length: reads from it need no further bounds check.
#[inline]
pub(super) fn header<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk()
}

/// As [`header`], but mutable.
#[inline]
pub(super) fn header_mut<const N: usize>(bytes: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(at..)?.first_chunk_mut()
}

pub(super) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// Writes bytes at an offset. Does nothing if the offset is out of bounds: callers have checked it.
pub(super) fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(to) = bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
        *to = value;
    }
}

/// Offset and version of the IP header: offset 0 on a TUN; on a TAP after the Ethernet header and at most `tags` VLAN
/// tags. None if there is no IP header.
pub(super) fn network(packet: &[u8], kind: Kind, tags: usize) -> Option<(usize, Ip)> {
    let at = match kind {
        Kind::Tun => 0,
        Kind::Tap => after_tags(packet, tags)?,
    };
    match byte(packet, at)? >> 4 {
        4 => Some((at, Ip::V4)),
        6 => Some((at, Ip::V6)),
        _ => None,
    }
}

fn after_tags(packet: &[u8], tags: usize) -> Option<usize> {
    let mut at = ETHERNET_HEADER;
    let mut ethertype = u16_at(packet, const { ETHERNET_HEADER - 2 })?;
    let mut left = tags;
    while let ETHERTYPE_VLAN | ETHERTYPE_SERVICE_VLAN = ethertype {
        left = left.checked_sub(1)?;
        ethertype = u16_at(packet, at.checked_add(2)?)?;
        at = at.checked_add(VLAN_TAG)?;
    }
    matches!(ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6).then_some(at)
}
