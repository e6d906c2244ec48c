// SPDX-License-Identifier: MIT
//! The interface: up and down, MTU, MAC address, name, counters.

use std::ffi::{c_char, c_int};

use super::argument::{Growing, bytes, input, out, sized_out, text_out};
use super::entry::with;
use super::error::CError;
use crate::device::Device;
use crate::model::error::Result;
use crate::model::link::{Alias, Mac, Stats};
use crate::model::name::Name;

/// Takes the device up. Linux: RTM_SETLINK.
///
/// @return 0, also when it is up already, or -EINVAL (dev is NULL), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_up(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_up(true))
}

/// Takes the device down. Its addresses stay; packets that wait to be read can still be
/// read.
///
/// @return 0, also when it is down already, or -EINVAL (dev is NULL), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_down(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_up(false))
}

/// Whether the device is up (IFF_UP).
///
/// @param up  Receives 1 if it is, 0 if not.
/// @return 0, or -EINVAL (dev or up is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_up(dev: *const Device, up: *mut c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| out(up, "result")?.fill(device.is_up().map(c_int::from)))
}

/// The MTU in bytes: of an IP packet, so a TAP's frame is 14 longer, and a VLAN tag's 4
/// come on top. For the size of a buffer see tuntap_read_size.
///
/// @param mtu  Receives the MTU.
/// @return 0, or -EINVAL (dev or mtu is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mtu(dev: *const Device, mtu: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(mtu, "result")?.fill(device.mtu()))
}

/// What the MTU can be.
///
/// @param min  Receives the least. Linux: 68; under 1280 a device has no IPv6.
/// @param max  Receives the greatest. Linux: 65535, and 65521 for a TAP.
/// @return 0, or -EINVAL (dev, min or max is NULL), -EOPNOTSUPP (before Linux 4.19,
///         TUNTAP_REASON_KERNEL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mtu_range(
    dev: *const Device,
    min: *mut u32,
    max: *mut u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let (least, greatest) = (out(min, "result")?, out(max, "result")?);
        let range = device.mtu_range()?;
        least.set(range.0);
        greatest.set(range.1);
        Ok(())
    })
}

/// Sets the MTU.
///
/// @param mtu  In bytes. Linux takes 68 to 65535, and to 65521 for a TAP; under 1280 a
///             device has no IPv6.
/// @return 0, or -EINVAL (dev is NULL; mtu is out of range, TUNTAP_REASON_RANGE), -EPERM
///         (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mtu(dev: *mut Device, mtu: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_mtu(mtu))
}

/// The MAC address of a TAP.
///
/// @param mac  Receives TUNTAP_MAC_SIZE (6) bytes.
/// @return 0, or -EINVAL (dev or mac is NULL), -EOPNOTSUPP (a TUN has none,
///         TUNTAP_REASON_KIND), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mac(dev: *const Device, mac: *mut u8, err: *mut CError) -> c_int {
    with(dev, err, |device| out(mac.cast(), "result")?.fill(device.mac().map(Mac::octets)))
}

/// Sets the MAC address of a TAP, up or down.
///
/// @param mac  TUNTAP_MAC_SIZE (6) bytes; not a group's (an odd first byte) and not all
///             zeros.
/// @return 0, or -EINVAL (dev or mac is NULL; no usable address, TUNTAP_REASON_ADDRESS),
///         -EOPNOTSUPP (a TUN has none, TUNTAP_REASON_KIND), -EPERM (needs CAP_NET_ADMIN),
///         -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mac(dev: *mut Device, mac: *const u8, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_mac(mac_at(mac)?))
}

pub(super) unsafe fn mac_at(mac: *const u8) -> Result<Mac> {
    Mac::new(*input::<[u8; 6]>(mac.cast(), "the MAC address")?)
}

/// Renames the device. Handles and monitors go on following it.
///
/// @param name  The new name, as tuntap_open takes it, without a pattern.
/// @return 0, or -EINVAL (dev or name is NULL; not a name, TUNTAP_REASON_NAME), -EEXIST
///         (the name is taken, TUNTAP_REASON_BUSY), -EBUSY (before Linux 6.2 a device that
///         is up cannot be renamed, TUNTAP_REASON_BUSY),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_name(dev: *mut Device, name: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_name(Name::new(bytes(name, "the name")?)?))
}

/// The alias of the device: a text for whoever looks at it, which changes nothing.
///
/// @param buf   Receives the alias, empty when there is none. Bytes as the kernel has them.
/// @param size  Bytes of buf; TUNTAP_ALIAS_SIZE always suffices.
/// @return 0, or -EINVAL (dev or buf is NULL), -ERANGE (buf is too small), -ENODEV (the
///         device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_alias(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(device.alias()?))
}

