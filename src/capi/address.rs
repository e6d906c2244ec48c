// SPDX-License-Identifier: MIT
//! IP addresses.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::argument::{Growing, c_text, list_out, optional_text, text, text_out};
use super::entry::with;
use super::error::CError;
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::address::{self, AddressRequest, Assigned, Options};
use crate::model::prefix::{Family, Prefix};
use crate::model::table::constants;
use crate::model::text::text;

constants! {
    numbers FAMILIES: u32 {
        /// The family of IPv4 addresses: 4 on every system, where AF_INET is not.
        TUNTAP_IPV4 = 4, "TUNTAP_IPV4";
        /// The family of IPv6 addresses.
        TUNTAP_IPV6 = 6, "TUNTAP_IPV6";
    }
}

/// An address of a device. Later versions may add members at the end, which is why each
/// function takes its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CAddr {
    /// TUNTAP_IPV4 or TUNTAP_IPV6.
    pub family: u32,
    /// The length of the prefix in bits.
    pub prefix: u32,
    /// A TUNTAP_SCOPE_*.
    pub scope: u32,
    /// 0.
    pub reserved: u32,
    /// TUNTAP_ADDR_*.
    pub flags: u64,
    /// The address with its prefix, such as "10.8.0.1/24" or "fd00::1/64".
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// The other end of a point-to-point link, such as "10.8.0.2"; "" where there is none.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
}

unsafe impl Growing for CAddr {
    const LEAST: usize = 152;
    const NAME: &'static str = "tuntap_addr";
}

const _: () = assert!(size_of::<CAddr>() == CAddr::LEAST);

/// As the ABI counts families.
pub(super) fn family(family: Family) -> u32 {
    match family {
        Family::V4 => TUNTAP_IPV4,
        Family::V6 => TUNTAP_IPV6,
    }
}

impl From<Assigned> for CAddr {
    fn from(assigned: Assigned) -> Self {
        let address = assigned.address;
        Self {
            family: family(address.family()),
            prefix: address.prefix().bits().into(),
            scope: assigned.scope as u32,
            reserved: 0,
            flags: assigned.flags,
            addr: c_text(format_args!("{}/{}", address.local(), address.prefix().bits())),
            peer: address.peer().map_or([0; TUNTAP_ADDR_SIZE], c_text),
        }
    }
}

/// What the functions for an address take.
pub(super) unsafe fn request(
    addr: *const c_char,
    peer: *const c_char,
) -> crate::model::error::Result<AddressRequest> {
    AddressRequest::parse(text(addr, "the address")?, optional_text(peer, "the address of the other end")?)
}

/// Adds an IPv4 or IPv6 address, beside those that the device has.
///
/// Linux: RTM_NEWADDR. A TAP gets the broadcast address of an IPv4 network as well. While
/// the device is up, the kernel adds a route to the network.
///
/// Darwin: SIOCAIFADDR. To the network of an IPv4 address of a TUN the library adds the
/// route, and takes it away with the address; an address without a peer is its own. A prefix
/// of 0 is -EINVAL, as is a peer in IPv6 with a prefix other than 128
/// (TUNTAP_REASON_ADDRESS); a TAP has no peers (_PLATFORM). The first address of a family
/// takes the device up, and any IPv4 address a TAP. The first IPv6 address brings a
/// link-local one, and the route to the network of an IPv6 address stays for a second or two
/// after it.
///
/// @param addr   "10.8.0.1/24", "fd00::1/64". Without a prefix it is that of the host
///               alone, 32 or 128, unless the device has this address already.
/// @param peer   The other end of a point-to-point link, such as "10.8.0.2", from which the
///               prefix counts then. NULL: none.
/// @param flags  0, or TUNTAP_ADDR_NODAD, TUNTAP_ADDR_NOPREFIXROUTE.
/// @return 0, also when the device has it already, or -EINVAL (dev or addr is NULL; not an
///         address that a host can have, or of two families, TUNTAP_REASON_ADDRESS; flags,
///         TUNTAP_REASON_FLAGS; IPv6 and the MTU is under 1280, TUNTAP_REASON_RANGE),
///         -EEXIST (IPv6: it has the address with another prefix, TUNTAP_REASON_BUSY),
///         -EACCES (IPv6 is turned off on the device, TUNTAP_REASON_SYSTEM), -EOPNOTSUPP (a kernel without IPv6),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_addr(
    dev: *mut Device,
    addr: *const c_char,
    peer: *const c_char,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.add_addr(&request(addr, peer)?, Options::parse(flags)?))
}

