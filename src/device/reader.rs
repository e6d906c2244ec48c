// SPDX-License-Identifier: MIT
//! Reads packets in batches. A batch has the packets that are in the queue of the device.

use std::mem;
use std::ops::Range;

use crate::device::Device;
use crate::device::stream::{LINE, Stream};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::model::readiness::Readiness;
use crate::model::text::text;
use crate::sys::{Backend, Outcome, zeroed};

/// Limits of a batch: after this many reads or bytes the batch ends, so that the caller passes its packets on. 256
/// small UDP packets make two super-packets of 128 segments, the limit of the kernel.
const MAX_READS: usize = 256;
const MAX_BYTES: usize = 65_536;
/// Limit of a run: the bytes of a UDP datagram over IPv4.
pub const MAX_RUN_BYTES: usize = 65_507;
/// Size of the memory for the packets of [`Reader::batch`].
const ARENA: usize = 256 * 1024;
/// Limit of headroom and tailroom together.
const MAX_ROOM: usize = 4096;

/// Reads a queue in batches. Only one thread may use it at a time.
pub struct Reader {
    source: Source,
    arena: Box<[u8]>,
    headroom: usize,
    tailroom: usize,
}

/// A packet with its headroom and tailroom.
pub struct Placed<'a> {
    /// Headroom, packet and tailroom.
    pub memory: &'a mut [u8],
    /// The packet within the memory.
    pub packet: Range<usize>,
}

struct Source {
    stream: Stream,
    batch: Batch,
    /// Bytes of room around each packet.
    room: usize,
    /// In the last batch the second read found no packet. The next batch then ends after its first read.
    alone: bool,
}

/// The state of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Over,
    Under {
        reads: usize,
        bytes: usize,
        /// The packet of the last read with its room; 0 for a super-packet, and if packets have no room.
        last: usize,
    },
    /// It ended after packets that were returned. The next call returns the end, or the error.
    Ended(Outcome<()>),
}

impl Reader {
    /// Creates a reader of this queue. `trusted`: leaves checksums to a trusting writer.
    pub fn new(device: &Device, trusted: bool) -> std::result::Result<Self, NoMemory> {
        let stream = Stream::of(&device.backend, trusted)?;
        let source = Source { stream, batch: Batch::Over, room: 0, alone: false };
        Ok(Self { source, arena: zeroed(ARENA)?, headroom: 0, tailroom: 0 })
    }

    /// Sets the headroom and tailroom of each packet of [`Self::batch`].
    pub fn set_room(&mut self, headroom: usize, tailroom: usize) -> Result<()> {
        if headroom.saturating_add(tailroom) > MAX_ROOM {
            let text = text!(
                "set a headroom of {headroom} and a tailroom of {tailroom} bytes: the limit of the \
                 sum is {MAX_ROOM}"
            );
            return Err(Error::new(Errno::EINVAL, Reason::Range, text));
        }
        (self.headroom, self.tailroom) = (headroom, tailroom);
        self.source.room = headroom.saturating_add(tailroom);
        Ok(())
    }

    /// Bytes of room around a packet of [`Self::batch`], before and behind it.
    pub const fn room(&self) -> usize {
        self.source.room
    }

    /// Returns the next packet, in place. The packet is valid until the next call. None: the batch is over. The next
    /// call begins another batch, and waits for its first packet.
    #[inline]
    pub fn next(&mut self, device: &Device) -> Outcome<Option<&mut [u8]>> {
        device.check_shutdown()?;
        if !self.source.stream.is_ready() && !self.source.read(device)? {
            return Ok(None);
        }
        self.source.stream.next().map(Some).ok_or(Errno::EPROTO)
    }

    /// Copies up to `count` packets of a batch to the memory of the reader, contiguously, each with headroom and
    /// tailroom. Returns their number. They are valid until the next call. 0 means the same as None of [`Self::next`].
    pub fn batch(
        &mut self,
        device: &Device,
        count: usize,
        mut give: impl FnMut(usize, Placed<'_>),
    ) -> Outcome<usize> {
        device.check_shutdown()?;
        let Self { source, arena, headroom, tailroom } = self;
        let mut free = &mut arena[..];
        let mut given = 0_usize;
        while given < count && source.has_next(device, given)? {
            if given == 0 {
                free = aligned(free, headroom.saturating_add(source.stream.headers()));
            }
            let packet = *headroom..headroom.saturating_add(source.stream.length().unwrap_or(0));
            let size = packet.end.saturating_add(*tailroom);
            let Some((memory, rest)) = mem::take(&mut free).split_at_mut_checked(size) else { break };
            free = rest;
            if !source.copy(memory.get_mut(packet.clone()), given)? {
                break;
            }
            give(given, Placed { memory, packet });
            given = given.saturating_add(1);
        }
        Ok(given)
    }

    /// Copies up to `count` packets of a batch, each to the buffer that `room` returns for its number and length.
    /// Returns their number. If `room` returns None, the packet is not lost: the next call returns it. If it is the
    /// first packet, fails with EMSGSIZE. 0 means the same as None of [`Self::next`].
    pub fn copy<'a>(
        &mut self,
        device: &Device,
        count: usize,
        mut room: impl FnMut(usize, usize) -> Option<&'a mut [u8]>,
    ) -> Outcome<usize> {
        device.check_shutdown()?;
        let mut given = 0_usize;
        while given < count && self.source.has_next(device, given)? {
            let Some(to) = room(given, self.pending()) else {
                return if given == 0 { Err(Errno::EMSGSIZE) } else { Ok(given) };
            };
            if !self.source.copy(Some(to), given)? {
                break;
            }
            given = given.saturating_add(1);
        }
        Ok(given)
    }

