// SPDX-License-Identifier: MIT
//! IP addresses.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::argument::{Growing, c_text, list_out, read_growing, text, text_out};
use super::entry::with;
use super::error::CError;
use super::field::{c_bytes, field, field_bytes, is_replace, optional_field, zero};
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::address::{self, AddressRequest, Assigned, Label, Options, Scope};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::{self, Family, Parsed, Prefix};
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

/// An address of a device, in both directions: what tuntap_list_addrs reports can be given to
/// tuntap_add_addr and tuntap_del_addr. Zeroed, with a text in addr, it is an address with
/// nothing unusual. Later versions may add members at the end, which is why each function takes
/// its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CAddr {
    /// TUNTAP_IPV4 or TUNTAP_IPV6. Given as 0, it is that of addr.
    pub family: u32,
    /// The length of the prefix in bits. Given as 0, it is that in addr.
    pub prefix: u32,
    /// A TUNTAP_SCOPE_*. Given as 0, it is the usual one: TUNTAP_SCOPE_HOST for an IPv4 loopback
    /// address, TUNTAP_SCOPE_GLOBAL for any other. IPv6: the kernel sees it by the address.
    pub scope: u32,
    /// The metric of the route to the address's network. 0: the usual one. Linux 4.18.
    pub metric: u32,
    /// TUNTAP_ADDR_*.
    pub flags: u64,
    /// Seconds until the address goes. 0: it stays.
    pub valid: u32,
    /// Seconds until no new connection is made from it. 0: as long as it is valid, or none with
    /// TUNTAP_ADDR_DEPRECATED.
    pub preferred: u32,
    /// Who made it; Linux 5.18: IFAPROT_*, where 3 is the kernel's link-local address. 0: nobody
    /// says.
    pub protocol: u32,
    /// 0.
    pub reserved: u32,
    /// The address with its prefix, such as "10.8.0.1/24" or "fd00::1/64". Given without one, it is
    /// that of the host alone, 32 or 128, unless the device has this address already.
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// The other end of a point-to-point link, such as "10.8.0.2", from which the prefix counts
    /// then; "" where there is none.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
    /// IPv4: the broadcast address. "" where there is none; given as "", a TAP has that of the
    /// network.
    pub broadcast: [c_char; TUNTAP_ADDR_SIZE],
    /// IPv4: the name that old programs know it by, of at most 15 bytes, such as "tap0:1". "": that
    /// of the device.
    pub label: [c_char; TUNTAP_ADDR_SIZE],
}

// SAFETY: integers without padding.
unsafe impl Growing for CAddr {
    const LEAST: usize = 296;
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

/// The family that a structure names, if it does.
pub(super) fn family_of(number: u32) -> Result<Option<Family>> {
    match number {
        0 => Ok(None),
        TUNTAP_IPV4 => Ok(Some(Family::V4)),
        TUNTAP_IPV6 => Ok(Some(Family::V6)),
        _ => {
            let text = text!("family {number}: give 0, TUNTAP_IPV4 or TUNTAP_IPV6");
            Err(Error::new(Errno::EINVAL, Reason::Argument, text))
        }
    }
}

/// A protocol of an address or a route, which systems number in a byte.
pub(super) fn protocol(number: u32) -> Result<u8> {
    let too_large =
        |_| Error::new(Errno::EINVAL, Reason::Range, text!("protocol {number}: 255 is the limit"));
    u8::try_from(number).map_err(too_large)
}

impl From<Assigned> for CAddr {
    fn from(assigned: Assigned) -> Self {
        let Assigned { address, options, flags, .. } = assigned;
        Self {
            family: family(address.family()),
            prefix: address.prefix().bits().into(),
            scope: options.scope.map_or(0, |scope| scope as u32),
            metric: options.metric,
            flags,
            valid: options.lifetimes.valid,
            preferred: options.lifetimes.preferred,
            protocol: options.protocol.into(),
            reserved: 0,
            addr: c_text(format_args!("{}/{}", address.local(), address.prefix().bits())),
            peer: address.peer().map_or([0; TUNTAP_ADDR_SIZE], c_text),
            broadcast: options.broadcast.map_or([0; TUNTAP_ADDR_SIZE], c_text),
            label: c_bytes(options.label.as_bytes()),
        }
    }
}

impl CAddr {
    /// What the functions for an address take.
    pub(super) fn request(&self) -> Result<AddressRequest> {
        let text = field(&self.addr, "the address")?;
        let parsed = Parsed::new(text)?.agreeing(family_of(self.family)?, self.prefix, text)?;
        AddressRequest::new(parsed, text, optional_field(&self.peer, "the address of the other end")?)
    }

