// SPDX-License-Identifier: MIT
//! The routing table: one route for each destination and scope, as net/radix.c keeps it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::interface::{Interface, bits, network};
use super::machine::State;
use super::messages;
use crate::model::error::Errno;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::{self, Message};

/// The key of a route. With a scope it is only for the interface of this index (route.c, sa_copy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Destination {
    pub(super) network: IpAddr,
    pub(super) prefix: u8,
    pub(super) scope: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) index: u32,
    pub(super) gateway: Option<IpAddr>,
    pub(super) flags: u32,
    /// rmx_mtu, if it is not that of the interface.
    pub(super) mtu: Option<u32>,
    /// Removed when the kernel next checks for prefixes without an address.
    pub(super) expires: bool,
}

impl Destination {
    /// Without a scope.
    pub(super) fn new(ip: IpAddr, prefix: u8) -> Self {
        Self { network: network(ip, prefix), prefix, scope: 0 }
    }

    /// netinet6/scope6.c: a link-local network contains the index of its interface.
    pub(super) fn of(ip: IpAddr, prefix: u8, index: u32) -> Self {
        match network(ip, prefix) {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                let network = Ipv6Addr::from_bits(ip.to_bits() | u128::from(index) << 96).into();
                Self { network, prefix, scope: index }
            }
            network => Self { network, prefix, scope: 0 },
        }
    }

    fn is_host(&self) -> bool {
        self.prefix == bits(self.network)
    }

    fn covers(&self, ip: IpAddr) -> bool {
        self.network.is_ipv4() == ip.is_ipv4() && network(ip, self.prefix) == self.network
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                let ip = Ipv6Addr::from_bits(ip.to_bits() & !(0xffff << 96));
                write!(f, "{ip}/{}", self.prefix)
            }
            network if self.scope == 0 => write!(f, "{network}/{}", self.prefix),
            network => write!(f, "{network}/{} scoped", self.prefix),
        }
    }
}

#[derive(Default)]
pub(super) struct Routes(pub(super) BTreeMap<Destination, Entry>);

