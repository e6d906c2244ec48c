// SPDX-License-Identifier: MIT
//! Coalesces packets into super-packets. Only packets that segmentation restores byte for byte are coalesced, and
//! packets of one flow stay in order. A packet with unknown or too long headers is not coalesced.
//!
//! A packet is copied once, to the end of its super-packet, and its checksum is verified in the same pass. This is
//! needed because a super-packet gets new checksums: a packet with a bad checksum would arrive with a good one.
//! Verifying without the copy takes as much time.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within one packet")]

use super::flow::Flow;
use super::flows::Flows;
use super::headers::{Ip, MAX_TAGS, TCP, UDP, byte, network, put};
use super::item::Item;
use super::slots::{self, Slots};
use crate::cpu::Cpu;
use crate::model::flags::Kind;
use crate::model::memory::NoMemory;
use crate::model::offload::{F_TSO4, F_TSO6, F_USO4, F_USO6, LARGEST};
use crate::model::vnet_hdr::{Layout, VnetHdr};

/// Size of the longest virtio header that [`Joiner::peek_framed`] supports.
pub const MAX_FRAMED: usize = slots::MAX_FRAMED;

/// Limit of the number of collected items.
const MAX_ITEMS: usize = 1024;

/// Why a packet was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no room until the collected packets are removed.
    Full,
    /// The packet is empty.
    Empty,
    /// The packet is longer than [`LARGEST`].
    Long,
}

/// The protocols that are coalesced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// TCP over IPv4.
    pub tcp4: bool,
    /// TCP over IPv6.
    pub tcp6: bool,
    /// UDP over IPv4 and IPv6.
    pub udp: bool,
}

impl Protocols {
    /// All protocols.
    pub const ALL: Self = Self { tcp4: true, tcp6: true, udp: true };

    /// The protocols of these offloads, which are bits of the ABI.
    pub(crate) fn of(offloads: u64) -> Self {
        let has = |bit| offloads & bit != 0;
        Self { tcp4: has(F_TSO4), tcp6: has(F_TSO6), udp: has(F_USO4 | F_USO6) }
    }
}

/// Collects packets, coalesces those of a flow, and returns the super-packets.
pub struct Joiner {
    cpu: Cpu,
    kind: Kind,
    protocols: Protocols,
    trusted: bool,
    slots: Slots,
    items: Vec<Item>,
    /// The next item to return.
    next: usize,
    flows: Flows,
    /// The item of the last packet. Usually the next packet is of the same flow.
    recent: Option<usize>,
}

enum Class {
    /// A packet of a flow.
    Flow { network: usize, ip: Ip, tcp: bool, coalesces: bool },
    /// Possibly a packet of an unknown flow: it must not be reordered with any other packet.
    Barrier,
    /// A packet that belongs to no flow that is coalesced.
    Other,
}

impl Joiner {
    /// Creates an empty joiner. `trusted`: checksums are not verified.
    pub fn new(cpu: Cpu, kind: Kind, protocols: Protocols, trusted: bool) -> Result<Self, NoMemory> {
        let mut items = Vec::new();
        items.try_reserve_exact(MAX_ITEMS).map_err(|_| NoMemory)?;
        let (slots, flows) = (Slots::new()?, Flows::new()?);
        Ok(Self { cpu, kind, protocols, trusted, slots, items, next: 0, flows, recent: None })
    }

    /// Copies a packet to the joiner.
    pub fn put(&mut self, packet: &[u8]) -> Result<(), Refusal> {
        self.cpu.zero_upper();
        match packet.len() {
            0 => return Err(Refusal::Empty),
            1..=LARGEST => {}
            _ => return Err(Refusal::Long),
        }
        if self.items.len() == MAX_ITEMS || !self.slots.has_room(packet.len()) {
            return Err(Refusal::Full);
        }
        let taken = match self.classify(packet) {
            Class::Flow { network, ip, tcp, coalesces } => {
                match Flow::of(packet, network, ip, tcp, coalesces) {
                    Some(flow) => self.put_flow(&flow, packet),
                    None => self.put_barrier(packet),
                }
            }
            Class::Barrier => self.put_barrier(packet),
            Class::Other => self.keep(packet, None, None),
        };
        taken.ok_or(Refusal::Full)
    }