    /// Size of the next packet if it was read already, otherwise 0.
    pub fn pending(&self) -> usize {
        self.source.stream.length().unwrap_or(0)
    }
}

impl Source {
    /// Whether the batch has another packet, after `given` packets of this call. The end of the batch or an error is
    /// returned at once if `given` is 0, otherwise by the next call.
    #[inline]
    fn has_next(&mut self, device: &Device, given: usize) -> Outcome<bool> {
        if self.stream.is_ready() {
            return Ok(true);
        }
        match self.read(device) {
            Ok(true) => Ok(true),
            ended if given == 0 => ended,
            ended => {
                self.batch = Batch::Ended(ended.map(drop));
                Ok(false)
            }
        }
    }

    /// Copies the next packet to `to`. False: the packet is lost, and the next call returns the error.
    #[inline]
    fn copy(&mut self, to: Option<&mut [u8]>, given: usize) -> Outcome<bool> {
        if to.and_then(|to| self.stream.copy(to)).is_some() {
            return Ok(true);
        }
        if given == 0 {
            return Err(Errno::EPROTO);
        }
        self.batch = Batch::Ended(Err(Errno::EPROTO));
        Ok(false)
    }

    /// Reads once. The first read of a batch waits for a packet. False: the batch is over.
    fn read(&mut self, device: &Device) -> Outcome<bool> {
        let (reads, bytes, last) = match mem::replace(&mut self.batch, Batch::Over) {
            Batch::Under { reads, bytes, last } => (reads, bytes, last),
            Batch::Over => {
                let taken = self.begin(device)?;
                self.add(0, 0, taken);
                return Ok(true);
            }
            Batch::Ended(end) => {
                // A broken super-packet is not the end that a caller flushes at.
                if end == Err(Errno::EPROTO) {
                    self.batch = Batch::Ended(Ok(()));
                }
                return end.map(|()| false);
            }
        };
        // If packets have room, the batch ends before a packet like the last one would begin another run.
        let full = bytes >= MAX_BYTES || (last > 0 && bytes.saturating_add(last) > MAX_RUN_BYTES);
        if reads >= MAX_READS || full || (reads == 1 && self.alone) {
            return Ok(false);
        }
        match self.stream.take(&device.backend) {
            Err(Errno::EAGAIN) => {
                self.alone = reads == 1;
                Ok(false)
            }
            // A broken super-packet is lost, and the batch goes on.
            Err(Errno::EPROTO) => {
                self.batch = Batch::Under { reads: reads.saturating_add(1), bytes, last };
                Err(Errno::EPROTO)
            }
            taken => {
                self.add(reads, bytes, taken?);
                Ok(true)
            }
        }
    }

    /// Adds a read to the batch.
    fn add(&mut self, reads: usize, bytes: usize, taken: usize) {
        let single = if self.room > 0 { self.stream.single() } else { None };
        let last = single.map_or(0, |packet| packet.saturating_add(self.room));
        let read = if last > 0 { last } else { taken };
        self.batch = Batch::Under { reads: reads.saturating_add(1), bytes: bytes.saturating_add(read), last };
    }

    /// Makes the first read of a batch, and returns the number of bytes.
    fn begin(&mut self, device: &Device) -> Outcome<usize> {
        let since = device.backend.wakes();
        let first = self.stream.take(&device.backend);
        if first != Err(Errno::EAGAIN) {
            self.alone = false;
            return first;
        }
        device.wait_and_retry(since, Readiness::READ, Limit::Handle, || self.stream.take(&device.backend))
    }
}

/// Skips bytes of `memory` such that offset `before` in the rest is aligned.
fn aligned(memory: &mut [u8], before: usize) -> &mut [u8] {
    let unaligned = memory.get(before..).map_or(0, |memory| memory.as_ptr().align_offset(LINE));
    memory.get_mut(unaligned..).unwrap_or_default()
}
