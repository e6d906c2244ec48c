// SPDX-License-Identifier: MIT
//! A copy and sum of a few bytes: inlined, in words, and without any call.

const WORD: usize = 8;

/// A sum of words, with a count of the overflows: 2^64 is 1 modulo 65535.
#[derive(Default)]
struct Sum {
    words: u64,
    overflows: u64,
}

impl Sum {
    #[inline]
    fn add(&mut self, word: [u8; WORD]) {
        let (words, overflows) = self.words.overflowing_add(u64::from_ne_bytes(word));
        self.words = words;
        self.overflows = self.overflows.wrapping_add(overflows.into());
    }

    #[inline]
    fn total(self) -> u64 {
        (self.words & 0xffff_ffff).wrapping_add(self.words >> 32).wrapping_add(self.overflows)
    }
}

#[inline]
pub(super) fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    let (mut to, from) = (to.chunks_exact_mut(WORD), from.chunks_exact(WORD));
    let rest = from.remainder();
    let mut sum = Sum::default();
    for (to, from) in to.by_ref().zip(from) {
        to.copy_from_slice(from);
        sum.add(from.try_into().unwrap_or_default());
    }
    let mut last = [0; WORD];
    for ((to, last), from) in to.into_remainder().iter_mut().zip(&mut last).zip(rest) {
        (*to, *last) = (*from, *from);
    }
    sum.add(last);
    sum.total()
}
