// SPDX-License-Identifier: MIT
//! The Internet checksum (RFC 1071). Sums are of 16-bit words in the machine's own byte order, and folded at last.

use crate::cpu::Cpu;

/// A sum in 16 bits: 0 only when all that was added is 0.
pub fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff).wrapping_add(sum >> 32);
    let fold = |sum: u64| (sum & 0xffff).wrapping_add(sum >> 16);
    fold(fold(fold(sum))) as u16
}

/// A number as the word that it is on the wire.
pub fn word(number: u16) -> u64 {
    u64::from(number.to_be())
}

/// What takes a word away from a sum.
pub fn without(word: u64) -> u64 {
    !word & 0xffff
}

/// The sum of a header: a few words, for which no vector pays.
#[inline]
pub fn of_header(bytes: &[u8]) -> u64 {
    let long = bytes.chunks_exact(8);
    let rest = long.remainder();
    let (sum, carries) = long.fold((0_u64, 0_u64), |(sum, carries), word| {
        let (sum, carry) = sum.overflowing_add(u64::from_ne_bytes(word.try_into().unwrap_or_default()));
        (sum, carries.wrapping_add(carry.into()))
    });
    let words = rest.chunks_exact(2).map(|word| u16::from_ne_bytes(word.try_into().unwrap_or_default()));
    let rest = words.map(u64::from).sum::<u64>();
    (sum & 0xffff_ffff).wrapping_add(sum >> 32).wrapping_add(carries).wrapping_add(rest)
}

/// Makes the checksum of a packet that begins at `start`, whose field has the sum of the pseudo header. None when
/// these are no places in the packet.
///
/// A sum of 0 is written as 0xffff, for TCP too: the kernel does so.
pub fn complete(cpu: Cpu, packet: &mut [u8], start: usize, offset: usize) -> Option<()> {
    let at = start.checked_add(offset)?;
    let field = at..at.checked_add(2)?;
    packet.get(field.clone())?;
    let sum = !fold(cpu.sum(packet.get(start..)?));
    let sum = if sum == 0 { 0xffff } else { sum };
    packet.get_mut(field)?.copy_from_slice(&sum.to_ne_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_keeps_the_sum_modulo_65535() {
        for (sum, folded) in [(0, 0), (0xffff, 0xffff), (0x1_0000, 1), (0x1_fffe, 0xffff), (u64::MAX, 0xffff)]
        {
            assert_eq!(fold(sum), folded);
        }
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        assert_eq!(fold(0x1234 + 0x5678 + without(0x5678)), 0x1234);
    }

    /// The IPv4 header of RFC 1071's many explanations.
    #[test]
    fn a_header_with_its_checksum_sums_up_to_all_ones() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(fold(of_header(&header)), 0xffff);
    }

    #[test]
    fn places_outside_of_the_packet_are_refused() {
        let mut packet = [0; 40];
        for (start, offset) in [(41, 0), (20, 19), (0, 39), (usize::MAX, 1), (20, usize::MAX)] {
            assert_eq!(complete(Cpu::best(), &mut packet, start, offset), None);
        }
        assert_eq!(complete(Cpu::best(), &mut packet, 20, 16), Some(()));
    }
}
