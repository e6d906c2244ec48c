// SPDX-License-Identifier: MIT
//! The virtio header before each packet of a device with offload (struct virtio_net_hdr): the segmentation and checksum
//! that are left to do, and the layout of the header on a device.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::constants;
use crate::model::text::text;

/// The segmentation and checksum that are left to do on a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHdr {
    /// [`F_NEEDS_CSUM`], or 0; in a tunnel optionally [`F_UDP_TUNNEL_CSUM`].
    pub flags: u8,
    /// How to segment: [`GSO_NONE`], [`GSO_TCPV4`], [`GSO_TCPV6`] or [`GSO_UDP_L4`]; for TCP optionally [`GSO_ECN`]; in
    /// a tunnel with [`GSO_UDP_TUNNEL_IPV4`] or [`GSO_UDP_TUNNEL_IPV6`].
    pub gso_type: u8,
    /// Length of all headers. Do not rely on it: the kernel sets the length of its first memory fragment instead.
    pub hdr_len: u16,
    /// Payload bytes of each segment. The last segment may have fewer.
    pub gso_size: u16,
    /// Offset at which checksumming starts: the offset of the TCP or UDP header.
    pub csum_start: u16,
    /// Offset of the checksum field, from `csum_start`.
    pub csum_offset: u16,
    /// Number of buffers that the packet uses, for virtio devices. The kernel ignores it; a header of 10 bytes has
    /// none.
    pub num_buffers: u16,
    /// In a tunnel: offset of its UDP header.
    pub outer_th_offset: u16,
    /// In a tunnel: offset of the IP header inside.
    pub inner_nh_offset: u16,
}

constants! {
    bits FLAGS: u8 {
        /// tuntap_vnet_hdr.flags: the checksum is partial: its field has the sum of the pseudo header
        /// only. The values here are those of virtio.
        F_NEEDS_CSUM = 0x1, "TUNTAP_VNET_HDR_F_NEEDS_CSUM";
        /// tuntap_vnet_hdr.flags: the checksum was verified and is good.
        F_DATA_VALID = 0x2, "TUNTAP_VNET_HDR_F_DATA_VALID";
        /// tuntap_vnet_hdr.flags, in a tunnel: the checksum of the tunnel's UDP header is partial, too.
        F_UDP_TUNNEL_CSUM = 0x8, "TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM";
    }
}

constants! {
    numbers GSO_TYPES: u8 {
        /// tuntap_vnet_hdr.gso_type: a plain packet, no super-packet.
        GSO_NONE = 0, "TUNTAP_VNET_HDR_GSO_NONE";
        /// tuntap_vnet_hdr.gso_type: a super-packet of TCP over IPv4.
        GSO_TCPV4 = 1, "TUNTAP_VNET_HDR_GSO_TCPV4";
        /// tuntap_vnet_hdr.gso_type: a super-packet of TCP over IPv6.
        GSO_TCPV6 = 4, "TUNTAP_VNET_HDR_GSO_TCPV6";
        /// tuntap_vnet_hdr.gso_type: a super-packet of UDP over IPv4 or IPv6.
        GSO_UDP_L4 = 5, "TUNTAP_VNET_HDR_GSO_UDP_L4";
        /// tuntap_vnet_hdr.gso_type, combined with another type: the super-packet is inside a UDP tunnel
        /// over IPv4.
        GSO_UDP_TUNNEL_IPV4 = 0x20, "TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4";
        /// tuntap_vnet_hdr.gso_type, combined with another type: the super-packet is inside a UDP tunnel
        /// over IPv6.
        GSO_UDP_TUNNEL_IPV6 = 0x40, "TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6";
        /// tuntap_vnet_hdr.gso_type, combined with a TCP type: only the first segment has the CWR flag.
        GSO_ECN = 0x80, "TUNTAP_VNET_HDR_GSO_ECN";
    }
}

constants! {
    numbers ENDIANS: u32 {
        /// tuntap_config_set_vnet_endian: the byte order of the machine, the default of a new device.
        ENDIAN_NATIVE = 0, "TUNTAP_ENDIAN_NATIVE";
        /// tuntap_config_set_vnet_endian: little-endian, as in virtio 1.0.
        ENDIAN_LITTLE = 1, "TUNTAP_ENDIAN_LITTLE";
        /// tuntap_config_set_vnet_endian: big-endian.
        ENDIAN_BIG = 2, "TUNTAP_ENDIAN_BIG";
    }
}

/// Size of struct virtio_net_hdr, with which every longer header begins.
pub const MIN_SIZE: usize = 10;
/// Size of the longest supported header: several times the longest header of virtio.
pub const MAX_SIZE: usize = 256;
/// Size of struct virtio_net_hdr_v1_hash_tunnel, the shortest header that describes tunnels.
pub const TUNNEL_SIZE: usize = 24;
/// Size of the members of [`VnetHdr`] before those of tunnels.
const KNOWN: usize = 12;
/// Offset of the members of tunnels, after those of a hash, which Linux does not set.
const TUNNEL_AT: usize = 20;
const GSO_UDP_TUNNEL: u8 = GSO_UDP_TUNNEL_IPV4 | GSO_UDP_TUNNEL_IPV6;

