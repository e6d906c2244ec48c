// SPDX-License-Identifier: MIT
//! The Internet checksum (RFC 1071). Sums are of 16-bit words in the byte order of the machine, and folded at the end.

use crate::cpu::Cpu;

/// Folds a sum to 16 bits. The result is 0 only if all words are 0.
pub fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff).wrapping_add(sum >> 32);
    let fold = |sum: u64| (sum & 0xffff).wrapping_add(sum >> 16);
    fold(fold(fold(sum))) as u16
}

/// A number as a word in network byte order.
pub fn word(number: u16) -> u64 {
    u64::from(number.to_be())
}

/// The word to add in order to subtract `word` from a sum.
pub fn without(word: u64) -> u64 {
    !word & 0xffff
}

/// The sum of a header. It has too few words for vector instructions to pay off.
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

/// A partial checksum: its field has the sum of the pseudo header only.
///
/// A checksum of 0 is written as 0xffff, for TCP too, as in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Offset of the first byte that it covers. It covers all bytes from there on.
    start: usize,
    field: usize,
}

impl Partial {
    /// From the virtio header of a packet of this length. None if the field is not within the packet.
    pub fn find(length: usize, start: usize, offset: usize) -> Option<Self> {
        let field = start.checked_add(offset)?;
        let end = field.checked_add(2)?;
        (end <= length).then_some(Self { start, field })
    }

    /// Computes the checksum in place.
    pub fn complete(self, cpu: Cpu, packet: &mut [u8]) -> Option<()> {
        let sum = cpu.sum(packet.get(self.start..)?);
        self.write(packet, sum)
    }

    /// Copies the packet to a buffer of its length, and computes the checksum in the same pass.
    pub fn complete_copy(self, cpu: Cpu, to: &mut [u8], from: &[u8]) -> Option<()> {
        let (head, covered) = from.split_at_checked(self.start)?;
        let (to_head, to_covered) = to.get_mut(..from.len())?.split_at_mut_checked(self.start)?;
        to_head.copy_from_slice(head);
        let sum = cpu.copy(to_covered, covered);
        self.write(to, sum)
    }

    fn write(self, packet: &mut [u8], sum: u64) -> Option<()> {
        let sum = !fold(sum);
        let sum = if sum == 0 { 0xffff } else { sum };
        let field = packet.get_mut(self.field..)?.first_chunk_mut()?;
        *field = sum.to_ne_bytes();
        Some(())
    }
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
    fn without_subtracts_a_word() {
        assert_eq!(fold(0x1234 + 0x5678 + without(0x5678)), 0x1234);
    }

    /// The usual example of an IPv4 header in explanations of RFC 1071.
    #[test]
    fn a_header_with_its_checksum_sums_up_to_all_ones() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(fold(of_header(&header)), 0xffff);
    }

    #[test]
    fn offsets_outside_of_the_packet_are_refused() {
        for (start, offset) in [(41, 0), (20, 19), (0, 39), (usize::MAX, 1), (20, usize::MAX)] {
            assert_eq!(Partial::find(40, start, offset), None);
        }
        assert_eq!(Partial::find(40, 20, 16), Some(Partial { start: 20, field: 36 }));
    }

    #[test]
    fn a_copy_has_the_same_checksum_as_in_place() {
        let packet: Vec<u8> = (0..1500_u32).map(|number| (number * 7) as u8).collect();
        for cpu in Cpu::all() {
            for (start, offset) in [(0, 0), (20, 16), (33, 6), (1400, 98), (1498, 0)] {
                let partial = Partial::find(packet.len(), start, offset).unwrap();
                let (mut in_place, mut copy) = (packet.clone(), vec![0xaa; packet.len()]);
                partial.complete(cpu, &mut in_place).unwrap();
                partial.complete_copy(cpu, &mut copy, &packet).unwrap();
                assert_eq!(copy, in_place);
                assert_ne!(copy, packet);
            }
        }
    }
}
