// SPDX-License-Identifier: MIT
//! The ioctls that change the addresses of an interface, and the routes that the kernel adds and removes with them.

use std::ffi::c_ulong;
use std::net::IpAddr;

use super::calls::text;
use super::interface::{Assigned, bits, network};
use super::machine::State;
use super::routes::Destination;
use crate::model::error::Errno;
use crate::model::prefix::Family;
use crate::sys::Outcome;
use crate::sys::bytes::u32_at;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::{self, put};

pub(super) fn add_ipv4(state: &mut State, name: &str, argument: &[u8]) -> Outcome<()> {
    let at = |offset: usize| &argument[offset..][..SOCKADDR_IN_SIZE];
    let well_formed = |sockaddr: &[u8]| sockaddr[..2] == [16, 2];
    let none = |sockaddr: &[u8]| sockaddr[..2] == [0, 0];
    let (address, other, mask) = (at(IFALIASREQ_ADDR), at(IFALIASREQ_BROADADDR), at(IFALIASREQ_MASK));
    assert!(well_formed(address) && well_formed(mask) && (well_formed(other) || none(other)), "sin_len");
    let local = message::ip(address).unwrap();
    let prefix = message::prefix(Family::V4, mask).unwrap().bits();
    let assigned = Assigned { local, prefix, other: message::ip(other), flags: 0 };
    let interface = state.find_mut(name)?;
    // in.c, in_ifinit: the network on a broadcast interface, or the peer on a point-to-point interface.
    let (to, prefix) =
        if interface.point_to_point { (assigned.other, 32) } else { (Some(network(local, prefix)), prefix) };
    let is_utun = interface.is_utun();
    // in.c, in_domifattach.
    state.attach(name, AF_INET);
    if !is_utun {
        // if_fake.c, feth_ioctl: SIOCSIFADDR sets it up, but not running.
        state.set_up(name, true);
    }
    let interface = state.find_mut(name)?;
    match interface.find(local) {
        Some(position) => interface.addresses[position] = assigned.clone(),
        None => interface.addresses.push(assigned.clone()),
    }
    let interface = interface.clone();
    let index = interface.index;
    if let Some(network) = to {
        let flags = RTF_UP | if prefix == 32 { RTF_HOST } else { 0 };
        let _ = state.routes.insert(Destination::new(network, prefix), index, None, flags);
    }
    state.notify_address(&interface, &assigned, true);
    Ok(())
}

/// netinet6/in6.c, in6_control.
pub(super) fn inet6(state: &mut State, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    let name = text(&argument[..16]);
    if state.unprivileged && request != SIOCGIFAFLAG_IN6 {
        return Err(Errno::EPERM);
    }
    match request {
        SIOCAIFADDR_IN6 => add_ipv6(state, &name, argument),
        SIOCDIFADDR_IN6 => {
            let local = message::ip(&argument[IN6_IFREQ_VALUE..]).ok_or(Errno::EAFNOSUPPORT)?;
            remove(state, &name, local)
        }
        SIOCGIFAFLAG_IN6 => {
            let local = message::ip(&argument[IN6_IFREQ_VALUE..]).ok_or(Errno::EAFNOSUPPORT)?;
            let interface = state.find_mut(&name)?;
            let position = interface.find(local).ok_or(Errno::EADDRNOTAVAIL)?;
            put(argument, IN6_IFREQ_VALUE, &interface.addresses[position].flags.to_ne_bytes());
            Ok(())
        }
        _ => Err(Errno::EOPNOTSUPP),
    }
}

/// in6.c, in6_update_ifa and in6ctl_aifaddr.
fn add_ipv6(state: &mut State, name: &str, argument: &[u8]) -> Outcome<()> {
    let at = |offset: usize| &argument[offset..][..SOCKADDR_IN6_SIZE];
    let (address, other, mask) = (at(IN6_ALIASREQ_ADDR), at(IN6_ALIASREQ_DSTADDR), at(IN6_ALIASREQ_MASK));
    if address[..2] != [28, 30] {
        return Err(Errno::EAFNOSUPPORT);
    }
    let prefix = message::prefix(Family::V6, mask).ok_or(Errno::EINVAL)?.bits();
    let lifetimes = (u32_at(argument, IN6_ALIASREQ_VALID), u32_at(argument, IN6_ALIASREQ_PREFERRED));
    assert_eq!(lifetimes, (Some(u32::MAX), Some(u32::MAX)), "an address for ever");
    let point_to_point = state.find_mut(name)?.point_to_point;
    let other = match other[1] {
        0 => None,
        30 if point_to_point && prefix == 128 => message::ip(other),
        _ => return Err(Errno::EINVAL),
    };
    if mask[0] == 0 || prefix == 0 {
        return Err(Errno::EINVAL);
    }
    let local = message::ip(address).unwrap();
    let flags = u32_at(argument, IN6_ALIASREQ_FLAGS).unwrap();
    attach_ipv6(state, name);
    put_ipv6(state, name, Assigned { local, prefix, other, flags });
    Ok(())
}

/// in6_ifattach.c, in6_ifattach_aliasreq: with its first address an interface gets a link-local address too. Here it
/// ends with the index of the interface, which is invented: XNU derives it from a MAC address, or makes it random.
fn attach_ipv6(state: &mut State, name: &str) {
    if state.attach(name, AF_INET6) {
        let index = state.find(name).unwrap().index;
        let local = format!("fe80::{:x}", 0x1000 + index).parse().unwrap();
        put_ipv6(state, name, Assigned { local, prefix: 64, other: None, flags: 0 });
    }
}

fn put_ipv6(state: &mut State, name: &str, assigned: Assigned) {
    let interface = state.find_mut(name).unwrap();
    match interface.find(assigned.local) {
        Some(position) => interface.addresses[position] = assigned.clone(),
        None => interface.addresses.push(assigned.clone()),
    }
    let interface = interface.clone();
    if assigned.prefix != 128 {
        state.routes.insert_prefix(assigned.local, assigned.prefix, interface.index);
    }
    state.notify_address(&interface, &assigned, true);
}

/// in.c, inctl_difaddr, and in6.c, in6ctl_difaddr.
pub(super) fn remove(state: &mut State, name: &str, local: IpAddr) -> Outcome<()> {
    let interface = state.find_mut(name)?;
    let position = interface.find(local).ok_or(Errno::EADDRNOTAVAIL)?;
    let gone = interface.addresses.remove(position);
    let interface = interface.clone();
    let index = interface.index;
    let kept = |other: &Assigned| network(other.local, other.prefix) == network(local, gone.prefix);
    let shared =
        interface.addresses.iter().any(|other| other.local.is_ipv4() == local.is_ipv4() && kept(other));
    let whole = bits(local);
    let (to, prefix) = match gone.other {
        Some(other) if interface.point_to_point => (other, whole),
        _ => (network(local, gone.prefix), gone.prefix),
    };
    if local.is_ipv6() && prefix != whole && !shared {
        state.routes.expire(Destination::of(to, prefix, index), index);
    } else if !shared || prefix == whole {
        state.routes.remove(Destination::new(to, prefix), index);
    }
    state.notify_address(&interface, &gone, false);
    Ok(())
}
