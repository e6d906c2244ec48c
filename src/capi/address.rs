// SPDX-License-Identifier: MIT
//! IP addresses.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::argument::{Growing, list_out, read_growing, text, text_out};
use super::entry::with;
use super::error::CError;
use super::field::is_replace;
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::address::{self, AddressRequest};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::{Family, Prefix};
use crate::model::table::constants;
use crate::model::text::text;

constants! {
    numbers FAMILIES: u32 {
        /// The family of IPv4 addresses. 4 on every system, unlike AF_INET.
        TUNTAP_IPV4 = 4, "TUNTAP_IPV4";
        /// The family of IPv6 addresses.
        TUNTAP_IPV6 = 6, "TUNTAP_IPV6";
    }
}

/// An address of a device. tuntap_add_addr and tuntap_del_addr take what tuntap_list_addrs reports.
/// The shortest request is a zeroed structure with a text in addr. For an address in binary form,
/// let inet_ntop(3) write addr, and set prefix. Later versions may add members at the end, which is
/// why each function takes the size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CAddr {
    /// TUNTAP_IPV4 or TUNTAP_IPV6. Request: 0 for the family of addr.
    pub family: u32,
    /// The prefix length in bits. Request: 0 for the prefix length in addr.
    pub prefix: u32,
    /// A TUNTAP_SCOPE_*. Request: 0 for the default, which is TUNTAP_SCOPE_HOST for an IPv4 loopback
    /// address and TUNTAP_SCOPE_GLOBAL for any other. The kernel derives the scope of an IPv6
    /// address from the address, and a request for one is ignored.
    pub scope: u32,
    /// The metric of the route to the network of the address. 0: the default. Needs Linux 4.18.
    pub metric: u32,
    /// TUNTAP_ADDR_*.
    pub flags: u64,
    /// Valid lifetime: seconds until the address is removed. 0: it does not expire.
    pub valid: u32,
    /// Preferred lifetime: seconds until new connections no longer use the address. 0: the valid
    /// lifetime, or none with TUNTAP_ADDR_DEPRECATED.
    pub preferred: u32,
    /// The origin of the address: IFAPROT_*, where 3 is the kernel's link-local address. 0: unknown.
    /// Since Linux 5.18; ignored before.
    pub protocol: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The address with its prefix length, such as "10.8.0.1/24" or "fd00::1/64". Request: without a
    /// prefix length, the address has the one that it already has on the device, or else that of a
    /// single host: 32 or 128. Without a prefix length but with a peer, it is 32 or 128.
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// The peer: the other end of a point-to-point link, such as "10.8.0.2". The prefix length then
    /// describes the network of the peer: addr "10.8.0.6" with peer "10.8.0.5" is
    /// `ip addr add 10.8.0.6 peer 10.8.0.5/32`, and OpenVPN's `ifconfig 10.8.0.6 10.8.0.5`.
    /// "": no peer.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
    /// The IPv4 broadcast address. "": none. Request: "" for the default, which on a TAP is the
    /// broadcast address of the network.
    pub broadcast: [c_char; TUNTAP_ADDR_SIZE],
    /// IPv4: the interface name that old programs show for the address, such as "tap0:1"; at most
    /// 15 bytes. Request: "" for the name of the device.
    pub label: [c_char; TUNTAP_ADDR_SIZE],
}

// SAFETY: integers without padding.
unsafe impl Growing for CAddr {
    const LEAST: usize = 296;
    const NAME: &'static str = "tuntap_addr";
}

const _: () = assert!(size_of::<CAddr>() == CAddr::LEAST);

/// The ABI's number of a family.
pub(super) fn family(family: Family) -> u32 {
    match family {
        Family::V4 => TUNTAP_IPV4,
        Family::V6 => TUNTAP_IPV6,
    }
}

/// The family in a structure; 0 is none.
pub(super) fn family_of(number: u32) -> Result<Option<Family>> {
    match number {
        0 => Ok(None),
        TUNTAP_IPV4 => Ok(Some(Family::V4)),
        TUNTAP_IPV6 => Ok(Some(Family::V6)),
        _ => {
            let text = text!("family {number}: use 0, TUNTAP_IPV4 or TUNTAP_IPV6");
            Err(Error::new(Errno::EINVAL, Reason::Argument, text))
        }
    }
}

/// The protocol of an address or a route: one byte on every system.
pub(super) fn protocol(number: u32) -> Result<u8> {
    let too_large =
        |_| Error::new(Errno::EINVAL, Reason::Range, text!("protocol {number}: the limit is 255"));
    u8::try_from(number).map_err(too_large)
}

