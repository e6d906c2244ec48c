// SPDX-License-Identifier: MIT
//! The routing table, and routes through an interface: PF_ROUTE.

use std::net::IpAddr;
use std::os::fd::OwnedFd;

use super::layout::*;
use super::message::{self, Message, number, route_message, sockaddr_link, sockaddr_mask, sockaddr_scoped};
use super::{kernel, link, routing};
use crate::model::error::Errno;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Installed, Route};
use crate::sys::Outcome;
use crate::sys::bytes::{u16_at, u32_at};

/// Flags of routes that no program can have requested: routes that the kernel creates for hosts, and routes only for
/// sockets that are bound to their interface.
const OF_KERNEL: u32 = RTF_LLINFO | RTF_WASCLONED | RTF_IFSCOPE;
/// Flags of routes that drop packets.
const DISCARDS: u32 = RTF_REJECT | RTF_BLACKHOLE;
/// Flags of routes that are not listed.
const NOT_LISTED: u32 = OF_KERNEL | DISCARDS | RTF_LOCAL | RTF_BROADCAST | RTF_MULTICAST;

/// A route of any interface.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    flags: u32,
    pub(super) index: u32,
    pub(super) network: IpAddr,
    pub(super) prefix: Prefix,
    pub(super) gateway: Option<IpAddr>,
    /// The address of the interface that packets of IPv4 are sent from.
    pub(super) source: Option<IpAddr>,
    /// 0: that of the interface.
    pub(super) mtu: u32,
}

impl Entry {
    pub(super) fn parse(message: &Message<'_>) -> Option<Self> {
        let flags = u32_at(message.bytes, RT_MSGHDR_FLAGS)?;
        if message.kind != RTM_GET || flags & RTF_UP == 0 {
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
        Some(Self {
            flags,
            index: u16_at(message.bytes, RT_MSGHDR_INDEX)?.into(),
            network,
            prefix,
            gateway: sockaddrs.get(RTA_GATEWAY).filter(|_| flags & RTF_GATEWAY != 0).and_then(message::ip),
            source: sockaddrs.get(RTA_IFA).and_then(message::ip),
            mtu: u32_at(message.bytes, RT_MSGHDR_MTU)?,
        })
    }

    /// Whether the kernel has created it for one destination, from another route.
    pub(super) fn is_clone(&self) -> bool {
        self.flags & RTF_WASCLONED != 0
    }

    /// Whether a program can have requested it, for all sockets.
    pub(super) fn is_requested(&self) -> bool {
        self.flags & OF_KERNEL == 0
    }

    pub(super) fn discards(&self) -> bool {
        self.flags & DISCARDS != 0
    }

    /// Whether a program can have requested it, with the attributes that a [`Route`] has.
    pub(super) fn is_listed(&self) -> bool {
        self.flags & NOT_LISTED == 0 && !self.network.is_multicast()
    }

    /// Whether it leads to this network.
    pub(super) fn covers(&self, network: IpAddr, prefix: Prefix) -> bool {
        Family::of(network) == Family::of(self.network)
            && self.prefix.bits() <= prefix.bits()
            && self.prefix.network(network) == self.network
    }

    /// Whether it is this route through an interface, requested by a program. A route to a neighbor becomes its ARP
    /// entry.
    pub(super) fn is(&self, route: &Route, index: u32) -> bool {
        self.flags & (RTF_STATIC | RTF_WASCLONED | RTF_IFSCOPE) == RTF_STATIC
            && (self.network, self.prefix) == (route.network(), route.prefix())
            && (self.gateway, self.index) == (route.gateway(), index)
    }
}

/// The prefix of a route without a netmask: only the default route has none.
fn unmasked(network: IpAddr) -> Option<Prefix> {
    let family = Family::of(network);
    network.is_unspecified().then(|| Prefix::new(family, 0)).flatten()
}

/// All routes of a family.
pub(super) fn table(family: Family) -> Outcome<Vec<Entry>> {
    let bytes = kernel::sysctl(&[CTL_NET, PF_ROUTE, 0, number(family), NET_RT_DUMP, 0])?;
    let mut bytes = &bytes[..];
    let mut found = Vec::new();
    while let Some(message) = Message::take(&mut bytes) {
        found.extend(Entry::parse(&message));
    }
    Ok(found)
}

/// The routes through the interface, without those to its own addresses, which on Darwin are in the same table.
pub(super) fn list(index: u32, family: Family) -> Outcome<Vec<Installed>> {
    let own = link::by_index(index)?.addresses;
    let is_own = |entry: &Entry| {
        let host = entry.prefix == Prefix::host(family);
        host && own.iter().any(|assigned| assigned.address.local() == entry.network)
    };
    let mut entries = table(family)?;
    entries.retain(|entry| entry.index == index && entry.is_listed() && !is_own(entry));
    let route = |it: Entry| Route::reported(it.network, it.prefix, it.gateway, None, Details::default());
    let installed = |route| Installed { route, partial: false, rank: Some(0), message: Vec::new() };
    Ok(entries.into_iter().filter_map(route).map(installed).collect())
}

pub(super) fn add(index: u32, route: &Route) -> Outcome<()> {
    change(&routing::open()?, RTM_ADD, index, route)
}

/// Removes the route to this destination, whichever interface it leads through.
pub(super) fn remove(index: u32, route: &Route) -> Outcome<()> {
    change(&routing::open()?, RTM_DELETE, index, route)
}

/// Adds a route, or removes the one to its destination.
pub(super) fn change(socket: &OwnedFd, kind: u8, index: u32, route: &Route) -> Outcome<()> {
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
    routing::send(socket, &route_message(kind, flags, 0, &sockaddrs))
}
