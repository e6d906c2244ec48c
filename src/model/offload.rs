// SPDX-License-Identifier: MIT
//! Which super-packets a device hands over.

use crate::model::table::constants;

/// Bytes of a super-packet, its Ethernet header, and two VLAN tags, at the most.
pub const LARGEST: usize = 65_535 + 14 + 8;

constants! {
    bits OFFLOADS: u64 {
        /// Packets may come with their checksum left to be filled in. These numbers are those of
        /// Linux's TUN_F_*.
        F_CSUM = 0x1, "TUNTAP_F_CSUM";
        /// TCP over IPv4 may come in super-packets.
        F_TSO4 = 0x2, "TUNTAP_F_TSO4";
        /// TCP over IPv6 may come in super-packets.
        F_TSO6 = 0x4, "TUNTAP_F_TSO6";
        /// Super-packets of TCP may have the ECN flags.
        F_TSO_ECN = 0x8, "TUNTAP_F_TSO_ECN";
        /// UDP over IPv4 may come in super-packets.
        F_USO4 = 0x20, "TUNTAP_F_USO4";
        /// UDP over IPv6 may come in super-packets.
        F_USO6 = 0x40, "TUNTAP_F_USO6";
    }
}

/// Those that are as old as the header itself.
pub(crate) const TCP_OFFLOADS: u64 = F_CSUM | F_TSO4 | F_TSO6 | F_TSO_ECN;
/// All that there are.
pub(crate) const ALL_OFFLOADS: u64 = TCP_OFFLOADS | F_USO4 | F_USO6;
