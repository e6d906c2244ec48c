// SPDX-License-Identifier: MIT
//! Segments a super-packet in place: the headers of each segment are written directly before its payload, over bytes of
//! earlier segments. So no payload is copied, and a segment is valid until the next one is written.
//!
//! The segments are the same as those of the kernel (Linux: tcp_gso_segment, __udp_gso_segment, inet_gso_segment,
//! ipv6_gso_segment, skb_udp_tunnel_segment).

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use std::ops::Range;

use super::checksum::Partial;
use super::headers::{network, put};
use super::segments::Segments;
use super::tunnel::Tunnel;
use crate::cpu::Cpu;
use crate::model::flags::Kind;
use crate::model::memory::NoMemory;
use crate::model::offload::LARGEST;
use crate::model::vnet_hdr::{F_NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, VnetHdr};
use crate::sys::zeroed;

/// Length of the headers of IPv4, and of TCP with timestamps.
const USUAL_HEADERS: usize = 52;

/// Why a super-packet cannot be segmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its `gso_type` is unknown.
    GsoType,
    /// Its headers do not match its `gso_type`, or are not within the packet.
    Headers,
    /// Its checksum field is not within the packet.
    Checksum,
}

impl Fault {
    /// The text for an error message.
    pub fn text(self) -> &'static str {
        match self {
            Self::GsoType => "its virtio header has an unknown gso_type",
            Self::Headers => "its headers do not match its virtio header",
            Self::Checksum => "its checksum field is outside of the packet",
        }
    }
}

/// Segments one super-packet. It stores only offsets: the bytes are an argument of each call.
#[derive(Debug)]
pub struct Splitter {
    cpu: Cpu,
    trusted: bool,
    template: Template,
    plan: Plan,
    /// The tunnel that the segments are inside.
    tunnel: Option<Tunnel>,
    /// From the start of the next payload to the end of the last one.
    payload: Range<usize>,
    headers: usize,
    first: bool,
}

/// The headers of all segments, with 0 in the fields that differ. They can be as long as a packet. Headers of a usual
/// length are stored inline.
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

/// The rest of the super-packet.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Done,
    /// One packet, which is not segmented.
    Single(Single),
    Segments(Segments),
}

#[derive(Clone, Copy, Debug)]
struct Single {
    length: usize,
    checksum: Option<Partial>,
}

impl Single {
    fn finish(self, cpu: Cpu, packet: &mut [u8]) -> Option<Range<usize>> {
        if let Some(checksum) = self.checksum {
            checksum.complete(cpu, packet.get_mut(..self.length)?)?;
        }
        Some(0..self.length)
    }

    fn copy(self, cpu: Cpu, to: &mut [u8], from: &[u8]) -> Option<()> {
        let (to, from) = (to.get_mut(..self.length)?, from.get(..self.length)?);
        match self.checksum {
            Some(checksum) => checksum.complete_copy(cpu, to, from),
            None => {
                to.copy_from_slice(from);
                Some(())
            }
        }
    }
}

impl Splitter {
    /// Creates a splitter without a packet. `trusted`: checksums are not computed if a trusting [`super::join::Joiner`]
    /// always recomputes them.
    pub fn new(cpu: Cpu, trusted: bool) -> Result<Self, NoMemory> {
        Ok(Self {
            cpu,
            trusted,
            template: Template::new()?,
            plan: Plan::Done,
            tunnel: None,
            payload: 0..0,
            headers: USUAL_HEADERS,
            first: true,
        })
    }

    /// Drops the packets that are left.
    pub fn drop_rest(&mut self) {
        self.plan = Plan::Done;
    }

