// SPDX-License-Identifier: MIT
//! Splitting a super-packet in place: the headers of each segment are written just before its payload, over bytes
//! that earlier segments were made of. So nothing is copied, and a segment lasts until the next one is made.
//!
//! The packets are those that the kernel would make of the super-packet (Linux: tcp_gso_segment, __udp_gso_segment,
//! inet_gso_segment, ipv6_gso_segment).

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within one packet")]

use std::ops::Range;

use super::checksum;
use super::headers::put;
use super::segments::Segments;
use crate::cpu::Cpu;
use crate::model::flags::Kind;
use crate::model::memory::NoMemory;
use crate::model::offload::{CHECKSUM, LARGEST, NONE, Offload, TCP4, TCP6, UDP};
use crate::sys::zeroed;

/// Those of IPv4, and of TCP with time stamps.
const USUAL_HEADERS: usize = 52;

/// Why a super-packet cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A kind that is none.
    Kind,
    /// Its headers are not those of its kind, or lie outside of it.
    Headers,
    /// The checksum lies outside of it.
    Checksum,
}

impl Fault {
    /// For a message.
    pub fn text(self) -> &'static str {
        match self {
            Self::Kind => "its offload header has a kind that is unknown",
            Self::Headers => "its headers are not what its offload header says",
            Self::Checksum => "its checksum would lie outside of it",
        }
    }
}

/// A super-packet on its way to being packets. It knows places only: the bytes are handed to it each time.
#[derive(Debug)]
pub struct Splitter {
    cpu: Cpu,
    trusted: bool,
    template: Template,
    plan: Plan,
    /// Where the next payload begins, and where the last one ends.
    payload: Range<usize>,
    headers: usize,
    first: bool,
}

/// The headers of every segment, with zeros for what differs from one to the next. They can be as long as any packet; usual
/// ones are at hand.
#[derive(Debug)]
struct Template {
    usual: [u8; 128],
    long: Box<[u8]>,
}

impl Template {
    fn new() -> Result<Self, NoMemory> {
        Ok(Self { usual: [0; 128], long: zeroed(LARGEST)? })
    }

    #[inline]
    fn get(&self, length: usize) -> Option<&[u8]> {
        self.usual.get(..length).or_else(|| self.long.get(..length))
    }

    fn get_mut(&mut self, length: usize) -> Option<&mut [u8]> {
        self.usual.get_mut(..length).or_else(|| self.long.get_mut(..length))
    }
}

/// How the super-packet at hand is split.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// Nothing is to be done any more.
    Done,
    /// It is one packet, of so many bytes.
    Whole(usize),
    Segments(Segments),
}

impl Splitter {
    /// One without anything to split. `trusted`: payloads are not summed up, where a trusting
    /// [`super::join::Joiner`] is certain to make the checksum anew.
    pub fn new(cpu: Cpu, trusted: bool) -> Result<Self, NoMemory> {
        Ok(Self {
            cpu,
            trusted,
            template: Template::new()?,
            plan: Plan::Done,
            payload: 0..0,
            headers: USUAL_HEADERS,
            first: true,
        })
    }

    /// Begins with a packet that may be a super-packet; what was left of the last one is forgotten. After a fault
    /// there is nothing to split, and the packet is as it was.
    pub fn begin(&mut self, kind: Kind, offload: Offload, packet: &mut [u8]) -> Result<(), Fault> {
        self.plan = Plan::Done;
        match offload.protocol() {
            NONE => self.begin_whole(offload, packet),
            TCP4 | TCP6 | UDP => self.begin_segments(kind, offload, packet),
            _ => Err(Fault::Kind),
        }
    }

    /// Whether a packet is left.
    #[inline]
    pub fn is_ready(&self) -> bool {
        !matches!(self.plan, Plan::Done)
    }

    /// Bytes of the headers of the segments at hand, or of the last ones.
    pub fn headers(&self) -> usize {
        self.headers
    }

    /// Bytes of the next packet.
    pub fn length(&self) -> Option<usize> {
        match &self.plan {
            Plan::Done => None,
            Plan::Whole(length) => Some(*length),
            Plan::Segments(segments) => Some(segments.headers + self.payload.len().min(segments.size)),
        }
    }

