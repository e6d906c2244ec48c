// SPDX-License-Identifier: MIT
//! The routing table: one route for each destination, as net/radix.c keeps it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::interface::{bits, network};
use crate::error::Errno;
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
}

#[derive(Default)]
pub(super) struct Routes(pub(super) BTreeMap<Destination, Entry>);

impl Routes {
    /// What a host with one network has: among others, what no program has asked for.
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
        self.0.insert(destination, Entry { index, gateway, flags });
        Ok(())
    }

    /// Takes away the kernel's own route through an interface.
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
            Some(gateway) => format!("{}/{} by {gateway}", destination.network, destination.prefix),
            None => format!("{}/{}", destination.network, destination.prefix),
        };
        self.0.iter().filter(|(_, entry)| entry.index == index).map(text).collect()
    }

    /// The interface whose network this is in.
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

    /// rtsock.c, route_output: the outcome of a write to a routing socket.
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
        let family = crate::prefix::Family::of(ip);
        let prefix = match sockaddrs.get(RTA_NETMASK) {
            Some(mask) if flags & RTF_HOST == 0 => message::prefix(family, mask).ok_or(Errno::EINVAL)?.bits(),
            _ => bits(ip),
        };
        let destination = Destination { network: network(ip, prefix), prefix };
        let next = message::ip(gateway).filter(|_| flags & RTF_GATEWAY != 0);
        match message.kind {
            RTM_DELETE => self.0.remove(&destination).map(drop).ok_or(Errno::ESRCH),
            RTM_ADD => {
                // route.c, ifa_ifwithroute_common_locked: nothing leads to it, or no address of its family is there.
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
