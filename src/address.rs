// SPDX-License-Identifier: MIT
//! The IP addresses of a device.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::device::Device;
use crate::error::{Errno, Error, Reason, Result};
use crate::flags::bit;
use crate::prefix::{self, Family, Parsed, Prefix};
use crate::sys::Backend;

/// The least MTU of a device with IPv6: RFC 8200.
pub const IPV6_MTU: u32 = 1280;

/// How an address is given to a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// IPv6: it is used at once, without asking the link whether somebody else has it.
    pub nodad: bool,
    /// No route to its network is added.
    pub noprefixroute: bool,
}

/// IPv6: used without duplicate address detection.
pub const NODAD: u64 = 0x1;
/// Without a route to its network.
pub const NOPREFIXROUTE: u64 = 0x2;
/// Duplicate address detection goes on: nothing is sent from it yet.
pub const TENTATIVE: u64 = 0x4;
/// Somebody else on the link has it: it is not used.
pub const DADFAILED: u64 = 0x8;
/// No new connection is made from it.
pub const DEPRECATED: u64 = 0x10;
/// IPv4: it comes after another of its network. IPv6: a temporary one.
pub const SECONDARY: u64 = 0x20;
/// It was made by the system, or has a lifetime.
pub const DYNAMIC: u64 = 0x40;

impl Options {
    /// Checks a caller's bits.
    pub fn parse(bits: u64) -> Result<Self> {
        let unknown = bits & !(NODAD | NOPREFIXROUTE);
        if unknown != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                format!("flags {bits:#x} of an address: {unknown:#x} cannot be asked for"),
            ));
        }
        Ok(Self { nodad: bits & NODAD != 0, noprefixroute: bits & NOPREFIXROUTE != 0 })
    }

    /// As the ABI's bits.
    pub fn bits(self) -> u64 {
        bit(self.nodad, NODAD) | bit(self.noprefixroute, NOPREFIXROUTE)
    }
}

/// An address that a device can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    local: IpAddr,
    peer: Option<IpAddr>,
    prefix: Prefix,
}

impl Address {
    /// Of one family; the device's own address is no peer.
    pub fn new(local: IpAddr, peer: Option<IpAddr>, prefix: Prefix) -> Option<Self> {
        let family = Family::of(local);
        let fits = prefix.bits() <= family.bits() && peer.is_none_or(|peer| Family::of(peer) == family);
        let peer = peer.filter(|peer| *peer != local);
        fits.then_some(Self { local, peer, prefix })
    }

    /// The device's own.
    pub fn local(&self) -> IpAddr {
        self.local
    }

    /// The other end of a point-to-point link, when there is one.
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The network that the link reaches.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The family of all of it.
    pub fn family(&self) -> Family {
        Family::of(self.local)
    }

    fn set(&self) -> Set {
        match self.local {
            IpAddr::V4(_) => Set::V4,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Set::LinkLocal,
            IpAddr::V6(_) => Set::V6,
        }
    }

    /// The broadcast address of the network, where it has one: RFC 3021 takes it away from a /31.
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

/// The addresses that setting one replaces. The link-local address of IPv6 comes from the system and is needed
/// beside others, so that it is a set of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    V4,
    V6,
    LinkLocal,
}

/// Where an address is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Scope {
    /// Everywhere.
    Global = 0,
    /// On the link.
    Link = 1,
    /// On the host.
    Host = 2,
    /// In the site, or whatever else the system has been told.
    Site = 3,
}

/// An address that a device has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The address.
    pub address: Address,
    /// Where it is valid.
    pub scope: Scope,
    /// The ABI's bits.
    pub flags: u64,
    /// All that the system tells of it, as the system tells it: with this it is given back as it was.
    pub detail: Vec<u8>,
}

/// What there is to do to an address.
enum Step<'a> {
    Keep(&'a Assigned),
    Add(Address, Options),
}

impl Step<'_> {
    fn address(&self) -> &Address {
        match self {
            Step::Keep(assigned) => &assigned.address,
            Step::Add(address, _) => address,
        }
    }
}