impl Routes {
    /// The routes of a host with one network, including some that no program has added.
    pub(super) fn of_host(en0: u32) -> Self {
        let mut routes = Self::default();
        let mut add = |ip: &str, prefix, gateway: Option<&str>, flags| {
            let scope = if flags & RTF_IFSCOPE == 0 { 0 } else { en0 };
            let destination = Destination { scope, ..Destination::new(ip.parse().unwrap(), prefix) };
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            routes.insert(destination, en0, gateway, flags).unwrap();
        };
        add("0.0.0.0", 0, Some("192.0.2.1"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
        add("192.0.2.0", 24, None, RTF_UP);
        add("192.0.2.1", 32, None, RTF_UP | RTF_HOST | RTF_LLINFO | RTF_WASCLONED | RTF_IFSCOPE);
        add("224.0.0.0", 4, None, RTF_UP | RTF_MULTICAST);
        routes
    }

    pub(super) fn insert(
        &mut self,
        destination: Destination,
        index: u32,
        gateway: Option<IpAddr>,
        flags: u32,
    ) -> Result<(), Errno> {
        // route.c, rtrequest_common_locked: one that the kernel has created gives way.
        if self.0.get(&destination).is_some_and(|entry| entry.flags & RTF_WASCLONED == 0) {
            return Err(Errno::EEXIST);
        }
        self.0.insert(destination, Entry { index, gateway, flags, mtu: None, expires: false });
        Ok(())
    }

    /// nd6_rtr.c, nd6_prefix_lookup and nd6_prefix_onlink_common: a route that was to expire stays. If another
    /// interface has the same route, the new one is scoped, which is not simulated. A link-local route is always scoped
    /// (route.c, rtrequest_common_locked).
    pub(super) fn insert_prefix(&mut self, ip: IpAddr, prefix: u8, index: u32) {
        let destination = Destination::of(ip, prefix, index);
        let scope = if destination.scope == 0 { 0 } else { RTF_IFSCOPE };
        match self.0.get_mut(&destination) {
            Some(entry) if entry.index == index => entry.expires = false,
            Some(_) => {}
            None => self.insert(destination, index, None, RTF_UP | scope).unwrap(),
        }
    }

    /// in6.c, in6ctl_difaddr: the route of a prefix without an address stays for a while.
    pub(super) fn expire(&mut self, destination: Destination, index: u32) {
        if let Some(entry) = self.0.get_mut(&destination).filter(|entry| entry.index == index) {
            entry.expires = true;
        }
    }

    /// nd6.c, nd6_service, which runs every one or two seconds.
    pub(super) fn serve(&mut self) {
        self.0.retain(|_, entry| !entry.expires);
    }

    /// Removes the kernel's own route through an interface.
    pub(super) fn remove(&mut self, destination: Destination, index: u32) {
        let own = |entry: &Entry| entry.index == index && entry.flags & RTF_STATIC == 0;
        if self.0.get(&destination).is_some_and(own) {
            self.0.remove(&destination);
        }
    }

    pub(super) fn forget(&mut self, index: u32) {
        self.0.retain(|_, entry| entry.index != index);
    }

    pub(super) fn through(&self, index: u32) -> Vec<String> {
        let text = |(destination, entry): (&Destination, &Entry)| match entry.gateway {
            Some(gateway) => format!("{destination} via {gateway}"),
            None => destination.to_string(),
        };
        self.0.iter().filter(|(_, entry)| entry.index == index).map(text).collect()
    }

    /// The interface whose network contains this address.
    fn on_link(&self, ip: IpAddr) -> Option<u32> {
        let holds =
            |(destination, entry): &(&Destination, &Entry)| entry.gateway.is_none() && destination.covers(ip);
        self.0
            .iter()
            .filter(holds)
            .max_by_key(|(destination, _)| destination.prefix)
            .map(|(_, entry)| entry.index)
    }

    /// radix.c, rn_match_args: the most specific route with this scope.
    fn longest(&self, ip: IpAddr, scope: u32) -> Option<Found<'_>> {
        let matches = |(destination, _): &Found<'_>| destination.scope == scope && destination.covers(ip);
        self.0.iter().filter(matches).max_by_key(|(destination, _)| destination.prefix)
    }

    /// route.c, rt_lookup_common, for a request without a scope. SA_DEFAULT looks at the address and not at its mask.
    pub(super) fn lookup(&self, ip: IpAddr) -> Option<Found<'_>> {
        let is_default = |(destination, _): Found<'_>| destination.network.is_unspecified();
        let unscoped = self.longest(ip, 0)?;
        let (_, Entry { index, gateway, .. }) = unscoped;
        if *index == LO0 && gateway.is_none() {
            return Some(unscoped);
        }
        let Some(scoped) = self.longest(ip, *index) else { return Some(unscoped) };
        let is_coarse = is_default(scoped) && !is_default(unscoped);
        let prefers_host = !scoped.0.is_host() && unscoped.0.is_host();
        Some(if is_coarse || prefers_host { unscoped } else { scoped })
    }

    /// route.c, RTM_RESOLVE: the route that a packet creates for its destination.
    pub(super) fn resolve(&mut self, ip: IpAddr) {
        let (_, entry) = self.lookup(ip).unwrap();
        let flags = entry.flags & !RTF_STATIC | RTF_WASCLONED | RTF_HOST | RTF_IFSCOPE;
        let clone = Entry { flags, ..entry.clone() };
        self.0.insert(Destination { scope: clone.index, ..Destination::new(ip, bits(ip)) }, clone);
    }

    /// route.c, rt_fixdelete and rt_fixchange: a route that changes takes along those that were created from it, or
    /// from a less specific one.
    pub(super) fn forget_clones(&mut self, of: &Destination) {
        let is_clone = |entry: &Entry| entry.flags & RTF_WASCLONED != 0;
        let parent = |clone: (&Destination, &Entry)| {
            let is_parent = |(it, entry): &Found<'_>| {
                !is_clone(entry) && entry.index == clone.1.index && it.covers(clone.0.network)
            };
            self.0.iter().filter(is_parent).map(|(it, _)| it.prefix).max()
        };
        let is_lost = |it: &Found<'_>| {
            is_clone(it.1) && of.covers(it.0.network) && !of.is_host() && parent(*it) <= Some(of.prefix)
        };
        let lost: Vec<Destination> = self.0.iter().filter(is_lost).map(|(it, _)| *it).collect();
        self.0.retain(|it, _| !lost.contains(it));
    }

    /// rtsock.c, route_output: a change. The result is that of the write to the routing socket.
    fn change(&mut self, request: &Request, has_address: impl Fn(u32, IpAddr) -> bool) -> Result<(), Errno> {
        let Request { destination, flags, .. } = *request;
        self.forget_clones(&destination);
        if request.kind == RTM_DELETE {
            return self.0.remove(&destination).map(drop).ok_or(Errno::ESRCH);
        }
        // route.c, ifa_ifwithroute_common_locked: it is unreachable, or there is no address of its family.
        let gateway = request.gateway.as_deref().ok_or(Errno::EINVAL)?;
        let next = if flags & RTF_GATEWAY == 0 { None } else { message::ip(gateway) };
        let index = match next {
            Some(next) => {
                let scoped = Destination::of(next, bits(next), scope_of(gateway)).network;
                self.on_link(scoped).ok_or(Errno::ENETUNREACH)?
            }
            None => u16_at(gateway, SOCKADDR_DL_INDEX).ok_or(Errno::EINVAL)?.into(),
        };
        // rtsock.c, rt_setif.
        let index = request.interface.filter(|index| *index != 0).unwrap_or(index);
        if !has_address(index, destination.network) {
            return Err(Errno::ENETUNREACH);
        }
        // route.c, rt_setgate.
        if next == Some(destination.network) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.insert(destination, index, next, flags)
    }
}