/// Adds an IPv4 or IPv6 address to the device.
///
/// The other addresses stay.
///
/// A member that is 0 or "" requests nothing, except valid and preferred: 0 there requests an address
/// that does not expire. When the device already has the address with everything that is requested,
/// nothing changes. A request with a lifetime therefore never matches an existing address.
///
/// Without a prefix length, "10.8.0.6" adds a single host, 10.8.0.6/32. If the device already has
/// 10.8.0.6 with any prefix length, and no peer is requested, its prefix length stays. tuntap_del_addr
/// is different: without a prefix length it removes 10.8.0.6 with every prefix length.
///
/// A device has one address with each key. The key of an IPv4 address is the address itself, its prefix
/// length, and the network of its peer (without a peer: its own network). So 10.8.0.6 peer 10.8.0.5 and
/// 10.8.0.6 peer 10.8.0.9 have different keys, and so have 10.8.0.6/24 and 10.8.0.6/16. The key of an
/// IPv6 address is the address alone.
///
/// When the device has an address with the same key and other properties, the call fails with -EEXIST.
/// With TUNTAP_REPLACE the new address replaces the existing one instead, and properties that are not
/// requested stay as they were. Linux changes lifetimes, metric and protocol in place, and for IPv6 also
/// the flags. For any other change, and for each change on Darwin, the library deletes the old address
/// first and restores it when the new one cannot be added.
///
/// Linux: RTM_NEWADDR. A TAP also gets the broadcast address of an IPv4 network. While the device is
/// up, the kernel adds a route to the network.
///
/// Darwin: SIOCAIFADDR. The library adds the route to the network of an IPv4 address of a TUN, and
/// removes it with the address. An address without a peer is its own peer. A prefix length of 0 and an
/// IPv6 peer with a prefix length other than 128 are -EINVAL (TUNTAP_REASON_ADDRESS). These are
/// -EOPNOTSUPP (TUNTAP_REASON_PLATFORM): a peer on a TAP, lifetimes, a label, a metric, a protocol,
/// and a scope or broadcast address other than the default. The first address of a family brings
/// the device up; on a TAP each IPv4 address does. The first IPv6 address also adds a link-local one.
/// The route to the network of an IPv6 address stays for a second or two after the address is removed.
///
/// @param dev    The device.
/// @param addr   The address. Flags that are only reported are ignored.
/// @param size   sizeof(tuntap_addr).
/// @param flags  0, or TUNTAP_REPLACE.
/// @param err    May be NULL.
/// @return 0, even if the device already has this address; or
///         -EINVAL      addr is unspecified, multicast or the IPv4 broadcast address, or family or
///                      prefix contradicts it (_ADDRESS);
///         -EINVAL      unknown flags (_FLAGS);
///         -EINVAL      preferred is longer than valid, the label or the protocol is too large, or
///                      the MTU is below 1280 and the address IPv6 (_RANGE);
///         -EINVAL      a label or broadcast address with IPv6, an unknown family or scope, or
///                      reserved is not 0 (_ARGUMENT);
///         -EINVAL      dev or addr is NULL, or size is too small (_ARGUMENT);
///         -EEXIST      the device has a conflicting address (_BUSY);
///         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EACCES      IPv6 is disabled on the device (_SYSTEM);
///         -EOPNOTSUPP  the kernel has no IPv6 (_SYSTEM);
///         -EOPNOTSUPP  Darwin does not have what is requested (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_addr(
    dev: *mut Device,
    addr: *const CAddr,
    size: usize,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let addr = read_growing(addr, size, "the address")?;
        device.add_addr(&addr.request()?, &addr.options()?, is_replace(flags)?)
    })
}

/// Removes an address from the device.
///
/// The other addresses stay. On failure all addresses stay.
///
/// Without a prefix length, each entry of the address is removed: with any prefix length, and without a
/// peer in the request also with any peer. tuntap_add_addr is different: without a prefix length it adds
/// a single host, /32 or /128.
///
/// Linux: with the first IPv4 address of a network the kernel removes the others of that network. The
/// library adds those again, with their labels and lifetimes. IPv4 routes through them are lost.
///
/// @param dev   The device.
/// @param addr  The address. Only family, prefix, addr and peer are read. Without a prefix length, any
///              prefix length and, unless a peer is given, any peer matches. With a prefix length and
///              without a peer, the address without a peer is removed; if there is none, any peer
///              matches.
/// @param size  sizeof(tuntap_addr).
/// @param err   May be NULL.
/// @return 0, or
///         -ENOENT  the device does not have the address (_UNSET);
///         -EINVAL  addr is not the address of a host, or family or prefix contradicts it
///                  (_ADDRESS);
///         -EINVAL  an unknown family (_ARGUMENT);
///         -EINVAL  dev or addr is NULL, or size is too small (_ARGUMENT);
///         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_addr(
    dev: *mut Device,
    addr: *const CAddr,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.del_addr(&read_growing(addr, size, "the address")?.request()?))
}

/// Lists the addresses of the device: IPv4 before IPv6, each in the order of the kernel.
///
/// The kernel lists the newest IPv6 address of a scope first.
///
/// @param dev    The device.
/// @param addrs  Receives the first `count` addresses. NULL with a count of 0: only the number is
///               returned.
/// @param count  Elements of addrs.
/// @param size   sizeof(tuntap_addr): the distance between two elements.
/// @param err    May be NULL.
/// @return The number of addresses, which may be larger than count; or
///         -EINVAL  dev is NULL, addrs is NULL and count is not 0, or size is too small
///                  (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list_addrs(
    dev: *const Device,
    addrs: *mut CAddr,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    with(dev, err, |device| Ok(list_out(addrs, count, size)?.fill(device.addresses()?)))
}

