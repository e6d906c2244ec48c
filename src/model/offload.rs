// SPDX-License-Identifier: MIT
//! What a super-packet is, and which of them a device takes and hands over.

use crate::model::table::constants;

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

constants! {
    bits FLAGS: u8 {
        /// tuntap_offload.flags: the checksum of the packet is not made yet, and its field has the
        /// sum of the pseudo header.
        CHECKSUM = 1, "TUNTAP_NEEDS_CHECKSUM";
    }
}

constants! {
    numbers KINDS: u8 {
        /// tuntap_offload.kind: one packet.
        NONE = 0, "TUNTAP_KIND_NONE";
        /// tuntap_offload.kind: several segments of TCP over IPv4.
        TCP4 = 1, "TUNTAP_KIND_TCP4";
        /// tuntap_offload.kind: several segments of TCP over IPv6.
        TCP6 = 4, "TUNTAP_KIND_TCP6";
        /// tuntap_offload.kind: several datagrams of UDP.
        UDP = 5, "TUNTAP_KIND_UDP";
        /// tuntap_offload.kind, beside one of TCP: only the first segment has the flag CWR.
        ECN = 0x80, "TUNTAP_KIND_ECN";
    }
}

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
    pub(crate) fn protocol(self) -> u8 {
        self.kind & !ECN
    }
}

const _: () = assert!(Offload::SIZE == 10);

constants! {
    bits OFFLOADS: u64 {
        /// Packets may come with their checksum left to be filled in.
        OFFLOAD_CHECKSUM = 0x1, "TUNTAP_OFFLOAD_CHECKSUM";
        /// TCP over IPv4 may come in super-packets.
        OFFLOAD_TSO4 = 0x2, "TUNTAP_OFFLOAD_TSO4";
        /// TCP over IPv6 may come in super-packets.
        OFFLOAD_TSO6 = 0x4, "TUNTAP_OFFLOAD_TSO6";
        /// Super-packets of TCP may have the ECN flags.
        OFFLOAD_ECN = 0x8, "TUNTAP_OFFLOAD_ECN";
        /// UDP over IPv4 may come in super-packets.
        OFFLOAD_USO4 = 0x10, "TUNTAP_OFFLOAD_USO4";
        /// UDP over IPv6 may come in super-packets.
        OFFLOAD_USO6 = 0x20, "TUNTAP_OFFLOAD_USO6";
    }
}

/// Those that are as old as the header itself.
pub(crate) const TCP_OFFLOADS: u64 = OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN;
/// All that there are.
pub(crate) const ALL_OFFLOADS: u64 = TCP_OFFLOADS | OFFLOAD_USO4 | OFFLOAD_USO6;
