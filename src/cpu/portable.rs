// SPDX-License-Identifier: MIT
//! For any processor. The compiler can vectorize these loops for each target.

const WORD: usize = 4;

pub(super) fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(WORD);
    let rest = words.remainder();
    let sum = words
        .map(|word| u64::from(u32::from_ne_bytes(word.try_into().unwrap_or_default())))
        .fold(0, u64::wrapping_add);
    let mut last = [0; WORD];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum.wrapping_add(u64::from(u32::from_ne_bytes(last)))
}

pub(super) fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    if to.len() == from.len() {
        to.copy_from_slice(from);
    }
    sum(from)
}
