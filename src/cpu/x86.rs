// SPDX-License-Identifier: MIT
//! AVX2, and AVX-512 with VNNI (AVX-512 without VNNI is not faster than AVX2).
//! A load that crosses a cache line costs twice as much. So a sum aligns its reads, and a copy aligns its writes.

#![allow(clippy::arithmetic_side_effects, reason = "pointers within a slice, and what is left of its length")]
#![allow(unsafe_op_in_unsafe_fn, reason = "before Rust 1.87 every intrinsic is unsafe")]

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Cpu, portable};

pub(super) fn all() -> impl Iterator<Item = Cpu> {
    #[cfg(tuntap_avx512)]
    let wide = (is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni"))
    .then_some(Cpu { sum: wide::sum, copy: wide::copy, upper: true, name: "AVX-512" });
    #[cfg(not(tuntap_avx512))]
    let wide = None;
    let avx2 = is_x86_feature_detected!("avx2").then_some(Cpu { sum, copy, upper: true, name: "AVX2" });
    wide.into_iter().chain(avx2)
}

/// Assembly, because a function with AVX is not inlined into one without. Clobbers all vector registers: a build for a
/// processor with AVX may use their upper halves.
///
/// # Safety
/// The processor has AVX.
#[inline(always)]
pub(super) unsafe fn zero_upper() {
    // SAFETY: changes only registers that are declared here.
    unsafe {
        asm!(
            "vzeroupper",
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// Minimum length for which alignment pays off.
const LONG: usize = 256;
const BLOCK: usize = 64;

/// Number of bytes to the next multiple of `align`. 0 if that is odd, because the bytes after it would then form other
/// words.
fn to_aligned(pointer: *const u8, align: usize, length: usize) -> usize {
    let bytes = pointer.align_offset(align);
    if length < LONG || bytes % 2 != 0 || bytes > length { 0 } else { bytes }
}

/// Two sums of 64-bit lanes: of the upper 32-bit halves, which can hold 2^32 of them, and of whole lanes, which wrap.
/// The sum of the lower halves follows from both, so it needs no extra instruction.
#[derive(Clone, Copy)]
struct Sums {
    whole: __m256i,
    upper: __m256i,
}

impl Sums {
    #[target_feature(enable = "avx2")]
    unsafe fn zero() -> Self {
        Self { whole: _mm256_setzero_si256(), upper: _mm256_setzero_si256() }
    }

    #[target_feature(enable = "avx2")]
    unsafe fn add(&mut self, x: __m256i) {
        self.whole = _mm256_add_epi64(self.whole, x);
        self.upper = _mm256_add_epi64(self.upper, _mm256_srli_epi64::<32>(x));
    }

    #[target_feature(enable = "avx2")]
    unsafe fn total(self) -> u64 {
        let lower = _mm256_sub_epi64(self.whole, _mm256_slli_epi64::<32>(self.upper));
        let all = _mm256_add_epi64(lower, self.upper);
        let half = _mm_add_epi64(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
        (_mm_cvtsi128_si64(half) as u64).wrapping_add(_mm_extract_epi64::<1>(half) as u64)
    }
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
        let (mut a, mut b) = (Sums::zero(), Sums::zero());
        for block in blocks {
            let from = block.as_ptr();
            a.add(_mm256_loadu_si256(from.cast()));
            b.add(_mm256_loadu_si256(from.add(32).cast()));
        }
        a.total().wrapping_add(b.total()).wrapping_add(portable::sum(head)).wrapping_add(portable::sum(rest))
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
        let (mut a, mut b) = (Sums::zero(), Sums::zero());
        for (to, from) in to.by_ref().zip(from) {
            let (to, from) = (to.as_mut_ptr(), from.as_ptr());
            let (x, y) = (_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast()));
            _mm256_storeu_si256(to.cast(), x);
            _mm256_storeu_si256(to.add(32).cast(), y);
            a.add(x);
            b.add(y);
        }
        a.total()
            .wrapping_add(b.total())
            .wrapping_add(head)
            .wrapping_add(portable::copy(to.into_remainder(), rest))
    }
}

#[cfg(tuntap_avx512)]
#[allow(clippy::incompatible_msrv, reason = "stable since Rust 1.89: build.rs asks")]
mod wide {
    use super::*;

    const VECTOR: usize = 64;

    /// The sums of the bytes at even and at odd offsets, in 32-bit lanes: one instruction each, no overflow up to
    /// 500 MB.
    #[derive(Clone, Copy)]
    struct Sums {
        even: __m512i,
        odd: __m512i,
    }

    impl Sums {
        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        unsafe fn zero() -> Self {
            Self { even: _mm512_setzero_si512(), odd: _mm512_setzero_si512() }
        }

        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        unsafe fn add(&mut self, x: __m512i) {
            self.even = _mm512_dpbusd_epi32(self.even, x, _mm512_set1_epi16(0x0001));
            self.odd = _mm512_dpbusd_epi32(self.odd, x, _mm512_set1_epi16(0x0100));
        }

        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        unsafe fn total(self, other: Self) -> u64 {
            let even = _mm512_reduce_add_epi64(wide(_mm512_add_epi32(self.even, other.even))) as u64;
            let odd = _mm512_reduce_add_epi64(wide(_mm512_add_epi32(self.odd, other.odd))) as u64;
            even + (odd << 8)
        }
    }

    /// Adds pairs of 32-bit lanes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn wide(x: __m512i) -> __m512i {
        let lower = _mm512_and_si512(x, _mm512_set1_epi64(0xffff_ffff));
        _mm512_add_epi64(lower, _mm512_srli_epi64::<32>(x))
    }

    /// A mask for the first `bytes` bytes of a vector. `bytes` is less than the size of a vector.
    fn mask(bytes: usize) -> __mmask64 {
        !(u64::MAX << (bytes % VECTOR))
    }

    /// # Safety
    /// The processor has AVX-512 F, BW and VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn sum(bytes: &[u8]) -> u64 {
        let (mut from, mut left) = (bytes.as_ptr().cast::<i8>(), bytes.len());
        // SAFETY: the `left` bytes from `from` on are within the slice; a mask leaves out the bytes after them.
        unsafe {
            let (mut a, mut b) = (Sums::zero(), Sums::zero());
            let head = to_aligned(bytes.as_ptr(), VECTOR, left);
            if head != 0 {
                a.add(_mm512_maskz_loadu_epi8(mask(head), from));
                (from, left) = (from.add(head), left - head);
            }
            while left >= 2 * VECTOR {
                a.add(_mm512_loadu_si512(from.cast()));
                b.add(_mm512_loadu_si512(from.add(VECTOR).cast()));
                (from, left) = (from.add(2 * VECTOR), left - 2 * VECTOR);
            }
            if left >= VECTOR {
                a.add(_mm512_loadu_si512(from.cast()));
                (from, left) = (from.add(VECTOR), left - VECTOR);
            }
            if left != 0 {
                a.add(_mm512_maskz_loadu_epi8(mask(left), from));
            }
            a.total(b)
        }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW and VNNI, and both have the same length.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn copy(to: &mut [u8], from: &[u8]) -> u64 {
        let (mut to, mut left) = (to.as_mut_ptr().cast::<i8>(), to.len());
        let mut from = from.as_ptr().cast::<i8>();
        // SAFETY: as above, for both.
        unsafe {
            let (mut a, mut b) = (Sums::zero(), Sums::zero());
            let head = to_aligned(to.cast(), VECTOR, left);
            if head != 0 {
                let x = _mm512_maskz_loadu_epi8(mask(head), from);
                _mm512_mask_storeu_epi8(to, mask(head), x);
                a.add(x);
                (to, from, left) = (to.add(head), from.add(head), left - head);
            }
            while left >= 2 * VECTOR {
                let (x, y) = (_mm512_loadu_si512(from.cast()), _mm512_loadu_si512(from.add(VECTOR).cast()));
                _mm512_storeu_si512(to.cast(), x);
                _mm512_storeu_si512(to.add(VECTOR).cast(), y);
                a.add(x);
                b.add(y);
                (to, from, left) = (to.add(2 * VECTOR), from.add(2 * VECTOR), left - 2 * VECTOR);
            }
            if left >= VECTOR {
                let x = _mm512_loadu_si512(from.cast());
                _mm512_storeu_si512(to.cast(), x);
                a.add(x);
                (to, from, left) = (to.add(VECTOR), from.add(VECTOR), left - VECTOR);
            }
            if left != 0 {
                let x = _mm512_maskz_loadu_epi8(mask(left), from);
                _mm512_mask_storeu_epi8(to, mask(left), x);
                a.add(x);
            }
            a.total(b)
        }
    }
}
