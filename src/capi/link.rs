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

/// Brings the device up. Linux: RTM_SETLINK.
///
/// @param dev  The device.
/// @param err  May be NULL.
/// @return 0, even if it is already up, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_up(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_up(true))
}

/// Takes the device down. Packets in its queue can still be read. It keeps its IPv4 addresses.
/// Linux removes its routes, and its IPv6 addresses unless the sysctl
/// net.ipv6.conf.NAME.keep_addr_on_down is set.
///
/// @param dev  The device.
/// @param err  May be NULL.
/// @return 0, even if it is already down, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_down(dev: *mut Device, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_up(false))
}

/// Gets whether the device is up (IFF_UP).
///
/// @param dev  The device.
/// @param up   Receives 1 if it is up, 0 if it is down.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev or up is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_up(dev: *const Device, up: *mut c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| out(up, "result")?.fill(device.is_up().map(c_int::from)))
}

/// Gets the MTU: the size of the largest IP packet. A frame of a TAP is 14 bytes longer,
/// plus 4 for a VLAN tag. To size a buffer, use tuntap_read_size.
///
/// @param dev  The device.
/// @param mtu  Receives the MTU in bytes.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev or mtu is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mtu(dev: *const Device, mtu: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(mtu, "result")?.fill(device.mtu()))
}

/// Gets the range of the MTU.
///
/// @param dev  The device.
/// @param min  Receives the minimum. Linux: 68. Below 1280 a device has no IPv6.
/// @param max  Receives the maximum. Linux: 65535, and 65521 for a TAP.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL      dev, min or max is NULL (_ARGUMENT);
///         -EOPNOTSUPP  before Linux 4.19 (_KERNEL);
///         -ENODEV      the device is gone (_REMOVED).
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
/// @param dev  The device.
/// @param mtu  In bytes. Linux: 68 to 65535, and to 65521 for a TAP. Below 1280 a device
///             has no IPv6.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EINVAL  mtu is out of range (_RANGE);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mtu(dev: *mut Device, mtu: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_mtu(mtu))
}

/// Gets the MAC address of a TAP. Linux gives a new TAP a random one, with the bit that marks it as
/// locally administered.
///
/// @param dev  The device.
/// @param mac  Receives TUNTAP_MAC_SIZE (6) bytes.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL      dev or mac is NULL (_ARGUMENT);
///         -EOPNOTSUPP  the device is a TUN, which has no MAC address (_KIND);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mac(dev: *const Device, mac: *mut u8, err: *mut CError) -> c_int {
    with(dev, err, |device| out(mac.cast(), "result")?.fill(device.mac().map(Mac::octets)))
}

/// Sets the MAC address of a TAP, which can be up or down.
///
/// @param dev  The device.
/// @param mac  TUNTAP_MAC_SIZE (6) bytes. Not a group address (odd first byte) and not all
///             zeros.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL      dev or mac is NULL (_ARGUMENT);
///         -EINVAL      mac is a group address or all zeros (_ADDRESS);
///         -EOPNOTSUPP  the device is a TUN, which has no MAC address (_KIND);
///         -EPERM       this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mac(dev: *mut Device, mac: *const u8, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_mac(mac_at(mac)?))
}

pub(super) unsafe fn mac_at(mac: *const u8) -> Result<Mac> {
    Mac::new(*input::<[u8; 6]>(mac.cast(), "the MAC address")?)
}

/// Renames the device. Handles and monitors follow it. Before Linux 6.2 the device must be
/// down.
///
/// @param dev   The device.
/// @param name  The new name, as for tuntap_open, but not a pattern.
/// @param err   May be NULL.
/// @return 0, or
///         -EINVAL  dev or name is NULL (_ARGUMENT);
///         -EINVAL  name is not valid (_NAME);
///         -EEXIST  the name is in use (_BUSY);
///         -EBUSY   the device is up, before Linux 6.2 (_BUSY);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_name(dev: *mut Device, name: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_name(Name::parse(bytes(name, "the name")?)?))
}

/// Gets the alias of the device: a text for people, which has no effect.
///
/// @param dev   The device.
/// @param buf   Receives the alias: the bytes of the kernel. Empty if there is none.
/// @param size  Bytes of buf. TUNTAP_ALIAS_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -EINVAL  dev or buf is NULL (_ARGUMENT);
///         -ERANGE  buf is too small (_BUFFER);
///         -ENODEV  the device is gone (_REMOVED).
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

/// Sets the alias of the device.
///
/// @param dev    The device.
/// @param alias  Up to 255 bytes. "" removes the alias.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev or alias is NULL (_ARGUMENT);
///         -EINVAL  alias is too long (_RANGE);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_alias(dev: *mut Device, alias: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_alias(&Alias::new(bytes(alias, "the alias")?)?))
}