    /// Returns the next item, to which no more packets are appended. [`Self::pop`] removes it.
    pub fn peek(&mut self) -> Option<(VnetHdr, &mut [u8])> {
        let hdr = self.finish()?;
        let item = self.items.get(self.next)?;
        Some((hdr, self.slots.get_mut(&item.place)?))
    }

    /// As [`Self::peek`], with the virtio header in memory before the packet. Also None if the header is longer than
    /// [`MAX_FRAMED`].
    pub fn peek_framed(&mut self, layout: Layout) -> Option<&[u8]> {
        let hdr = self.finish()?;
        let item = self.items.get(self.next)?;
        self.slots.framed(&item.place, hdr, layout)
    }

    /// Number of packets in the item that [`Self::peek`] returns.
    pub fn packets(&self) -> usize {
        self.items.get(self.next).map_or(0, |item| item.segments().into())
    }

    /// Removes the item that [`Self::peek`] returns. After the last item there is room again.
    pub fn pop(&mut self) {
        if let Some(item) = self.items.get_mut(self.next) {
            item.close();
        }
        self.next += 1;
        if self.next >= self.items.len() {
            self.items.clear();
            self.slots.clear();
            self.next = 0;
            self.forget();
        }
    }

    /// Sets which protocols are coalesced, if the joiner is empty.
    pub fn set_protocols(&mut self, protocols: Protocols) {
        if self.is_empty() {
            self.protocols = protocols;
        }
    }

    /// Whether the joiner holds no packets.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Closes all collected items: later packets are not appended to them.
    fn forget(&mut self) {
        self.recent = None;
        self.flows.clear();
    }

    #[inline]
    fn classify(&self, packet: &[u8]) -> Class {
        let Some((network, ip)) = network(packet, self.kind, MAX_TAGS) else { return Class::Other };
        let protocol = match ip {
            Ip::V4 => byte(packet, network + 9),
            Ip::V6 => byte(packet, network + 6),
        };
        let flow = |tcp, coalesces| Class::Flow { network, ip, tcp, coalesces };
        match (protocol, ip) {
            (Some(TCP), Ip::V4) => flow(true, self.protocols.tcp4),
            (Some(TCP), Ip::V6) => flow(true, self.protocols.tcp6),
            (Some(UDP), _) => flow(false, self.protocols.udp),
            // An extension header: TCP or UDP may follow it.
            (Some(0 | 43 | 44 | 50 | 51 | 60 | 135 | 139 | 140), Ip::V6) => Class::Barrier,
            _ => Class::Other,
        }
    }

    /// Appends the packet to the latest item of its flow, or begins a new item with it. The new item is then the latest
    /// of the flow, so that the flow stays in order.
    #[inline]
    fn put_flow(&mut self, flow: &Flow, packet: &[u8]) -> Option<()> {
        // A packet that cannot be coalesced needs no search: it begins a new item after all others.
        let found = if flow.coalesces { self.find(flow, packet) } else { None };
        if let Some(index) = found.filter(|index| self.append(*index, flow, packet).is_some()) {
            self.recent = Some(index);
            return Some(());
        }
        self.begin(flow, packet)
    }

    fn put_barrier(&mut self, packet: &[u8]) -> Option<()> {
        self.keep(packet, None, None)?;
        self.forget();
        Some(())
    }

    /// The latest item of this flow.
    #[inline]
    fn find(&self, flow: &Flow, packet: &[u8]) -> Option<usize> {
        match self.recent {
            Some(recent) if self.is_of(recent, flow, packet) == Some(true) => Some(recent),
            _ => self.look_up(flow, packet),
        }
    }

