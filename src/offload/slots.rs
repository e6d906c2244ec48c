// SPDX-License-Identifier: MIT
//! Memory for collected packets: slots in which a super-packet grows, each with its own end, and room for packets that
//! stay as they are. Nothing is written over the end of a place: it is refused.

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within this memory")]

use super::flow::MAX_TOTAL;
use super::headers::MAX_HEADERS;
use super::source::{Reserved, Source, Tool};
use crate::model::memory::NoMemory;
use crate::model::offload::{LARGEST, Offload};
use crate::sys::zeroed;

/// How many slots there are.
const SLOTS: usize = 32;
/// Bytes of a slot. Not a power of two: their beginnings would share the lines of the cache.
const SLOT: usize = 65_536 + 4096;
/// Where the payload begins in a slot: aligned, with room for all headers before, and for the offload header.
const PAYLOAD_AT: usize = 256;
/// Bytes for packets that stay as they are, and for the line before each.
const KEPT: usize = 1 << 20;
const LINE: usize = 64;

const _: () = assert!(PAYLOAD_AT % LINE == 0 && PAYLOAD_AT >= MAX_HEADERS + Offload::SIZE);
const _: () = assert!(SLOT >= PAYLOAD_AT + MAX_TOTAL && SLOT % LINE == 0);
const _: () = assert!(SLOT >= PAYLOAD_AT + LARGEST);
const _: () = assert!(LINE >= Offload::SIZE);

pub(super) struct Slots {
    memory: Box<[u8]>,
    /// Where it is aligned.
    base: usize,
    opened: usize,
    /// Bytes of [`KEPT`] that are taken.
    kept: usize,
    tool: Tool,
}

/// Where a packet is. There is room for an offload header before.
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

    /// Takes in bytes that [`Slots::append`] put behind it.
    #[inline]
    pub(super) fn grow(&mut self, bytes: usize) {
        self.end = self.limit.min(self.end + bytes);
    }
}

/// Bytes that a packet can be written to before it is placed.
pub(super) struct Reservation {
    pub(super) place: Reserved,
    /// Bytes of another packet at its beginning.
    covered: usize,
    saved: [u8; MAX_HEADERS],
}

impl Reservation {
    fn at(start: usize, length: usize) -> Self {
        Self { place: Reserved { start, length }, covered: 0, saved: [0; MAX_HEADERS] }
    }
}

impl Slots {
    pub(super) fn new(tool: Tool) -> Result<Self, NoMemory> {
        let memory = zeroed(LINE + SLOTS * SLOT + KEPT)?;
        let base = memory.as_ptr().align_offset(LINE).min(LINE);
        Ok(Self { memory, base, opened: 0, kept: 0, tool })
    }

    /// Frees all places.
    pub(super) fn clear(&mut self) {
        (self.opened, self.kept) = (0, 0);
    }

