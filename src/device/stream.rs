// SPDX-License-Identifier: MIT
//! The packets of one read. On a device with offload a read may return a super-packet, which is segmented here.

use std::io::IoSliceMut;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cpu::Cpu;
use crate::model::error::Errno;
use crate::model::flags::Kind;
use crate::model::memory::NoMemory;
use crate::model::offload::LARGEST;
use crate::model::packet::PI_HEADER;
use crate::model::vnet_hdr::{Layout, VnetHdr};
use crate::offload::split::Splitter;
use crate::sys::zeroed;
use crate::sys::{Backend, Outcome, Queue};

/// Alignment of payloads: the checksum of aligned bytes takes less time.
pub(crate) const LINE: usize = 64;
/// One extra line to align the memory, and one to shift the packet such that its payload is aligned.
const MEMORY: usize = 2 * LINE + PI_HEADER + LARGEST;

/// Memory for all reads, which stays in the cache, and the rest of the last read.
pub(crate) struct Stream {
    kind: Kind,
    /// Layout of the virtio header, if the device has one, and its size (`frame`).
    layout: Option<Layout>,
    frame: usize,
    splitter: Splitter,
    memory: Box<[u8]>,
    /// Offset of the line in which packets begin.
    line: usize,
    packet: Range<usize>,
}

impl Stream {
    /// Creates a stream for the packets of this queue.
    pub(crate) fn of(backend: &Queue, trusted: bool) -> Result<Self, NoMemory> {
        let mode = backend.mode();
        Self::new(mode.kind, mode.offload.then(|| backend.layout()), trusted)
    }

    pub(crate) fn new(kind: Kind, layout: Option<Layout>, trusted: bool) -> Result<Self, NoMemory> {
        let frame = layout.map_or(0, Layout::size);
        let lines = frame.next_multiple_of(LINE);
        let memory = zeroed(MEMORY.saturating_add(lines))?;
        let line = memory.as_ptr().align_offset(LINE).min(LINE).saturating_add(lines);
        Ok(Self {
            kind,
            layout,
            frame,
            splitter: Splitter::new(Cpu::best(), trusted)?,
            memory,
            line,
            packet: 0..0,
        })
    }

    /// Whether a packet is left of the last read.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.splitter.is_ready()
    }

    /// Size of the packet of the last read, if it is not segmented and was not returned yet.
    pub(crate) fn single(&self) -> Option<usize> {
        self.length().filter(|length| *length == self.packet.len())
    }

    /// Returns the next packet, in place. It is valid until the next call.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<&mut [u8]> {
        let packet = self.memory.get_mut(self.packet.clone())?;
        let range = self.splitter.next(packet)?;
        packet.get_mut(range)
    }

    /// Size of the next packet.
    #[inline]
    pub(crate) fn length(&self) -> Option<usize> {
        self.splitter.length()
    }

    /// Length of the headers of the current segments, or of the last ones.
    pub(crate) fn headers(&self) -> usize {
        self.splitter.headers()
    }

    /// As [`Self::next`], but copies the packet to a buffer of its length. Copy and checksum take one pass.
    #[inline]
    pub(crate) fn copy(&mut self, to: &mut [u8]) -> Option<()> {
        self.splitter.next_into(self.memory.get(self.packet.clone())?, to)
    }

    /// Reads once, without waiting. Returns the number of bytes. EPROTO: a super-packet does not match its virtio
    /// header, and is lost.
    pub(crate) fn take(&mut self, backend: &Queue) -> Outcome<usize> {
        self.take_from(|room| backend.readv(&mut [IoSliceMut::new(room)]))
    }

    /// As [`Self::take`], with a function that fills the memory.
    pub(crate) fn take_from(&mut self, read: impl FnOnce(&mut [u8]) -> Outcome<usize>) -> Outcome<usize> {
        // The headers are usually as long as those of the last packet. Then the payload is aligned.
        let start = self.line.checked_add(self.before_aligned()).ok_or(Errno::EPROTO)?;
        let frame = start.checked_sub(self.frame).ok_or(Errno::EPROTO)?;
        let room = self.memory.get_mut(frame..).ok_or(Errno::EPROTO)?;
        let length = read(room)?;
        let hdr = self.layout.map_or_else(VnetHdr::default, |layout| layout.read(room));
        self.packet = start..frame.checked_add(length).ok_or(Errno::EPROTO)?;
        let packet = self.memory.get(self.packet.clone()).ok_or(Errno::EPROTO)?;
        self.splitter.begin(self.kind, hdr, packet).map_err(|_| Errno::EPROTO)?;
        Ok(length)
    }

    /// Distance from the line to the packet that aligns the payload, if the headers are as long as the last ones.
    fn before_aligned(&self) -> usize {
        self.splitter.headers().wrapping_neg() % LINE
    }

    /// Returns the next packet. Reads without waiting if no packet is left.
    pub(crate) fn next_or_read(&mut self, backend: &Queue) -> Outcome<&mut [u8]> {
        if !self.is_ready() {
            self.take(backend)?;
        }
        self.next().ok_or(Errno::EPROTO)
    }
}

/// Locks the stream that all reads of a handle share.
pub(crate) fn lock(stream: &Mutex<Stream>) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
