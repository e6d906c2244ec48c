// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::fmt;
use std::net::IpAddr;

use crate::model::assigned::Scope;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::bit;
use crate::model::prefix::{self, Family, Parsed, Prefix};
use crate::model::table::{constants, enumeration};
use crate::model::text::text;

constants! {
    bits FLAGS: u64 {
        /// The gateway is on the link, even if it is in none of the device's networks. Without this
        /// flag the kernel refuses such a gateway.
        ONLINK = 0x1, "TUNTAP_ROUTE_ONLINK";
        /// Reported only: the route has attributes that a tuntap_route does not have.
        PARTIAL = 0x2, "TUNTAP_ROUTE_PARTIAL";
    }
}

/// Linux: RTPROT_KERNEL, the origin of a route that the kernel added for an address.
const KERNEL: u8 = 2;

enumeration! {
    /// What the system does with a packet that matches the route. Routes that discard packets have no device.
    pub enum Type {
        /// Packets are sent to one destination.
        Unicast = 0, "TUNTAP_ROUTE_TYPE_UNICAST";
        /// Packets are for this host.
        Local = 1, "TUNTAP_ROUTE_TYPE_LOCAL";
        /// IPv4: packets are sent to all hosts on the link.
        Broadcast = 2, "TUNTAP_ROUTE_TYPE_BROADCAST";
        /// IPv6: packets are for this host, which is one of several with the address.
        Anycast = 3, "TUNTAP_ROUTE_TYPE_ANYCAST";
        /// Packets are sent to a multicast group.
        Multicast = 4, "TUNTAP_ROUTE_TYPE_MULTICAST";
    }
}

#[allow(clippy::derivable_impls, reason = "the table's variants take no attributes but documentation")]
impl Default for Type {
    fn default() -> Self {
        Self::Unicast
    }
}

impl Type {
    /// Checks a caller's number.
    pub fn parse(number: u32) -> Result<Self> {
        let unknown = || {
            let text = text!("route type {number}: not a type of a route through a device");
            Error::new(Errno::EINVAL, Reason::Argument, text)
        };
        Self::from_number(number).ok_or_else(unknown)
    }
}

/// Linux lowers a larger MTU to this limit without an error (ip_metrics_convert); the listed route would then differ
/// from the request.
const MAX_MTU: u32 = 65_520;

/// Checks the MTU of a route.
pub fn parse_mtu(mtu: u32) -> Result<u32> {
    if mtu <= MAX_MTU {
        return Ok(mtu);
    }
    let text = text!("the MTU {mtu} of a route: the limit is {MAX_MTU}");
    Err(Error::new(Errno::EINVAL, Reason::Range, text))
}

/// Checks a caller's bits. Returns whether the gateway is on the link, and whether the route is partial.
pub fn parse_flags(bits: u64) -> Result<(bool, bool)> {
    let unknown = bits & !(ONLINK | PARTIAL);
    if unknown == 0 {
        return Ok((bits & ONLINK != 0, bits & PARTIAL != 0));
    }
    let text = text!("route flags {bits:#x}: {unknown:#x} cannot be requested");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

/// The attributes of a route besides its addresses. Zero requests the default of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of several routes the one with the lowest metric is used.
    pub metric: u32,
    /// The routing table.
    pub table: u32,
    /// What the system does with a packet.
    pub kind: Type,
    /// The origin, as the system numbers it.
    pub protocol: u8,
    /// The distance of the destination, for IPv4.
    pub scope: Option<Scope>,
    /// The MTU of the route in bytes.
    pub mtu: u32,
    /// The gateway is on the link, even if no address of the device has a network with it.
    pub onlink: bool,
}

/// A route through a device, requested or reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    network: IpAddr,
    prefix: Prefix,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    /// The other attributes.
    pub details: Details,
}

impl Route {
    /// Parses a destination such as `10.9.0.0/16`, and a gateway if there is one. A metric or table of 0 is the
    /// default of the system.
    pub fn parse(destination: &str, gateway: Option<&str>, metric: u32, table: u32) -> Result<Self> {
        let route = Self::new(Parsed::new(destination)?, destination)?;
        let route = gateway.map_or(Ok(route), |gateway| route.with_gateway(gateway))?;
        Ok(Self { details: Details { metric, table, ..Details::default() }, ..route })
    }

