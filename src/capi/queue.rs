// SPDX-License-Identifier: MIT
//! The queues of a multi-queue device.

use std::ffi::c_int;

use super::entry::{create, object, with};
use super::error::CError;
use crate::device::Device;
use crate::model::flags::Flags;

/// Opens another queue of a multi-queue device: a handle of its own to the same device,
/// which lives until its last handle is closed. The kernel spreads flows over the attached
/// queues. It has the filter that tuntap_set_filter_bpf set.
///
/// @param dev    Any handle of the device.
/// @param flags  0 or TUNTAP_NONBLOCK: the rest is the device's.
/// @param queue  Receives the new handle, attached; tuntap_close frees it.
/// @return 0, or -EINVAL (dev or queue is NULL; flags, TUNTAP_REASON_FLAGS; the device has
///         a single queue, or its virtio header has more than 256 bytes now,
///         TUNTAP_REASON_MISMATCH), -E2BIG (no room for another queue),
///         -EPERM (somebody else's device needs CAP_NET_ADMIN), -ENODEV (the device is
///         gone), -EXDEV (the calling thread is in another network namespace than the
///         device, TUNTAP_REASON_NAMESPACE), or as tuntap_open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_open_queue(
    dev: *mut Device,
    flags: u64,
    queue: *mut *mut Device,
    err: *mut CError,
) -> c_int {
    create(queue, err, || object(dev)?.open_queue(Flags::parse_queue(flags)?))
}

/// Attaches this queue to its device again: the kernel spreads packets over it. It has the
/// filter that tuntap_set_filter_bpf set, meanwhile or before.
///
/// @return 0, also when it is attached already, or -EINVAL (dev is NULL; the device has a
///         single queue, TUNTAP_REASON_MISMATCH), -ENODEV (the device is gone), -ENOMEM (no
///         memory for its filter), -EBUSY (the kernel does not attach it,
///         TUNTAP_REASON_BUSY).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_attach(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, Device::attach)
}

/// Detaches this queue from its device: the kernel drops the packets that wait in it and
/// sends no more to it, so that tuntap_read finds none until tuntap_attach. tuntap_write
/// goes on working, but for a device with TUNTAP_NAPI, where it is -EBUSY; and the handle
/// still answers for the device. A device whose queues are all detached lives on, and drops
/// what is sent through it.
///
/// @return 0, also when it is detached already, or -EINVAL (dev is NULL; the device has a
///         single queue, TUNTAP_REASON_MISMATCH), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_detach(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, Device::detach)
}
