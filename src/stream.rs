// SPDX-License-Identifier: MIT
//! Packets out of what a device hands over: on a device with offload a super-packet is read, and split.

use std::io::IoSliceMut;
use std::ops::Range;

use crate::cpu::Cpu;
use crate::error::Errno;
use crate::flags::{Kind, Mode};
use crate::memory::{self, NoMemory};
use crate::offload::Offload;
use crate::offload::split::{MAX_HEADERS, Splitter};
use crate::packet::PI_HEADER;
use crate::sys::{Backend, Outcome, Platform};

/// What payloads are aligned to: they are summed up faster.
pub(crate) const LINE: usize = 64;
/// Bytes of a super-packet with its link header, at the most.
pub(crate) const LARGEST: usize = 65_535 + 14 + 8;
const MEMORY: usize = LINE + MAX_HEADERS + PI_HEADER + LARGEST;

/// A hot piece of memory that everything is read into, and what is left of it.
pub(crate) struct Stream {
    kind: Kind,
    /// Bytes of the offload header.
    frame: usize,
    splitter: Splitter,
    memory: Box<[u8]>,
    /// Where a payload is aligned.
    aligned: usize,
    packet: Range<usize>,
}

impl Stream {
    pub(crate) fn new(mode: Mode, trusted: bool) -> Result<Self, NoMemory> {
        let memory = memory::zeroed(MEMORY)?;
        let aligned = memory.as_ptr().align_offset(LINE).min(LINE).saturating_add(MAX_HEADERS);
        Ok(Self {
            kind: mode.kind,
            frame: if mode.offload { Offload::SIZE } else { 0 },
            splitter: Splitter::new(Cpu::best(), trusted),
            memory,
            aligned,
            packet: 0..0,
        })
    }

    /// Whether there is a packet without reading.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.splitter.is_ready()
    }

    /// The next packet of what was read. It lasts until the next call.
    #[inline]
    pub(crate) fn split(&mut self) -> Option<&mut [u8]> {
        let packet = self.memory.get_mut(self.packet.clone())?;
        let place = self.splitter.next(packet)?;
        packet.get_mut(place)
    }

    /// As [`Self::split`], at the beginning of other memory, and what is left of that. None also when there is no room.
    pub(crate) fn split_into<'a>(&mut self, to: &'a mut [u8]) -> Option<(&'a mut [u8], &'a mut [u8])> {
        let unaligned = to.get(self.splitter.headers()..)?.as_ptr().align_offset(LINE);
        let (_, to) = to.split_at_mut_checked(unaligned)?;
        let (place, rest) = to.split_at_mut_checked(self.splitter.length()?)?;
        self.splitter.next_into(self.memory.get(self.packet.clone())?, place)?;
        Some((place, rest))
    }

    /// Reads once, without waiting; the number of bytes. EPROTO: a super-packet that is none, and is lost.
    pub(crate) fn take(&mut self, backend: &Platform) -> Outcome<usize> {
        // The headers are most often as long as they were before, and then the payload is aligned.
        let start = self.aligned.saturating_sub(self.splitter.headers());
        let frame = start.saturating_sub(self.frame);
        let room = self.memory.get_mut(frame..).unwrap_or_default();
        let length = backend.readv(&mut [IoSliceMut::new(room)])?;
        let offload = match room.first_chunk() {
            Some(header) if self.frame != 0 => Offload::from_bytes(*header),
            _ => Offload::default(),
        };
        self.packet = start..frame.saturating_add(length);
        let packet = self.memory.get_mut(self.packet.clone()).ok_or(Errno::EPROTO)?;
        self.splitter.begin(self.kind, offload, packet).map_err(|_| Errno::EPROTO)?;
        Ok(length)
    }

    /// The next packet, for which it reads when nothing is left, without waiting.
    pub(crate) fn next(&mut self, backend: &Platform) -> Outcome<&mut [u8]> {
        if !self.is_ready() {
            self.take(backend)?;
        }
        self.split().ok_or(Errno::EPROTO)
    }
}
