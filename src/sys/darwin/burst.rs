// SPDX-License-Identifier: MIT
//! The frames of one read of BPF, and a descriptor that is readable while some of them are left.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::layout::*;
use super::room::Room;
use super::{descriptor, kernel};
use crate::model::error::Errno;
use crate::model::memory::NoMemory;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::{CancelDisabled, Outcome, zeroed};

/// The frames of one read of BPF.
pub(super) struct Burst {
    memory: Box<[u8]>,
    left: Range<usize>,
}

/// A pipe that has a byte in it while frames are left in the burst. Set only with the lock of the burst.
pub(super) struct Mark {
    read_end: OwnedFd,
    write_end: OwnedFd,
    on: AtomicBool,
}

impl Burst {
    /// Creates a burst for reads of this size.
    pub(super) fn new(size: usize) -> Result<Self, NoMemory> {
        Ok(Self { memory: zeroed(size)?, left: 0..0 })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Returns the next frame. Reads from BPF if none is left.
    pub(super) fn next(&mut self, bpf: BorrowedFd<'_>) -> Outcome<&[u8]> {
        let frame = match self.next_frame() {
            Some(frame) => frame,
            None => {
                self.read(bpf)?;
                self.next_frame().ok_or(Errno::EAGAIN)?
            }
        };
        Ok(self.memory.get(frame).unwrap_or_default())
    }

    fn read(&mut self, bpf: BorrowedFd<'_>) -> Outcome<()> {
        self.left = 0..0;
        let length = kernel::readv(bpf, &mut [Room::of(&mut self.memory)]).map_err(translate)?;
        self.left = 0..length.min(self.memory.len());
        Ok(())
    }

    /// The range of the next frame. Skips truncated frames: no buffer here is smaller than a frame.
    fn next_frame(&mut self) -> Option<Range<usize>> {
        while !self.left.is_empty() {
            let burst = self.memory.get(self.left.clone())?;
            let next = Captured::parse(burst);
            let start = self.left.start;
            let Some(next) = next else {
                self.left = 0..0;
                return None;
            };
            let length = next.length();
            self.left.start = start.saturating_add(length).min(self.left.end);
            if next.complete {
                let first = start.saturating_add(next.header);
                return Some(first..first.saturating_add(next.frame));
            }
        }
        None
    }
}

impl Mark {
    pub(super) fn new() -> Outcome<Self> {
        let (read_end, write_end) = descriptor::pipe()?;
        descriptor::nonblocking(&read_end)?;
        descriptor::nonblocking(&write_end)?;
        Ok(Self { read_end, write_end, on: AtomicBool::new(false) })
    }

    /// The descriptor that is readable while the mark is set.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.read_end.as_fd()
    }

    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// If this fails, the next frame tries again.
    pub(super) fn set(&self, on: bool) {
        if self.is_on() == on {
            return;
        }
        // A cancelled thread would keep the lock of the burst.
        let _cancel_disabled = CancelDisabled::new();
        if kernel::move_byte(if on { self.write_end.as_fd() } else { self.read_end.as_fd() }, on).is_ok() {
            self.on.store(on, Ordering::Relaxed);
        }
    }
}

/// The fields of struct bpf_hdr, the header of a frame.
struct Captured {
    header: usize,
    frame: usize,
    complete: bool,
}

impl Captured {
    /// None if the header is not within these bytes.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header = usize::from(u16_at(bytes, BPF_HDR_HDRLEN)?);
        let captured = u32_at(bytes, BPF_HDR_CAPLEN)?;
        let frame = captured as usize;
        let fits = header > BPF_HDR_HDRLEN && bytes.len() >= header.saturating_add(frame);
        fits.then_some(Self { header, frame, complete: u32_at(bytes, BPF_HDR_DATALEN)? == captured })
    }

    /// The distance to the next header.
    fn length(&self) -> usize {
        self.header.saturating_add(self.frame).next_multiple_of(BPF_ALIGNMENT)
    }
}

/// Translates errors of an interface that is gone to ENODEV.
pub(super) fn translate(errno: Errno) -> Errno {
    match errno {
        Errno::ENXIO | Errno::ENOTCONN | Errno::EPIPE => Errno::ENODEV,
        _ => errno,
    }
}
