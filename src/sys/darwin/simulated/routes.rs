// SPDX-License-Identifier: MIT
//! The routing table: one route for each destination, as net/radix.c keeps it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::interface::{bits, network};
use crate::model::error::Errno;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::{self, Message};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Destination {
    pub(super) network: IpAddr,
    pub(super) prefix: u8,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) index: u32,
    pub(super) gateway: Option<IpAddr>,
    pub(super) flags: u32,
    /// Removed when the kernel next checks for prefixes without an address.
    pub(super) expires: bool,
}

impl Destination {
    /// netinet6/scope6.c: a link-local network contains the index of its interface.
    pub(super) fn of(ip: IpAddr, prefix: u8, index: u32) -> Self {
        match network(ip, prefix) {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                let network = Ipv6Addr::from_bits(ip.to_bits() | u128::from(index) << 96).into();
                Self { network, prefix }
            }
            network => Self { network, prefix },
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                let ip = Ipv6Addr::from_bits(ip.to_bits() & !(0xffff << 96));
                write!(f, "{ip}/{}", self.prefix)
            }
            network => write!(f, "{network}/{}", self.prefix),
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
            let network = ip.parse().unwrap();
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            routes.insert(Destination { network, prefix }, en0, gateway, flags).unwrap();
        };
        add("0.0.0.0", 0, Some("192.0.2.1"), RTF_UP | RTF_GATEWAY | RTF_STATIC);
        add("192.0.2.0", 24, None, RTF_UP);
        add("192.0.2.1", 32, None, RTF_UP | RTF_HOST | RTF_LLINFO | RTF_WASCLONED);
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
        if self.0.contains_key(&destination) {
            return Err(Errno::EEXIST);
        }
        self.0.insert(destination, Entry { index, gateway, flags, expires: false });
        Ok(())
    }

    /// nd6_rtr.c, nd6_prefix_lookup and nd6_prefix_onlink_common: a route that was to expire stays. If another interface has
    /// the same route, the new one is scoped, which is not simulated. A link-local route is always scoped (route.c,
    /// rtrequest_common_locked).
    pub(super) fn insert_prefix(&mut self, ip: IpAddr, prefix: u8, index: u32) {
        let destination = Destination::of(ip, prefix, index);
        let scope = if destination == (Destination { network: network(ip, prefix), prefix }) {
            0
        } else {
            RTF_IFSCOPE
        };
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
        let holds = |(destination, entry): &(&Destination, &Entry)| {
            entry.gateway.is_none()
                && destination.network.is_ipv4() == ip.is_ipv4()
                && network(ip, destination.prefix) == destination.network
        };
        self.0
            .iter()
            .filter(holds)
            .max_by_key(|(destination, _)| destination.prefix)
            .map(|(_, entry)| entry.index)
    }

    /// rtsock.c, route_output: the result of a write to a routing socket.
    pub(super) fn change(
        &mut self,
        bytes: &[u8],
        unprivileged: bool,
        has_address: impl Fn(u32, IpAddr) -> bool,
    ) -> Result<(), Errno> {
        let message = Message::take(&mut &bytes[..]).ok_or(Errno::EINVAL)?;
        if message.bytes.len() != bytes.len() || bytes.len() < RT_MSGHDR_SIZE {
            return Err(Errno::EINVAL);
        }
        if unprivileged {
            return Err(Errno::EPERM);
        }
        let sockaddrs = message.addresses(RT_MSGHDR_SIZE, RT_MSGHDR_ADDRS);
        let flags = u32_at(bytes, RT_MSGHDR_FLAGS).unwrap();
        let (Some(to), Some(gateway)) = (sockaddrs.get(RTA_DST), sockaddrs.get(RTA_GATEWAY)) else {
            return Err(Errno::EINVAL);
        };
        let ip = message::ip(to).ok_or(Errno::EAFNOSUPPORT)?;
        let family = crate::model::prefix::Family::of(ip);
        let prefix = match sockaddrs.get(RTA_NETMASK) {
            Some(mask) if flags & RTF_HOST == 0 => message::prefix(family, mask).ok_or(Errno::EINVAL)?.bits(),
            _ => bits(ip),
        };
        let scope = to.get(SOCKADDR_IN6_ADDR + 2..SOCKADDR_IN6_ADDR + 4).unwrap_or(&[0, 0]);
        let destination = Destination::of(ip, prefix, u16::from_be_bytes(scope.try_into().unwrap()).into());
        let next = message::ip(gateway).filter(|_| flags & RTF_GATEWAY != 0);
        match message.kind {
            RTM_DELETE => self.0.remove(&destination).map(drop).ok_or(Errno::ESRCH),
            RTM_ADD => {
                // route.c, ifa_ifwithroute_common_locked: it is unreachable, or there is no address of its family.
                let index = match next {
                    Some(next) => self.on_link(next).ok_or(Errno::ENETUNREACH)?,
                    None => u16_at(gateway, SOCKADDR_DL_INDEX).ok_or(Errno::EINVAL)?.into(),
                };
                if !has_address(index, ip) {
                    return Err(Errno::ENETUNREACH);
                }
                self.insert(destination, index, next, flags)
            }
            _ => Err(Errno::EOPNOTSUPP),
        }
    }
}
