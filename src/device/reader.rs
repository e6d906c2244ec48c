// SPDX-License-Identifier: MIT
//! Reading many packets: in batches, each of what the device has at the moment.

use std::mem;
use std::ops::Range;

use crate::device::Device;
use crate::device::stream::{LINE, Stream};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::model::readiness::Readiness;
use crate::model::text::text;
use crate::sys::{Outcome, zeroed};

/// Limits of a batch: after so many reads or bytes the collected packets are worth handing on. Small UDP packets go on as
/// two super-packets of 128 segments, which is what the kernel takes.
const MAX_READS: usize = 256;
const MAX_BYTES: usize = 65_536;
/// Memory for the packets of [`Reader::batch`].
const ARENA: usize = 256 * 1024;
/// Limit of the room around a packet.
const MAX_ROOM: usize = 4096;

/// Reads a queue in batches. For one thread at a time.
pub struct Reader {
    source: Source,
    arena: Box<[u8]>,
    headroom: usize,
    tailroom: usize,
}

/// A packet with the room around it.
pub struct Placed<'a> {
    /// Headroom, packet and tailroom.
    pub memory: &'a mut [u8],
    /// The packet within the memory.
    pub packet: Range<usize>,
}

struct Source {
    stream: Stream,
    batch: Batch,
    /// The last batch was one read, and the next read found nothing: then the next batch ends without that read.
    alone: bool,
}

/// The state of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Over,
    Under {
        reads: usize,
        bytes: usize,
    },
    /// It ended behind packets that were returned: the next call returns its end, or the failure.
    Ended(Outcome<()>),
}

impl Reader {
    /// A reader of this queue. `trusted`: checksums are left to a writer that trusts.
    pub fn new(device: &Device, trusted: bool) -> std::result::Result<Self, NoMemory> {
        let stream = Stream::of(&device.backend, trusted)?;
        let source = Source { stream, batch: Batch::Over, alone: false };
        Ok(Self { source, arena: zeroed(ARENA)?, headroom: 0, tailroom: 0 })
    }

    /// Sets the room before and behind each packet of [`Self::batch`].
    pub fn set_room(&mut self, headroom: usize, tailroom: usize) -> Result<()> {
        if headroom.saturating_add(tailroom) > MAX_ROOM {
            let text = text!(
                "set a headroom of {headroom} and a tailroom of {tailroom} bytes: both together \
                 may have {MAX_ROOM}"
            );
            return Err(Error::new(Errno::EINVAL, Reason::Range, text));
        }
        (self.headroom, self.tailroom) = (headroom, tailroom);
        Ok(())
    }

    /// Bytes of room around a packet of [`Self::batch`], before and behind it.
    pub const fn room(&self) -> usize {
        self.headroom.saturating_add(self.tailroom)
    }

    /// The next packet, in place. It lasts until the next call. None: the batch is over, and the next call begins another
    /// one, for whose first packet it waits.
    #[inline]
    pub fn next(&mut self, device: &Device) -> Outcome<Option<&mut [u8]>> {
        device.check_shutdown()?;
        if !self.source.stream.is_ready() && !self.source.read(device)? {
            return Ok(None);
        }
        self.source.stream.next().map(Some).ok_or(Errno::EPROTO)
    }

    /// Copies up to `count` packets of a batch to the reader's memory, one behind the other, each with its room; their
    /// number. They last until the next call. 0 as None of [`Self::next`].
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

    /// Copies up to `count` packets of a batch, each to the place that `place` returns for its number and length; their
    /// number. A packet for which there is no place stays the next one; EMSGSIZE when it is the first. 0 as None of
    /// [`Self::next`].
    pub fn copy<'a>(
        &mut self,
        device: &Device,
        count: usize,
        mut place: impl FnMut(usize, usize) -> Option<&'a mut [u8]>,
    ) -> Outcome<usize> {
        device.check_shutdown()?;
        let mut given = 0_usize;
        while given < count && self.source.has_next(device, given)? {
            let Some(to) = place(given, self.pending()) else {
                return if given == 0 { Err(Errno::EMSGSIZE) } else { Ok(given) };
            };
            if !self.source.copy(Some(to), given)? {
                break;
            }
            given = given.saturating_add(1);
        }
        Ok(given)
    }

    /// Bytes of the next packet, when it was read already.
    pub fn pending(&self) -> usize {
        self.source.stream.length().unwrap_or(0)
    }
}

impl Source {
    /// Whether the batch has another packet, behind so many in this call. What ends it is returned at once when they are
    /// none, and by the next call otherwise.
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

    /// Copies the next packet to its place. False: it is lost, which the next call returns.
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

    /// Reads once; waits before the first read of a batch. False: the batch is over.
    fn read(&mut self, device: &Device) -> Outcome<bool> {
        let (reads, bytes) = match mem::replace(&mut self.batch, Batch::Over) {
            Batch::Under { reads, bytes } => (reads, bytes),
            Batch::Over => {
                let bytes = self.begin(device)?;
                self.batch = Batch::Under { reads: 1, bytes };
                return Ok(true);
            }
            Batch::Ended(end) => return end.map(|()| false),
        };
        if reads >= MAX_READS || bytes >= MAX_BYTES || (reads == 1 && self.alone) {
            return Ok(false);
        }
        match self.stream.take(&device.backend) {
            Err(Errno::EAGAIN) => {
                self.alone = reads == 1;
                Ok(false)
            }
            taken => {
                let bytes = bytes.saturating_add(taken?);
                self.batch = Batch::Under { reads: reads.saturating_add(1), bytes };
                Ok(true)
            }
        }
    }

    /// The first read of a batch; its bytes.
    fn begin(&mut self, device: &Device) -> Outcome<usize> {
        let first = self.stream.take(&device.backend);
        if first != Err(Errno::EAGAIN) {
            self.alone = false;
            return first;
        }
        device.wait_and_retry(Readiness::READ, Limit::Handle, || self.stream.take(&device.backend))
    }
}

/// The part of the memory in which what lies behind so many bytes is aligned.
fn aligned(memory: &mut [u8], before: usize) -> &mut [u8] {
    let unaligned = memory.get(before..).map_or(0, |memory| memory.as_ptr().align_offset(LINE));
    memory.get_mut(unaligned..).unwrap_or_default()
}