impl VnetHdr {
    /// `gso_type` without the bits that are combined with it.
    #[inline]
    pub(crate) fn protocol(self) -> u8 {
        self.gso_type & !(GSO_ECN | GSO_UDP_TUNNEL)
    }

    /// Whether the super-packet is inside a tunnel.
    #[inline]
    pub(crate) fn is_tunnel(self) -> bool {
        self.gso_type & GSO_UDP_TUNNEL != 0
    }
}

/// A byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

impl Endian {
    /// The byte order of this machine.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    /// The byte order for a TUNTAP_ENDIAN_* value.
    pub fn parse(number: u32) -> Result<Self> {
        match number {
            ENDIAN_NATIVE => Ok(Self::NATIVE),
            ENDIAN_LITTLE => Ok(Self::Little),
            ENDIAN_BIG => Ok(Self::Big),
            _ => {
                let text = text!("byte order {number} is unknown: use one of TUNTAP_ENDIAN_*");
                Err(Error::new(Errno::EINVAL, Reason::Argument, text))
            }
        }
    }

    fn bytes(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn number(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }
}

/// The layout of the header on a device, which is the same for all queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    size: u16,
    endian: Endian,
}

impl Default for Layout {
    /// The layout of a new device.
    fn default() -> Self {
        Self { size: MIN_SIZE as u16, endian: Endian::NATIVE }
    }
}

impl Layout {
    /// None if the size is not [`MIN_SIZE`] to [`MAX_SIZE`].
    pub fn new(size: usize, endian: Endian) -> Option<Self> {
        let size = Some(size).filter(|size| (MIN_SIZE..=MAX_SIZE).contains(size))?;
        Some(Self { size: size.try_into().ok()?, endian })
    }

    /// Size of the header.
    #[inline]
    pub fn size(self) -> usize {
        self.size.into()
    }

    /// Whether it describes super-packets inside tunnels. Linux writes those in little-endian order on any device.
    pub fn has_tunnels(self) -> bool {
        self.size() >= TUNNEL_SIZE && self.endian == Endian::Little
    }

    /// This layout, at least as long as [`Self::has_tunnels`] needs.
    #[allow(dead_code, reason = "only Linux offloads tunnels")]
    pub(crate) fn for_tunnels(self) -> Self {
        Self { size: self.size.max(TUNNEL_SIZE as u16), ..self }
    }

    /// Writes a header to `to`. Bytes after the known members are set to 0.
    #[inline]
    pub fn write(self, hdr: VnetHdr, to: &mut [u8]) {
        let [a, b] = self.endian.bytes(hdr.hdr_len);
        let [c, d] = self.endian.bytes(hdr.gso_size);
        let [e, f] = self.endian.bytes(hdr.csum_start);
        let [g, h] = self.endian.bytes(hdr.csum_offset);
        let [i, j] = self.endian.bytes(hdr.num_buffers);
        let members: [u8; KNOWN] = [hdr.flags, hdr.gso_type, a, b, c, d, e, f, g, h, i, j];
        let Some((first, rest)) = to.split_first_chunk_mut::<MIN_SIZE>() else { return };
        let (head, tail) = members.split_at(MIN_SIZE);
        first.copy_from_slice(head);
        if !rest.is_empty() {
            rest.fill(0);
            for (to, from) in rest.iter_mut().zip(tail) {
                *to = *from;
            }
        }
        if hdr.is_tunnel() {
            self.write_tunnel(hdr, to);
        }
    }

    #[cold]
    fn write_tunnel(self, hdr: VnetHdr, to: &mut [u8]) {
        let [a, b] = self.endian.bytes(hdr.outer_th_offset);
        let [c, d] = self.endian.bytes(hdr.inner_nh_offset);
        if let Some(members) = to.get_mut(TUNNEL_AT..).and_then(|to| to.first_chunk_mut()) {
            *members = [a, b, c, d];
        }
    }

    /// Reads a header from `bytes`, which may be longer than the header.
    #[inline]
    pub fn read(self, bytes: &[u8]) -> VnetHdr {
        let Some(([flags, gso_type, a, b, c, d, e, f, g, h], rest)) = bytes.split_first_chunk::<MIN_SIZE>()
        else {
            return VnetHdr::default();
        };
        // Linux 6.17 leaves bytes of its own behind the first 10 of a header that has room for tunnels.
        let num_buffers = match rest.first_chunk() {
            Some(bytes) if (KNOWN..TUNNEL_SIZE).contains(&self.size()) => self.endian.number(*bytes),
            _ => 0,
        };
        let hdr = VnetHdr {
            flags: *flags,
            gso_type: *gso_type,
            hdr_len: self.endian.number([*a, *b]),
            gso_size: self.endian.number([*c, *d]),
            csum_start: self.endian.number([*e, *f]),
            csum_offset: self.endian.number([*g, *h]),
            num_buffers,
            outer_th_offset: 0,
            inner_nh_offset: 0,
        };
        if hdr.is_tunnel() { self.read_tunnel(hdr, bytes) } else { hdr }
    }

