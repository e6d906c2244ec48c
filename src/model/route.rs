// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::fmt;
use std::net::IpAddr;

use crate::model::address::Scope;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::bit;
use crate::model::prefix::{self, Family, Parsed, Prefix};
use crate::model::table::{constants, enumeration};
use crate::model::text::text;

constants! {
    bits FLAGS: u64 {
        /// The gateway is on the link, even where no address of the device says so.
        ONLINK = 0x1, "TUNTAP_ROUTE_ONLINK";
        /// Reported only: the system has more of the route than a tuntap_route says.
        PARTIAL = 0x2, "TUNTAP_ROUTE_PARTIAL";
    }
}

/// Linux: RTPROT_KERNEL, of what the system made for an address.
const KERNEL: u8 = 2;

enumeration! {
    /// What is done with a packet that a route is found for. What discards packets leads through no device.
    pub enum Type {
        /// Packets are sent to one host.
        Unicast = 0, "TUNTAP_ROUTE_TYPE_UNICAST";
        /// Packets are for this host.
        Local = 1, "TUNTAP_ROUTE_TYPE_LOCAL";
        /// IPv4: packets are sent to every host of the link.
        Broadcast = 2, "TUNTAP_ROUTE_TYPE_BROADCAST";
        /// IPv6: packets are for this host, as one of several that have the address.
        Anycast = 3, "TUNTAP_ROUTE_TYPE_ANYCAST";
        /// Packets are sent to a group.
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
    /// A caller's number.
    pub fn parse(number: u32) -> Result<Self> {
        let unknown = || {
            let text = text!("type {number} of a route: there is none such that leads through a device");
            Error::new(Errno::EINVAL, Reason::Argument, text)
        };
        Self::from_number(number).ok_or_else(unknown)
    }
}

/// Checks a caller's bits: whether the gateway is on the link, and whether this is all there is of the route.
pub fn parse_flags(bits: u64) -> Result<(bool, bool)> {
    let unknown = bits & !(ONLINK | PARTIAL);
    if unknown == 0 {
        return Ok((bits & ONLINK != 0, bits & PARTIAL == 0));
    }
    let text = text!("flags {bits:#x} of a route: {unknown:#x} cannot be asked for");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

/// What a route is, beside where it leads and by what. Zero leaves it to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of several routes the one with the least is used.
    pub metric: u32,
    /// The routing table.
    pub table: u32,
    /// What is done with a packet.
    pub kind: Type,
    /// Who made it, as the system counts that.
    pub protocol: u8,
    /// Where its destination is, in IPv4.
    pub scope: Option<Scope>,
    /// Bytes of the largest packet that is sent by it.
    pub mtu: u32,
    /// The gateway is on the link, whatever the addresses say.
    pub onlink: bool,
}

/// A route through a device, as it is asked for and as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    network: IpAddr,
    prefix: Prefix,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    /// All the rest.
    pub details: Details,
}

impl Route {
    /// Reads a destination such as `10.9.0.0/16`, and a gateway when there is one. 0 for a metric or a table is
    /// the system's usual one.
    pub fn parse(destination: &str, gateway: Option<&str>, metric: u32, table: u32) -> Result<Self> {
        let route = Self::new(Parsed::new(destination)?, destination)?;
        let route = gateway.map_or(Ok(route), |gateway| route.by(gateway))?;
        Ok(Self { details: Details { metric, table, ..Details::default() }, ..route })
    }

    /// To a destination that was read from this text.
    pub fn new(parsed: Parsed, destination: &str) -> Result<Self> {
        let prefix = parsed.prefix_or_host();
        if prefix.network(parsed.ip) != parsed.ip {
            let network = prefix.network(parsed.ip);
            let fault = text!("bits are set behind the prefix: the network is {network}/{}", prefix.bits());
            return Err(prefix::invalid(destination, fault));
        }
        let details = Details::default();
        Ok(Self { network: parsed.ip, prefix, gateway: None, source: None, details })
    }

    /// The same by a gateway. One of IPv6 can lead on to an IPv4 network.
    pub fn by(self, gateway: &str) -> Result<Self> {
        let ip = prefix::parse_host(gateway)?;
        if Family::of(ip) == self.family() || self.family() == Family::V4 {
            return Ok(Self { gateway: Some(ip), ..self });
        }
        Err(prefix::invalid(gateway, "the gateway of an IPv6 network has an IPv6 address"))
    }