/// Gets whether the device has a carrier, as set by tuntap_set_carrier. A new device has
/// one. On Linux a persistent device that is not open has none.
///
/// @param dev  The device.
/// @param on   Receives 1 if it has a carrier, 0 if not.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev or on is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_carrier(dev: *const Device, on: *mut c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| out(on, "result")?.fill(device.carrier().map(c_int::from)))
}

/// Turns the carrier on or off, like plugging in or unplugging a cable. Without a carrier
/// the device keeps its addresses and routes, and the kernel sends nothing through it.
/// Needs no privilege on a device that the caller has open. Linux 5.0 or later:
/// TUNSETCARRIER.
///
/// @param dev  The device.
/// @param on   0: off. Not 0: on.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL      dev is NULL (_ARGUMENT);
///         -EPERM       on is not 0, and all queues are detached (_PRIVILEGE);
///         -EOPNOTSUPP  before Linux 5.0 (_KERNEL);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_carrier(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_carrier(on != 0))
}

/// Gets the transmit queue length: the number of packets that each queue holds for
/// tuntap_read. The kernel drops packets beyond it.
///
/// @param dev      The device.
/// @param packets  Receives the number. A new TUN has 500, a new TAP 1000.
/// @param err      May be NULL.
/// @return 0, or
///         -EINVAL  dev or packets is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_txqueuelen(
    dev: *const Device,
    packets: *mut u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(packets, "result")?.fill(device.tx_queue_length()))
}

/// Sets the transmit queue length. Packets that do not fit in a shorter queue are dropped,
/// and no counter of the kernel includes them. With a length of 0 the device drops every packet.
///
/// @param dev      The device.
/// @param packets  For each queue. The kernel allocates 8 bytes for each packet at once (4 on 32-bit
///                 processors). On x86-64 and most 64-bit processors the limit is 4 MiB: 524288
///                 packets.
/// @param err      May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -ENOMEM  no memory, or packets is above the limit (_SYSTEM);
///         -ERANGE  newer kernels: packets is above the limit (_SYSTEM);
///         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_txqueuelen(dev: *mut Device, packets: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_tx_queue_length(packets))
}

/// Gets the send buffer: the number of bytes of written packets that the kernel may still
/// be processing, for each queue, before tuntap_write waits.
///
/// @param dev    The device.
/// @param bytes  Receives the number. A new device has 2147483647, which is no limit.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev or bytes is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_sndbuf(dev: *const Device, bytes: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(bytes, "result")?.fill(device.send_buffer()))
}

/// Sets the send buffer of the device, for all queues. Needs no privilege on a device that
/// the caller has open. Linux: TUNSETSNDBUF.
///
/// @param dev    The device.
/// @param bytes  1 to 2147483647.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EINVAL  bytes is out of range (_RANGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_sndbuf(dev: *mut Device, bytes: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_send_buffer(bytes))
}

/// Counters of a device since it was created, from the view of the kernel: it receives (rx)
/// what tuntap_write writes, and transmits (tx) what tuntap_read reads. Later versions may add
/// members at the end.
///
/// On Linux the bytes of a TAP include the Ethernet headers. They never include the packet
/// information (TUNTAP_PI) or virtio headers. A super-packet counts with its own headers, once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CStats {
    /// Written packets that the kernel accepted. A super-packet counts as one.
    pub rx_packets: u64,
    /// Packets that were read. A super-packet counts as one.
    pub tx_packets: u64,
    /// Bytes of rx_packets.
    pub rx_bytes: u64,
    /// Bytes of tx_packets.
    pub tx_bytes: u64,
    /// Written packets that were malformed.
    pub rx_errors: u64,
    /// Packets that could not be sent out.
    pub tx_errors: u64,
    /// Written packets that the kernel dropped, for lack of room or because the device was down. A
    /// super-packet counts as one: tuntap_writer_get_lost counts packets.
    pub rx_dropped: u64,
    /// Packets that were not read, because the queue was full or no queue was attached.
    pub tx_dropped: u64,
}

// SAFETY: integers without padding.
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

/// Gets the counters of the device.
///
/// @param dev    The device.
/// @param stats  Receives the counters.
/// @param size   sizeof(tuntap_stats).
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev or stats is NULL (_ARGUMENT);
///         -EINVAL  size is too small, or over 4096 (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
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

/// Gets the offloads of the device that are turned on. They belong to the device, for all
/// queues, and a persistent device keeps them after its last handle is closed. Any process
/// can have set them. Linux: the features that `ethtool -k` shows.
///
/// @param dev       The device.
/// @param offloads  Receives TUNTAP_F_*.
/// @param err       May be NULL.
/// @return 0, or
///         -EINVAL  dev or offloads is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_offloads(
    dev: *const Device,
    offloads: *mut u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(offloads, "result")?.fill(device.offloads()))
}