/// Takes an address away from the device; the others stay. When it fails, all of them do.
///
/// Linux: the kernel removes the IPv4 addresses of the same network with the first of them.
/// They are given back, with their labels and lifetimes; IPv4 routes through them are lost.
///
/// @param addr  As tuntap_add_addr takes it. Without a prefix, the address with any.
/// @param peer  Its other end. NULL: any.
/// @return 0, or -EADDRNOTAVAIL (the device does not have it, TUNTAP_REASON_UNSET), -EINVAL
///         (dev or addr is NULL; not an address that a host can have,
///         TUNTAP_REASON_ADDRESS), -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is
///         gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_addr(
    dev: *mut Device,
    addr: *const c_char,
    peer: *const c_char,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.del_addr(&request(addr, peer)?))
}

/// The addresses of the device, IPv4 before IPv6, in the order in which the kernel has
/// them.
///
/// @param addrs  Receives the first `count` of them. NULL with a count of 0: only the
///               number is asked for.
/// @param count  Places in addrs.
/// @param size   sizeof(tuntap_addr): where one ends and the next begins.
/// @return How many there are, which may be more than count, or -EINVAL (dev is NULL; addrs
///         is NULL and count is not 0; size is too small), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list_addrs(
    dev: *const Device,
    addrs: *mut CAddr,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    with(dev, err, |device| Ok(list_out(addrs, count, size)?.set(device.addresses()?)))
}

/// The device's first IPv4 address, such as "10.8.0.1". This function and those for the
/// destination address and the netmask are for IPv4 alone; tuntap_list_addrs tells all.
///
/// @param buf   Receives the address, without a prefix: see tuntap_get_netmask.
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
/// @return 0, or -EADDRNOTAVAIL (it has none, TUNTAP_REASON_UNSET), -EINVAL (dev or buf is
///         NULL), -ERANGE (buf is too small), -ENODEV (the device is gone).
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

/// Makes this the only address of its family. When it fails, the addresses and prefixes are
/// as before.
///
/// An IPv6 link-local address (fe80::/10) replaces only those of its kind, and any other
/// leaves them.
///
/// Linux: RTM_NEWADDR. The others are removed, and the routes through them with them. A TAP
/// gets the broadcast address of an IPv4 network as well. While the device is up, the
/// kernel adds a route to the network.
///
/// @param addr  "10.8.0.1/24", "fd00::1/64". Without a prefix it is that of the host alone,
///              32 or 128, unless the device has this address already.
/// @return 0, or -EINVAL (dev or addr is NULL; not an address that a host can have,
///         TUNTAP_REASON_ADDRESS; IPv6 and the MTU is under 1280, TUNTAP_REASON_RANGE),
///         -EACCES (IPv6 is turned off on the device, TUNTAP_REASON_SYSTEM), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_addr(dev: *mut Device, addr: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_addr(&request(addr, std::ptr::null())?))
}

/// The address of the other end of a point-to-point link, of the first IPv4 address.
///
/// @param buf   Receives the address, such as "10.8.0.2".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
/// @return 0, or -EADDRNOTAVAIL (it has no address, or no other end is set,
///         TUNTAP_REASON_UNSET), -EINVAL (dev or buf is NULL), -ERANGE (buf is too small),
///         -ENODEV (the device is gone).
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

/// Sets the other end of the link, for the first IPv4 address. The prefix stays: it now
/// counts from the other end. When it fails, the addresses and prefixes are as before.
///
/// Linux: all IPv4 addresses of the device are removed and added again, with the labels and
/// lifetimes of those that do not change; the IPv4 routes through it are lost.
///
/// @param dstaddr  Such as "10.8.0.2", without a prefix. The device's own address unsets
///                 it.
/// @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
///         dstaddr is NULL; not an address that a host can have, TUNTAP_REASON_ADDRESS),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
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

/// The netmask of the first IPv4 address.
///
/// @param buf   Receives the netmask, such as "255.255.255.0".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
/// @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
///         buf is NULL), -ERANGE (buf is too small), -ENODEV (the device is gone).
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

/// Sets the netmask of the first IPv4 address. When it fails, the addresses and prefixes
/// are as before.
///
/// Linux: all IPv4 addresses of the device are removed and added again, with the labels and
/// lifetimes of those that do not change; the IPv4 routes through it are lost.
///
/// @param netmask  Such as "255.255.255.0"; its ones come before its zeros.
/// @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
///         netmask is NULL; not a netmask, TUNTAP_REASON_ADDRESS), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netmask(
    dev: *mut Device,
    netmask: *const c_char,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.set_netmask(Prefix::parse_netmask(text(netmask, "the netmask")?)?))
}
