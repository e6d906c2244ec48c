// SPDX-License-Identifier: MIT
//! Routes through an interface: PF_ROUTE.

use std::io::IoSlice;
use std::net::IpAddr;
use std::os::fd::AsFd;

use super::layout::*;
use super::message::{self, Message, number, route_message, sockaddr_link, sockaddr_mask, sockaddr_scoped};
use super::{kernel, link};
use crate::model::error::Errno;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Installed, Route};
use crate::sys::Outcome;
use crate::sys::bytes::{u16_at, u32_at};

/// Flags of routes that are not listed: routes that the kernel creates for hosts and multicast groups, routes that drop
/// packets, and routes only for sockets that are bound to their interface.
const NOT_LISTED: u32 = RTF_LLINFO
    | RTF_WASCLONED
    | RTF_LOCAL
    | RTF_BROADCAST
    | RTF_MULTICAST
    | RTF_REJECT
    | RTF_BLACKHOLE
    | RTF_IFSCOPE;

/// The routes through the interface, without those to its own addresses, which on Darwin are in the same table.
pub(super) fn list(index: u32, family: Family) -> Outcome<Vec<Installed>> {
    let own = link::by_index(index)?.addresses;
    let bytes = kernel::sysctl(&[CTL_NET, PF_ROUTE, 0, number(family), NET_RT_DUMP, 0])?;
    let mut bytes = &bytes[..];
    let mut found = Vec::new();
    while let Some(message) = Message::take(&mut bytes) {
        found.extend(parse(&message, index));
    }
    let is_own = |route: &Route| {
        let host = route.prefix() == Prefix::host(family);
        host && own.iter().any(|assigned| assigned.address.local() == route.network())
    };
    found.retain(|installed: &Installed| !is_own(&installed.route));
    Ok(found)
}

fn parse(message: &Message<'_>, index: u32) -> Option<Installed> {
    let flags = u32_at(message.bytes, RT_MSGHDR_FLAGS)?;
    let here = u32::from(u16_at(message.bytes, RT_MSGHDR_INDEX)?) == index;
    if message.kind != RTM_GET || !here || flags & RTF_UP == 0 || flags & NOT_LISTED != 0 {
        return None;
    }
    let sockaddrs = message.addresses(RT_MSGHDR_SIZE, RT_MSGHDR_ADDRS);
    let network = sockaddrs.get(RTA_DST).and_then(message::ip)?;
    let family = Family::of(network);
    let prefix = match sockaddrs.get(RTA_NETMASK) {
        Some(mask) if flags & RTF_HOST == 0 => message::prefix(family, mask)?,
        _ if flags & RTF_HOST != 0 => Prefix::host(family),
        _ => unmasked(network)?,
    };
    let gateway = sockaddrs.get(RTA_GATEWAY).filter(|_| flags & RTF_GATEWAY != 0).and_then(message::ip);
    let route = Route::reported(network, prefix, gateway, None, Details::default())?;
    (!network.is_multicast()).then_some(Installed { route, exact: true, detail: Vec::new() })
}

/// The prefix of a route without a netmask: only the default route has none.
fn unmasked(network: IpAddr) -> Option<Prefix> {
    let family = Family::of(network);
    network.is_unspecified().then(|| Prefix::new(family, 0)).flatten()
}

pub(super) fn add(index: u32, route: &Route) -> Outcome<()> {
    change(RTM_ADD, index, route)
}

pub(super) fn remove(index: u32, route: &Route) -> Outcome<()> {
    change(RTM_DELETE, index, route)
}

/// Sends a request. The result of the write is the answer of the kernel.
fn change(kind: u8, index: u32, route: &Route) -> Outcome<()> {
    let index = u16::try_from(index).map_err(|_| Errno::ENXIO)?;
    let host = route.prefix() == Prefix::host(route.family());
    let gateway = route.gateway().map_or_else(|| sockaddr_link(index), |ip| sockaddr_scoped(ip, index));
    let mask = sockaddr_mask(route.family(), route.prefix());
    let mut sockaddrs = vec![(RTA_DST, sockaddr_scoped(route.network(), index)), (RTA_GATEWAY, gateway)];
    if !host {
        sockaddrs.push((RTA_NETMASK, mask));
    }
    sockaddrs.push((RTA_IFP, sockaddr_link(index)));
    let flag = |on, flag| if on { flag } else { 0 };
    let flags = RTF_UP | RTF_STATIC | flag(host, RTF_HOST) | flag(route.gateway().is_some(), RTF_GATEWAY);
    let message = route_message(kind, flags, &sockaddrs);
    let socket = kernel::socket(PF_ROUTE, SOCK_RAW, 0)?;
    match kernel::writev(socket.as_fd(), &[IoSlice::new(&message)])? {
        written if written == message.len() => Ok(()),
        _ => Err(Errno::EPROTO),
    }
}