    /// A route to a destination that was parsed from this text.
    pub fn new(parsed: Parsed, destination: &str) -> Result<Self> {
        let prefix = parsed.prefix_or_host();
        if prefix.network(parsed.ip) != parsed.ip {
            let network = prefix.network(parsed.ip);
            let fault = text!("bits are set after the prefix: the network is {network}/{}", prefix.bits());
            return Err(prefix::invalid(destination, fault));
        }
        let details = Details::default();
        Ok(Self { network: parsed.ip, prefix, gateway: None, source: None, details })
    }

    /// The route with a gateway. An IPv4 route can have an IPv6 gateway.
    pub fn with_gateway(self, gateway: &str) -> Result<Self> {
        let ip = prefix::parse_host(gateway)?;
        if Family::of(ip) == self.family() || self.family() == Family::V4 {
            return Ok(Self { gateway: Some(ip), ..self });
        }
        Err(prefix::invalid(gateway, "the gateway of an IPv6 route must be an IPv6 address"))
    }

    /// The route with a source address for packets whose sender has not chosen one.
    pub fn with_source(self, source: &str) -> Result<Self> {
        let ip = prefix::parse_host(source)?;
        if Family::of(ip) == self.family() {
            return Ok(Self { source: Some(ip), ..self });
        }
        Err(prefix::invalid(source, "the source must be of the same family as the destination"))
    }

    /// A route that the system reported. None if the families of its parts contradict each other.
    pub fn reported(
        network: IpAddr,
        prefix: Prefix,
        gateway: Option<IpAddr>,
        source: Option<IpAddr>,
        details: Details,
    ) -> Option<Self> {
        let family = Family::of(network);
        let fits = prefix.bits() <= family.bits()
            && gateway.is_none_or(|ip| family == Family::V4 || Family::of(ip) == family)
            && source.is_none_or(|ip| Family::of(ip) == family);
        fits.then_some(Self { network, prefix, gateway, source, details })
    }

    /// The address of the destination network.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The prefix of the destination network.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The next hop on the link, if there is one.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.gateway
    }

    /// The source address of packets whose sender has not chosen one.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Whether the gateway and the destination are of different families.
    pub fn has_gateway_of_another_family(&self) -> bool {
        self.gateway.is_some_and(|gateway| Family::of(gateway) != self.family())
    }

    /// Whether it leads to all destinations, in the table that the system uses for that.
    pub(crate) fn is_default(&self, main_table: u32) -> bool {
        self.prefix == Prefix::ALL && self.details.table == main_table && self.details.kind == Type::Unicast
    }

    /// What several routes can have in common, of which the system uses the first one.
    pub(crate) fn key(&self) -> (IpAddr, Prefix, u32, u32) {
        (self.network, self.prefix, self.details.metric, self.details.table)
    }

    /// The family of the destination.
    pub fn family(&self) -> Family {
        Family::of(self.network)
    }

    /// Whether this route satisfies the request. `usual` has the metric and the table that 0 requests. A route that
    /// the system added for an address has that address as its source.
    pub(crate) fn meets(&self, asked: &Self, usual: (u32, u32)) -> bool {
        let or = |number, usual| if number == 0 { usual } else { number };
        let (metric, table) = usual;
        let (has, wants) = (&self.details, &asked.details);
        let scope = wants.scope.filter(|_| self.family() == Family::V4).or(has.scope);
        let protocol = if wants.protocol == 0 { has.protocol } else { wants.protocol };
        let source = if has.protocol == KERNEL { asked.source.or(self.source) } else { asked.source };
        let details = Details {
            metric: or(wants.metric, metric),
            table: or(wants.table, table),
            scope,
            protocol,
            ..*wants
        };
        *self == Self { source, details, ..*asked }
    }
}

/// A route that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The route, as far as a [`Route`] can represent it.
    pub route: Route,
    /// The route has other attributes: a type of service, an expiry, or another kind of next hop.
    pub partial: bool,
    /// The system prefers the lowest rank of the routes with one destination and metric. None: it uses the route only
    /// for packets with a type of service, or from a source network.
    pub rank: Option<u8>,
    /// The complete route in the system's format, from which it is restored.
    pub message: Vec<u8>,
}