/// An address as a caller writes it: the prefix may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRequest {
    parsed: Parsed,
    peer: Option<IpAddr>,
}

impl AddressRequest {
    /// Reads `10.8.0.1`, `10.8.0.1/24`, `fd00::1/64`, and the text of a peer.
    pub fn parse(text: &str, peer: Option<&str>) -> Result<Self> {
        let parsed = Parsed::new(text)?;
        prefix::check_host(parsed.ip, text)?;
        let peer = peer.map(|peer| parse_peer(peer, parsed.family())).transpose()?;
        Ok(Self { parsed, peer })
    }

    /// Whether a device with this address has what was asked for.
    pub fn is_met_by(&self, address: &Address) -> bool {
        match self.parsed.prefix {
            None if self.peer.is_none() => self.parsed.ip == address.local,
            _ => self.address() == *address,
        }
    }

    /// The address to set: without a prefix, the host alone.
    pub fn address(&self) -> Address {
        let local = self.parsed.ip;
        let peer = self.peer.filter(|peer| *peer != local);
        Address { local, peer, prefix: self.parsed.prefix_or_host() }
    }

    /// Whether this address is meant by a deletion: a prefix or peer that is not given may be any.
    fn names(&self, address: &Address) -> bool {
        self.parsed.ip == address.local
            && self.parsed.prefix.is_none_or(|prefix| prefix == address.prefix)
            && self.peer.is_none_or(|peer| Some(peer) == address.peer)
    }
}

fn parse_peer(text: &str, family: Family) -> Result<IpAddr> {
    let peer = prefix::parse_host(text)?;
    if Family::of(peer) == family {
        return Ok(peer);
    }
    Err(prefix::invalid(text, "the other end has an address of the same family"))
}

/// Reads the other end of an IPv4 link.
pub fn parse_ipv4_host(text: &str) -> Result<Ipv4Addr> {
    match prefix::parse_host(text)? {
        IpAddr::V4(ip) => Ok(ip),
        IpAddr::V6(_) => Err(prefix::invalid(text, "this is for IPv4: tuntap_add_addr takes an IPv6 peer")),
    }
}

impl Device {
    /// The addresses of both families, in the order that the system has them in.
    pub fn addresses(&self) -> Result<Vec<Assigned>> {
        self.backend.addresses(None)
    }

    /// Makes this the only address of its set. Without a prefix, one that the device has stays as it is.
    pub fn set_addr(&self, request: &AddressRequest) -> Result<()> {
        let _changing = self.change();
        let wanted = request.address();
        self.check_ipv6_mtu(&wanted)?;
        let before = self.backend.addresses(Some(wanted.family()))?;
        let present = before.iter().find(|assigned| request.is_met_by(&assigned.address));
        let first = present.map_or(Step::Add(wanted, Options::default()), Step::Keep);
        let others = before.iter().filter(|assigned| assigned.address.set() != wanted.set());
        let steps: Vec<_> = match wanted.family() {
            Family::V4 => vec![first],
            // What is kept is told apart by itself there, not by its place.
            Family::V6 => others.map(Step::Keep).chain([first]).collect(),
        };
        self.replace_addresses(wanted.family(), &before, &steps)
    }

    /// Adds an address, unless the device has it.
    pub fn add_addr(&self, request: &AddressRequest, options: Options) -> Result<()> {
        let _changing = self.change();
        let address = request.address();
        self.check_ipv6_mtu(&address)?;
        let present = self.backend.addresses(Some(address.family()))?;
        if present.iter().any(|assigned| request.is_met_by(&assigned.address)) {
            return Ok(());
        }
        self.backend.add_address(&address, options)
    }