/// Gives the device an alias.
///
/// @param alias  Up to 255 bytes; "" takes the alias away.
/// @return 0, or -EINVAL (dev or alias is NULL; too long, TUNTAP_REASON_RANGE), -EPERM
///         (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_alias(dev: *mut Device, alias: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_alias(&Alias::new(bytes(alias, "the alias")?)?))
}

/// Whether the device has a carrier: whether the other end is there, as far as the device
/// was told. A device starts with one.
///
/// @param on  Receives 1 if it has, 0 if not.
/// @return 0, or -EINVAL (dev or on is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_carrier(dev: *const Device, on: *mut c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| out(on, "result")?.fill(device.carrier().map(c_int::from)))
}

/// Turns the carrier on or off, as plugging a cable in and out does: without it, the device
/// keeps its addresses and routes, and the kernel sends nothing through it. Needs no
/// privilege beyond having opened it. Linux: TUNSETCARRIER.
///
/// @param on  0 or not 0.
/// @return 0, or -EINVAL (dev is NULL), -EPERM (on, while all queues are detached),
///         -EOPNOTSUPP (before Linux 5.0, TUNTAP_REASON_KERNEL), -ENODEV (the device is
///         gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_carrier(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_carrier(on != 0))
}

/// The transmit queue length: how many packets wait for tuntap_read, in each queue, before
/// the kernel drops more.
///
/// @param packets  Receives the number; 500 in a new TUN, 1000 in a new TAP.
/// @return 0, or -EINVAL (dev or packets is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_txqueuelen(
    dev: *const Device,
    packets: *mut u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(packets, "result")?.fill(device.tx_queue_length()))
}

/// Sets the transmit queue length. What no longer has room in a shorter queue is dropped, and
/// no counter of the kernel's has it.
///
/// @param packets  In each queue. The kernel takes 8 bytes for each at once.
/// @return 0, or -EINVAL (dev is NULL), -ENOMEM (so much memory is not to be had), -EPERM
///         (needs CAP_NET_ADMIN),
///         -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_txqueuelen(dev: *mut Device, packets: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_tx_queue_length(packets))
}

/// The send buffer: how many bytes of written packets may be on their way through the
/// kernel, for each queue, before tuntap_write has to wait.
///
/// @param bytes  Receives the number; 2147483647 in a new device, which is no limit.
/// @return 0, or -EINVAL (dev or bytes is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_sndbuf(dev: *const Device, bytes: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(bytes, "result")?.fill(device.send_buffer()))
}

/// Sets the send buffer of the device, for all its queues. Needs no privilege beyond having
/// opened it. Linux: TUNSETSNDBUF.
///
/// @param bytes  1 to 2147483647.
/// @return 0, or -EINVAL (dev is NULL; out of range, TUNTAP_REASON_RANGE), -ENODEV (the
///         device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_sndbuf(dev: *mut Device, bytes: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_send_buffer(bytes))
}

/// Counters of a device, since it was made, as the kernel sees it: what is received (rx)
/// was written by tuntap_write, and what is transmitted (tx) is read by tuntap_read. Later
/// versions may add members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CStats {
    /// Packets that the kernel took from a writer.
    pub rx_packets: u64,
    /// Packets that a reader took.
    pub tx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// Written packets that were malformed.
    pub rx_errors: u64,
    /// Packets that could not be sent out.
    pub tx_errors: u64,
    /// Written packets that the kernel had no room for.
    pub rx_dropped: u64,
    /// Packets that no reader took: the queue was full, or the device had none.
    pub tx_dropped: u64,
}

unsafe impl Growing for CStats {
    const LEAST: usize = 64;
    const NAME: &'static str = "tuntap_stats";
}

const _: () = assert!(size_of::<CStats>() == CStats::LEAST);

impl From<Stats> for CStats {
    fn from(stats: Stats) -> Self {
        let Stats {
            rx_packets,
            tx_packets,
            rx_bytes,
            tx_bytes,
            rx_errors,
            tx_errors,
            rx_dropped,
            tx_dropped,
        } = stats;
        Self { rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped }
    }
}

/// The counters of the device.
///
/// @param stats  Receives them.
/// @param size   sizeof(tuntap_stats).
/// @return 0, or -EINVAL (dev or stats is NULL; size is too small), -ENODEV (the device is
///         gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_stats(
    dev: *const Device,
    stats: *mut CStats,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| sized_out(stats, size, "counters")?.fill(device.stats()))
}

/// The offloads of the device that are turned on, by whomever: they are the device's, for
/// all its queues, and outlive the handle on a persistent one. Linux: the features that
/// ethtool -k shows.
///
/// @param offloads  Receives TUNTAP_F_*.
/// @return 0, or -EINVAL (dev or offloads is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_offloads(
    dev: *const Device,
    offloads: *mut u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(offloads, "result")?.fill(device.offloads()))
}