    fn look_up(&self, flow: &Flow, packet: &[u8]) -> Option<usize> {
        let mut index = self.flows.latest(self.flows.bucket(flow.endpoints(packet)));
        while let Some(found) = index.filter(|index| self.is_of(*index, flow, packet) != Some(true)) {
            index = self.items.get(found).and_then(|item| item.older);
        }
        index
    }

    /// Whether an item and a packet are of the same flow.
    #[inline]
    fn is_of(&self, index: usize, flow: &Flow, packet: &[u8]) -> Option<bool> {
        let item = self.items.get(index)?;
        let own = item.flow.as_ref()?;
        Some(own.has_same_layout(flow) && flow.same_endpoints(self.slots.get(&item.place)?, packet)?)
    }

    /// Appends the packet, which may be coalesced, to an item. None: it does not continue the item.
    #[inline]
    fn append(&mut self, index: usize, flow: &Flow, packet: &[u8]) -> Option<()> {
        let item = self.items.get_mut(index)?;
        let payload = packet.get(flow.headers()..)?;
        let (own, room) = self.slots.growing(&item.place)?;
        if !item.accepts(own, flow, packet, payload.len()) {
            return None;
        }
        if !copy(self.cpu, self.trusted, flow, packet, room.get_mut(..payload.len())?, payload) {
            return None;
        }
        item.extend(flow, payload.len());
        if flow.is_last && flow.tcp {
            let at = flow.transport() + 13;
            let flags = byte(own, at)? | byte(packet, at)?;
            put(own, at, [flags]);
        }
        Some(())
    }

    /// Begins an item of this flow with the packet.
    ///
    /// Not inlined: it would use registers that the path of most packets needs.
    #[inline(never)]
    fn begin(&mut self, flow: &Flow, packet: &[u8]) -> Option<()> {
        let bucket = self.flows.bucket(flow.endpoints(packet));
        let older = self.flows.latest(bucket);
        let index = self.items.len();
        if !flow.coalesces || flow.is_last || self.grow(flow, older, packet).is_none() {
            self.keep(packet, Some(*flow), older)?;
        }
        self.flows.set_latest(bucket, index);
        self.recent = Some(index);
        Some(())
    }

    /// Adds an item to which packets can be appended. A bad checksum closes it.
    fn grow(&mut self, flow: &Flow, older: Option<usize>, packet: &[u8]) -> Option<()> {
        let (headers, payload) = packet.split_at_checked(flow.headers())?;
        let mut place = self.slots.open(headers)?;
        let (_, room) = self.slots.growing(&place)?;
        let good = copy(self.cpu, self.trusted, flow, packet, room.get_mut(..payload.len())?, payload);
        place.grow(payload.len());
        let mut item = Item::first(place, flow, older, payload.len());
        if !good {
            item.close();
        }
        self.items.push(item);
        Some(())
    }

    /// Adds an item that is not coalesced.
    fn keep(&mut self, packet: &[u8], flow: Option<Flow>, older: Option<usize>) -> Option<()> {
        let place = self.slots.keep(packet)?;
        self.items.push(Item::single(place, flow, older));
        Some(())
    }

    /// Closes the next item, and completes its headers.
    fn finish(&mut self) -> Option<VnetHdr> {
        let item = self.items.get_mut(self.next)?;
        item.close();
        Some(match &item.flow {
            Some(flow) if item.segments() > 1 => {
                flow.finish(item.gso_size(), self.slots.get_mut(&item.place)?)
            }
            // The sender may have left out the checksum. The rest of the packet stays as it is.
            Some(flow) if self.trusted && flow.complete => {
                flow.finish_partial(self.slots.get_mut(&item.place)?)
            }
            _ => VnetHdr::default(),
        })
    }
}

/// Copies the payload of a packet. Returns whether the checksums of the packet are good.
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