    /// How the address is given to a device.
    pub(super) fn options(&self) -> Result<Options> {
        zero(self.reserved, Self::NAME)?;
        let broadcast = optional_field(&self.broadcast, "the broadcast address")?;
        Ok(Options {
            broadcast: broadcast.map(prefix::parse_ipv4).transpose()?,
            scope: Scope::parse(self.scope)?,
            metric: self.metric,
            protocol: protocol(self.protocol)?,
            label: Label::new(field_bytes(&self.label, "the label")?)?,
            ..Options::parse(self.flags, self.valid, self.preferred)?
        })
    }
}

/// Adds an IPv4 or IPv6 address, beside those that the device has.
///
/// Linux: RTM_NEWADDR. A TAP gets the broadcast address of an IPv4 network as well. While
/// the device is up, the kernel adds a route to the network.
///
/// Darwin: SIOCAIFADDR. To the network of an IPv4 address of a TUN the library adds the
/// route, and takes it away with the address; an address without a peer is its own. A prefix
/// of 0 is -EINVAL, as is a peer in IPv6 with a prefix other than 128
/// (TUNTAP_REASON_ADDRESS); a TAP has no peers (_PLATFORM), nor has an address lifetimes, a
/// label, a metric, a protocol, or a scope or broadcast address of its own. The first address of
/// a family takes the device up, and any IPv4 address a TAP. The first IPv6 address brings a
/// link-local one, and the route to the network of an IPv6 address stays for a second or two
/// after it.
///
/// The device has an address already when it has it with all that is asked for; what is zero or
/// "" is not asked for, except the lifetimes. So an address that is to end is never there
/// already. One that has its place otherwise, which is -EEXIST, becomes the one that is given
/// with TUNTAP_REPLACE, and keeps what is not asked for. In IPv4 the place of an address is its
/// prefix and the network of it or its peer too, in IPv6 it is the address alone. Linux changes
/// lifetimes, metric and protocol, and in IPv6 flags, so that the device has the address all the
/// time; for a change of anything else, and on Darwin, the old one is deleted first, and comes
/// back when that fails.
///
/// @param addr   The address. Of its flags, those that are reported only are not looked at.
/// @param size   sizeof(tuntap_addr).
/// @param flags  0, or TUNTAP_REPLACE.
/// @return 0, also when the device has it already, or -EINVAL (dev or addr is NULL; size is too
///         small; not an address that a host can have, or of two families, or with two prefixes,
///         TUNTAP_REASON_ADDRESS; flags, TUNTAP_REASON_FLAGS; preferred longer than valid, a long
///         label, or IPv6 and the MTU is under 1280, TUNTAP_REASON_RANGE; a label or broadcast
///         address in IPv6, TUNTAP_REASON_ARGUMENT),
///         -EEXIST (another address has its place, TUNTAP_REASON_BUSY),
///         -EACCES (IPv6 is turned off on the device, TUNTAP_REASON_SYSTEM), -EOPNOTSUPP (a kernel
///         without IPv6; Darwin: what it does not have, TUNTAP_REASON_PLATFORM),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
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

/// Takes an address away from the device; the others stay. When it fails, all of them do.
///
/// Linux: the kernel removes the IPv4 addresses of the same network with the first of them.
/// They are given back, with their labels and lifetimes; IPv4 routes through them are lost.
///
/// @param addr  The address, of which only family, prefix, addr and peer are looked at. Without a
///              prefix, it is the address with any. Without a peer, it is the one without a peer
///              if there is one, or else the one with any.
/// @param size  sizeof(tuntap_addr).
/// @return 0, or -ENOENT (the device does not have it, TUNTAP_REASON_UNSET), -EINVAL
///         (dev or addr is NULL; size is too small; not an address that a host can have,
///         TUNTAP_REASON_ADDRESS), -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is
///         gone).
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

/// The addresses of the device, IPv4 before IPv6, in the order in which the kernel has
/// them. Of the IPv6 addresses of a scope the newest is the first.
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
/// @return 0, or -ENOENT (it has none, TUNTAP_REASON_UNSET), -EINVAL (dev or buf is
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
    with(dev, err, |device| device.set_addr(&AddressRequest::parse(text(addr, "the address")?, None)?))
}

/// The address of the other end of a point-to-point link, of the first IPv4 address.
///
/// @param buf   Receives the address, such as "10.8.0.2".
/// @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
/// @return 0, or -ENOENT (it has no address, or no other end is set,
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
/// @return 0, or -ENOENT (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
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
/// @return 0, or -ENOENT (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
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
/// @return 0, or -ENOENT (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
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
