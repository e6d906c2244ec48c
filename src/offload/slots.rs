// SPDX-License-Identifier: MIT
//! Memory for collected packets: slots of a fixed size, in each of which a super-packet grows, and an area for packets
//! that are not coalesced. A write beyond the end of a place is refused.

#![allow(clippy::arithmetic_side_effects, reason = "offsets and lengths within this memory")]

use super::flow::MAX_TOTAL;
use super::headers::MAX_HEADERS;
use crate::model::memory::NoMemory;
use crate::model::vnet_hdr::{Layout, VnetHdr};
use crate::sys::zeroed;

/// Number of slots.
const SLOTS: usize = 32;
/// Size of a slot. Not a power of two: the beginnings of all slots would map to the same cache lines.
const SLOT: usize = 65_536 + 4096;
/// Offset of the payload in a slot: aligned, with room before it for all headers and the virtio header.
const PAYLOAD_AT: usize = 256;
/// Size of the area for packets that are not coalesced, including the line before each packet.
const KEPT: usize = 1 << 20;
const LINE: usize = 64;
/// Size of the longest virtio header that fits before a packet.
pub(super) const MAX_FRAMED: usize = LINE;

const _: () = assert!(PAYLOAD_AT % LINE == 0 && PAYLOAD_AT >= MAX_HEADERS + MAX_FRAMED);
const _: () = assert!(SLOT >= PAYLOAD_AT + MAX_TOTAL && SLOT % LINE == 0);

pub(super) struct Slots {
    memory: Box<[u8]>,
    /// Offset at which it is aligned.
    base: usize,
    opened: usize,
    /// Used bytes of [`KEPT`].
    kept: usize,
}

/// Position of a packet. There is room for a virtio header before it.
pub(super) struct Place {
    start: usize,
    end: usize,
    /// The end up to which it can grow.
    limit: usize,
}

impl Place {
    /// Size of the packet.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.end - self.start
    }

    /// Appends bytes that were written to the room of [`Slots::growing`].
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

    /// Whether there is room for another packet of this length, both in a slot and in the area of [`KEPT`] bytes.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.opened < SLOTS && length <= KEPT && self.kept + LINE + length <= KEPT
    }

    /// Adds a place that can grow, with these headers. None if they are too long, or no slot is left.
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

    /// Adds a place that cannot grow, with this packet. None if there is no room.
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

    /// A packet, and the free bytes after it.
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

    /// A packet after its virtio header. None if the header is longer than [`MAX_FRAMED`].
    pub(super) fn framed(&mut self, place: &Place, hdr: VnetHdr, layout: Layout) -> Option<&[u8]> {
        let size = Some(layout.size()).filter(|size| *size <= MAX_FRAMED)?;
        let framed = self.memory.get_mut(place.start - size..place.end)?;
        layout.write(hdr, framed.get_mut(..size)?);
        Some(framed)
    }
}
