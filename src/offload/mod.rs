// SPDX-License-Identifier: MIT
//! Segmentation offload in memory: what a super-packet is, splitting one into the packets that it stands for, and
//! joining packets to one. Bytes in, bytes out: no device is needed.
//!
//! The numbers here are places and lengths within one packet, of 65,557 bytes at the most, and whatever they are,
//! bytes are reached by `get`: a wrong one finds nothing.

pub mod checksum;
mod flow;
mod flows;
pub mod headers;
mod item;
pub mod join;
mod segments;
mod slots;
pub mod split;

/// Bytes of a super-packet, its Ethernet header, and two VLAN tags, at the most.
pub const LARGEST: usize = 65_535 + 14 + 8;

/// The header before each packet of a device with offload, as the kernel has it (struct virtio_net_hdr, in the
/// machine's own byte order): what of a packet is still to be done.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// [`CHECKSUM`], or nothing.
    pub flags: u8,
    /// How to split: [`NONE`], [`TCP4`], [`TCP6`], [`UDP`], the TCP ones perhaps with [`ECN`].
    pub kind: u8,
    /// Bytes of all headers. The kernel tells what lies in its first piece of memory instead: not to be relied upon.
    pub header_length: u16,
    /// Bytes of payload in each segment but the last, which may have less.
    pub segment_size: u16,
    /// Where the part begins that the checksum is of: at the TCP or UDP header.
    pub checksum_start: u16,
    /// Where the checksum is, from there.
    pub checksum_offset: u16,
}

/// The checksum is not made yet: its field has the sum of the pseudo header.
pub const CHECKSUM: u8 = 1;

/// One packet.
pub const NONE: u8 = 0;
/// TCP over IPv4.
pub const TCP4: u8 = 1;
/// TCP over IPv6.
pub const TCP6: u8 = 4;
/// UDP, over either.
pub const UDP: u8 = 5;
/// The first segment alone has the flag CWR.
pub const ECN: u8 = 0x80;

impl Offload {
    /// Its bytes before a packet.
    pub const SIZE: usize = size_of::<Self>();

    /// As it is in memory.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let [a, b] = self.header_length.to_ne_bytes();
        let [c, d] = self.segment_size.to_ne_bytes();
        let [e, f] = self.checksum_start.to_ne_bytes();
        let [g, h] = self.checksum_offset.to_ne_bytes();
        [self.flags, self.kind, a, b, c, d, e, f, g, h]
    }

    /// From memory.
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let [flags, kind, a, b, c, d, e, f, g, h] = bytes;
        Self {
            flags,
            kind,
            header_length: u16::from_ne_bytes([a, b]),
            segment_size: u16::from_ne_bytes([c, d]),
            checksum_start: u16::from_ne_bytes([e, f]),
            checksum_offset: u16::from_ne_bytes([g, h]),
        }
    }

    /// The kind without [`ECN`].
    fn protocol(self) -> u8 {
        self.kind & !ECN
    }
}

const _: () = assert!(Offload::SIZE == 10);