    /// Begins with a packet, which may be a super-packet. The rest of the last one is dropped. After a fault no packet
    /// is left. The packet is not written to.
    pub fn begin(&mut self, kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Result<(), Fault> {
        self.plan = Plan::Done;
        match hdr.protocol() {
            GSO_TCPV4 | GSO_TCPV6 | GSO_UDP_L4 if hdr.is_tunnel() => self.begin_tunnel(kind, hdr, packet),
            GSO_TCPV4 | GSO_TCPV6 | GSO_UDP_L4 => self.begin_segments(kind, hdr, packet),
            GSO_NONE if !hdr.is_tunnel() => self.begin_single(hdr, packet),
            _ => Err(Fault::GsoType),
        }
    }

    /// Whether a packet is left.
    #[inline]
    pub fn is_ready(&self) -> bool {
        !matches!(self.plan, Plan::Done)
    }

    /// Length of the headers of the current segments, or of the last ones.
    pub fn headers(&self) -> usize {
        self.headers
    }

    /// Size of the next packet.
    #[inline]
    pub fn length(&self) -> Option<usize> {
        match &self.plan {
            Plan::Done => None,
            Plan::Single(single) => Some(single.length),
            Plan::Segments(segments) => Some(segments.headers + self.payload.len().min(segments.size)),
        }
    }

    /// Writes the next packet to `packet`, the bytes of [`Self::begin`], and returns its range. None if no packet is
    /// left.
    #[inline(always)]
    pub fn next(&mut self, packet: &mut [u8]) -> Option<Range<usize>> {
        self.cpu.zero_upper();
        let range = match self.plan {
            Plan::Segments(_) => self.next_segment(packet),
            Plan::Single(single) => {
                self.plan = Plan::Done;
                single.finish(self.cpu, packet)
            }
            Plan::Done => return None,
        };
        range.or_else(|| self.give_up())
    }

    /// As [`Self::next`], but copies the packet to a buffer of its length. Copy and checksum take one pass.
    #[inline]
    pub fn next_into(&mut self, packet: &[u8], to: &mut [u8]) -> Option<()> {
        self.cpu.zero_upper();
        let copied = match self.plan {
            Plan::Segments(_) => self.copy_segment(packet, to),
            Plan::Single(single) => {
                self.plan = Plan::Done;
                single.copy(self.cpu, to, packet)
            }
            Plan::Done => return None,
        };
        copied.or_else(|| self.give_up())
    }

    /// The bytes are not those of [`Self::begin`]: drops the rest.
    #[cold]
    fn give_up<T>(&mut self) -> Option<T> {
        self.plan = Plan::Done;
        None
    }

    #[inline]
    fn next_segment(&mut self, packet: &mut [u8]) -> Option<Range<usize>> {
        let headers = self.headers;
        let payload = self.step()?;
        let range = payload.start - headers..payload.end;
        let (headers, payload) = packet.get_mut(range.clone())?.split_at_mut_checked(headers)?;
        let sum = if self.skips_sums() { 0 } else { self.cpu.sum(payload) };
        self.write(headers, payload.len(), sum)?;
        Some(range)
    }

    #[inline]
    fn copy_segment(&mut self, packet: &[u8], to: &mut [u8]) -> Option<()> {
        let (headers, to) = to.split_at_mut_checked(self.headers)?;
        let payload = packet.get(self.step()?)?;
        let sum = if self.skips_sums() {
            to.get_mut(..payload.len())?.copy_from_slice(payload);
            0
        } else {
            self.cpu.copy(to, payload)
        };
        self.write(headers, payload.len(), sum)
    }

    fn begin_single(&mut self, hdr: VnetHdr, packet: &[u8]) -> Result<(), Fault> {
        let length = packet.len();
        let checksum = match hdr.flags & F_NEEDS_CSUM {
            0 => None,
            _ => {
                let (start, offset) = (hdr.csum_start.into(), hdr.csum_offset.into());
                Some(Partial::find(length, start, offset).ok_or(Fault::Checksum)?)
            }
        };
        self.plan = Plan::Single(Single { length, checksum });
        Ok(())
    }

    #[inline]
    fn begin_segments(&mut self, kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Result<(), Fault> {
        let (network, version) = network(packet, kind, usize::MAX).ok_or(Fault::Headers)?;
        let segments = Segments::find(hdr, packet, network, version).ok_or(Fault::Headers)?;
        // A payload that fits into one segment is not segmented: the kernel only computes the checksum.
        if packet.len() - segments.headers <= segments.size {
            return self.begin_single(hdr, packet);
        }
        let skip_sums = self.trusted && segments.are_plain(packet).ok_or(Fault::Headers)?;
        self.prepare(segments, None, packet, skip_sums).ok_or(Fault::Headers)
    }

    /// The headers of a tunnel always need their lengths, so a payload that fits into one segment makes one segment.
    #[cold]
    fn begin_tunnel(&mut self, kind: Kind, hdr: VnetHdr, packet: &[u8]) -> Result<(), Fault> {
        let tunnel = Tunnel::find(kind, hdr, packet).ok_or(Fault::Headers)?;
        let version = tunnel.inner_version(packet).ok_or(Fault::Headers)?;
        let segments = Segments::find(hdr, packet, tunnel.inner(), version).ok_or(Fault::Headers)?;
        self.prepare(segments, Some(tunnel), packet, false).ok_or(Fault::Headers)
    }

    /// Prepares the headers of all segments. None: they are not within the packet.
    fn prepare(
        &mut self,
        segments: Segments,
        tunnel: Option<Tunnel>,
        packet: &[u8],
        skip_sums: bool,
    ) -> Option<()> {
        let template = self.template.get_mut(segments.headers)?;
        template.copy_from_slice(packet.get(..segments.headers)?);
        let segments = segments.prepare(template, packet.len(), skip_sums)?;
        self.tunnel = match tunnel {
            Some(tunnel) => Some(tunnel.prepare(template, packet.len())?),
            None => None,
        };
        (self.payload, self.headers, self.first) = (segments.headers..packet.len(), segments.headers, true);
        self.plan = Plan::Segments(segments);
        Some(())
    }

    /// Whether the sums of the payloads are left out.
    #[inline]
    fn skips_sums(&self) -> bool {
        matches!(&self.plan, Plan::Segments(segments) if segments.skip_sums)
    }

    /// The range of the next payload.
    fn step(&mut self) -> Option<Range<usize>> {
        let Plan::Segments(segments) = &self.plan else { return None };
        let start = self.payload.start;
        let end = self.payload.end.min(start + segments.size);
        self.payload.start = end;
        Some(start..end)
    }

    /// Writes the headers of the segment whose payload [`Self::step`] returned.
    #[inline]
    fn write(&mut self, headers: &mut [u8], payload: usize, sum: u64) -> Option<()> {
        let Plan::Segments(segments) = &mut self.plan else { return None };
        let last = self.payload.is_empty();
        copy_headers(headers, self.template.get(headers.len())?);
        segments.write(headers, payload, sum, self.first, last)?;
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.write(headers, payload, sum)?;
        }
        self.first = false;
        if last {
            self.plan = Plan::Done;
        }
        Some(())
    }
}

/// Copies headers to a buffer of their length. Usual lengths take two overlapping moves of a fixed size.
#[inline]
fn copy_headers(to: &mut [u8], from: &[u8]) {
    if let (32..=64, Some(head), Some(tail)) = (to.len(), from.first_chunk::<32>(), from.last_chunk::<32>()) {
        put(to, 0, *head);
        put(to, to.len() - tail.len(), *tail);
    } else if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}