/// Gets the first IPv4 address of the device, without its prefix length: see tuntap_get_netmask.
///
/// For IPv6 and for further addresses use tuntap_list_addrs.
///
/// @param dev   The device.
/// @param buf   Receives the address, such as "10.8.0.1".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -ENOENT  the device has no IPv4 address (_UNSET);
///         -EINVAL  dev or buf is NULL (_ARGUMENT);
///         -ERANGE  buf is too small (_BUFFER);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_addr(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(text!("{}", device.addr()?)))
}

/// Makes an address the only one of its family on the device.
///
/// On failure the addresses and prefix lengths are as before.
///
/// The library removes the other addresses first, and then adds this one if the device does not have
/// it. So there is a moment without an address, in which packets are lost. To change an address without
/// such a moment:
/// 1. add the new address with tuntap_add_addr;
/// 2. replace the routes that have the old address as source or its peer as gateway:
///    tuntap_add_route with TUNTAP_REPLACE;
/// 3. delete the old address with tuntap_del_addr.
///
/// This does not work for two IPv4 addresses of the same network: see tuntap_del_addr.
///
/// IPv6 link-local addresses (fe80::/10) are a family by themselves here: a link-local address replaces
/// only link-local addresses, and any other IPv6 address replaces only the others.
///
/// Linux: RTM_NEWADDR. Routes through the removed addresses are removed with them. A TAP also gets
/// the broadcast address of an IPv4 network. While the device is up, the kernel adds a route to the
/// network.
///
/// @param dev   The device.
/// @param addr  "10.8.0.1/24", "fd00::1/64". Without a prefix length, the address has the one that it
///              already has on the device, or else that of a single host: 32 or 128.
/// @param err   May be NULL.
/// @return 0, or
///         -EINVAL  addr is not the address of a host (_ADDRESS);
///         -EINVAL  the MTU is below 1280 and the address IPv6 (_RANGE);
///         -EINVAL  dev or addr is NULL (_ARGUMENT);
///         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EACCES  IPv6 is disabled on the device (_SYSTEM);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_addr(dev: *mut Device, addr: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_addr(&AddressRequest::parse(text(addr, "the address")?, None)?))
}

/// Gets the peer of the first IPv4 address: the address of the other end of a point-to-point link.
///
/// @param dev   The device.
/// @param buf   Receives the address, such as "10.8.0.2".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -ENOENT  the device has no IPv4 address, or the first one has no peer
///                  (_UNSET);
///         -EINVAL  dev or buf is NULL (_ARGUMENT);
///         -ERANGE  buf is too small (_BUFFER);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_dstaddr(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(text!("{}", device.dstaddr()?)))
}

/// Sets the peer of the first IPv4 address.
///
/// The prefix length stays, and then describes the network of the peer. On failure the addresses
/// and prefix lengths are as before.
///
/// Linux: the library removes all IPv4 addresses of the device and adds them again. Those that do not
/// change keep their labels and lifetimes. IPv4 routes through the device are lost.
///
/// @param dev      The device.
/// @param dstaddr  The peer, such as "10.8.0.2", without a prefix length. The address of the device
///                 removes the peer.
/// @param err      May be NULL.
/// @return 0, or
///         -ENOENT  the device has no IPv4 address (_UNSET);
///         -EINVAL  dstaddr is not the IPv4 address of a host (_ADDRESS);
///         -EINVAL  dev or dstaddr is NULL (_ARGUMENT);
///         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_dstaddr(
    dev: *mut Device,
    dstaddr: *const c_char,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        device.set_dstaddr(address::parse_ipv4_host(text(dstaddr, "the destination address")?)?)
    })
}

/// Gets the netmask of the first IPv4 address.
///
/// @param dev   The device.
/// @param buf   Receives the netmask, such as "255.255.255.0".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -ENOENT  the device has no IPv4 address (_UNSET);
///         -EINVAL  dev or buf is NULL (_ARGUMENT);
///         -ERANGE  buf is too small (_BUFFER);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_netmask(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(text!("{}", device.netmask()?)))
}

/// Sets the netmask of the first IPv4 address.
///
/// On failure the addresses and prefix lengths are as before.
///
/// Linux: the library removes all IPv4 addresses of the device and adds them again. Those that do not
/// change keep their labels and lifetimes. IPv4 routes through the device are lost.
///
/// @param dev      The device.
/// @param netmask  The netmask, such as "255.255.255.0". Its one bits come before its zero bits.
/// @param err      May be NULL.
/// @return 0, or
///         -ENOENT  the device has no IPv4 address (_UNSET);
///         -EINVAL  netmask is not a netmask (_ADDRESS);
///         -EINVAL  dev or netmask is NULL (_ARGUMENT);
///         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netmask(
    dev: *mut Device,
    netmask: *const c_char,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.set_netmask(Prefix::parse_netmask(text(netmask, "the netmask")?)?))
}
