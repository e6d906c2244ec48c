// SPDX-License-Identifier: MIT
//! A lookup of the route to a destination.

use std::net::{IpAddr, Ipv6Addr};

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::{self, Family};
use crate::model::route::Installed;
use crate::model::text::text;

/// The packet whose route is to be found.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    destination: IpAddr,
    source: Option<IpAddr>,
    mark: u32,
}

impl Lookup {
    /// Parses a destination such as `192.0.2.1`, and a source address if there is one.
    pub fn parse(destination: &str, source: Option<&str>, mark: u32) -> Result<Self> {
        let to = prefix::parse_ip(destination, destination)?;
        prefix::check_not_mapped(to, destination)?;
        let from = source.map(prefix::parse_host).transpose()?;
        match (from, source) {
            (Some(ip), Some(text)) if Family::of(ip) != Family::of(to) => {
                Err(prefix::invalid(text, "the source must be of the same family as the destination"))
            }
            _ => Ok(Self { destination: to, source: from, mark }),
        }
    }

    /// The destination.
    pub fn destination(&self) -> IpAddr {
        self.destination
    }

    /// The source address, if the sender has chosen one.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// The mark of the packet. 0: none.
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// The error if no route leads to the destination.
    pub(crate) fn no_route(&self) -> Error {
        let Self { destination: to, source, .. } = self;
        let text = match source {
            _ if needs_interface(*to) => text!("find the route to {to}: each link has this address"),
            None => text!("find the route to {to}: the system has none"),
            Some(from) => text!("find the route to {to} from {from}: the system has none"),
        };
        Error::new(Errno::ENETUNREACH, Reason::Unset, text)
    }
}

/// Whether the address exists on each link, so that packets to it take no route of the tables without an interface.
pub(crate) fn needs_interface(ip: IpAddr) -> bool {
    let is_of_link = |ip: Ipv6Addr| {
        let [high, low, ..] = ip.octets();
        // ff01::/16 and ff02::/16, with any flags.
        ip.is_unicast_link_local() || (high == 0xff && matches!(low & 0xf, 1 | 2))
    };
    matches!(ip, IpAddr::V6(ip) if is_of_link(ip))
}

/// A route that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The route, with the source address and the MTU for this destination.
    pub route: Installed,
    /// The index of its interface.
    pub index: u32,
}