impl Installed {
    /// The ABI's bits.
    pub fn flags(&self) -> u64 {
        bit(self.route.details.onlink, ONLINK) | bit(self.partial, PARTIAL)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix.bits())?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if self.details.metric != 0 {
            write!(f, " metric {}", self.details.metric)?;
        }
        if self.details.table != 0 {
            write!(f, " table {}", self.details.table)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_network_or_a_host() {
        let text = |destination| Route::parse(destination, None, 0, 0).unwrap().to_string();
        assert_eq!(text("10.9.0.0/16"), "10.9.0.0/16");
        assert_eq!(text("10.9.0.1"), "10.9.0.1/32");
        assert_eq!(text("0.0.0.0/0"), "0.0.0.0/0");
        assert_eq!(text("fd00:1::/32"), "fd00:1::/32");
        assert_eq!(text("::/0"), "::/0");
        for wrong in ["10.9.0.1/16", "fd00::1/64", "default", "", "10.9.0.0/33"] {
            assert_eq!(Route::parse(wrong, None, 0, 0).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn a_gateway_and_a_source_are_hosts() {
        let route = Route::parse("10.9.0.0/16", Some("10.8.0.2"), 7, 100).unwrap();
        assert_eq!(route.to_string(), "10.9.0.0/16 via 10.8.0.2 metric 7 table 100");
        let route = route.with_source("10.8.0.1").unwrap();
        assert_eq!(route.to_string(), "10.9.0.0/16 via 10.8.0.2 src 10.8.0.1 metric 7 table 100");
        assert!(Route::parse("10.9.0.0/16", Some("fe80::2"), 0, 0).is_ok());
        for wrong in ["0.0.0.0", "10.8.0.2/24", "gateway"] {
            assert_eq!(route.with_gateway(wrong).unwrap_err().reason(), Reason::Address);
            assert_eq!(route.with_source(wrong).unwrap_err().reason(), Reason::Address);
        }
        assert_eq!(route.with_source("fd00::2").unwrap_err().reason(), Reason::Address);
        assert_eq!(Route::parse("fd01::/64", Some("10.8.0.2"), 0, 0).unwrap_err().reason(), Reason::Address);
    }

    #[test]
    fn zero_requests_the_default_metric_and_table() {
        let asked = Route::parse("fd01::/64", None, 0, 0).unwrap();
        let with = |metric, table| Route { details: Details { metric, table, ..asked.details }, ..asked };
        assert!(with(1024, 254).meets(&asked, (1024, 254)));
        assert!(!with(1023, 254).meets(&asked, (1024, 254)));
        assert!(!with(1024, 100).meets(&asked, (1024, 254)));
        assert!(with(7, 100).meets(&with(7, 100), (1024, 254)));
    }

    #[test]
    fn a_route_must_have_the_requested_attributes() {
        let plain = Route::parse("10.9.0.0/16", None, 0, 0).unwrap();
        let with = |details| Route { details, ..plain };
        let made = Details { protocol: 4, scope: Some(Scope::Link), ..Details::default() };
        assert!(with(made).meets(&plain, (0, 0)));
        for details in [
            Details { protocol: 3, ..made },
            Details { scope: Some(Scope::Global), ..made },
            Details { mtu: 1400, ..made },
            Details { onlink: true, ..made },
            Details { kind: Type::Broadcast, ..made },
        ] {
            assert!(!with(made).meets(&with(details), (0, 0)), "{details:?}");
            assert!(with(details).meets(&with(details), (0, 0)));
        }
        let sourced = with(made).with_source("10.8.0.1").unwrap();
        assert!(!sourced.meets(&plain, (0, 0)) && !with(made).meets(&sourced, (0, 0)));
        let kernels = Route { details: Details { protocol: KERNEL, ..made }, ..sourced };
        assert!(kernels.meets(&plain, (0, 0)) && kernels.meets(&kernels, (0, 0)));
    }

    #[test]
    fn route_types_are_parsed_by_number() {
        assert_eq!(Type::parse(4), Ok(Type::Multicast));
        assert_eq!(Type::parse(6).unwrap_err().reason(), Reason::Argument);
    }
}
