// SPDX-License-Identifier: MIT
//! Sums of 16-bit words for the Internet checksum, with the vector instructions of the processor: without or with a
//! copy of the bytes in the same pass. A sum is in the byte order of the machine, must start at an even offset of the
//! checksummed bytes, and is folded later. A few hundred sums can be added without overflow.

#![allow(unsafe_code)]

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod arm;
mod portable;
mod short;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Up to this length a call through a pointer does not pay off: after a system call it is mispredicted, at about 20 ns.
const SHORT: usize = 128;

/// An implementation of the sums.
///
/// A value has only functions whose instructions the processor supports.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    sum: unsafe fn(&[u8]) -> u64,
    copy: unsafe fn(&mut [u8], &[u8]) -> u64,
    /// The vector registers have upper halves.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86-64 uses it"))]
    upper: bool,
    name: &'static str,
}

impl Cpu {
    const PORTABLE: Self = Self { sum: portable::sum, copy: portable::copy, upper: false, name: "portable" };

    /// All implementations that this processor supports, the fastest one first.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        let special = arm::all();
        #[cfg(target_arch = "x86_64")]
        let special = x86::all();
        #[cfg(not(any(all(target_arch = "aarch64", target_endian = "little"), target_arch = "x86_64")))]
        let special = std::iter::empty();
        special.chain([Self::PORTABLE])
    }

    /// The fastest implementation.
    pub fn best() -> Self {
        Self::all().next().unwrap_or(Self::PORTABLE)
    }

    /// The name of the implementation.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Zeroes the upper halves of the vector registers. Some ciphers leave values there, and then every instruction
    /// that uses only the lower halves waits for the one before it: more than 100 ns for each packet.
    #[inline(always)]
    pub fn zero_upper(self) {
        #[cfg(target_arch = "x86_64")]
        if self.upper {
            // SAFETY: the processor supports the instructions of this value.
            unsafe { x86::zero_upper() }
        }
    }

    /// The sum of the bytes.
    pub fn sum(self, bytes: &[u8]) -> u64 {
        // SAFETY: the processor supports the instructions of the function.
        unsafe { (self.sum)(bytes) }
    }

    /// Copies the bytes to a buffer of the same length, and returns their sum. If the lengths differ, copies nothing
    /// and returns 0.
    #[inline]
    pub fn copy(self, to: &mut [u8], from: &[u8]) -> u64 {
        if to.len() != from.len() {
            return 0;
        }
        if from.len() <= SHORT {
            return short::copy(to, from);
        }
        // SAFETY: as above, and both lengths are the same.
        unsafe { (self.copy)(to, from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum as RFC 1071 describes it, in 16-bit words.
    fn plain(bytes: &[u8]) -> u16 {
        let words = bytes.chunks(2).map(|word| match *word {
            [a, b] => u64::from(u16::from_ne_bytes([a, b])),
            [a] => u64::from(u16::from_ne_bytes([a, 0])),
            _ => 0,
        });
        fold(words.sum())
    }

    /// Folds a sum to 16 bits.
    fn fold(mut sum: u64) -> u16 {
        while sum > 0xffff {
            sum = (sum & 0xffff).wrapping_add(sum >> 16);
        }
        sum as u16
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    }

    #[test]
    fn all_implementations_agree_at_any_offset_and_length() {
        let noise = noise(70_000);
        let lengths = (0..600).chain([1448, 4095, 65_483, 65_535]);
        for cpu in Cpu::all() {
            for length in lengths.clone() {
                for at in [0, 1, 2, 31, 52, 64] {
                    let from = &noise[at..at + length];
                    assert_eq!(fold(cpu.sum(from)), plain(from), "{} {length} {at}", cpu.name());
                    let mut to = vec![0xaa; length + 128];
                    let sum = cpu.copy(&mut to[at..at + length], from);
                    assert_eq!(fold(sum), plain(from), "{} {length} {at}", cpu.name());
                    assert_eq!(&to[at..at + length], from);
                    assert!(to[..at].iter().chain(&to[at + length..]).all(|byte| *byte == 0xaa));
                }
            }
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for cpu in Cpu::all() {
            assert_eq!(fold(cpu.sum(&[0xff; 65_535 + 65_535])), 0xffff);
        }
    }
}
