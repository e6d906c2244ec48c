// SPDX-License-Identifier: MIT
//! Joining packets to super-packets. Only what splitting takes apart again into the very same packets is joined, and
//! packets of one flow stay in order.
//!
//! Each packet is copied once, to behind those that it belongs to, and its checksum is verified in the same pass: a
//! super-packet gets new checksums, so a packet with a bad one would arrive as a good one.

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within one packet")]

use super::flow::{Flow, MAX_TOTAL, PSH};
use super::headers::{Ip, TCP, UDP, array, byte, network, put, u16_at, u32_at};
use super::{NONE, Offload};
use crate::cpu::Cpu;
use crate::flags::Kind;
use crate::memory::{self, NoMemory};

const DO_NOT_FRAGMENT: u16 = 0x4000;

/// Segments of a UDP super-packet, at the most: what every kernel takes that knows them.
const MAX_DATAGRAMS: u16 = 64;

/// Items that may be collected at the same time, and how many of them can still grow.
const MAX_ITEMS: usize = 1024;
const MAX_GROWING: usize = 32;
/// Memory for each that can grow. Not a power of two: their beginnings would share the lines of the cache.
const GROWING: usize = 65_536 + 4096;
/// Where the payload begins in it: aligned, with room for all headers before.
const PAYLOAD_AT: usize = 256;
/// Memory for all those that cannot, and what each takes beside its bytes at the most.
const FIXED: usize = 1 << 20;
const LINE: usize = 64;
const BUCKETS: usize = 256;

/// There is no room for the packet until those that were collected are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joins {
    /// TCP over IPv4.
    pub tcp4: bool,
    /// TCP over IPv6.
    pub tcp6: bool,
    /// UDP, over either.
    pub udp: bool,
}

impl Joins {
    /// All that can be.
    pub const ALL: Self = Self { tcp4: true, tcp6: true, udp: true };
}

/// Collects packets, joins those that belong together, and gives them back.
pub struct Joiner {
    cpu: Cpu,
    kind: Kind,
    joins: Joins,
    trusted: bool,
    memory: Box<[u8]>,
    /// Where it is aligned.
    base: usize,
    items: Vec<Item>,
    /// The next item to give back.
    next: usize,
    growing: usize,
    fixed: usize,
    /// The item that took the last packet of a flow: most often, the next one is of the same flow.
    recent: Option<usize>,
    /// The latest item of each hash, when it is of this generation: so the table needs no clearing.
    buckets: Box<[Bucket; BUCKETS]>,
    generation: u32,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    generation: u32,
    item: usize,
}

/// One packet, or several that were joined.
struct Item {
    /// Where it is in memory.
    at: usize,
    length: usize,
    /// What packets it can take; None: none.
    flow: Option<Flow>,
    /// No packet comes behind it any more.
    closed: bool,
    segments: u16,
    segment_size: usize,
    next_sequence: u32,
    id: Id,
    /// The item before it in its bucket.
    older: Option<usize>,
}

/// How the IPv4 identification goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// It was this, and one packet does not tell more.
    After(u16),
    /// It counts up, to this next.
    Next(u16),
    /// It stays this, as it may where fragmenting is forbidden (RFC 6864).
    Fixed(u16),
}

enum Class {
    /// Of a flow.
    Flow { network: usize, ip: Ip, tcp: bool, joins: bool },
    /// Perhaps of a flow that cannot be told: it must stay between what came before and what comes later.
    Barrier,
    /// Of no flow that is joined.
    Other,
}

impl Joiner {
    /// One that has collected nothing. `trusted`: checksums are taken for good.
    pub fn new(cpu: Cpu, kind: Kind, joins: Joins, trusted: bool) -> Result<Self, NoMemory> {
        let memory = memory::zeroed(LINE + MAX_GROWING * GROWING + FIXED)?;
        let mut items = Vec::new();
        items.try_reserve_exact(MAX_ITEMS).map_err(|_| NoMemory)?;
        Ok(Self {
            cpu,
            kind,
            joins,
            trusted,
            base: memory.as_ptr().align_offset(LINE).min(LINE),
            memory,
            items,
            next: 0,
            growing: 0,
            fixed: 0,
            recent: None,
            buckets: memory::boxed([Bucket::default(); BUCKETS])?,
            generation: 1,
        })
    }

