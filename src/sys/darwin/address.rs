// SPDX-License-Identifier: MIT
//! IP addresses of an interface: SIOCAIFADDR and SIOCDIFADDR, of both families.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;

use super::layout::{in6_iff, *};
use super::message::{self, Message, number, put, request, sockaddr_ip, sockaddr_mask};
use super::{kernel, link, route};
use crate::model::address::Address;
use crate::model::assigned::{
    Assigned, DADFAILED, DEPRECATED, DYNAMIC, FOREVER, Lifetimes, NODAD, Options, SECONDARY, Scope, TENTATIVE,
};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::{Kind, bit};
use crate::model::name::Name;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Route};
use crate::model::text::text;
use crate::sys::Outcome;
use crate::sys::bytes::u32_at;

/// The address in an RTM_NEWADDR or RTM_DELADDR message, which has no flags of IPv6 addresses.
pub(super) fn parse(message: &Message<'_>, point_to_point: bool) -> Option<Assigned> {
    let sockaddrs = message.addresses(IFA_MSGHDR_SIZE, IFA_MSGHDR_ADDRS);
    let local = sockaddrs.get(RTA_IFA).and_then(message::ip)?;
    let family = Family::of(local);
    let prefix = sockaddrs
        .get(RTA_NETMASK)
        .map_or(Some(Prefix::host(family)), |mask| message::prefix(family, mask))?;
    let other = sockaddrs.get(RTA_BRD).filter(|_| point_to_point).and_then(message::ip);
    let peer = other.filter(|peer| Family::of(*peer) == family && !peer.is_unspecified());
    let address = Address::new(local, peer, prefix)?;
    let options = Options { scope: Some(scope(local)), ..Options::default() };
    Some(Assigned { address, options, flags: 0, message: Vec::new() })
}

fn scope(ip: IpAddr) -> Scope {
    let link = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    match ip.is_loopback() {
        true => Scope::Host,
        false if link => Scope::Link,
        false => Scope::Global,
    }
}

/// Adds the flags of an IPv6 address.
pub(super) fn with_flags(name: &Name, assigned: Assigned) -> Assigned {
    let flags = match assigned.address.family() {
        Family::V4 => 0,
        Family::V6 => flags(name, assigned.address.local()).map_or(0, abi_flags),
    };
    let lifetimes = Lifetimes { deprecated: flags & DEPRECATED != 0, ..Lifetimes::default() };
    let options = Options { nodad: flags & NODAD != 0, lifetimes, ..assigned.options };
    Assigned { flags, options, ..assigned }
}

fn flags(name: &Name, ip: IpAddr) -> Outcome<u32> {
    let control = kernel::socket(AF_INET6, SOCK_DGRAM, 0)?;
    let mut request: [u8; IN6_IFREQ_SIZE] = request(name.as_bytes(), &sockaddr_ip(ip));
    kernel::ioctl(control.as_fd(), SIOCGIFAFLAG_IN6, &mut request)?;
    u32_at(&request, IN6_IFREQ_VALUE).ok_or(Errno::EPROTO)
}

fn abi_flags(flags: u32) -> u64 {
    let has = |mask: u32, abi| bit(flags & mask != 0, abi);
    has(in6_iff::NODAD, NODAD)
        | has(in6_iff::TENTATIVE, TENTATIVE)
        | has(in6_iff::DUPLICATED, DADFAILED)
        | has(in6_iff::DEPRECATED, DEPRECATED)
        | has(in6_iff::TEMPORARY, SECONDARY)
        | has(in6_iff::AUTOCONF | in6_iff::DYNAMIC, DYNAMIC)
}

/// Refuses what Darwin does not support, before any change.
pub(super) fn check(name: &Name, kind: Kind, address: &Address, options: &Options) -> Result<()> {
    let wrong = |fault: &str| {
        let text = text!("add the address {address} to {name}: {fault}");
        Err(Error::new(Errno::EINVAL, Reason::Address, text))
    };
    let platform =
        |what: &str| Err(Error::platform(format_args!("add the address {address} {what} to {name}")));
    let bits = address.prefix().bits();
    let family = address.family();
    if bits == 0 {
        return wrong("this system does not support a prefix length of 0");
    }
    if address.peer().is_some() && kind == Kind::Tap {
        return platform("with a peer");
    }
    if address.peer().is_some() && family == Family::V6 && bits != 128 {
        return wrong("on this system an IPv6 address with a peer has a prefix length of 128");
    }
    // The kernel adds the route to the network itself, except for IPv4 on a utun.
    let routed = family == Family::V6 || kind == Kind::Tap;
    if options.noprefixroute && routed && bits != family.bits() {
        return platform("without a route to its network");
    }
    let usual = Options {
        nodad: options.nodad,
        noprefixroute: options.noprefixroute,
        scope: options.scope.filter(|asked| *asked == scope(address.local())),
        ..Options::default()
    };
    if *options != usual {
        return platform("with a lifetime, a scope, a label, a metric, a protocol or a broadcast address");
    }
    Ok(())
}

pub(super) fn add(name: &Name, index: u32, kind: Kind, address: &Address, options: &Options) -> Outcome<()> {
    match address.local() {
        IpAddr::V6(local) if local.is_unicast_link_local() => add_link_local(name, index, address, options),
        IpAddr::V6(_) => add_ipv6(name, address, options),
        IpAddr::V4(local) => {
            add_ipv4(name, local, kind, address)?;
            let network = if options.noprefixroute { None } else { network(kind, address) };
            let routed = network.map_or(Ok(()), |network| route::add(index, &network));
            match routed {
                // The route belongs to another program or another address: leave it unchanged.
                Ok(()) | Err(Errno::EEXIST) => Ok(()),
                Err(errno) => {
                    let _ = remove_address(name, address.local());
                    Err(errno)
                }
            }
        }
    }
}

