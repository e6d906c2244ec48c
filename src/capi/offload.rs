// SPDX-License-Identifier: MIT
//! Super-packets as they are.

use std::ffi::{c_int, c_void};

use libc::ssize_t;

use super::argument::{input, memory, memory_mut, out};
use super::entry::{Failure, pass, with};
use super::error::CError;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::offload::Offload;

/// What of a packet is still to be done: splitting it into segments, and its checksum. It
/// is struct virtio_net_hdr, 10 bytes, and stays so.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct COffload {
    /// TUNTAP_NEEDS_CHECKSUM, or 0. Other bits are the kernel's.
    pub flags: u8,
    /// A TUNTAP_KIND_*.
    pub kind: u8,
    /// Bytes of all headers, as a hint: the kernel gives other numbers too.
    pub header_length: u16,
    /// Bytes of payload in each segment but the last, which may have fewer.
    pub segment_size: u16,
    /// Where the part begins that the checksum is of: the TCP or UDP header.
    pub checksum_start: u16,
    /// Where the checksum is, from there.
    pub checksum_offset: u16,
}

impl From<Offload> for COffload {
    fn from(offload: Offload) -> Self {
        let Offload { flags, kind, header_length, segment_size, checksum_start, checksum_offset } = offload;
        Self { flags, kind, header_length, segment_size, checksum_start, checksum_offset }
    }
}

impl From<COffload> for Offload {
    fn from(offload: COffload) -> Self {
        let COffload { flags, kind, header_length, segment_size, checksum_start, checksum_offset } = offload;
        Self { flags, kind, header_length, segment_size, checksum_start, checksum_offset }
    }
}

/// Turns on these offloads, and no others: which super-packets the device hands over, and
/// what the writers of this handle join. They are the device's, for all its queues. All are
/// on after tuntap_open with TUNTAP_OFFLOAD that the kernel has; what waits to be read is
/// as it was.
///
/// @param offloads  TUNTAP_OFFLOAD_*, or 0. Each of them needs TUNTAP_OFFLOAD_CHECKSUM.
/// @return 0, or -EINVAL (dev is NULL; unknown bits, TUNTAP_REASON_FLAGS; opened without
///         TUNTAP_OFFLOAD, TUNTAP_REASON_MISMATCH), -EOPNOTSUPP (the kernel has no such
///         set: USO4 and USO6 go together, since Linux 6.2, TUNTAP_REASON_KERNEL), -ENODEV
///         (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_offloads(dev: *mut Device, offloads: u64, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_offloads(offloads))
}

/// Takes what the kernel hands over as it is, from a device with TUNTAP_OFFLOAD: a packet
/// or a super-packet, and what is still to be done with it. For those who pass it on whole:
/// to another device, or to a UDP socket with UDP_SEGMENT.
///
/// @param offload  Receives what is to be done.
/// @param buf      Receives the packet.
/// @param size     Bytes of buf. tuntap_read_size says which are always enough.
/// @return As tuntap_read, or -EINVAL (offload is NULL; opened without TUNTAP_OFFLOAD,
///         TUNTAP_REASON_MISMATCH).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_super(
    dev: *mut Device,
    offload: *mut COffload,
    buf: *mut c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let place = out(offload, "offload header")?;
        let room = memory_mut(buf, size, device.read_size(), "the buffer")?;
        device.needs_offload("read super-packets of")?;
        let mut told = Offload::default();
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, size));
        let length = device.read_super(&mut told, room, Limit::Handle).map_err(explain)?;
        place.set(told.into());
        Ok(length)
    })
}

/// Hands over a packet or a super-packet with what is still to be done, to a device with
/// TUNTAP_OFFLOAD.
///
/// @param offload  What is to be done. All zeros: nothing, it is a plain packet.
/// @param buf      The packet.
/// @param size     Bytes of it.
/// @return As tuntap_write, or -EINVAL (offload is NULL; opened without TUNTAP_OFFLOAD,
///         TUNTAP_REASON_MISMATCH; the kernel does not take such an offload: a UDP
///         super-packet has 128 segments at the most, and every one needs its checksum,
///         TUNTAP_REASON_PACKET).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_write_super(
    dev: *mut Device,
    offload: *const COffload,
    buf: *const c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let (offload, packet) = (input(offload, "the offload header")?, memory(buf, size, "the buffer")?);
        device.needs_offload("write super-packets to")?;
        let explain =
            |errno| Failure::Errno(errno, move || device.explain_write(errno, packet.first().copied(), size));
        device.write_super((*offload).into(), packet, Limit::Handle).map_err(explain)
    })
}