    /// Takes a copy of a packet, of [`MAX_TOTAL`] bytes and its link header at the most.
    pub fn put(&mut self, packet: &[u8]) -> Result<(), Full> {
        let fixed = self.fixed + packet.len() + 2 * LINE + Offload::SIZE;
        if self.items.len() == MAX_ITEMS || self.growing == MAX_GROWING || fixed > FIXED {
            return Err(Full);
        }
        let flow = match self.classify(packet) {
            Class::Flow { network, ip, tcp, joins } => Flow::of(packet, network, ip, tcp, joins),
            Class::Barrier => None,
            Class::Other => {
                self.keep(packet, None, None);
                return Ok(());
            }
        };
        if let Some(flow) = &flow {
            let found = self.find(flow, packet);
            match found.is_some_and(|found| self.append(found, flow, packet)) {
                true => self.recent = found,
                false => self.begin(flow, packet),
            }
        } else {
            self.keep(packet, None, None);
            self.forget();
        }
        Ok(())
    }

    /// The next one that was collected. It stays until [`Self::pop`] is called.
    pub fn peek(&mut self) -> Option<(Offload, &[u8])> {
        let (offload, at, length) = self.ready()?;
        Some((offload, self.memory.get(at..at + length)?))
    }

    /// As [`Self::peek`], with the offload header in memory before the packet.
    pub fn peek_framed(&mut self) -> Option<&[u8]> {
        let (offload, at, length) = self.ready()?;
        let at = at - Offload::SIZE;
        put(&mut self.memory, at, offload.to_bytes());
        self.memory.get(at..at + Offload::SIZE + length)
    }

    /// How many packets were joined to the one that [`Self::peek`] gives.
    pub fn packets(&self) -> usize {
        self.items.get(self.next).map_or(0, |item| item.segments.into())
    }

    /// Forgets the one that [`Self::peek`] gave, to which nothing may be joined any more; after the last one there is
    /// room again.
    pub fn pop(&mut self) {
        self.next += 1;
        if self.next >= self.items.len() {
            self.items.clear();
            (self.next, self.growing, self.fixed) = (0, 0, 0);
        }
        self.forget();
    }

    /// Chooses anew what is joined: for what comes after all that is collected is taken.
    pub fn set_joins(&mut self, joins: Joins) {
        if self.is_empty() {
            self.joins = joins;
        }
    }