pub(super) fn remove(
    name: &Name,
    index: u32,
    kind: Kind,
    address: &Address,
    others: &[Assigned],
) -> Outcome<()> {
    // Check first: the kernel deletes a route by destination and mask only (route.c, rtrequest_common_locked), and
    // could delete a route to that network through another interface.
    let gone = match network(kind, address) {
        Some(network) if route::list(index, Family::V4)?.iter().any(|it| it.route == network) => {
            Some(network)
        }
        _ => None,
    };
    remove_address(name, address.local())?;
    let Some(gone) = gone else { return Ok(()) };
    let _ = route::remove(index, &gone);
    // The route used the deleted address. Add it again for a remaining address of the same network.
    if others.iter().any(|other| other.address != *address && network(kind, &other.address) == Some(gone)) {
        let _ = route::add(index, &gone);
    }
    Ok(())
}

/// The route that the kernel does not add for an IPv4 address of a utun.
fn network(kind: Kind, address: &Address) -> Option<Route> {
    let prefix = address.prefix();
    let needed = kind == Kind::Tun && address.family() == Family::V4 && prefix.bits() < 32;
    let far = address.peer().unwrap_or(address.local());
    needed.then(|| Route::reported(prefix.network(far), prefix, None, None, Details::default())).flatten()
}

/// A utun needs a peer address. Without one, the local address is used, as usual on Darwin.
fn add_ipv4(name: &Name, local: Ipv4Addr, kind: Kind, address: &Address) -> Outcome<()> {
    let other = match kind {
        Kind::Tun => Some(address.peer().unwrap_or(local.into())),
        Kind::Tap => address.broadcast().map(IpAddr::from),
    };
    let mut request: [u8; IFALIASREQ_SIZE] = request(name.as_bytes(), &[]);
    put(&mut request, IFALIASREQ_ADDR, &sockaddr_ip(local.into()));
    if let Some(other) = other {
        put(&mut request, IFALIASREQ_BROADADDR, &sockaddr_ip(other));
    }
    put(&mut request, IFALIASREQ_MASK, &sockaddr_mask(Family::V4, address.prefix()));
    let control = kernel::socket(AF_INET, SOCK_DGRAM, 0)?;
    kernel::ioctl(control.as_fd(), SIOCAIFADDR, &mut request)
}

/// With the first IPv6 address of an interface the kernel adds a link-local address (in6_ifattach.c,
/// in6_ifattach_aliasreq). It is removed if the requested address is link-local itself.
fn add_link_local(name: &Name, index: u32, address: &Address, options: &Options) -> Outcome<()> {
    let link_local = || -> Outcome<Vec<IpAddr>> {
        let addresses = link::by_index(index)?.addresses.into_iter();
        let local =
            addresses.filter(|it| it.address.family() == Family::V6 && it.options.scope == Some(Scope::Link));
        Ok(local.map(|assigned| assigned.address.local()).collect())
    };
    let before = link_local()?;
    add_ipv6(name, address, options)?;
    for ip in link_local().unwrap_or_default() {
        if ip != address.local() && !before.contains(&ip) {
            let _ = remove_address(name, ip);
        }
    }
    Ok(())
}

fn add_ipv6(name: &Name, address: &Address, options: &Options) -> Outcome<()> {
    let mut request: [u8; IN6_ALIASREQ_SIZE] = request(name.as_bytes(), &[]);
    put(&mut request, IN6_ALIASREQ_ADDR, &sockaddr_ip(address.local()));
    if let Some(peer) = address.peer() {
        put(&mut request, IN6_ALIASREQ_DSTADDR, &sockaddr_ip(peer));
    }
    put(&mut request, IN6_ALIASREQ_MASK, &sockaddr_mask(Family::V6, address.prefix()));
    let flags = if options.nodad { in6_iff::NODAD } else { 0 };
    put(&mut request, IN6_ALIASREQ_FLAGS, &flags.to_ne_bytes());
    put(&mut request, IN6_ALIASREQ_VALID, &FOREVER.to_ne_bytes());
    put(&mut request, IN6_ALIASREQ_PREFERRED, &FOREVER.to_ne_bytes());
    let control = kernel::socket(AF_INET6, SOCK_DGRAM, 0)?;
    kernel::ioctl(control.as_fd(), SIOCAIFADDR_IN6, &mut request)
}

fn remove_address(name: &Name, ip: IpAddr) -> Outcome<()> {
    let control = kernel::socket(number(Family::of(ip)), SOCK_DGRAM, 0)?;
    let sockaddr = sockaddr_ip(ip);
    match ip {
        IpAddr::V4(_) => {
            let mut request: [u8; IFREQ_SIZE] = request(name.as_bytes(), &sockaddr);
            kernel::ioctl(control.as_fd(), SIOCDIFADDR, &mut request)
        }
        IpAddr::V6(_) => {
            let mut request: [u8; IN6_IFREQ_SIZE] = request(name.as_bytes(), &sockaddr);
            kernel::ioctl(control.as_fd(), SIOCDIFADDR_IN6, &mut request)
        }
    }
}
