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

/// Has an eBPF program choose the queue of each packet that the kernel sends out through
/// the device, instead of the flow's hash. Linux: TUNSETSTEERINGEBPF.
///
/// @param fd  A program of BPF_PROG_TYPE_SOCKET_FILTER, as bpf(BPF_PROG_LOAD) gives it. It
///            returns the number of the queue, counted modulo the attached ones. The kernel
///            keeps it: the descriptor may be closed. -1: none any more.
/// @return 0, or -EINVAL (dev is NULL; fd is no such program, TUNTAP_REASON_ARGUMENT),
///         -EBADF (fd is not open, TUNTAP_REASON_ARGUMENT), -ENODEV (the device is gone).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_steering_ebpf(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_program(Program::Steering, (fd != -1).then_some(fd)))
}

/// Has an eBPF program decide which packets go out through the device. Linux:
/// TUNSETFILTEREBPF.
///
/// @param fd  A program of BPF_PROG_TYPE_SOCKET_FILTER. It returns how many bytes of the
///            packet go out: 0 drops it. The kernel keeps it: the descriptor may be closed.
///            -1: none any more.
/// @return As tuntap_set_steering_ebpf.
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_filter_ebpf(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_program(Program::Filter, (fd != -1).then_some(fd)))
}

/// Has a classic BPF filter decide which frames go out through a TAP, on all its attached
/// queues, and on those that tuntap_open_queue and tuntap_attach add later to this handle and
/// to those that have come from it, or it from them. Linux: TUNATTACHFILTER.
///
/// While a queue is added to a device with a filter, the kernel may drop frames. It gives no
/// filter to queues that tuntap_open or another process opens: a persistent device that is
/// opened again has none.
///
/// @param filter  Instructions of 8 bytes, as struct sock_filter of <linux/filter.h> and
///                bpf_insn of libpcap have them. They return how many bytes of the frame go
///                out: 0 drops it. NULL with a count of 0: none any more.
/// @param count   How many instructions; 4096 at most.
/// @return 0, or -EINVAL (dev is NULL; filter is NULL and count is not 0; not a program
///         that the kernel takes, TUNTAP_REASON_ARGUMENT; too long, TUNTAP_REASON_RANGE),
///         -EOPNOTSUPP (a TUN has no such filter, TUNTAP_REASON_KIND), -ENODEV (the device
///         is gone).
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

/// Lets out of a TAP only the frames to some addresses; those of groups are told apart by a
/// hash, so that a few more pass. Linux: TUNSETTXFILTER.
///
/// @param macs   The addresses, of TUNTAP_MAC_SIZE (6) bytes each, one behind the other.
///               NULL with a count of 0: none.
/// @param count  How many. The first eight may be any, and more are for groups' addresses
///               only; 65535 at most.
/// @param flags  0, or TUNTAP_ALL_MULTICAST. Without it, and with a count of 0, all frames
///               go out again.
/// @return 0, or -EINVAL (dev is NULL; macs is NULL and count is not 0; flags,
///         TUNTAP_REASON_FLAGS; too many, TUNTAP_REASON_RANGE; the ninth or a later one is
///         not a group's, TUNTAP_REASON_ADDRESS), -EOPNOTSUPP (a TUN has no addresses,
///         TUNTAP_REASON_KIND),
///         -ENODEV (the device is gone).
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
