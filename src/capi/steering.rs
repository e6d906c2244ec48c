// SPDX-License-Identifier: MIT
//! Programs and filters in the kernel.

use std::ffi::{c_int, c_void};

use super::argument::list;
use super::entry::with;
use super::error::CError;
use crate::device::Device;
use crate::model::link::Mac;
use crate::model::memory;
use crate::model::steering::{self, Instruction, Program};

/// Sets an eBPF program that selects the queue of each packet.
///
/// It runs for each packet that the kernel sends through the device. Without a program the kernel
/// selects the queue by the hash of the flow. Linux: TUNSETSTEERINGEBPF.
///
/// @param dev  The device.
/// @param fd   A program of BPF_PROG_TYPE_SOCKET_FILTER, from bpf(BPF_PROG_LOAD). It returns the
///             number of the queue, modulo the number of attached queues. The kernel keeps a
///             reference: the descriptor can be closed. -1: removes the program.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  fd is not a program of this type (_ARGUMENT);
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EBADF   fd is not open (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_steering_ebpf(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_program(Program::Steering, (fd != -1).then_some(fd)))
}

/// Sets an eBPF program that selects the packets that the kernel sends through the device.
///
/// Linux: TUNSETFILTEREBPF.
///
/// @param dev  The device.
/// @param fd   A program of BPF_PROG_TYPE_SOCKET_FILTER. It returns the number of bytes of the packet
///             to send: 0 drops it. The kernel keeps a reference: the descriptor can be closed. -1:
///             removes the program.
/// @param err  May be NULL.
/// @return As tuntap_set_steering_ebpf.
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_filter_ebpf(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_program(Program::Filter, (fd != -1).then_some(fd)))
}

/// Sets a classic BPF filter that selects the frames that the kernel sends through a TAP.
///
/// Linux: TUNATTACHFILTER.
///
/// The filter applies to all attached queues, and to each queue that tuntap_open_queue or
/// tuntap_attach adds later through this handle or a handle related to it by tuntap_open_queue. While
/// a queue is added to a device with a filter, the kernel may drop frames.
///
/// Queues that tuntap_open or another process opens get no filter. A persistent device that is opened
/// again therefore has none.
///
/// @param dev     The device.
/// @param filter  Instructions of 8 bytes, in the layout of struct sock_filter of <linux/filter.h> and
///                of bpf_insn of libpcap. The filter returns the number of bytes of the frame to send:
///                0 drops it. NULL with a count of 0: removes the filter.
/// @param count   The number of instructions: at most 4096.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL      not a program that the kernel accepts (_ARGUMENT);
///         -EINVAL      more than 4096 instructions (_RANGE);
///         -EINVAL      dev is NULL, or filter is NULL and count is not 0 (_ARGUMENT);
///         -EOPNOTSUPP  the device is a TUN (_KIND);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_filter_bpf(
    dev: *mut Device,
    filter: *const c_void,
    count: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        device.set_filter_bpf(list::<Instruction>(
            filter.cast(),
            count,
            steering::MAX_INSTRUCTIONS,
            "the instructions",
        )?)
    })
}

/// Selects the destination MAC addresses of the frames that the kernel sends through a TAP.
///
/// The first eight match exactly. Further ones are multicast addresses that match by a hash, so
/// frames to some other groups pass too. Linux: TUNSETTXFILTER.
///
/// @param dev    The device.
/// @param macs   The addresses: TUNTAP_MAC_SIZE (6) bytes each, without gaps. NULL with a count of 0:
///               none.
/// @param count  The number of addresses: at most 65535. All after the eighth must be multicast
///               addresses.
/// @param flags  0, or TUNTAP_ALL_MULTICAST. With 0 and a count of 0 the filter is removed: all frames
///               pass.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL      unknown flags (_FLAGS);
///         -EINVAL      more than 65535 addresses (_RANGE);
///         -EINVAL      an address after the eighth is not multicast (_ADDRESS);
///         -EINVAL      dev is NULL, or macs is NULL and count is not 0 (_ARGUMENT);
///         -EOPNOTSUPP  the device is a TUN (_KIND);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_filter_mac(
    dev: *mut Device,
    macs: *const u8,
    count: usize,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let macs = list::<[u8; 6]>(macs.cast(), count, steering::MAX_TX_ADDRESSES, "the addresses")?;
        let macs = memory::collect(macs.iter().copied().map(Mac::reported))?;
        device.set_filter_mac(&macs, flags)
    })
}