    /// The place of the next packet, which is made in the same bytes that `begin` was given. None when all are made.
    #[inline]
    pub fn next(&mut self, packet: &mut [u8]) -> Option<Range<usize>> {
        if let Plan::Whole(length) = self.plan {
            self.plan = Plan::Done;
            return Some(0..length);
        }
        let headers = self.headers;
        let payload = self.step()?;
        let place = payload.start - headers..payload.end;
        let (headers, payload) = packet.get_mut(place.clone())?.split_at_mut_checked(headers)?;
        let sum = if self.is_unsummed() { 0 } else { self.cpu.sum(payload) };
        self.write(headers, payload.len(), sum)?;
        Some(place)
    }

    /// As [`Self::next`], but the packet is made elsewhere, in a place of its length, and copied in the pass that sums
    /// it up.
    pub fn next_into(&mut self, packet: &[u8], to: &mut [u8]) -> Option<()> {
        if let Plan::Whole(length) = self.plan {
            self.plan = Plan::Done;
            to.get_mut(..length)?.copy_from_slice(packet.get(..length)?);
            return Some(());
        }
        let (headers, to) = to.split_at_mut_checked(self.headers)?;
        let payload = packet.get(self.step()?)?;
        let sum = if self.is_unsummed() {
            to.get_mut(..payload.len())?.copy_from_slice(payload);
            0
        } else {
            self.cpu.copy(to, payload)
        };
        self.write(headers, payload.len(), sum)
    }

    fn begin_whole(&mut self, offload: Offload, packet: &mut [u8]) -> Result<(), Fault> {
        if offload.flags & CHECKSUM != 0 {
            let (start, offset) = (offload.checksum_start.into(), offload.checksum_offset.into());
            checksum::complete(self.cpu, packet, start, offset).ok_or(Fault::Checksum)?;
        }
        self.plan = Plan::Whole(packet.len());
        Ok(())
    }

    #[inline]
    fn begin_segments(&mut self, kind: Kind, offload: Offload, packet: &mut [u8]) -> Result<(), Fault> {
        let segments = Segments::find(kind, offload, packet).ok_or(Fault::Headers)?;
        let payload = segments.headers..packet.len();
        // What fits into one segment is no super-packet, and the kernel only makes its checksum.
        if payload.len() <= segments.size {
            return self.begin_whole(offload, packet);
        }
        let headers = packet.get(..segments.headers).ok_or(Fault::Headers)?;
        let template = self.template.get_mut(segments.headers).ok_or(Fault::Headers)?;
        template.copy_from_slice(headers);
        let unsummed = self.trusted && segments.are_plain(headers).ok_or(Fault::Headers)?;
        let segments = segments.prepare(template, packet.len(), unsummed).ok_or(Fault::Headers)?;
        (self.payload, self.headers, self.first) = (payload, segments.headers, true);
        self.plan = Plan::Segments(segments);
        Ok(())
    }

    /// Whether the payloads at hand are not summed up.
    #[inline]
    fn is_unsummed(&self) -> bool {
        matches!(&self.plan, Plan::Segments(segments) if segments.unsummed)
    }

    /// Goes on by one payload.
    fn step(&mut self) -> Option<Range<usize>> {
        let Plan::Segments(segments) = &self.plan else { return None };
        let start = self.payload.start;
        let end = self.payload.end.min(start + segments.size);
        self.payload.start = end;
        Some(start..end)
    }

    /// Writes the headers of the segment that was stepped over.
    #[inline]
    fn write(&mut self, headers: &mut [u8], payload: usize, sum: u64) -> Option<()> {
        let Plan::Segments(segments) = &mut self.plan else { return None };
        let last = self.payload.is_empty();
        copy_headers(headers, self.template.get(headers.len())?);
        segments.write(headers, payload, sum, self.first, last)?;
        self.first = false;
        if last {
            self.plan = Plan::Done;
        }
        Some(())
    }
}

/// Copies headers to a place of the same length: most often by two moves of fixed sizes, which overlap.
#[inline]
fn copy_headers(to: &mut [u8], from: &[u8]) {
    if let (32..=64, Some(head), Some(tail)) = (to.len(), from.first_chunk::<32>(), from.last_chunk::<32>()) {
        put(to, 0, *head);
        put(to, to.len() - tail.len(), *tail);
    } else if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}
