// SPDX-License-Identifier: MIT
//! Reading many packets: batches, each of what is there at the moment.

use crate::device::Device;
use crate::device::stream::Stream;
use crate::model::error::Errno;
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::sys::zeroed;
use crate::sys::{Backend, Direction};

/// Reads of a batch, and bytes, at the most: then what was collected is worth handing on. Small UDP packets go on as two
/// super-packets of 128 segments, which is what the kernel takes.
const MAX_READS: usize = 256;
const MAX_BYTES: usize = 65_536;
/// Memory for the packets of a batch that is taken as a whole.
const ARENA: usize = 256 * 1024;

/// Reads a queue in batches. For one thread at a time.
pub struct Reader {
    source: Source,
    arena: Box<[u8]>,
}

struct Source {
    stream: Stream,
    batch: Batch,
    /// The last batch was one read, and there was nothing more: then the next one does not ask.
    alone: bool,
}

/// How far a batch has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Over,
    Under { reads: usize, bytes: usize },
}

impl Reader {
    /// One for this queue. `trusted`: checksums are left to a writer that trusts.
    pub fn new(device: &Device, trusted: bool) -> Result<Self, NoMemory> {
        let stream = Stream::new(device.backend.mode(), trusted)?;
        let source = Source { stream, batch: Batch::Over, alone: false };
        Ok(Self { source, arena: zeroed(ARENA)? })
    }

    /// The next packet, which lasts until the next call. None: the batch is over, and the next call begins another
    /// one, for whose first packet it waits.
    #[inline]
    pub fn next(&mut self, device: &Device) -> Result<Option<&mut [u8]>, Errno> {
        if !self.source.stream.is_ready() && !self.source.read(device)? {
            return Ok(None);
        }
        self.source.stream.split().map(Some).ok_or(Errno::EPROTO)
    }

    /// The packets of a batch, so many at the most, which last until the next call; how many. It waits for the first.
    pub fn batch(
        &mut self,
        device: &Device,
        count: usize,
        mut give: impl FnMut(usize, &mut [u8]),
    ) -> Result<usize, Errno> {
        let Self { source, arena } = self;
        let mut free = &mut arena[..];
        let mut given = 0_usize;
        while given < count {
            if !source.stream.is_ready() {
                match source.read(device) {
                    Ok(true) => {}
                    Ok(false) if given == 0 => continue,
                    Err(errno) if given == 0 => return Err(errno),
                    // What goes wrong for good does so again the next time.
                    _ => break,
                }
            }
            let Some((packet, rest)) = source.stream.split_into(free) else { break };
            give(given, packet);
            free = rest;
            given = given.saturating_add(1);
        }
        Ok(given)
    }
}

impl Source {
    /// Reads once, the first time of a batch also after a wait. False: the batch is over.
    fn read(&mut self, device: &Device) -> Result<bool, Errno> {
        let Batch::Under { reads, bytes } = self.batch else {
            let bytes = self.begin(device)?;
            self.batch = Batch::Under { reads: 1, bytes };
            return Ok(true);
        };
        self.batch = Batch::Over;
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
    fn begin(&mut self, device: &Device) -> Result<usize, Errno> {
        let first = self.stream.take(&device.backend);
        if first != Err(Errno::EAGAIN) {
            self.alone = false;
            return first;
        }
        device.wait_and_retry(Direction::Read, Limit::Handle, || self.stream.take(&device.backend))
    }
}
