// SPDX-License-Identifier: MIT
//! AVX2 and AVX-512. Each 32-bit half of a 64-bit lane is added to a sum of its own, which has room for 2^32 of them.
//! Loads that cross a cache line cost twice: the sum begins at an aligned place, and a copy at one to write to.

#![allow(clippy::arithmetic_side_effects, reason = "pointers within a slice, and what is left of its length")]
#![allow(unsafe_op_in_unsafe_fn, reason = "before Rust 1.87 every intrinsic is unsafe")]

use std::arch::x86_64::*;

use super::{Cpu, portable};

pub(super) fn all() -> impl Iterator<Item = Cpu> {
    #[cfg(tuntap_avx512)]
    let wide = (is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512f")).then_some(Cpu {
        sum: wide::sum,
        copy: wide::copy,
        name: "AVX-512",
    });
    #[cfg(not(tuntap_avx512))]
    let wide = None;
    let avx2 = is_x86_feature_detected!("avx2").then_some(Cpu { sum, copy, name: "AVX2" });
    wide.into_iter().chain(avx2)
}

/// Bytes from which on it pays to align.
const LONG: usize = 256;
const BLOCK: usize = 64;

/// Bytes to the next place that is aligned to so many; 0 when they are odd in number, after which the words would
/// not be the same.
fn to_aligned(place: *const u8, align: usize, length: usize) -> usize {
    let bytes = place.align_offset(align);
    if length < LONG || bytes % 2 != 0 || bytes > length { 0 } else { bytes }
}

/// The sums of four accumulators.
#[target_feature(enable = "avx2")]
unsafe fn total(sums: [__m256i; 4]) -> u64 {
    let [a, b, c, d] = sums;
    let all = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
    let half = _mm_add_epi64(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
    (_mm_cvtsi128_si64(half) as u64).wrapping_add(_mm_extract_epi64::<1>(half) as u64)
}

#[target_feature(enable = "avx2")]
unsafe fn add(sums: &mut [__m256i; 4], x: __m256i, y: __m256i) {
    let low = _mm256_set1_epi64x(0xffff_ffff);
    let [a, b, c, d] = sums;
    *a = _mm256_add_epi64(*a, _mm256_and_si256(x, low));
    *b = _mm256_add_epi64(*b, _mm256_srli_epi64::<32>(x));
    *c = _mm256_add_epi64(*c, _mm256_and_si256(y, low));
    *d = _mm256_add_epi64(*d, _mm256_srli_epi64::<32>(y));
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn sum(bytes: &[u8]) -> u64 {
    let (head, bytes) =
        bytes.split_at_checked(to_aligned(bytes.as_ptr(), 32, bytes.len())).unwrap_or((&[], bytes));
    let blocks = bytes.chunks_exact(BLOCK);
    let rest = blocks.remainder();
    // SAFETY: each block has the bytes of two vectors.
    unsafe {
        let mut sums = [_mm256_setzero_si256(); 4];
        for block in blocks {
            let from = block.as_ptr();
            add(&mut sums, _mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast()));
        }
        total(sums).wrapping_add(portable::sum(head)).wrapping_add(portable::sum(rest))
    }
}

/// # Safety
/// The processor has AVX2, and both have the same length.
#[target_feature(enable = "avx2")]
unsafe fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    let head = to_aligned(to.as_ptr(), 32, to.len());
    let (Some((to_head, to)), Some((head, from))) =
        (to.split_at_mut_checked(head), from.split_at_checked(head))
    else {
        return 0;
    };
    let head = portable::copy(to_head, head);
    let (mut to, from) = (to.chunks_exact_mut(BLOCK), from.chunks_exact(BLOCK));
    let rest = from.remainder();
    // SAFETY: each block has the bytes of two vectors.
    unsafe {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (to, from) in to.by_ref().zip(from) {
            let (to, from) = (to.as_mut_ptr(), from.as_ptr());
            let (x, y) = (_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast()));
            _mm256_storeu_si256(to.cast(), x);
            _mm256_storeu_si256(to.add(32).cast(), y);
            add(&mut sums, x, y);
        }
        total(sums).wrapping_add(head).wrapping_add(portable::copy(to.into_remainder(), rest))
    }
}

