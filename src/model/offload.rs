// SPDX-License-Identifier: MIT
//! Offloads: which super-packets a device delivers.

use crate::model::table::constants;

/// Limit of the bytes of a packet: a super-packet, its Ethernet header, and two VLAN tags.
pub const LARGEST: usize = 65_535 + 14 + 8;

constants! {
    bits OFFLOADS: u64 {
        /// Packets may have a partial checksum, which the program must complete. The values are those
        /// of Linux's TUN_F_*.
        F_CSUM = 0x1, "TUNTAP_F_CSUM";
        /// TCP segmentation over IPv4: TCP may arrive in super-packets.
        F_TSO4 = 0x2, "TUNTAP_F_TSO4";
        /// TCP segmentation over IPv6: TCP may arrive in super-packets.
        F_TSO6 = 0x4, "TUNTAP_F_TSO6";
        /// TCP super-packets may have the ECN flags.
        F_TSO_ECN = 0x8, "TUNTAP_F_TSO_ECN";
        /// UDP segmentation over IPv4: UDP may arrive in super-packets.
        F_USO4 = 0x20, "TUNTAP_F_USO4";
        /// UDP segmentation over IPv6: UDP may arrive in super-packets.
        F_USO6 = 0x40, "TUNTAP_F_USO6";
        /// TCP and UDP inside a UDP tunnel (VXLAN, Geneve) may arrive in super-packets of the tunnel.
        F_UDP_TUNNEL_GSO = 0x80, "TUNTAP_F_UDP_TUNNEL_GSO";
        /// Those super-packets may need a checksum of the tunnel's own UDP header.
        F_UDP_TUNNEL_GSO_CSUM = 0x100, "TUNTAP_F_UDP_TUNNEL_GSO_CSUM";
    }
}

/// The offloads that every kernel with a virtio header supports.
pub(crate) const TCP_OFFLOADS: u64 = F_CSUM | F_TSO4 | F_TSO6 | F_TSO_ECN;
/// The offloads whose packets need a virtio header of [`TUNNEL_SIZE`](crate::model::vnet_hdr::TUNNEL_SIZE) bytes.
pub(crate) const TUNNEL_OFFLOADS: u64 = F_UDP_TUNNEL_GSO | F_UDP_TUNNEL_GSO_CSUM;
/// All offloads that this version knows.
pub(crate) const ALL_OFFLOADS: u64 = TCP_OFFLOADS | F_USO4 | F_USO6 | TUNNEL_OFFLOADS;
