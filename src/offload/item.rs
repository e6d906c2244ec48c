// SPDX-License-Identifier: MIT
//! One collected packet, or several that were coalesced, and which packet can be the next.

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within one packet")]

use super::flow::{Flow, MAX_TOTAL};
use super::headers::{IPV4_HEADER, IPV6_HEADER, Ip, TCP_HEADER, array, byte, header, u16_at, u32_at};
use super::slots::Place;

const DO_NOT_FRAGMENT: u16 = 0x4000;

/// Limit of the segments of a UDP super-packet: what every kernel takes that has them.
const MAX_DATAGRAMS: u16 = 64;

pub(super) struct Item {
    pub(super) place: Place,
    /// The flow whose packets it can take.
    pub(super) flow: Option<Flow>,
    /// The item before it in its bucket.
    pub(super) older: Option<usize>,
    /// No packet is added any more.
    closed: bool,
    segments: u16,
    gso_size: usize,
    next_sequence: u32,
    id: Id,
}

/// How the IPv4 identification goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// It was this, of one packet.
    After(u16),
    /// It counts up, and this is the next.
    Next(u16),
    /// It stays this, as it may where fragmenting is forbidden (RFC 6864).
    Fixed(u16),
}

impl Item {
    /// A packet that stays as it is.
    pub(super) fn alone(place: Place, flow: Option<Flow>, older: Option<usize>) -> Self {
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

    /// The first packet of a flow, to which others can be added.
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

    /// How many packets it is.
    pub(super) fn segments(&self) -> u16 {
        self.segments
    }

    /// Bytes of payload in each packet but the last.
    pub(super) fn gso_size(&self) -> usize {
        self.gso_size
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Takes in the payload that was written behind it.
    ///
    /// Inlined always: a call would cost as much as its body.
    #[inline(always)]
    pub(super) fn extend(&mut self, flow: &Flow, payload: usize) {
        self.place.grow(payload);
        self.segments += 1;
        self.next_sequence = flow.sequence.wrapping_add(payload as u32);
        self.id = self.id.then(flow.id);
        self.closed = flow.ends || payload < self.gso_size;
    }

    /// Whether a packet with so many bytes of payload continues this, and has the same headers, but for what
    /// counts up. `own`: the bytes of this.
    #[inline]
    pub(super) fn takes(&self, own: &[u8], flow: &Flow, packet: &[u8], payload: usize) -> bool {
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

/// Whether two TCP headers are the same, but for what counts up.
#[inline]
fn same_tcp(a: &[u8], b: &[u8]) -> Option<bool> {
    let ((a, a_options), (b, b_options)) =
        (a.split_first_chunk::<TCP_HEADER>()?, b.split_first_chunk::<TCP_HEADER>()?);
    Some(
        array::<5>(a, 8)? == array::<5>(b, 8)?
            && u16_at(a, 14)? == u16_at(b, 14)?
            && u16_at(a, 18)? == u16_at(b, 18)?
            && same(a_options, b_options)?,
    )
}

impl Id {
    /// Whether this can be the next.
    #[inline]
    fn allows(self, id: u16, fixed: bool) -> bool {
        match self {
            Self::After(before) => id == before.wrapping_add(1) || (fixed && id == before),
            Self::Next(next) => id == next,
            Self::Fixed(same) => id == same,
        }
    }

    /// The state after this identification, which is allowed.
    #[inline]
    fn then(self, id: u16) -> Self {
        match self {
            Self::After(before) if id == before => Self::Fixed(id),
            Self::After(_) | Self::Next(_) => Self::Next(id.wrapping_add(1)),
            Self::Fixed(_) => self,
        }
    }
}

/// Whether two parts of headers are the same: usual ones by two comparisons of a fixed size, which overlap.
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