    /// Whether nothing is collected.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What comes is joined to nothing that is there already.
    fn forget(&mut self) {
        self.recent = None;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.buckets.fill(Bucket::default());
            self.generation = 1;
        }
    }

    #[inline]
    fn classify(&self, packet: &[u8]) -> Class {
        let Some((network, ip)) = network(packet, self.kind) else { return Class::Other };
        let protocol = match ip {
            Ip::V4 => byte(packet, network + 9),
            Ip::V6 => byte(packet, network + 6),
        };
        let flow = |tcp, joins| Class::Flow { network, ip, tcp, joins };
        match (protocol, ip) {
            (Some(TCP), Ip::V4) => flow(true, self.joins.tcp4),
            (Some(TCP), Ip::V6) => flow(true, self.joins.tcp6),
            (Some(UDP), _) => flow(false, self.joins.udp),
            // An extension header: TCP or UDP can be behind it.
            (Some(0 | 43 | 44 | 50 | 51 | 60 | 135 | 139 | 140), Ip::V6) => Class::Barrier,
            _ => Class::Other,
        }
    }

    /// The latest item of this flow.
    #[inline]
    fn find(&self, flow: &Flow, packet: &[u8]) -> Option<usize> {
        let is_it = |place: &usize| self.is_of(*place, flow, packet).unwrap_or(false);
        if let Some(recent) = self.recent.filter(is_it) {
            return Some(recent);
        }
        let mut place = self.latest(flow.hash(packet) % BUCKETS);
        while let Some(found) = place.filter(|place| !is_it(place)) {
            place = self.items.get(found).and_then(|item| item.older);
        }
        place
    }

    /// Whether an item and a packet are of the same flow.
    #[inline]
    fn is_of(&self, place: usize, flow: &Flow, packet: &[u8]) -> Option<bool> {
        let item = self.items.get(place)?;
        let own = item.flow.as_ref()?;
        let first = self.memory.get(item.at..)?;
        let alike = own.tcp == flow.tcp && own.ip == flow.ip && own.network == flow.network;
        Some(alike && flow.same_ends(first, packet)?)
    }

    fn latest(&self, hash: usize) -> Option<usize> {
        let bucket = self.buckets.get(hash)?;
        (bucket.generation == self.generation).then_some(bucket.item)
    }

    /// Joins the packet to an item. Otherwise it begins one of its own, which from then on is the latest of its flow: so
    /// that stays in order.
    fn append(&mut self, place: usize, flow: &Flow, packet: &[u8]) -> bool {
        let Some(item) = self.items.get_mut(place) else { return false };
        let payload = packet.len() - flow.headers;
        let end = item.at + item.length;
        let joined = flow.joins && item.takes(flow, payload, &self.memory, packet) && {
            let from = packet.get(flow.headers..).unwrap_or_default();
            let to = self.memory.get_mut(end..end + payload).unwrap_or_default();
            copy(self.cpu, self.trusted, flow, packet, to, from)
        };
        if !joined {
            return false;
        }
        item.length += payload;
        item.segments += 1;
        item.next_sequence = flow.sequence.wrapping_add(payload as u32);
        item.id = item.id.then(flow.id);
        item.closed = flow.ends || payload < item.segment_size;
        if flow.ends && flow.tcp {
            let at = item.at + flow.transport + 13;
            let flags = byte(&self.memory, at).unwrap_or_default() | PSH;
            put(&mut self.memory, at, [flags]);
        }
        true
    }

    /// Begins an item of this flow with the packet.
    fn begin(&mut self, flow: &Flow, packet: &[u8]) {
        let hash = flow.hash(packet) % BUCKETS;
        let older = self.latest(hash);
        let place = self.items.len();
        if flow.joins && !flow.ends {
            self.grow(flow, older, packet);
        } else {
            self.keep(packet, Some(*flow), older);
        }
        if let Some(bucket) = self.buckets.get_mut(hash) {
            *bucket = Bucket { generation: self.generation, item: place };
        }
        self.recent = Some(place);
    }

    /// An item that packets can be joined to. A bad checksum closes it.
    fn grow(&mut self, flow: &Flow, older: Option<usize>, packet: &[u8]) {
        let at = self.base + self.growing * GROWING + PAYLOAD_AT - flow.headers;
        self.growing += 1;
        let (headers, payload) = packet.split_at_checked(flow.headers).unwrap_or_default();
        let place = self.memory.get_mut(at..at + packet.len()).unwrap_or_default();
        let (to_headers, to_payload) = place.split_at_mut_checked(flow.headers).unwrap_or_default();
        if to_headers.len() == headers.len() {
            to_headers.copy_from_slice(headers);
        }
        let good = copy(self.cpu, self.trusted, flow, packet, to_payload, payload);
        self.items.push(Item {
            at,
            length: packet.len(),
            flow: Some(*flow),
            closed: !good,
            segments: 1,
            segment_size: payload.len(),
            next_sequence: flow.sequence.wrapping_add(payload.len() as u32),
            id: Id::After(flow.id),
            older,
        });
    }

    /// An item that stays as it is.
    fn keep(&mut self, packet: &[u8], flow: Option<Flow>, older: Option<usize>) {
        let at = self.base + MAX_GROWING * GROWING + self.fixed + LINE;
        self.fixed = (self.fixed + LINE + packet.len()).next_multiple_of(LINE);
        if let Some(place) = self.memory.get_mut(at..at + packet.len()) {
            place.copy_from_slice(packet);
        }
        self.items.push(Item {
            at,
            length: packet.len(),
            flow,
            closed: true,
            segments: 1,
            segment_size: 0,
            next_sequence: 0,
            id: Id::After(0),
            older,
        });
    }

    /// The next item, with its headers made ready.
    fn ready(&mut self) -> Option<(Offload, usize, usize)> {
        let item = self.items.get(self.next)?;
        let (at, length) = (item.at, item.length);
        let offload = match &item.flow {
            Some(flow) if item.segments > 1 => {
                let packet = self.memory.get_mut(at..at + length)?;
                flow.finish(item.segment_size, packet)
            }
            Some(flow) if self.trusted && flow.whole => {
                let packet = self.memory.get_mut(at..at + length)?;
                Offload { kind: NONE, segment_size: 0, ..flow.finish(0, packet) }
            }
            _ => Offload::default(),
        };
        Some((offload, at, length))
    }
}

