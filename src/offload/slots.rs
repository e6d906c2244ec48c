// SPDX-License-Identifier: MIT
//! Memory for collected packets: slots in which a super-packet grows, each with its own end, and room for packets that
//! stay as they are. Nothing is written over the end of a place: it is refused.

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within this memory")]

use super::flow::MAX_TOTAL;
use super::headers::MAX_HEADERS;
use crate::model::memory::NoMemory;
use crate::model::vnet_hdr::{Layout, VnetHdr};
use crate::sys::zeroed;

/// How many slots there are.
const SLOTS: usize = 32;
/// Bytes of a slot. Not a power of two: their beginnings would share the lines of the cache.
const SLOT: usize = 65_536 + 4096;
/// Where the payload begins in a slot: aligned, with room for all headers before, and for the virtio header.
const PAYLOAD_AT: usize = 256;
/// Bytes for packets that stay as they are, and for the line before each.
const KEPT: usize = 1 << 20;
const LINE: usize = 64;
/// Bytes of the longest virtio header that there is room for before a packet.
pub(super) const MAX_FRAMED: usize = LINE;

const _: () = assert!(PAYLOAD_AT % LINE == 0 && PAYLOAD_AT >= MAX_HEADERS + MAX_FRAMED);
const _: () = assert!(SLOT >= PAYLOAD_AT + MAX_TOTAL && SLOT % LINE == 0);

pub(super) struct Slots {
    memory: Box<[u8]>,
    /// Where it is aligned.
    base: usize,
    opened: usize,
    /// Bytes of [`KEPT`] that are taken.
    kept: usize,
}

/// Where a packet is. There is room for a virtio header before.
pub(super) struct Place {
    start: usize,
    end: usize,
    /// How far it can grow.
    limit: usize,
}

impl Place {
    /// Bytes of the packet.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.end - self.start
    }

    /// Takes in bytes that were written to the room of [`Slots::growing`].
    #[inline]
    pub(super) fn grow(&mut self, bytes: usize) {
        self.end = self.limit.min(self.end + bytes);
    }
}

impl Slots {
    pub(super) fn new() -> Result<Self, NoMemory> {
        let memory = zeroed(LINE + SLOTS * SLOT + KEPT)?;
        let base = memory.as_ptr().align_offset(LINE).min(LINE);
        Ok(Self { memory, base, opened: 0, kept: 0 })
    }

    /// Frees all places.
    pub(super) fn clear(&mut self) {
        (self.opened, self.kept) = (0, 0);
    }

    /// Whether there is room for another packet of this length, in a slot as well as among those that stay as they are.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.opened < SLOTS && length <= KEPT && self.kept + LINE + length <= KEPT
    }

    /// A place that can grow, with these headers in it. None when they are too long, or no slot is left.
    pub(super) fn open(&mut self, headers: &[u8]) -> Option<Place> {
        if self.opened == SLOTS || headers.len() > MAX_HEADERS {
            return None;
        }
        let slot = self.base + self.opened * SLOT;
        let end = slot + PAYLOAD_AT;
        let start = end - headers.len();
        self.memory.get_mut(start..end)?.copy_from_slice(headers);
        self.opened += 1;
        Some(Place { start, end, limit: slot + SLOT })
    }

    /// A place that cannot grow, with this packet in it. None when there is no room.
    pub(super) fn keep(&mut self, packet: &[u8]) -> Option<Place> {
        if packet.len() > KEPT || self.kept + LINE + packet.len() > KEPT {
            return None;
        }
        let start = self.base + SLOTS * SLOT + self.kept + LINE;
        let end = start + packet.len();
        self.memory.get_mut(start..end)?.copy_from_slice(packet);
        self.kept = (self.kept + LINE + packet.len()).next_multiple_of(LINE);
        Some(Place { start, end, limit: end })
    }

    /// A packet, and the room behind it that it can grow into.
    #[inline]
    pub(super) fn growing(&mut self, place: &Place) -> Option<(&mut [u8], &mut [u8])> {
        self.memory.get_mut(place.start..place.limit)?.split_at_mut_checked(place.length())
    }

    #[inline]
    pub(super) fn get(&self, place: &Place) -> Option<&[u8]> {
        self.memory.get(place.start..place.end)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut [u8]> {
        self.memory.get_mut(place.start..place.end)
    }

    /// A packet with its virtio header before it. None when that is longer than [`MAX_FRAMED`].
    pub(super) fn framed(&mut self, place: &Place, hdr: VnetHdr, layout: Layout) -> Option<&[u8]> {
        let size = Some(layout.size()).filter(|size| *size <= MAX_FRAMED)?;
        let framed = self.memory.get_mut(place.start - size..place.end)?;
        layout.write(hdr, framed.get_mut(..size)?);
        Some(framed)
    }
}
