// SPDX-License-Identifier: MIT
//! Super-packets as they are.

use std::ffi::{c_int, c_void};

use libc::ssize_t;

use super::argument::{Growing, memory, memory_mut, out, read_growing, sized_out};
use super::entry::{Failure, pass, with};
use super::error::CError;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::vnet_hdr::{MIN_SIZE, VnetHdr};

/// What of a packet is still to be done: splitting it into segments, and its checksum. The
/// names and numbers are those of struct virtio_net_hdr, and the numbers are in the machine's
/// byte order, whatever the device's header has.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CVnetHdr {
    /// TUNTAP_VNET_HDR_F_NEEDS_CSUM, or 0. Other bits are the kernel's.
    pub flags: u8,
    /// A TUNTAP_VNET_HDR_GSO_*.
    pub gso_type: u8,
    /// Bytes of all headers, as a hint: the kernel gives other numbers too.
    pub hdr_len: u16,
    /// Bytes of payload in each segment but the last, which may have fewer.
    pub gso_size: u16,
    /// Where the part begins that the checksum is of: the TCP or UDP header.
    pub csum_start: u16,
    /// Where the checksum is, from there.
    pub csum_offset: u16,
    /// Buffers that the packet takes, for a virtio device: the kernel does not look at it, and a
    /// device whose header has fewer than 12 bytes does not pass it on.
    pub num_buffers: u16,
}

// SAFETY: numbers without padding.
unsafe impl Growing for CVnetHdr {
    const LEAST: usize = MIN_SIZE;
    const NAME: &'static str = "tuntap_vnet_hdr";
}

impl From<VnetHdr> for CVnetHdr {
    fn from(hdr: VnetHdr) -> Self {
        let VnetHdr { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers } = hdr;
        Self { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers }
    }
}

impl From<CVnetHdr> for VnetHdr {
    fn from(hdr: CVnetHdr) -> Self {
        let CVnetHdr { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers } = hdr;
        Self { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers }
    }
}

/// Turns on these offloads, and no others: which super-packets the device hands over, and
/// what the writers of this handle join. They are the device's, for all its queues. All are
/// on after tuntap_open with TUNTAP_OFFLOAD that the kernel has; what waits to be read is
/// as it was.
///
/// @param offloads  TUNTAP_F_*, or 0. Each of them needs TUNTAP_F_CSUM.
/// @return 0, or -EINVAL (dev is NULL; unknown bits, TUNTAP_REASON_FLAGS; opened without
///         TUNTAP_OFFLOAD, TUNTAP_REASON_MISMATCH), -EOPNOTSUPP (the kernel has no such
///         set: USO4 and USO6 go together, since Linux 6.2, TUNTAP_REASON_KERNEL), -ENODEV
///         (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_offloads(dev: *mut Device, offloads: u64, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_offloads(offloads))
}

/// Bytes of the virtio header that the kernel has before each packet of this device, for all
/// its queues: 10 on a new one, or what another program (TUNSETVNETHDRSZ) or
/// tuntap_config_set_vnet_hdr_size asked for. No packet function shows it.
///
/// It is found out when a handle is opened, as its byte order is. When another program
/// changes either later, the packets of the handles that are open are wrong from then on, or
/// refused; a handle that is opened later is right.
///
/// @param size  Receives the size.
/// @return 0, or -EINVAL (dev or size is NULL; opened without TUNTAP_OFFLOAD,
///         TUNTAP_REASON_MISMATCH).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_vnet_hdr_size(
    dev: *const Device,
    size: *mut usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(size, "result")?.fill(device.vnet_hdr_size()))
}

/// Takes what the kernel hands over as it is, from a device with TUNTAP_OFFLOAD: a packet
/// or a super-packet, and what is still to be done with it. For those who pass it on whole:
/// to another device, or to a UDP socket with UDP_SEGMENT.
///
/// @param hdr       Receives what is to be done, whatever size and byte order the device's
///                  header has. What a longer one has beyond this struct is dropped.
/// @param hdr_size  sizeof(tuntap_vnet_hdr), or 10 and more of it.
/// @param buf       Receives the packet.
/// @param size      Bytes of buf. tuntap_read_size says which are always enough.
/// @return As tuntap_read, or -EINVAL (hdr is NULL; hdr_size; opened without TUNTAP_OFFLOAD,
///         TUNTAP_REASON_MISMATCH).
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
        let place = sized_out(hdr, hdr_size, "virtio header")?;
        let room = memory_mut(buf, size, device.read_size(), "the buffer")?;
        device.needs_offload("read super-packets of")?;
        let mut told = VnetHdr::default();
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, size));
        let length = device.read_super(&mut told, room, Limit::Handle).map_err(explain)?;
        place.set(told.into());
        Ok(length)
    })
}

/// Hands over a packet or a super-packet with what is still to be done, to a device with
/// TUNTAP_OFFLOAD.
///
/// @param hdr       What is to be done. All zeros: nothing, it is a plain packet. What a
///                  longer header of the device has beyond this struct is zero.
/// @param hdr_size  sizeof(tuntap_vnet_hdr), or 10 and more of it.
/// @param buf       The packet.
/// @param size      Bytes of it.
/// @return As tuntap_write, or -EINVAL (hdr is NULL; hdr_size; hdr has more than this version
///         knows, and that is not 0; opened without TUNTAP_OFFLOAD, TUNTAP_REASON_MISMATCH;
///         the kernel does not take such an offload: a UDP super-packet has 128 segments at
///         the most, and every one needs its checksum, TUNTAP_REASON_PACKET).
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
        let explain =
            |errno| Failure::Errno(errno, move || device.explain_write(errno, packet.first().copied(), size));
        device.write_super(hdr.into(), packet, Limit::Handle).map_err(explain)
    })
}
