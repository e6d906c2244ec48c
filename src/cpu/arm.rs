// SPDX-License-Identifier: MIT
//! NEON, which every 64-bit ARM processor has: an instruction adds the four words of a vector, and the sum and the copy
//! are one pass.

#![allow(clippy::arithmetic_side_effects, reason = "pointers within a block")]
#![allow(unsafe_op_in_unsafe_fn, reason = "before Rust 1.87 every intrinsic is unsafe")]

use std::arch::aarch64::*;

use super::{Cpu, portable};

pub(super) fn all() -> impl Iterator<Item = Cpu> {
    std::iter::once(Cpu { sum, copy, upper: false, name: "NEON" })
}

/// The size of a vector, and the vectors of a block.
const VECTOR: usize = 16;
const VECTORS: usize = 4;
const BLOCK: usize = VECTORS * VECTOR;

/// Four sums of 32-bit words, in two 64-bit lanes each: the instructions of a block do not wait for each other.
struct Sums([uint64x2_t; VECTORS]);

impl Sums {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: every processor has the instruction.
        Self([unsafe { vdupq_n_u64(0) }; VECTORS])
    }

    #[inline(always)]
    fn add(&mut self, block: [uint8x16_t; VECTORS]) {
        for (sum, x) in self.0.iter_mut().zip(block) {
            // SAFETY: as above.
            *sum = unsafe { vpadalq_u32(*sum, vreinterpretq_u32_u8(x)) };
        }
    }

    #[inline(always)]
    fn total(self) -> u64 {
        // SAFETY: as above.
        self.0.into_iter().fold(0, |total, sum| total.wrapping_add(unsafe { vaddvq_u64(sum) }))
    }
}

/// # Safety
/// The block has `VECTORS` vectors.
#[inline(always)]
unsafe fn load(block: &[u8]) -> [uint8x16_t; VECTORS] {
    let from = block.as_ptr();
    // SAFETY: these bytes are in the block.
    unsafe { [0, 1, 2, 3].map(|at| vld1q_u8(from.add(at * VECTOR))) }
}

/// # Safety
/// The processor has NEON.
unsafe fn sum(bytes: &[u8]) -> u64 {
    let blocks = bytes.chunks_exact(BLOCK);
    let rest = blocks.remainder();
    let mut sums = Sums::zero();
    for block in blocks {
        // SAFETY: so many bytes are in a block.
        sums.add(unsafe { load(block) });
    }
    sums.total().wrapping_add(portable::sum(rest))
}

/// # Safety
/// The processor has NEON, and both have the same length.
unsafe fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    let (mut to, from) = (to.chunks_exact_mut(BLOCK), from.chunks_exact(BLOCK));
    let rest = from.remainder();
    let mut sums = Sums::zero();
    for (to, from) in to.by_ref().zip(from) {
        // SAFETY: so many bytes are in each block.
        unsafe {
            let block = load(from);
            let to = to.as_mut_ptr();
            for (at, x) in block.into_iter().enumerate() {
                vst1q_u8(to.add(at * VECTOR), x);
            }
            sums.add(block);
        }
    }
    sums.total().wrapping_add(portable::copy(to.into_remainder(), rest))
}
