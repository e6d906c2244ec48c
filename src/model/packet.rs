// SPDX-License-Identifier: MIT
//! The bytes of a packet: sizes of headers, and copies to one buffer or to several.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

use crate::model::error::Errno;

/// The size of the packet-information header.
pub(crate) const PI_HEADER: usize = 4;
/// The size of an Ethernet header, without VLAN tags.
pub(crate) const ETHERNET_HEADER: usize = 14;
/// The size of an IPv4 header without options.
pub(crate) const IPV4_HEADER: usize = 20;
/// The size of an IPv6 header without extension headers.
pub(crate) const IPV6_HEADER: usize = 40;

/// The first byte and the length of a packet in several parts.
pub fn measure(parts: &[IoSlice<'_>]) -> (Option<u8>, usize) {
    let first = parts.iter().find_map(|part| part.first().copied());
    let length = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    (first, length)
}

/// Copies a packet to a buffer and returns its length. A packet that is too long is lost.
pub(crate) fn copy(packet: &[u8], buf: &mut [MaybeUninit<u8>]) -> Result<usize, Errno> {
    let room = buf.get_mut(..packet.len()).ok_or(Errno::EMSGSIZE)?;
    for (to, from) in room.iter_mut().zip(packet) {
        to.write(*from);
    }
    Ok(packet.len())
}

/// Copies a packet to several buffers and returns its length. A packet that is too long is lost.
pub(crate) fn scatter(mut packet: &[u8], bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    let length = packet.len();
    for buf in bufs {
        let (now, later) = packet.split_at_checked(buf.len()).unwrap_or((packet, &[]));
        for (to, from) in buf.iter_mut().zip(now) {
            *to = *from;
        }
        packet = later;
    }
    if packet.is_empty() { Ok(length) } else { Err(Errno::EMSGSIZE) }
}
