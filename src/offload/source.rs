// SPDX-License-Identifier: MIT
//! Where a packet comes from that is to be collected: from outside, or from reserved bytes of the same memory. That one
//! is copied only when it is not in the right place already.

#![allow(clippy::arithmetic_side_effects, reason = "places and lengths within this memory")]

use std::ops::Range;

use crate::cpu::Cpu;

/// Copies payloads and sums them up; without the sum where checksums are trusted.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    pub(super) cpu: Cpu,
    pub(super) trusted: bool,
}

impl Tool {
    #[inline]
    fn copy(self, to: &mut [u8], from: &[u8]) -> u64 {
        if !self.trusted {
            return self.cpu.copy(to, from);
        }
        if to.len() == from.len() {
            to.copy_from_slice(from);
        }
        0
    }

    #[inline]
    fn sum(self, bytes: &[u8]) -> u64 {
        if self.trusted { 0 } else { self.cpu.sum(bytes) }
    }
}

/// A packet that is to be placed in the memory.
pub(super) trait Source: Copy {
    fn bytes<'a>(&'a self, memory: &'a [u8]) -> Option<&'a [u8]>;

    /// Puts these bytes of the packet to a place.
    fn put(&self, memory: &mut [u8], at: usize, bytes: Range<usize>) -> Option<()>;

    /// Puts the bytes of the packet from `from` on to a place; their sum.
    fn put_payload(&self, tool: Tool, memory: &mut [u8], at: usize, from: usize) -> Option<u64>;

    /// Where the packet begins, when all of it is within this part of the memory.
    fn start_within(&self, part: Range<usize>) -> Option<usize>;
}

/// A packet of the caller's.
#[derive(Clone, Copy)]
pub(super) struct Outside<'p>(pub(super) &'p [u8]);

impl Source for Outside<'_> {
    #[inline]
    fn bytes<'a>(&'a self, _: &'a [u8]) -> Option<&'a [u8]> {
        Some(self.0)
    }

    #[inline]
    fn put(&self, memory: &mut [u8], at: usize, bytes: Range<usize>) -> Option<()> {
        let bytes = self.0.get(bytes)?;
        memory.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
        Some(())
    }

    #[inline]
    fn put_payload(&self, tool: Tool, memory: &mut [u8], at: usize, from: usize) -> Option<u64> {
        let bytes = self.0.get(from..)?;
        Some(tool.copy(memory.get_mut(at..at + bytes.len())?, bytes))
    }

    #[inline]
    fn start_within(&self, _: Range<usize>) -> Option<usize> {
        None
    }
}

/// A packet in reserved bytes of the memory.
#[derive(Clone, Copy)]
pub(super) struct Reserved {
    pub(super) start: usize,
    pub(super) length: usize,
}

impl Source for Reserved {
    #[inline]
    fn bytes<'a>(&'a self, memory: &'a [u8]) -> Option<&'a [u8]> {
        memory.get(self.start..self.start + self.length)
    }

    #[inline]
    fn put(&self, memory: &mut [u8], at: usize, bytes: Range<usize>) -> Option<()> {
        let from = self.start + bytes.start..self.start + bytes.end;
        if at != from.start {
            let (to, from) = disjoint(memory, at, from)?;
            to.copy_from_slice(from);
        }
        Some(())
    }

    #[inline]
    fn put_payload(&self, tool: Tool, memory: &mut [u8], at: usize, from: usize) -> Option<u64> {
        let from = self.start + from..self.start + self.length;
        if at == from.start {
            return Some(tool.sum(memory.get(from)?));
        }
        let (to, from) = disjoint(memory, at, from)?;
        Some(tool.copy(to, from))
    }

    #[inline]
    fn start_within(&self, part: Range<usize>) -> Option<usize> {
        let end = self.start + self.length;
        (part.start <= self.start && end <= part.end).then_some(self.start)
    }
}

/// A place, and other bytes of the same length. None when they overlap.
fn disjoint(memory: &mut [u8], at: usize, from: Range<usize>) -> Option<(&mut [u8], &[u8])> {
    let length = from.len();
    if at + length <= from.start {
        let (to, from) = memory.split_at_mut_checked(from.start)?;
        Some((to.get_mut(at..at + length)?, from.get(..length)?))
    } else if from.end <= at {
        let (bytes, to) = memory.split_at_mut_checked(at)?;
        Some((to.get_mut(..length)?, bytes.get(from)?))
    } else {
        None
    }
}