type Found<'a> = (&'a Destination, &'a Entry);

/// The index of the loopback interface.
pub(super) const LO0: u32 = 1;

/// The scope in a sockaddr of a link-local address.
fn scope_of(sockaddr: &[u8]) -> u32 {
    let scope = sockaddr.get(SOCKADDR_IN6_ADDR + 2..SOCKADDR_IN6_ADDR + 4).unwrap_or(&[0, 0]);
    u16::from_be_bytes(scope.try_into().unwrap()).into()
}

/// A message that a process writes to a routing socket.
struct Request {
    kind: u8,
    flags: u32,
    destination: Destination,
    gateway: Option<Vec<u8>>,
    /// The interface in RTA_IFP.
    interface: Option<u32>,
}

impl Request {
    /// rtsock.c, route_output: before the lookup.
    fn parse(bytes: &[u8], privileged: bool) -> Result<Self, Errno> {
        let message = Message::take(&mut &bytes[..]).ok_or(Errno::EINVAL)?;
        if message.bytes.len() != bytes.len() || bytes.len() < RT_MSGHDR_SIZE {
            return Err(Errno::EINVAL);
        }
        let kind = message.kind;
        if kind != RTM_GET && !privileged {
            return Err(Errno::EPERM);
        }
        if ![RTM_ADD, RTM_DELETE, RTM_GET].contains(&kind) {
            return Err(Errno::EOPNOTSUPP);
        }
        let sockaddrs = message.addresses(RT_MSGHDR_SIZE, RT_MSGHDR_ADDRS);
        let flags = u32_at(bytes, RT_MSGHDR_FLAGS).unwrap();
        let to = sockaddrs.get(RTA_DST).ok_or(Errno::EINVAL)?;
        let ip = message::ip(to).ok_or(Errno::EAFNOSUPPORT)?;
        let family = crate::model::prefix::Family::of(ip);
        let prefix = match sockaddrs.get(RTA_NETMASK) {
            Some(mask) if flags & RTF_HOST == 0 => message::prefix(family, mask).ok_or(Errno::EINVAL)?.bits(),
            _ => bits(ip),
        };
        let interface = sockaddrs.get(RTA_IFP).and_then(|it| u16_at(it, SOCKADDR_DL_INDEX));
        Ok(Self {
            kind,
            flags,
            destination: Destination::of(ip, prefix, scope_of(to)),
            gateway: sockaddrs.get(RTA_GATEWAY).map(<[u8]>::to_vec),
            interface: interface.map(u32::from),
        })
    }
}

/// rtsock.c, route_output: the result of a write to a routing socket, and the message that all of them receive.
pub(super) fn output(state: &mut State, bytes: &[u8], privileged: bool) -> Result<Vec<u8>, Errno> {
    let request = Request::parse(bytes, privileged)?;
    let State { routes, interfaces, .. } = state;
    if request.kind != RTM_GET {
        let has_address = |index, ip: IpAddr| {
            let interface: &Interface = &interfaces[&index];
            interface.addresses.iter().any(|assigned| assigned.local.is_ipv4() == ip.is_ipv4())
        };
        return routes.change(&request, has_address).map(|()| bytes.to_vec());
    }
    let (destination, entry) = routes.lookup(request.destination.network).ok_or(Errno::ESRCH)?;
    let interface = &interfaces[&entry.index];
    let sequence = u32_at(bytes, RT_MSGHDR_SEQ).unwrap();
    Ok(messages::found(destination, entry, interface, sequence, request.interface.is_some()))
}
