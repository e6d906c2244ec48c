// SPDX-License-Identifier: MIT
//! IPv4 addresses.

use std::ffi::{c_char, c_int};

use super::error::CError;
use super::{act, tell_text, text};
use crate::address::{self, AddressRequest, Prefix};
use crate::device::Device;

/// The device's first IPv4 address, such as "10.8.0.1". This function and those for the
/// destination address and the netmask are for IPv4 alone.
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
    tell_text(dev, buf, size, err, |device| Ok(device.addr()?.to_string()))
}

/// Makes this the only IPv4 address of the device. When it fails, the addresses and prefixes
/// are as before.
///
/// Linux: RTM_NEWADDR. The others are removed, and the IPv4 routes through them with them. A
/// TAP gets the broadcast address of the network as well. While the device is up, the kernel
/// adds a route to the network.
///
/// @param addr  "10.8.0.1/24", or "10.8.0.1": then the prefix is 32, unless the device has this
///              address already.
/// @return 0, or -EINVAL (dev or addr is NULL; not an address that a host can have,
///         TUNTAP_REASON_ADDRESS), -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_addr(dev: *mut Device, addr: *const c_char, err: *mut CError) -> c_int {
    act(dev, err, |device| device.set_addr(&AddressRequest::parse(text(addr, "the address")?)?))
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
    tell_text(dev, buf, size, err, |device| Ok(device.dstaddr()?.to_string()))
}

/// Sets the other end of the link, for the first IPv4 address. The prefix stays: it now counts
/// from the other end. When it fails, the addresses and prefixes are as before.
///
/// Linux: all IPv4 addresses of the device are removed and added again, so that IPv4 routes
/// through it, and labels or lifetimes that others gave its addresses, are lost.
///
/// @param dstaddr  Such as "10.8.0.2", without a prefix. The device's own address unsets it.
/// @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
///         dstaddr is NULL; not an address that a host can have, TUNTAP_REASON_ADDRESS), -EPERM
///         (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_dstaddr(
    dev: *mut Device,
    dstaddr: *const c_char,
    err: *mut CError,
) -> c_int {
    act(dev, err, |device| {
        device.set_dstaddr(address::parse_host(text(dstaddr, "the destination address")?)?)
    })
}

/// The netmask of the first IPv4 address.
///
/// @param buf   Receives the netmask, such as "255.255.255.0".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
/// @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or buf
///         is NULL), -ERANGE (buf is too small), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_netmask(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    tell_text(dev, buf, size, err, |device| Ok(device.prefix()?.netmask().to_string()))
}

/// Sets the netmask of the first IPv4 address. When it fails, the addresses and prefixes are as
/// before.
///
/// Linux: all IPv4 addresses of the device are removed and added again, so that IPv4 routes
/// through it, and labels or lifetimes that others gave its addresses, are lost.
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
    act(dev, err, |device| device.set_prefix(Prefix::parse_netmask(text(netmask, "the netmask")?)?))
}