    /// Whether there is room for another packet of this length, in a slot as well as among those that stay as they are.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.opened < SLOTS && length <= KEPT && self.kept + LINE + length <= KEPT
    }

    /// A place that can grow, with this packet in it, and the sum of the payload behind the headers. None when those are
    /// too long, or no slot is left.
    pub(super) fn open(&mut self, packet: impl Source, headers: usize) -> Option<(Place, u64)> {
        if self.opened == SLOTS || headers > MAX_HEADERS {
            return None;
        }
        let slot = self.slot();
        let length = packet.bytes(&self.memory)?.len();
        let usual = slot + PAYLOAD_AT - headers;
        let start = packet.start_within(slot + Offload::SIZE..slot + SLOT).unwrap_or(usual);
        let sum = packet.put_payload(self.tool, &mut self.memory, start + headers, headers)?;
        packet.put(&mut self.memory, start, 0..headers)?;
        self.opened += 1;
        Some((Place { start, end: start + length, limit: slot + SLOT }, sum))
    }

    /// A place that cannot grow, with this packet in it. None when there is no room.
    pub(super) fn keep(&mut self, packet: impl Source) -> Option<Place> {
        let length = packet.bytes(&self.memory)?.len();
        if length > KEPT || self.kept + LINE + length > KEPT {
            return None;
        }
        let start = self.unkept();
        packet.put(&mut self.memory, start, 0..length)?;
        self.kept = (self.kept + LINE + length).next_multiple_of(LINE);
        Some(Place { start, end: start + length, limit: start + length })
    }

    /// Puts the payload of a packet, without so many bytes of headers, behind another packet; its sum. None when it does
    /// not fit.
    #[inline]
    pub(super) fn append(&mut self, place: &Place, packet: impl Source, headers: usize) -> Option<u64> {
        let payload = packet.bytes(&self.memory)?.len().checked_sub(headers)?;
        if place.end + payload > place.limit {
            return None;
        }
        packet.put_payload(self.tool, &mut self.memory, place.end, headers)
    }

    /// Reserves bytes such that the payload of a packet with so many bytes of headers lies behind this place: the headers
    /// take the last bytes of the place, which are saved until [`Self::release`]. None when the place is too short for
    /// that, or has no room.
    pub(super) fn reserve_behind(&self, place: &Place, headers: usize, size: usize) -> Option<Reservation> {
        let start = place.end.checked_sub(headers)?;
        if start < place.start + headers || start + size > place.limit {
            return None;
        }
        let mut saved = [0; MAX_HEADERS];
        saved.get_mut(..headers)?.copy_from_slice(self.memory.get(start..place.end)?);
        Some(Reservation { place: Reserved { start, length: size }, covered: headers, saved })
    }

    /// Reserves bytes in the next slot, for a packet with so many bytes of headers. None when no slot is left.
    pub(super) fn reserve_slot(&self, headers: usize, size: usize) -> Option<Reservation> {
        let start = self.slot() + PAYLOAD_AT - headers.min(MAX_HEADERS);
        (self.opened < SLOTS).then(|| Reservation::at(start, size))
    }

    /// Reserves bytes for a packet that stays as it is.
    pub(super) fn reserve_kept(&self, size: usize) -> Reservation {
        Reservation::at(self.unkept(), size)
    }

    /// The reserved bytes.
    pub(super) fn reserved(&mut self, reservation: &Reservation) -> Option<&mut [u8]> {
        let Reserved { start, length } = reservation.place;
        self.memory.get_mut(start..start + length)
    }

    /// The bytes of a packet that is to be placed.
    #[inline]
    pub(super) fn bytes<'a>(&'a self, packet: &'a impl Source) -> Option<&'a [u8]> {
        packet.bytes(&self.memory)
    }

    /// Restores what the reserved bytes covered.
    pub(super) fn release(&mut self, reservation: &Reservation) {
        let start = reservation.place.start;
        let covered = self.memory.get_mut(start..start + reservation.covered);
        if let (Some(covered), Some(saved)) = (covered, reservation.saved.get(..reservation.covered)) {
            covered.copy_from_slice(saved);
        }
    }

    /// Bytes of the packets that stay as they are.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Where the next slot begins.
    fn slot(&self) -> usize {
        self.base + self.opened * SLOT
    }

    /// Where the next packet that stays as it is begins.
    fn unkept(&self) -> usize {
        self.base + SLOTS * SLOT + self.kept + LINE
    }

    #[inline]
    pub(super) fn get(&self, place: &Place) -> Option<&[u8]> {
        self.memory.get(place.start..place.end)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut [u8]> {
        self.memory.get_mut(place.start..place.end)
    }

    /// A packet with its offload header before it.
    pub(super) fn framed(&mut self, place: &Place, offload: Offload) -> Option<&[u8]> {
        let framed = self.memory.get_mut(place.start - Offload::SIZE..place.end)?;
        *framed.first_chunk_mut()? = offload.to_bytes();
        Some(framed)
    }
}