    /// Takes away each address that the request names. IPv4 addresses of the same network that the system took
    /// away with the first of them stay.
    pub fn del_addr(&self, request: &AddressRequest) -> Result<()> {
        let _changing = self.change();
        let family = request.parsed.family();
        let before = self.backend.addresses(Some(family))?;
        let kept: Vec<_> =
            before.iter().filter(|assigned| !request.names(&assigned.address)).map(Step::Keep).collect();
        if kept.len() == before.len() {
            return Err(Error::new(
                Errno::EADDRNOTAVAIL,
                Reason::Unset,
                format!("{} does not have the address {}", self.label(), request.parsed.ip),
            ));
        }
        self.replace_addresses(family, &before, &kept)
    }

    /// The first IPv4 address.
    pub fn addr(&self) -> Result<IpAddr> {
        Ok(self.first_ipv4()?.local)
    }

    /// The other end of the link, for the first IPv4 address.
    pub fn dstaddr(&self) -> Result<IpAddr> {
        let peer = self.first_ipv4()?.peer;
        peer.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "destination address", "tuntap_set_dstaddr"))
    }

    /// Sets the other end of the link, for the first IPv4 address.
    pub fn set_dstaddr(&self, peer: Ipv4Addr) -> Result<()> {
        let peer = IpAddr::from(peer);
        self.change_first(|first| Address { peer: (peer != first.local).then_some(peer), ..first })
    }

    /// The netmask of the first IPv4 address.
    pub fn netmask(&self) -> Result<Ipv4Addr> {
        Ok(self.first_ipv4()?.prefix.netmask())
    }

    /// Sets the prefix of the first IPv4 address: one that a netmask gave.
    pub fn set_netmask(&self, prefix: Prefix) -> Result<()> {
        self.change_first(|first| Address { prefix, ..first })
    }

    fn first_ipv4(&self) -> Result<Address> {
        self.first_of(&self.backend.addresses(Some(Family::V4))?)
    }

    fn first_of(&self, addresses: &[Assigned]) -> Result<Address> {
        let first = addresses.first().map(|assigned| assigned.address);
        first.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "IPv4 address", "tuntap_set_addr"))
    }

    /// The others stay, in their order behind it.
    fn change_first(&self, change: impl FnOnce(Address) -> Address) -> Result<()> {
        let _changing = self.change();
        let before = self.backend.addresses(Some(Family::V4))?;
        let changed = change(self.first_of(&before)?);
        let others = before.iter().skip(1).map(Step::Keep);
        let steps: Vec<_> = [Step::Add(changed, Options::default())].into_iter().chain(others).collect();
        self.replace_addresses(Family::V4, &before, &steps)
    }

    /// Gives back the addresses that were there before, as far as that is possible.
    pub(crate) fn restore_addresses(&self, before: &[Assigned]) {
        for family in [Family::V4, Family::V6] {
            let of_family = before.iter().filter(|assigned| assigned.address.family() == family);
            let steps: Vec<_> = of_family.map(Step::Keep).collect();
            let _ = self.reconcile(family, &steps);
        }
    }

    /// Goes from one list to another, and back when that fails.
    fn replace_addresses(&self, family: Family, before: &[Assigned], wanted: &[Step<'_>]) -> Result<()> {
        self.reconcile(family, wanted).inspect_err(|_| {
            let steps: Vec<_> = before.iter().map(Step::Keep).collect();
            let _ = self.reconcile(family, &steps);
        })
    }

    /// Removes what is not wanted, or not in this place, and adds what is missing: so what is kept is what `wanted`
    /// begins with, the order is kept, and the first stays the first. It looks again in between, because an
    /// IPv4 address beside another of its network is secondary, and Linux removes it with that one. IPv6 has no
    /// such order.
    fn reconcile(&self, family: Family, wanted: &[Step<'_>]) -> Result<()> {
        let mut next = wanted.iter().peekable();
        for present in self.backend.addresses(Some(family))? {
            let kept = match family {
                Family::V4 => next.next_if(|step| *step.address() == present.address).is_some(),
                Family::V6 => wanted.iter().any(|step| *step.address() == present.address),
            };
            if kept {
                continue;
            }
            match self.backend.remove_address(&present.address) {
                Err(error) if error.errno() != Errno::EADDRNOTAVAIL => return Err(error),
                _ => {}
            }
        }
        let present = self.backend.addresses(Some(family))?;
        wanted.iter().filter(|step| !present.iter().any(|has| has.address == *step.address())).try_for_each(
            |step| match step {
                Step::Keep(assigned) => self.backend.restore_address(assigned),
                Step::Add(address, options) => self.backend.add_address(address, *options),
            },
        )
    }

    fn check_ipv6_mtu(&self, address: &Address) -> Result<()> {
        if address.family() == Family::V4 {
            return Ok(());
        }
        let link = self.backend.link()?;
        if link.mtu >= IPV6_MTU {
            return Ok(());
        }
        Err(too_small_for_ipv6(address, link.name, link.mtu))
    }
}

/// A device with such an MTU has no IPv6.
pub(crate) fn too_small_for_ipv6(address: &Address, device: impl fmt::Display, mtu: u32) -> Error {
    Error::new(
        Errno::EINVAL,
        Reason::Range,
        format!(
            "give {device} the address {address}: IPv6 needs an MTU of {IPV6_MTU}, and it has {mtu}: tuntap_set_mtu"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> AddressRequest {
        AddressRequest::parse(text, None).unwrap()
    }

    #[test]
    fn without_a_prefix_it_is_the_host_alone() {
        assert_eq!(request("10.8.0.1").address().to_string(), "10.8.0.1/32");
        assert_eq!(request("fd00::1").address().to_string(), "fd00::1/128");
        assert_eq!(request("fd00:0::1/64").address().to_string(), "fd00::1/64");
        for text in ["0.0.0.0", "224.0.0.1/4", "255.255.255.255", "::/0", "ff02::1/64"] {
            assert_eq!(AddressRequest::parse(text, None).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn without_a_prefix_any_prefix_meets_the_request() {
        let address = request("10.8.0.1/24").address();
        assert!(request("10.8.0.1").is_met_by(&address));
        assert!(request("10.8.0.1/24").is_met_by(&address));
        assert!(!request("10.8.0.1/25").is_met_by(&address));
        let with_peer = Address { peer: Some(Ipv4Addr::new(10, 8, 0, 2).into()), ..address };
        assert!(!request("10.8.0.1/24").is_met_by(&with_peer));
    }

    #[test]
    fn a_deletion_names_what_it_says_and_no_less() {
        let peer = AddressRequest::parse("10.8.0.1/24", Some("10.8.0.2")).unwrap();
        let address = peer.address();
        assert_eq!(address.to_string(), "10.8.0.1 peer 10.8.0.2/24");
        assert!(peer.names(&address) && request("10.8.0.1").names(&address));
        assert!(request("10.8.0.1/24").names(&address) && !request("10.8.0.1/25").names(&address));
        assert!(!peer.names(&request("10.8.0.1/24").address()));
    }

    #[test]
    fn a_peer_is_of_the_same_family_and_another() {
        assert_eq!(AddressRequest::parse("10.8.0.1", Some("fd00::2")).unwrap_err().reason(), Reason::Address);
        let own = AddressRequest::parse("10.8.0.1", Some("10.8.0.1")).unwrap();
        assert_eq!(own.address().peer(), None);
        let [v4, v6] = ["10.8.0.1", "fd00::1"].map(|text| text.parse().unwrap());
        assert_eq!(Address::new(v4, Some(v6), Prefix::host(Family::V4)), None);
        assert_eq!(Address::new(v4, None, Prefix::host(Family::V6)), None);
    }

    #[test]
    fn a_network_of_one_or_two_has_no_broadcast() {
        assert_eq!(request("10.8.0.1/24").address().broadcast(), Some(Ipv4Addr::new(10, 8, 0, 255)));
        assert_eq!(request("10.8.0.1/31").address().broadcast(), None);
        assert_eq!(request("10.8.0.1/32").address().broadcast(), None);
        assert_eq!(request("fd00::1/64").address().broadcast(), None);
    }
}
