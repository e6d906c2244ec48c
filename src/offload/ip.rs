// SPDX-License-Identifier: MIT
//! The IP header of segments: its length, and for IPv4 its identification and checksum, differ between them.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::checksum;
use super::headers::{Ip, byte, header, header_mut, put, u16_at};
use crate::model::packet::{IPV4_HEADER, IPV6_HEADER};

/// Offsets have 16 bits, so that the compiler knows that a sum of a few of them does not overflow.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpHeader {
    pub(super) version: Ip,
    at: u16,
    /// The sum of an IPv4 header, without fields that differ.
    sum: u64,
    id: u16,
}

impl IpHeader {
    /// The header at this offset, before another one at `next`. None if its length does not match, or the packet is
    /// longer than its length field can be.
    #[inline]
    pub(super) fn find(packet: &[u8], version: Ip, at: usize, next: usize) -> Option<Self> {
        let offset = u16::try_from(at).ok()?;
        let at = usize::from(offset);
        let (right, counted, id) = match version {
            Ip::V4 => {
                let header = header::<IPV4_HEADER>(packet, at)?;
                let length = usize::from(byte(header, 0)? & 0xf) * 4;
                (length >= IPV4_HEADER && next == at + length, at, u16_at(header, 4)?)
            }
            Ip::V6 => (next >= at + IPV6_HEADER, at + IPV6_HEADER, 0),
        };
        let fits = packet.len().checked_sub(counted)? <= usize::from(u16::MAX);
        (right && fits).then_some(Self { version, at: offset, sum: 0, id })
    }

    /// Its offset.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at.into()
    }

    /// Sets the fields that differ to 0, and computes the sum of the others. `next`: offset of the next header.
    #[inline]
    pub(super) fn prepare(self, headers: &mut [u8], next: usize) -> Option<Self> {
        let sum = match self.version {
            Ip::V4 => {
                put(headers, self.at() + 2, [0; 4]);
                put(headers, self.at() + 10, [0; 2]);
                checksum::of_header(headers.get(self.at()..next)?)
            }
            Ip::V6 => 0,
        };
        Some(Self { sum, ..self })
    }

    /// Writes the fields that differ, for a packet that ends at this offset. None: `headers` are too short.
    #[inline]
    pub(super) fn write(&mut self, headers: &mut [u8], end: usize) -> Option<()> {
        match self.version {
            Ip::V4 => {
                let ip = header_mut::<IPV4_HEADER>(headers, self.at())?;
                let total = (end - self.at()) as u16;
                put(ip, 2, total.to_be_bytes());
                put(ip, 4, self.id.to_be_bytes());
                let sum = self.sum.wrapping_add(checksum::word(total)).wrapping_add(checksum::word(self.id));
                put(ip, 10, (!checksum::fold(sum)).to_ne_bytes());
                self.id = self.id.wrapping_add(1);
            }
            Ip::V6 => {
                let ip = header_mut::<IPV6_HEADER>(headers, self.at())?;
                put(ip, 4, ((end - self.at() - IPV6_HEADER) as u16).to_be_bytes());
            }
        }
        Some(())
    }
}