#[cfg(tuntap_avx512)]
#[allow(clippy::incompatible_msrv, reason = "stable since Rust 1.89: build.rs asks")]
mod wide {
    use super::*;

    const VECTOR: usize = 64;

    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn add(sums: &mut [__m512i; 4], x: __m512i, y: __m512i) {
        let low = _mm512_set1_epi64(0xffff_ffff);
        let [a, b, c, d] = sums;
        *a = _mm512_add_epi64(*a, _mm512_and_si512(x, low));
        *b = _mm512_add_epi64(*b, _mm512_srli_epi64::<32>(x));
        *c = _mm512_add_epi64(*c, _mm512_and_si512(y, low));
        *d = _mm512_add_epi64(*d, _mm512_srli_epi64::<32>(y));
    }

    /// The sums of four accumulators.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn total(sums: [__m512i; 4]) -> u64 {
        let [a, b, c, d] = sums;
        let all = _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d));
        _mm512_reduce_add_epi64(all) as u64
    }

    /// A mask for the first so many bytes of a vector: fewer than all.
    fn mask(bytes: usize) -> __mmask64 {
        !(u64::MAX << (bytes % VECTOR))
    }

    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn sum(bytes: &[u8]) -> u64 {
        let (mut from, mut left) = (bytes.as_ptr().cast::<i8>(), bytes.len());
        let zero = _mm512_setzero_si512();
        // SAFETY: `from` and the `left` bytes behind it are within the slice; a mask leaves out what is behind them.
        unsafe {
            let mut sums = [zero; 4];
            let head = to_aligned(bytes.as_ptr(), VECTOR, left);
            if head != 0 {
                add(&mut sums, _mm512_maskz_loadu_epi8(mask(head), from), zero);
                (from, left) = (from.add(head), left - head);
            }
            while left >= 2 * VECTOR {
                add(&mut sums, _mm512_loadu_si512(from.cast()), _mm512_loadu_si512(from.add(VECTOR).cast()));
                (from, left) = (from.add(2 * VECTOR), left - 2 * VECTOR);
            }
            if left >= VECTOR {
                add(&mut sums, _mm512_loadu_si512(from.cast()), zero);
                (from, left) = (from.add(VECTOR), left - VECTOR);
            }
            if left != 0 {
                add(&mut sums, _mm512_maskz_loadu_epi8(mask(left), from), zero);
            }
            total(sums)
        }
    }

    /// # Safety
    /// The processor has AVX-512 F and BW, and both have the same length.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn copy(to: &mut [u8], from: &[u8]) -> u64 {
        let (mut to, mut left) = (to.as_mut_ptr().cast::<i8>(), to.len());
        let mut from = from.as_ptr().cast::<i8>();
        let zero = _mm512_setzero_si512();
        // SAFETY: as above, for both.
        unsafe {
            let mut sums = [zero; 4];
            let head = to_aligned(to.cast(), VECTOR, left);
            if head != 0 {
                let x = _mm512_maskz_loadu_epi8(mask(head), from);
                _mm512_mask_storeu_epi8(to, mask(head), x);
                add(&mut sums, x, zero);
                (to, from, left) = (to.add(head), from.add(head), left - head);
            }
            while left >= 2 * VECTOR {
                let (x, y) = (_mm512_loadu_si512(from.cast()), _mm512_loadu_si512(from.add(VECTOR).cast()));
                _mm512_storeu_si512(to.cast(), x);
                _mm512_storeu_si512(to.add(VECTOR).cast(), y);
                add(&mut sums, x, y);
                (to, from, left) = (to.add(2 * VECTOR), from.add(2 * VECTOR), left - 2 * VECTOR);
            }
            if left >= VECTOR {
                let x = _mm512_loadu_si512(from.cast());
                _mm512_storeu_si512(to.cast(), x);
                add(&mut sums, x, zero);
                (to, from, left) = (to.add(VECTOR), from.add(VECTOR), left - VECTOR);
            }
            if left != 0 {
                let x = _mm512_maskz_loadu_epi8(mask(left), from);
                _mm512_mask_storeu_epi8(to, mask(left), x);
                add(&mut sums, x, zero);
            }
            total(sums)
        }
    }
}
