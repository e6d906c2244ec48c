// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::fmt;
use std::net::IpAddr;

use crate::model::error::Result;
use crate::model::prefix::{self, Family, Parsed, Prefix};
use crate::model::text::text;

/// A route through a device, as it is asked for and as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    network: IpAddr,
    prefix: Prefix,
    gateway: Option<IpAddr>,
    metric: u32,
    table: u32,
}

impl Route {
    /// Reads a destination such as `10.9.0.0/16`, and a gateway when there is one. 0 for a metric or a table is
    /// the system's usual one.
    pub fn parse(destination: &str, gateway: Option<&str>, metric: u32, table: u32) -> Result<Self> {
        let parsed = Parsed::new(destination)?;
        let prefix = parsed.prefix_or_host();
        if prefix.network(parsed.ip) != parsed.ip {
            let network = prefix.network(parsed.ip);
            let fault = text!("bits are set behind the prefix: the network is {network}/{}", prefix.bits());
            return Err(prefix::invalid(destination, fault));
        }
        let gateway = gateway.map(|gateway| parse_gateway(gateway, parsed.family())).transpose()?;
        Ok(Self { network: parsed.ip, prefix, gateway, metric, table })
    }

    /// A route that the system reported; None when its parts are not of one family.
    pub fn reported(
        network: IpAddr,
        prefix: Prefix,
        gateway: Option<IpAddr>,
        metric: u32,
        table: u32,
    ) -> Option<Self> {
        let family = Family::of(network);
        let fits = prefix.bits() <= family.bits() && gateway.is_none_or(|ip| Family::of(ip) == family);
        fits.then_some(Self { network, prefix, gateway, metric, table })
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

    /// Of several routes the one with the least is used. 0 when it is for the system to choose.
    pub fn metric(&self) -> u32 {
        self.metric
    }

    /// The routing table. 0 when it is for the system to choose.
    pub fn table(&self) -> u32 {
        self.table
    }

    /// The family of all of it.
    pub fn family(&self) -> Family {
        Family::of(self.network)
    }

    /// Whether this route is what was asked for, where `usual` has the metric and the table that stand for 0.
    pub(crate) fn meets(&self, asked: &Self, usual: (u32, u32)) -> bool {
        let or = |number, usual| if number == 0 { usual } else { number };
        let (metric, table) = usual;
        *self == Self { metric: or(asked.metric, metric), table: or(asked.table, table), ..*asked }
    }
}

/// A route that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The route, as far as a [`Route`] can say it.
    pub route: Route,
    /// There is no more to it: no type of service, no metrics, no next hop of another kind.
    pub exact: bool,
    /// All that the system tells of it, as the system tells it: with this it is given back as it was.
    pub detail: Vec<u8>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix.bits())?;
        if let Some(gateway) = self.gateway {
            write!(f, " by {gateway}")?;
        }
        if self.metric != 0 {
            write!(f, " with metric {}", self.metric)?;
        }
        if self.table != 0 {
            write!(f, " in table {}", self.table)?;
        }
        Ok(())
    }
}

fn parse_gateway(text: &str, family: Family) -> Result<IpAddr> {
    let gateway = prefix::parse_host(text)?;
    if Family::of(gateway) == family {
        return Ok(gateway);
    }
    Err(prefix::invalid(text, "the gateway has an address of the destination's family"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Reason;

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
    fn a_gateway_is_a_host_of_the_same_family() {
        let route = Route::parse("10.9.0.0/16", Some("10.8.0.2"), 7, 100).unwrap();
        assert_eq!(route.to_string(), "10.9.0.0/16 by 10.8.0.2 with metric 7 in table 100");
        for wrong in ["fd00::2", "0.0.0.0", "10.8.0.2/24", "gateway"] {
            assert_eq!(Route::parse("10.9.0.0/16", Some(wrong), 0, 0).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn zero_is_the_usual_metric_and_table() {
        let asked = Route::parse("fd01::/64", None, 0, 0).unwrap();
        let reported = |metric, table| Route { metric, table, ..asked };
        assert!(reported(1024, 254).meets(&asked, (1024, 254)));
        assert!(!reported(1023, 254).meets(&asked, (1024, 254)));
        assert!(!reported(1024, 100).meets(&asked, (1024, 254)));
        assert!(reported(7, 100).meets(&Route { metric: 7, table: 100, ..asked }, (1024, 254)));
    }
}