/// Copies the payload of a packet; whether the packet's checksums are good.
#[inline]
fn copy(cpu: Cpu, trusted: bool, flow: &Flow, packet: &[u8], to: &mut [u8], from: &[u8]) -> bool {
    if to.len() != from.len() {
        return false;
    }
    if trusted {
        to.copy_from_slice(from);
        return true;
    }
    let payload = cpu.copy(to, from);
    flow.verify(packet, payload).unwrap_or(false)
}

impl Id {
    /// Whether this can be the next.
    fn allows(self, id: u16, fixed: bool) -> bool {
        match self {
            Self::After(before) => id == before.wrapping_add(1) || (fixed && id == before),
            Self::Next(next) => id == next,
            Self::Fixed(same) => id == same,
        }
    }

    /// After this one, which is allowed.
    fn then(self, id: u16) -> Self {
        match self {
            Self::After(before) if id == before => Self::Fixed(id),
            Self::After(_) | Self::Next(_) => Self::Next(id.wrapping_add(1)),
            Self::Fixed(_) => self,
        }
    }
}

impl Item {
    /// Whether the packet goes on where this ends, and has the same headers but for what counts up.
    fn takes(&self, flow: &Flow, payload: usize, memory: &[u8], packet: &[u8]) -> bool {
        let Some(own) = &self.flow else { return false };
        let limit = if flow.tcp { u16::MAX } else { MAX_DATAGRAMS };
        !self.closed
            && own.headers == flow.headers
            && payload <= self.segment_size
            && self.length + payload <= MAX_TOTAL
            && self.segments < limit
            && (!flow.tcp || flow.sequence == self.next_sequence)
            && self.same_headers(flow, memory, packet).unwrap_or(false)
    }

    fn same_headers(&self, flow: &Flow, memory: &[u8], packet: &[u8]) -> Option<bool> {
        let first = memory.get(self.at..self.at + flow.headers)?;
        let packet = packet.get(..flow.headers)?;
        let (network, transport) = (flow.network, flow.transport);
        let same = |from: usize, to: usize| same(first.get(from..to)?, packet.get(from..to)?);
        let same_ip = match flow.ip {
            Ip::V4 => {
                let fragments = u16_at(packet, network + 6)?;
                byte(first, network + 1)? == byte(packet, network + 1)?
                    && u16_at(first, network + 6)? == fragments
                    && byte(first, network + 8)? == byte(packet, network + 8)?
                    && self.id.allows(flow.id, fragments & DO_NOT_FRAGMENT != 0)
            }
            Ip::V6 => {
                u32_at(first, network)? == u32_at(packet, network)?
                    && byte(first, network + 7)? == byte(packet, network + 7)?
            }
        };
        let same_tcp = || {
            Some(
                array::<5>(first, transport + 8)? == array::<5>(packet, transport + 8)?
                    && u16_at(first, transport + 14)? == u16_at(packet, transport + 14)?
                    && same(transport + 18, flow.headers)?,
            )
        };
        Some(same_ip && (network == 0 || same(0, network)?) && (!flow.tcp || same_tcp()?))
    }
}

/// Whether two parts of headers are the same: most often by two comparisons of a fixed size, which overlap.
#[inline]
fn same(a: &[u8], b: &[u8]) -> Option<bool> {
    Some(match a.len() {
        2 => a.first_chunk::<2>()? == b.first_chunk::<2>()?,
        8..=16 => {
            a.first_chunk::<8>()? == b.first_chunk::<8>()? && a.last_chunk::<8>()? == b.last_chunk::<8>()?
        }
        _ => a == b,
    })
}
