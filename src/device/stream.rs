// SPDX-License-Identifier: MIT
//! Packets out of what a device hands over: on a device with offload a super-packet is read, and split.

use std::io::IoSliceMut;
use std::ops::Range;

use crate::cpu::Cpu;
use crate::model::error::Errno;
use crate::model::flags::{Kind, Mode};
use crate::model::memory::NoMemory;
use crate::model::offload::{LARGEST, Offload};
use crate::model::packet::PI_HEADER;
use crate::offload::split::Splitter;
use crate::sys::zeroed;
use crate::sys::{Backend, Outcome, Queue};

/// What payloads are aligned to: they are summed up faster.
pub(crate) const LINE: usize = 64;
/// A line for alignment, one for the offload header, and one in which a packet begins, wherever its payload does.
const MEMORY: usize = 3 * LINE + PI_HEADER + LARGEST;

const _: () = assert!(Offload::SIZE <= LINE);

/// A hot piece of memory that everything is read into, and what is left of it.
pub(crate) struct Stream {
    kind: Kind,
    /// Bytes of the offload header.
    frame: usize,
    splitter: Splitter,
    memory: Box<[u8]>,
    /// The line in which packets begin.
    line: usize,
    packet: Range<usize>,
}

impl Stream {
    pub(crate) fn new(mode: Mode, trusted: bool) -> Result<Self, NoMemory> {
        let memory = zeroed(MEMORY)?;
        let line = memory.as_ptr().align_offset(LINE).min(LINE).saturating_add(LINE);
        Ok(Self {
            kind: mode.kind,
            frame: if mode.offload { Offload::SIZE } else { 0 },
            splitter: Splitter::new(Cpu::best(), trusted)?,
            memory,
            line,
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
    pub(crate) fn take(&mut self, backend: &Queue) -> Outcome<usize> {
        self.take_from(|room| backend.readv(&mut [IoSliceMut::new(room)]))
    }

    /// As [`Self::take`], from whatever fills the memory.
    pub(crate) fn take_from(&mut self, read: impl FnOnce(&mut [u8]) -> Outcome<usize>) -> Outcome<usize> {
        // The headers are most often as long as they were before, and then the payload is aligned.
        let start = self.line.checked_add(self.before_aligned()).ok_or(Errno::EPROTO)?;
        let frame = start.checked_sub(self.frame).ok_or(Errno::EPROTO)?;
        let room = self.memory.get_mut(frame..).ok_or(Errno::EPROTO)?;
        let length = read(room)?;
        let offload = match room.first_chunk() {
            Some(header) if self.frame != 0 => Offload::from_bytes(*header),
            _ => Offload::default(),
        };
        self.packet = start..frame.checked_add(length).ok_or(Errno::EPROTO)?;
        let packet = self.memory.get_mut(self.packet.clone()).ok_or(Errno::EPROTO)?;
        self.splitter.begin(self.kind, offload, packet).map_err(|_| Errno::EPROTO)?;
        Ok(length)
    }

    /// How many bytes before headers as long as the last ones, for the payload behind them to be aligned.
    fn before_aligned(&self) -> usize {
        self.splitter.headers().wrapping_neg() % LINE
    }

    /// The next packet, for which it reads when nothing is left, without waiting.
    pub(crate) fn next(&mut self, backend: &Queue) -> Outcome<&mut [u8]> {
        if !self.is_ready() {
            self.take(backend)?;
        }
        self.split().ok_or(Errno::EPROTO)
    }
}