    /// The same with an address that packets are sent from when their sender chose none.
    pub fn sent_from(self, source: &str) -> Result<Self> {
        let ip = prefix::parse_host(source)?;
        if Family::of(ip) == self.family() {
            return Ok(Self { source: Some(ip), ..self });
        }
        Err(prefix::invalid(source, "the source has an address of the destination's family"))
    }

    /// A route that the system reported; None when its parts are of families that no route has together.
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

    /// Where it leads: all hosts whose addresses begin so.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// How many bits of the network count.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The next host on the link, when there is one in between.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.gateway
    }

    /// The address that packets are sent from when their sender chose none.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Whether the gateway is of another family than the destination.
    pub fn is_by_another_family(&self) -> bool {
        self.gateway.is_some_and(|gateway| Family::of(gateway) != self.family())
    }

    /// The family of the destination.
    pub fn family(&self) -> Family {
        Family::of(self.network)
    }

    /// Whether this route is what was asked for, where `usual` has the metric and the table that stand for 0. What the
    /// system made for an address has that as its source.
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

/// A route that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The route, as far as a [`Route`] can say it.
    pub route: Route,
    /// There is no more to it: no type of service, no expiry, no next hop of another kind.
    pub exact: bool,
    /// All that the system tells of it, as the system tells it: with this it is given back as it was.
    pub detail: Vec<u8>,
}

impl Installed {
    /// As the ABI's bits.
    pub fn flags(&self) -> u64 {
        bit(self.route.details.onlink, ONLINK) | bit(!self.exact, PARTIAL)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix.bits())?;
        if let Some(gateway) = self.gateway {
            write!(f, " by {gateway}")?;
        }
        if let Some(source) = self.source {
            write!(f, " from {source}")?;
        }
        if self.details.metric != 0 {
            write!(f, " with metric {}", self.details.metric)?;
        }
        if self.details.table != 0 {
            write!(f, " in table {}", self.details.table)?;
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
        assert_eq!(route.to_string(), "10.9.0.0/16 by 10.8.0.2 with metric 7 in table 100");
        let route = route.sent_from("10.8.0.1").unwrap();
        assert_eq!(route.to_string(), "10.9.0.0/16 by 10.8.0.2 from 10.8.0.1 with metric 7 in table 100");
        assert!(Route::parse("10.9.0.0/16", Some("fe80::2"), 0, 0).is_ok());
        for wrong in ["0.0.0.0", "10.8.0.2/24", "gateway"] {
            assert_eq!(route.by(wrong).unwrap_err().reason(), Reason::Address);
            assert_eq!(route.sent_from(wrong).unwrap_err().reason(), Reason::Address);
        }
        assert_eq!(route.sent_from("fd00::2").unwrap_err().reason(), Reason::Address);
        assert_eq!(Route::parse("fd01::/64", Some("10.8.0.2"), 0, 0).unwrap_err().reason(), Reason::Address);
    }

    #[test]
    fn zero_is_the_usual_metric_and_table() {
        let asked = Route::parse("fd01::/64", None, 0, 0).unwrap();
        let with = |metric, table| Route { details: Details { metric, table, ..asked.details }, ..asked };
        assert!(with(1024, 254).meets(&asked, (1024, 254)));
        assert!(!with(1023, 254).meets(&asked, (1024, 254)));
        assert!(!with(1024, 100).meets(&asked, (1024, 254)));
        assert!(with(7, 100).meets(&with(7, 100), (1024, 254)));
    }

    #[test]
    fn what_is_asked_for_is_there() {
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
        let sourced = with(made).sent_from("10.8.0.1").unwrap();
        assert!(!sourced.meets(&plain, (0, 0)) && !with(made).meets(&sourced, (0, 0)));
        let kernels = Route { details: Details { protocol: KERNEL, ..made }, ..sourced };
        assert!(kernels.meets(&plain, (0, 0)) && kernels.meets(&kernels, (0, 0)));
    }

    #[test]
    fn a_type_has_its_number() {
        assert_eq!(Type::parse(4), Ok(Type::Multicast));
        assert_eq!(Type::parse(6).unwrap_err().reason(), Reason::Argument);
    }
}
