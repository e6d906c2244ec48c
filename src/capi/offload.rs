// SPDX-License-Identifier: MIT
//! Super-packets without segmentation: `tuntap_vnet_hdr` and the functions that pass it.

use std::ffi::{c_int, c_void};
use std::slice;

use libc::ssize_t;

use super::argument::{Growing, memory, memory_mut, out, read_growing, sized_out};
use super::entry::{Failure, pass, with};
use super::error::CError;
use super::packet::read_failure;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::vnet_hdr::{MIN_SIZE, VnetHdr};

/// The work that is left to do on a packet: segmentation, and the checksum. The names and values
/// are those of struct virtio_net_hdr. The numbers are in the byte order of the machine; the
/// library converts to and from the byte order of the device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CVnetHdr {
    /// TUNTAP_VNET_HDR_F_NEEDS_CSUM, TUNTAP_VNET_HDR_F_DATA_VALID, or 0; in a tunnel optionally
    /// TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM. Other bits are ignored. What tuntap_read_super fills in can be
    /// given to tuntap_write_super unchanged.
    pub flags: u8,
    /// One of TUNTAP_VNET_HDR_GSO_*. TCP may have _ECN; in a UDP tunnel each type has _UDP_TUNNEL_IPV4
    /// or _UDP_TUNNEL_IPV6.
    pub gso_type: u8,
    /// Length of all headers. Only a hint: the kernel also sets other values.
    pub hdr_len: u16,
    /// Payload bytes of each segment. The last segment may have fewer.
    pub gso_size: u16,
    /// Offset at which checksumming starts: the offset of the TCP or UDP header, in a tunnel of the one
    /// inside.
    pub csum_start: u16,
    /// Offset of the checksum field, from csum_start.
    pub csum_offset: u16,
    /// Number of buffers that the packet uses, for virtio devices. The kernel ignores it. A device
    /// whose header has fewer than 12 bytes does not pass it on.
    pub num_buffers: u16,
    /// In a tunnel: offset of the tunnel's UDP header. Otherwise 0.
    pub outer_th_offset: u16,
    /// In a tunnel: offset of the IP header inside. Otherwise 0.
    pub inner_nh_offset: u16,
}

// SAFETY: numbers without padding.
unsafe impl Growing for CVnetHdr {
    const LEAST: usize = MIN_SIZE;
    const NAME: &'static str = "tuntap_vnet_hdr";
}

/// Conversions between two structs with the same members. It does not compile if one of them has others.
macro_rules! same_members {
    ($a:ident, $b:ident: $($member:ident),*) => {
        impl From<$a> for $b {
            fn from($a { $($member),* }: $a) -> Self {
                Self { $($member),* }
            }
        }

        impl From<$b> for $a {
            fn from($b { $($member),* }: $b) -> Self {
                Self { $($member),* }
            }
        }
    };
}

same_members!(CVnetHdr, VnetHdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers,
    outer_th_offset, inner_nh_offset);

/// Sets which offloads are on: which super-packets the device delivers, and what the writers of
/// this handle coalesce. All other offloads are turned off. The setting is shared by all queues of
/// the device. tuntap_open with TUNTAP_OFFLOAD turns on all offloads that the kernel and the
/// device's virtio header support. Packets that are already in the queue do not change. A writer
/// does not coalesce inside tunnels.
///
/// @param dev       The handle.
/// @param offloads  TUNTAP_F_*, or 0. Each of them needs TUNTAP_F_CSUM, and TUNTAP_F_TSO_ECN also
///                  needs TUNTAP_F_TSO4 or TUNTAP_F_TSO6. TUNTAP_F_UDP_TUNNEL_GSO_CSUM needs
///                  TUNTAP_F_UDP_TUNNEL_GSO, which needs one of TSO4, TSO6 and USO4.
/// @param err       May be NULL.
/// @return 0, or
///         -EINVAL      dev is NULL (_ARGUMENT); unknown bits (_FLAGS); not opened
///                      with TUNTAP_OFFLOAD, or the virtio header of the device is shorter than
///                      24 bytes or big-endian, and cannot describe tunnels (_MISMATCH);
///         -EOPNOTSUPP  the kernel does not support this set, or a bit lacks the one that it
///                      needs: TUNTAP_F_USO4 and TUNTAP_F_USO6 need Linux 6.2, and must be set
///                      together; TUNTAP_F_UDP_TUNNEL_* need Linux 6.17 (_KERNEL);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_offloads(dev: *mut Device, offloads: u64, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_offloads(offloads))
}

