// SPDX-License-Identifier: MIT
//! The IP addresses of a device.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::{self, Family, Parsed, Prefix};
use crate::model::text::text;

/// The minimum MTU of IPv6: RFC 8200.
pub const IPV6_MTU: u32 = 1280;

/// An address of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    local: IpAddr,
    peer: Option<IpAddr>,
    prefix: Prefix,
}

impl Address {
    /// None unless all parts have the same family. A peer that equals the address is dropped.
    pub fn new(local: IpAddr, peer: Option<IpAddr>, prefix: Prefix) -> Option<Self> {
        let family = Family::of(local);
        let fits = prefix.bits() <= family.bits() && peer.is_none_or(|peer| Family::of(peer) == family);
        let peer = peer.filter(|peer| *peer != local);
        fits.then_some(Self { local, peer, prefix })
    }

    /// The address of the device.
    pub fn local(&self) -> IpAddr {
        self.local
    }

    /// The other end of a point-to-point link, if there is one.
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The prefix of the network that the link reaches.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The family of the address and of the peer.
    pub fn family(&self) -> Family {
        Family::of(self.local)
    }

    /// The address with another peer.
    pub(crate) fn with_peer(self, peer: IpAddr) -> Self {
        Self { peer: (peer != self.local).then_some(peer), ..self }
    }

    /// The address with another prefix.
    pub(crate) fn with_prefix(self, prefix: Prefix) -> Self {
        Self { prefix, ..self }
    }

    pub(crate) fn set(&self) -> Set {
        match self.local {
            IpAddr::V4(_) => Set::V4,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Set::LinkLocal,
            IpAddr::V6(_) => Set::V6,
        }
    }

    /// The broadcast address of the network. A /31 (RFC 3021) and a /32 have none.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let IpAddr::V4(local) = self.local else { return None };
        let host_bits = !self.prefix.netmask().to_bits();
        (self.prefix.bits() < 31).then(|| Ipv4Addr::from_bits(local.to_bits() | host_bits))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        if let Some(peer) = self.peer {
            write!(f, " peer {peer}")?;
        }
        write!(f, "/{}", self.prefix.bits())
    }
}

/// A set of addresses: setting one replaces the others of its set. IPv6 link-local addresses are a separate set,
/// because the system adds one and IPv6 needs it beside the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    V4,
    V6,
    LinkLocal,
}

/// An address that a caller requests. The prefix may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRequest {
    parsed: Parsed,
    peer: Option<IpAddr>,
}

impl AddressRequest {
    /// Parses `10.8.0.1`, `10.8.0.1/24` or `fd00::1/64`, and the text of a peer.
    pub fn parse(text: &str, peer: Option<&str>) -> Result<Self> {
        Self::new(Parsed::new(text)?, text, peer)
    }

    /// A request for an address that was parsed from `text`.
    pub fn new(parsed: Parsed, text: &str, peer: Option<&str>) -> Result<Self> {
        prefix::check_host(parsed.ip, text)?;
        let peer = peer.map(|peer| parse_peer(peer, parsed.family())).transpose()?;
        Ok(Self { parsed, peer })
    }

    /// The address that replaces `present`. A request without a prefix keeps the prefix of `present`.
    pub(crate) fn in_place_of(&self, present: &Address) -> Address {
        if self.is_met_by(present) { *present } else { self.address() }
    }

    /// Whether a device with the address `present` cannot have the requested one too. In IPv4 the network and the
    /// prefix length are part of an address's identity.
    pub(crate) fn conflicts_with(&self, present: &Address) -> bool {
        let network = |address: &Address| {
            let far_end = address.peer.unwrap_or(address.local);
            (address.prefix, address.prefix.network(far_end))
        };
        self.is_met_by(present)
            || (self.parsed.ip == present.local
                && (self.family() == Family::V6 || network(&self.address()) == network(present)))
    }

    /// Whether `address` satisfies the request.
    pub fn is_met_by(&self, address: &Address) -> bool {
        match self.parsed.prefix {
            None if self.peer.is_none() => self.parsed.ip == address.local,
            _ => self.address() == *address,
        }
    }

    /// The family of the address and of the peer.
    pub fn family(&self) -> Family {
        self.parsed.family()
    }

    /// The requested address. Without a prefix it is a single host.
    pub fn address(&self) -> Address {
        let local = self.parsed.ip;
        let peer = self.peer.filter(|peer| *peer != local);
        Address { local, peer, prefix: self.parsed.prefix_or_host() }
    }

    /// Whether the request names the address completely. A deletion then removes only this address.
    pub(crate) fn is_exactly(&self, address: &Address) -> bool {
        self.parsed.prefix.is_some() && self.address() == *address
    }

