// SPDX-License-Identifier: MIT
//! Where the headers of a packet are, and what is in them.

use crate::flags::Kind;

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const IPV4_HEADER: usize = 20;
pub(super) const IPV6_HEADER: usize = 40;
pub(super) const UDP_HEADER: usize = 8;
pub(super) const TCP_HEADER: usize = 20;

const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
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

pub(super) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// Writes bytes to a place. A place outside stays unwritten: those who call have looked before.
pub(super) fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
        *place = value;
    }
}

/// Where the IP header begins: at once on a TUN, behind the Ethernet header and VLAN tags on a TAP. None when there
/// is none.
pub(super) fn network(packet: &[u8], kind: Kind) -> Option<(usize, Ip)> {
    let at = match kind {
        Kind::Tun => 0,
        Kind::Tap => {
            let mut at = ETHERNET_HEADER;
            loop {
                match u16_at(packet, at.checked_sub(2)?)? {
                    ETHERTYPE_VLAN | ETHERTYPE_SERVICE_VLAN => at = at.checked_add(VLAN_TAG)?,
                    ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => break at,
                    _ => return None,
                }
            }
        }
    };
    match byte(packet, at)? >> 4 {
        4 => Some((at, Ip::V4)),
        6 => Some((at, Ip::V6)),
        _ => None,
    }
}
