// SPDX-License-Identifier: MIT
//! The queues of a multi-queue device.

use std::ffi::c_int;

use super::entry::{create, object, with};
use super::error::CError;
use crate::device::Device;
use crate::model::flags::Flags;

/// Opens another queue of a multi-queue device.
///
/// The new handle is for the same device, which exists until its last handle is closed. The kernel
/// distributes flows over the attached queues. The new queue gets the filter of
/// tuntap_set_filter_bpf.
///
/// For N queues, call tuntap_open with TUNTAP_MULTI_QUEUE, and then this function N - 1 times. Each of N
/// threads then reads, writes and waits on its own handle; no two of them share one.
///
/// @param dev    Any handle of the device.
/// @param flags  0 or TUNTAP_NONBLOCK. The other flags are those of the device.
/// @param queue  Receives the new handle, attached; tuntap_close frees it.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  flags are not valid here (_FLAGS);
///         -EINVAL  the device has a single queue, or its virtio header is now larger than 256 bytes
///                  (_MISMATCH);
///         -EINVAL  dev or queue is NULL (_ARGUMENT);
///         -E2BIG   the device has the maximum number of queues (_BUSY);
///         -EPERM   CAP_NET_ADMIN is needed: the device belongs to another user
///                  (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED);
///         -EXDEV   this process cannot enter the network namespace of the device
///                  (_NAMESPACE);
///         or as tuntap_open.
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

/// Attaches this queue to its device again, after tuntap_detach: the kernel sends packets to it.
///
/// It gets the filter of tuntap_set_filter_bpf, even if that was set while the queue was detached.
///
/// @param dev  The handle of the queue.
/// @param err  May be NULL.
/// @return 0, even if the queue is already attached; or
///         -EINVAL  the device has a single queue (_MISMATCH);
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED);
///         -ENOMEM  no memory for the filter (_SYSTEM);
///         -EBUSY   the kernel does not attach the queue (_BUSY).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_attach(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, Device::attach)
}

/// Detaches this queue from its device.
///
/// The kernel drops the packets in the queue and sends no further packets to it; tuntap_read finds
/// none until tuntap_attach. The handle still configures the device. tuntap_write still works, but
/// returns -EBUSY on a device with TUNTAP_NAPI. A device without an attached queue continues to
/// exist, and drops the packets that are sent through it.
///
/// @param dev  The handle of the queue.
/// @param err  May be NULL.
/// @return 0, even if the queue is already detached; or
///         -EINVAL  the device has a single queue (_MISMATCH);
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_detach(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, Device::detach)
}