/// Returns the size of the virtio header that the kernel puts before each packet of this device.
/// It is the same for all queues: 24 or 10 on a new device (see tuntap_config_set_vnet_hdr_size),
/// or the size that another program has set (TUNSETVNETHDRSZ). No packet function shows the header
/// itself.
///
/// The library reads the size and the byte order of the header when a handle is opened. If another
/// program changes either of them later, packets of the open handles are corrupt or refused. A
/// handle that is opened after the change works. A program that shortens the header below 24 bytes
/// must also turn off the offloads of tunnels (TUNSETOFFLOAD), or the kernel passes no packet.
///
/// @param dev   The handle.
/// @param size  Receives the size in bytes.
/// @param err   May be NULL.
/// @return 0, or
///         -EINVAL  dev or size is NULL (_ARGUMENT); not opened with TUNTAP_OFFLOAD
///                  (_MISMATCH).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_vnet_hdr_size(
    dev: *const Device,
    size: *mut usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(size, "result")?.fill(device.vnet_hdr_size()))
}

/// Reads a packet or a super-packet without segmentation, and its virtio header. The device must
/// be opened with TUNTAP_OFFLOAD. For programs that forward the super-packet whole: to another
/// device, or to a UDP socket with UDP_SEGMENT. A super-packet of a tunnel can be written to a TAP
/// only. A program that cannot forward them either turns them off with tuntap_set_offloads, so that the
/// kernel splits them, or splits them itself with tuntap_splitter_begin.
///
/// @param dev       The handle.
/// @param hdr       Receives the virtio header. It does not depend on the size and byte order of the
///                  device's header. Bytes of a longer header that this struct does not have are
///                  dropped.
/// @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
/// @param buf       Receives the packet.
/// @param size      Size of buf. tuntap_read_size returns a size that is always enough.
/// @param err       May be NULL.
/// @return As tuntap_read, or
///         -EINVAL  hdr is NULL, or hdr_size is wrong (_ARGUMENT); not opened with
///                  TUNTAP_OFFLOAD (_MISMATCH).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_super(
    dev: *mut Device,
    hdr: *mut CVnetHdr,
    hdr_size: usize,
    buf: *mut c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let out = sized_out(hdr, hdr_size, "virtio header")?;
        let room = memory_mut(buf, size, device.read_size(), "the buffer")?;
        device.needs_offload("read super-packets of")?;
        let mut header = VnetHdr::default();
        let length = device
            .read_super(&mut header, room, Limit::Handle)
            .map_err(|errno| read_failure(device, errno, size))?;
        if header.is_tunnel() {
            // The read has filled that many bytes.
            header = device.count_tag(header, slice::from_raw_parts(buf.cast(), length));
        }
        out.set(header.into());
        Ok(length)
    })
}

/// Writes a packet or a super-packet, and its virtio header. The device must be opened with
/// TUNTAP_OFFLOAD.
///
/// @param dev       The handle.
/// @param hdr       The virtio header. All zeros: a plain packet, with its checksum. If the device's
///                  header is longer than this struct, the other bytes are 0.
/// @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
/// @param buf       The packet.
/// @param size      Size of the packet.
/// @param err       May be NULL.
/// @return As tuntap_write, or
///         -EINVAL  hdr is NULL, hdr_size is wrong, or a member of hdr that this version does not
///                  know is not 0 (_ARGUMENT); not opened with TUNTAP_OFFLOAD
///                  (_MISMATCH); the kernel refuses the header: a UDP super-packet needs Linux 6.2,
///                  has at most 128 segments, and must have TUNTAP_VNET_HDR_F_NEEDS_CSUM; one in a
///                  tunnel needs Linux 6.17 and a TAP with a virtio header of 24 bytes (_PACKET).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_write_super(
    dev: *mut Device,
    hdr: *const CVnetHdr,
    hdr_size: usize,
    buf: *const c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let hdr = read_growing(hdr, hdr_size, "the virtio header")?;
        let packet = memory(buf, size, "the buffer")?;
        device.needs_offload("write super-packets to")?;
        let hdr = hdr.into();
        let explain = |errno| {
            let first = packet.first().copied();
            Failure::Errno(errno, move || device.explain_write_super(errno, hdr, first, size))
        };
        device.write_super(hdr, packet, Limit::Handle).map_err(explain)
    })
}