    /// Whether a deletion matches the address: without a prefix or peer in the request, any matches.
    pub(crate) fn names(&self, address: &Address) -> bool {
        self.parsed.ip == address.local
            && self.parsed.prefix.is_none_or(|prefix| prefix == address.prefix)
            && self.peer.is_none_or(|peer| Some(peer) == address.peer)
    }
}

fn parse_peer(text: &str, family: Family) -> Result<IpAddr> {
    let peer = parse_far_end(text)?;
    if Family::of(peer) == family {
        return Ok(peer);
    }
    Err(prefix::invalid(text, "the peer must be of the same family"))
}

/// Parses a peer. People write a prefix there, as in `ip address add 10.8.0.1 peer 10.8.0.2/24`.
fn parse_far_end(text: &str) -> Result<IpAddr> {
    if Parsed::new(text).is_ok_and(|parsed| parsed.prefix.is_some()) {
        return Err(prefix::invalid(text, "a peer has no prefix: the prefix belongs to the address"));
    }
    prefix::parse_host(text)
}

/// Parses the peer of an IPv4 address.
pub fn parse_ipv4_host(text: &str) -> Result<Ipv4Addr> {
    match parse_far_end(text)? {
        IpAddr::V4(ip) => Ok(ip),
        IpAddr::V6(_) => {
            Err(prefix::invalid(text, "not an IPv4 address: use tuntap_add_addr for an IPv6 peer"))
        }
    }
}

/// The error for an IPv6 address or route on a device with an MTU below [`IPV6_MTU`].
pub(crate) fn too_small_for_ipv6(action: impl fmt::Display, mtu: u32) -> Error {
    Error::new(
        Errno::EINVAL,
        Reason::Range,
        text!("{action}: IPv6 needs an MTU of {IPV6_MTU}, and the MTU is {mtu}: use tuntap_set_mtu"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> AddressRequest {
        AddressRequest::parse(text, None).unwrap()
    }

    #[test]
    fn the_default_prefix_is_that_of_a_single_host() {
        assert_eq!(request("10.8.0.1").address().to_string(), "10.8.0.1/32");
        assert_eq!(request("fd00::1").address().to_string(), "fd00::1/128");
        assert_eq!(request("fd00:0::1/64").address().to_string(), "fd00::1/64");
        for text in ["0.0.0.0", "224.0.0.1/4", "255.255.255.255", "::/0", "ff02::1/64"] {
            assert_eq!(AddressRequest::parse(text, None).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn a_request_without_a_prefix_matches_any_prefix() {
        let address = request("10.8.0.1/24").address();
        assert!(request("10.8.0.1").is_met_by(&address));
        assert!(request("10.8.0.1/24").is_met_by(&address));
        assert!(!request("10.8.0.1/25").is_met_by(&address));
        let with_peer = Address { peer: Some(Ipv4Addr::new(10, 8, 0, 2).into()), ..address };
        assert!(!request("10.8.0.1/24").is_met_by(&with_peer));
    }

    #[test]
    fn a_deletion_matches_the_parts_that_it_names() {
        let peer = AddressRequest::parse("10.8.0.1/24", Some("10.8.0.2")).unwrap();
        let address = peer.address();
        assert_eq!(address.to_string(), "10.8.0.1 peer 10.8.0.2/24");
        assert!(peer.names(&address) && request("10.8.0.1").names(&address));
        assert!(request("10.8.0.1/24").names(&address) && !request("10.8.0.1/25").names(&address));
        assert!(!peer.names(&request("10.8.0.1/24").address()));
    }

    #[test]
    fn a_peer_has_the_same_family_and_another_address() {
        assert_eq!(AddressRequest::parse("10.8.0.1", Some("fd00::2")).unwrap_err().reason(), Reason::Address);
        let own = AddressRequest::parse("10.8.0.1", Some("10.8.0.1")).unwrap();
        assert_eq!(own.address().peer(), None);
        let [v4, v6] = ["10.8.0.1", "fd00::1"].map(|text| text.parse().unwrap());
        assert_eq!(Address::new(v4, Some(v6), Prefix::host(Family::V4)), None);
        assert_eq!(Address::new(v4, None, Prefix::host(Family::V6)), None);
    }

    #[test]
    fn small_networks_and_ipv6_have_no_broadcast_address() {
        assert_eq!(request("10.8.0.1/24").address().broadcast(), Some(Ipv4Addr::new(10, 8, 0, 255)));
        assert_eq!(request("10.8.0.1/31").address().broadcast(), None);
        assert_eq!(request("10.8.0.1/32").address().broadcast(), None);
        assert_eq!(request("fd00::1/64").address().broadcast(), None);
    }
}