    #[cold]
    fn read_tunnel(self, hdr: VnetHdr, bytes: &[u8]) -> VnetHdr {
        match bytes.get(TUNNEL_AT..).and_then(|bytes| bytes.first_chunk()) {
            Some([a, b, c, d]) if self.size() >= TUNNEL_SIZE => VnetHdr {
                outer_th_offset: self.endian.number([*a, *b]),
                inner_nh_offset: self.endian.number([*c, *d]),
                ..hdr
            },
            _ => hdr,
        }
    }
}

/// The layout that an open requests. None leaves the layout of the device unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Size of the header.
    pub size: Option<usize>,
    /// Byte order of the header.
    pub endian: Option<Endian>,
}

impl Wanted {
    /// Requests a size. Fails if it is out of range.
    pub(crate) fn set_size(&mut self, size: usize) -> Result<()> {
        if !(MIN_SIZE..=MAX_SIZE).contains(&size) {
            let text = text!("a virtio header of {size} bytes: the size is {MIN_SIZE} to {MAX_SIZE}");
            return Err(Error::new(Errno::EINVAL, Reason::Range, text));
        }
        self.size = Some(size);
        Ok(())
    }

    /// The name of an option that is set.
    pub(crate) fn option(self) -> Option<&'static str> {
        let size = self.size.map(|_| "vnet_hdr_size");
        size.or(self.endian.map(|_| "vnet_endian"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HDR: VnetHdr = VnetHdr {
        flags: F_NEEDS_CSUM,
        gso_type: GSO_TCPV4 | GSO_ECN,
        hdr_len: 0x0102,
        gso_size: 0x0304,
        csum_start: 0x0506,
        csum_offset: 0x0708,
        num_buffers: 0x090a,
        outer_th_offset: 0,
        inner_nh_offset: 0,
    };
    const TUNNEL: VnetHdr = VnetHdr {
        gso_type: GSO_TCPV6 | GSO_UDP_TUNNEL_IPV6,
        num_buffers: 0,
        outer_th_offset: 0x0b0c,
        inner_nh_offset: 0x0d0e,
        ..HDR
    };

    #[test]
    fn each_layout_reads_the_header_that_it_wrote() {
        for size in [10, 11, 12, 20, 24, MAX_SIZE] {
            for endian in [Endian::Little, Endian::Big] {
                let layout = Layout::new(size, endian).unwrap();
                let mut bytes = [0xa5; MAX_SIZE + 1];
                layout.write(HDR, &mut bytes[..size]);
                let num_buffers = if (12..24).contains(&size) { HDR.num_buffers } else { 0 };
                assert_eq!(layout.read(&bytes), VnetHdr { num_buffers, ..HDR });
                assert!(bytes[12.min(size)..size].iter().all(|byte| *byte == 0));
                assert_eq!(bytes[size], 0xa5);
                layout.write(TUNNEL, &mut bytes[..size]);
                let (outer_th_offset, inner_nh_offset) = if size < 24 { (0, 0) } else { (0x0b0c, 0x0d0e) };
                assert_eq!(layout.read(&bytes), VnetHdr { outer_th_offset, inner_nh_offset, ..TUNNEL });
                assert_eq!(bytes[size], 0xa5);
            }
        }
    }

    #[test]
    fn the_bytes_match_the_virtio_layout() {
        let mut bytes = [0; 12];
        Layout::new(12, Endian::Big).unwrap().write(HDR, &mut bytes);
        assert_eq!(bytes, [1, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        Layout::new(12, Endian::Little).unwrap().write(HDR, &mut bytes);
        assert_eq!(bytes, [1, 0x81, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9]);
        let mut bytes = [0; 24];
        Layout::new(24, Endian::Little).unwrap().write(TUNNEL, &mut bytes);
        assert_eq!(bytes[10..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 11, 14, 13]);
    }

    #[test]
    fn tunnels_need_a_long_little_endian_header() {
        for (size, endian, has) in
            [(24, Endian::Little, true), (23, Endian::Little, false), (24, Endian::Big, false)]
        {
            assert_eq!(Layout::new(size, endian).unwrap().has_tunnels(), has);
        }
    }

    #[test]
    fn header_sizes_out_of_range_are_refused() {
        for size in [0, 9, MAX_SIZE + 1, usize::MAX] {
            assert_eq!(Layout::new(size, Endian::NATIVE), None);
        }
    }
}
