// SPDX-License-Identifier: MIT
//! An item: a collected packet, or several coalesced packets. Decides which packet can be appended.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::flow::{Flow, LAST, MAX_TOTAL};
use super::headers::{Ip, TCP_HEADER, array, byte, header, u16_at, u32_at};
use super::slots::Place;
use crate::model::packet::{IPV4_HEADER, IPV6_HEADER};

const DO_NOT_FRAGMENT: u16 = 0x4000;

/// Limit of the segments of a UDP super-packet. The kernel accepts more, but its own UDP_GRO stops at 64, and programs
/// that receive with it have buffers for no more.
const MAX_DATAGRAMS: u16 = 64;

pub(super) struct Item {
    pub(super) place: Place,
    /// The flow of its packets.
    pub(super) flow: Option<Flow>,
    /// The previous item in the same bucket.
    pub(super) older: Option<usize>,
    /// No more packets are appended.
    closed: bool,
    segments: u16,
    gso_size: usize,
    next_sequence: u32,
    id: Id,
}

/// The sequence of IPv4 identifications.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// There is one packet, with this identification.
    After(u16),
    /// It is incremented, and this is the next.
    Next(u16),
    /// It stays the same, which is allowed if fragmentation is forbidden (RFC 6864).
    Fixed(u16),
}

impl Item {
    /// A packet that is not coalesced.
    pub(super) fn single(place: Place, flow: Option<Flow>, older: Option<usize>) -> Self {
        Self {
            place,
            flow,
            older,
            closed: true,
            segments: 1,
            gso_size: 0,
            next_sequence: 0,
            id: Id::After(0),
        }
    }

    /// The first packet of a flow, to which others can be appended.
    pub(super) fn first(place: Place, flow: &Flow, older: Option<usize>, payload: usize) -> Self {
        Self {
            place,
            flow: Some(*flow),
            older,
            closed: false,
            segments: 1,
            gso_size: payload,
            next_sequence: flow.sequence.wrapping_add(payload as u32),
            id: Id::After(flow.id),
        }
    }

    /// Number of packets.
    pub(super) fn segments(&self) -> u16 {
        self.segments
    }

    /// Payload bytes of each packet. The last packet may have fewer.
    pub(super) fn gso_size(&self) -> usize {
        self.gso_size
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Appends the payload that was written after the item.
    ///
    /// Always inlined: a call would cost as much as its body.
    #[inline(always)]
    pub(super) fn extend(&mut self, flow: &Flow, payload: usize) {
        self.place.grow(payload);
        self.segments += 1;
        self.next_sequence = flow.sequence.wrapping_add(payload as u32);
        self.id = self.id.then(flow.id);
        self.closed = flow.is_last || payload < self.gso_size;
    }

    /// Whether a packet with `payload` bytes of payload continues this item: its headers must be the same, except for
    /// fields that are incremented. `own`: the bytes of this item.
    #[inline]
    pub(super) fn accepts(&self, own: &[u8], flow: &Flow, packet: &[u8], payload: usize) -> bool {
        let limit = if flow.tcp { u16::MAX } else { MAX_DATAGRAMS };
        !self.closed
            && self.flow.as_ref().is_some_and(|own| own.headers() == flow.headers())
            && payload <= self.gso_size
            && own.len() + payload <= MAX_TOTAL
            && self.segments < limit
            && (!flow.tcp || flow.sequence == self.next_sequence)
            && self.same_headers(own, flow, packet).unwrap_or(false)
    }

    #[inline]
    fn same_headers(&self, own: &[u8], flow: &Flow, packet: &[u8]) -> Option<bool> {
        let (network, transport) = (flow.network(), flow.transport());
        let same_ip = match flow.ip {
            Ip::V4 => {
                let (own, ip) =
                    (header::<IPV4_HEADER>(own, network)?, header::<IPV4_HEADER>(packet, network)?);
                byte(own, 1)? == byte(ip, 1)?
                    && array::<3>(own, 6)? == array::<3>(ip, 6)?
                    && self.id.allows(flow.id, u16_at(ip, 6)? & DO_NOT_FRAGMENT != 0)
            }
            Ip::V6 => {
                let (own, ip) =
                    (header::<IPV6_HEADER>(own, network)?, header::<IPV6_HEADER>(packet, network)?);
                u32_at(own, 0)? == u32_at(ip, 0)? && byte(own, 7)? == byte(ip, 7)?
            }
        };
        let same_link = network == 0 || same(own.get(..network)?, packet.get(..network)?)?;
        if !same_ip || !same_link || !flow.tcp {
            return Some(same_ip && same_link);
        }
        let headers = transport..flow.headers();
        same_tcp(own.get(headers.clone())?, packet.get(headers)?)
    }
}

/// Whether two TCP headers are the same, except for fields that are incremented and the flags of a last segment.
#[inline]
fn same_tcp(a: &[u8], b: &[u8]) -> Option<bool> {
    let ((a, a_options), (b, b_options)) =
        (a.split_first_chunk::<TCP_HEADER>()?, b.split_first_chunk::<TCP_HEADER>()?);
    // The acknowledgement, the length of the header, the flags and the window.
    let differs = u64::from_ne_bytes(array(a, 8)?) ^ u64::from_ne_bytes(array(b, 8)?);
    let counts = u64::from_ne_bytes([0xff, 0xff, 0xff, 0xff, 0xff, !LAST, 0xff, 0xff]);
    Some(differs & counts == 0 && u16_at(a, 18)? == u16_at(b, 18)? && same(a_options, b_options)?)
}

impl Id {
    /// Whether this identification can be the next.
    #[inline]
    fn allows(self, id: u16, fixed: bool) -> bool {
        match self {
            Self::After(before) => id == before.wrapping_add(1) || (fixed && id == before),
            Self::Next(next) => id == next,
            Self::Fixed(same) => id == same,
        }
    }

    /// The state after this identification, which [`Self::allows`] has checked.
    #[inline]
    fn then(self, id: u16) -> Self {
        match self {
            Self::After(before) if id == before => Self::Fixed(id),
            Self::After(_) | Self::Next(_) => Self::Next(id.wrapping_add(1)),
            Self::Fixed(_) => self,
        }
    }
}

/// Whether two parts of headers are equal. Usual lengths take two overlapping comparisons of a fixed size.
#[inline]
fn same(a: &[u8], b: &[u8]) -> Option<bool> {
    Some(match a.len() {
        0 => b.is_empty(),
        8..=16 => {
            a.first_chunk::<8>()? == b.first_chunk::<8>()? && a.last_chunk::<8>()? == b.last_chunk::<8>()?
        }
        _ => a == b,
    })
}
