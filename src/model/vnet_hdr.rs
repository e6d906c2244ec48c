// SPDX-License-Identifier: MIT
//! The virtio header before each packet of a device with offload (struct virtio_net_hdr): the segmentation and checksum
//! that are left to do, and the layout of the header on a device.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::constants;
use crate::model::text::text;

/// The segmentation and checksum that are left to do on a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHdr {
    /// [`F_NEEDS_CSUM`], or 0.
    pub flags: u8,
    /// How to segment: [`GSO_NONE`], [`GSO_TCPV4`], [`GSO_TCPV6`] or [`GSO_UDP_L4`]; for TCP optionally [`GSO_ECN`].
    pub gso_type: u8,
    /// Length of all headers. Do not rely on it: the kernel sets the length of its first memory fragment instead.
    pub hdr_len: u16,
    /// Payload bytes of each segment. The last segment may have fewer.
    pub gso_size: u16,
    /// Offset at which checksumming starts: the offset of the TCP or UDP header.
    pub csum_start: u16,
    /// Offset of the checksum field, from `csum_start`.
    pub csum_offset: u16,
    /// Number of buffers that the packet uses, for virtio devices. The kernel ignores it; a header of 10 bytes has none.
    pub num_buffers: u16,
}

constants! {
    bits FLAGS: u8 {
        /// tuntap_vnet_hdr.flags: the checksum is partial: its field has the sum of the pseudo header
        /// only. The values here are those of virtio.
        F_NEEDS_CSUM = 0x1, "TUNTAP_VNET_HDR_F_NEEDS_CSUM";
        /// tuntap_vnet_hdr.flags: the checksum was verified and is good.
        F_DATA_VALID = 0x2, "TUNTAP_VNET_HDR_F_DATA_VALID";
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
/// Size of the members of [`VnetHdr`].
const KNOWN: usize = 12;

impl VnetHdr {
    /// `gso_type` without [`GSO_ECN`].
    pub(crate) fn protocol(self) -> u8 {
        self.gso_type & !GSO_ECN
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

    /// The byte order of its members.
    pub fn endian(self) -> Endian {
        self.endian
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
    }

    /// Reads a header from `bytes`, which may be longer than the header.
    #[inline]
    pub fn read(self, bytes: &[u8]) -> VnetHdr {
        let Some(([flags, gso_type, a, b, c, d, e, f, g, h], rest)) = bytes.split_first_chunk::<MIN_SIZE>()
        else {
            return VnetHdr::default();
        };
        let num_buffers = match rest.first_chunk() {
            Some(bytes) if self.size() >= KNOWN => self.endian.number(*bytes),
            _ => 0,
        };
        VnetHdr {
            flags: *flags,
            gso_type: *gso_type,
            hdr_len: self.endian.number([*a, *b]),
            gso_size: self.endian.number([*c, *d]),
            csum_start: self.endian.number([*e, *f]),
            csum_offset: self.endian.number([*g, *h]),
            num_buffers,
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
    };

    #[test]
    fn each_layout_reads_what_it_wrote() {
        for size in [10, 11, 12, 20, 24, MAX_SIZE] {
            for endian in [Endian::Little, Endian::Big] {
                let layout = Layout::new(size, endian).unwrap();
                let mut bytes = [0xa5; MAX_SIZE + 1];
                layout.write(HDR, &mut bytes[..size]);
                let num_buffers = if size < 12 { 0 } else { HDR.num_buffers };
                assert_eq!(layout.read(&bytes), VnetHdr { num_buffers, ..HDR });
                assert!(bytes[12.min(size)..size].iter().all(|byte| *byte == 0));
                assert_eq!(bytes[size], 0xa5);
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_virtio() {
        let mut bytes = [0; 12];
        Layout::new(12, Endian::Big).unwrap().write(HDR, &mut bytes);
        assert_eq!(bytes, [1, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        Layout::new(12, Endian::Little).unwrap().write(HDR, &mut bytes);
        assert_eq!(bytes, [1, 0x81, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9]);
    }

    #[test]
    fn no_header_is_shorter_or_longer() {
        for size in [0, 9, MAX_SIZE + 1, usize::MAX] {
            assert_eq!(Layout::new(size, Endian::NATIVE), None);
        }
    }
}
