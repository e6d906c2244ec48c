// SPDX-License-Identifier: MIT
//! IPv4 addresses of a device.

use std::fmt;
use std::iter;
use std::net::Ipv4Addr;

use crate::device::Device;
use crate::error::{Errno, Error, Reason, Result};
use crate::sys::Backend;

/// The length of a network prefix in bits, 0 to 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix(u8);

impl Prefix {
    /// One host.
    pub const HOST: Self = Self(32);

    /// A length that is in range.
    pub fn new(bits: u8) -> Option<Self> {
        (bits <= 32).then_some(Self(bits))
    }

    /// In bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// As a dotted mask.
    pub fn netmask(self) -> Ipv4Addr {
        let host_bits = 32_u32.saturating_sub(self.0.into());
        Ipv4Addr::from_bits(u32::MAX.checked_shl(host_bits).unwrap_or(0))
    }

    /// Reads a dotted mask, whose ones must come first.
    pub fn parse_netmask(text: &str) -> Result<Self> {
        let mask = parse_ipv4(text)?;
        let ones = mask.to_bits().leading_ones();
        match u8::try_from(ones).ok().and_then(Self::new) {
            Some(prefix) if prefix.netmask() == mask => Ok(prefix),
            _ => Err(invalid(text, "the ones of a netmask come before its zeros, as in 255.255.255.0")),
        }
    }
}

/// An address of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The device's own.
    pub local: Ipv4Addr,
    /// The other end of a point-to-point link, when there is one.
    pub peer: Option<Ipv4Addr>,
    /// The network that the link reaches.
    pub prefix: Prefix,
}

impl Address {
    /// The broadcast address of the network, where it has one: RFC 3021 takes it away from a /31.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let host_bits = !self.prefix.netmask().to_bits();
        (self.prefix.bits() < 31).then(|| Ipv4Addr::from_bits(self.local.to_bits() | host_bits))
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

/// An address as a caller writes it: the prefix may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRequest {
    /// The device's own.
    pub local: Ipv4Addr,
    /// As given.
    pub prefix: Option<Prefix>,
}

impl AddressRequest {
    /// Reads `10.8.0.1` or `10.8.0.1/24`.
    pub fn parse(text: &str) -> Result<Self> {
        let (local, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((local, bits)) => match parse_prefix(bits) {
                Some(prefix) => (local, Some(prefix)),
                None => return Err(invalid(text, "the prefix is a number from 0 to 32")),
            },
        };
        Ok(Self { local: parse_host(local)?, prefix })
    }

    /// Whether a device with this address has what was asked for.
    pub fn is_met_by(&self, address: &Address) -> bool {
        match self.prefix {
            None => self.local == address.local,
            Some(_) => self.address() == *address,
        }
    }

    /// The address to set: without a prefix, the host alone.
    pub fn address(&self) -> Address {
        Address { local: self.local, peer: None, prefix: self.prefix.unwrap_or(Prefix::HOST) }
    }
}

/// Reads an address that one host can have.
pub fn parse_host(text: &str) -> Result<Ipv4Addr> {
    let address = parse_ipv4(text)?;
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
        return Err(invalid(text, "no host can have this address"));
    }
    Ok(address)
}

fn parse_ipv4(text: &str) -> Result<Ipv4Addr> {
    text.parse().map_err(|_| invalid(text, "write an IPv4 address as in 10.8.0.1"))
}

/// Digits only: `u8::from_str` would take "+24" as well.
fn parse_prefix(text: &str) -> Option<Prefix> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().and_then(Prefix::new)
}

fn invalid(text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(Errno::EINVAL, Reason::Address, format!("\"{}\": {what}", shown.escape_debug()))
}

impl Device {
    /// The first IPv4 address.
    pub fn addr(&self) -> Result<Ipv4Addr> {
        Ok(self.first_address()?.local)
    }

    /// Makes this the only IPv4 address. Without a prefix, one that the device has stays as it is.
    pub fn set_addr(&self, request: &AddressRequest) -> Result<()> {
        let _changing = self.change();
        let before = self.backend.addresses()?;
        let present = before.iter().copied().find(|address| request.is_met_by(address));
        self.replace_addresses(&before, &[present.unwrap_or(request.address())])
    }

    /// The other end of the link, for the first address.
    pub fn dstaddr(&self) -> Result<Ipv4Addr> {
        let peer = self.first_address()?.peer;
        peer.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "destination address", "tuntap_set_dstaddr"))
    }

    /// Sets the other end of the link, for the first address.
    pub fn set_dstaddr(&self, peer: Ipv4Addr) -> Result<()> {
        self.change_first(|first| Address { peer: (peer != first.local).then_some(peer), ..first })
    }

    /// The prefix of the first address.
    pub fn prefix(&self) -> Result<Prefix> {
        Ok(self.first_address()?.prefix)
    }

    /// Sets the prefix of the first address.
    pub fn set_prefix(&self, prefix: Prefix) -> Result<()> {
        self.change_first(|first| Address { prefix, ..first })
    }

    fn first_address(&self) -> Result<Address> {
        self.first_of(&self.backend.addresses()?)
    }

    fn first_of(&self, addresses: &[Address]) -> Result<Address> {
        let first = addresses.first().copied();
        first.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "IPv4 address", "tuntap_set_addr"))
    }

    fn change_first(&self, change: impl FnOnce(Address) -> Address) -> Result<()> {
        let _changing = self.change();
        let before = self.backend.addresses()?;
        let changed = change(self.first_of(&before)?);
        let wanted: Vec<_> = iter::once(changed).chain(before.iter().skip(1).copied()).collect();
        self.replace_addresses(&before, &wanted)
    }

    /// Goes from one list to another, and back when that fails.
    fn replace_addresses(&self, before: &[Address], wanted: &[Address]) -> Result<()> {
        self.reconcile(wanted).inspect_err(|_| {
            let _ = self.reconcile(before);
        })
    }

    /// Removes what is not wanted, or not in this place, and adds what is missing: so what is kept is what `wanted`
    /// begins with, the order is kept, and the first stays the first. It looks again in between, because an
    /// address beside another of its network is secondary, and Linux removes it with that one.
    fn reconcile(&self, wanted: &[Address]) -> Result<()> {
        let mut next = wanted.iter().peekable();
        for address in self.backend.addresses()? {
            if next.next_if_eq(&&address).is_some() {
                continue;
            }
            match self.backend.remove_address(&address) {
                Err(error) if error.errno() != Errno::EADDRNOTAVAIL => return Err(error),
                _ => {}
            }
        }
        let present = self.backend.addresses()?;
        wanted
            .iter()
            .filter(|address| !present.contains(address))
            .try_for_each(|address| self.backend.add_address(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_with_or_without_its_prefix() {
        let plain = AddressRequest::parse("10.8.0.1").unwrap();
        assert_eq!(plain.prefix, None);
        assert_eq!(plain.address().to_string(), "10.8.0.1/32");
        for bits in 0..=32 {
            let text = format!("10.8.0.1/{bits}");
            assert_eq!(AddressRequest::parse(&text).unwrap().address().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let wrong = [
            "",
            "/",
            "10.8.0.1/",
            "10.8.0.1/33",
            "10.8.0.1/+8",
            "10.8.0.1/-1",
            "10.8.0.1/24/24",
            "10.8.0.1/999",
            "10.8.0",
            "10.8.0.256",
            " 10.8.0.1",
            "10.8.0.1 ",
            "010.8.0.1",
            "fd00::1",
            "host",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "10.8.0.1\u{fc}",
        ];
        for text in wrong {
            let error = AddressRequest::parse(text).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Address), "{text}");
        }
    }

    #[test]
    fn a_long_text_makes_a_short_message() {
        assert!(AddressRequest::parse(&"9".repeat(10_000)).unwrap_err().message().len() < 200);
    }

    #[test]
    fn netmask_and_prefix_are_the_same_thing() {
        for bits in 0..=32 {
            let prefix = Prefix::new(bits).unwrap();
            assert_eq!(Prefix::parse_netmask(&prefix.netmask().to_string()).unwrap(), prefix);
        }
        assert_eq!(Prefix::new(33), None);
        assert_eq!(Prefix::new(24).unwrap().netmask().to_string(), "255.255.255.0");
        for text in ["255.0.255.0", "0.0.0.255", "24", "/24", ""] {
            assert_eq!(Prefix::parse_netmask(text).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn without_a_prefix_any_prefix_meets_the_request() {
        let address = AddressRequest::parse("10.8.0.1/24").unwrap().address();
        assert!(AddressRequest::parse("10.8.0.1").unwrap().is_met_by(&address));
        assert!(AddressRequest::parse("10.8.0.1/24").unwrap().is_met_by(&address));
        assert!(!AddressRequest::parse("10.8.0.1/25").unwrap().is_met_by(&address));
        let with_peer = Address { peer: Some(Ipv4Addr::new(10, 8, 0, 2)), ..address };
        assert!(!AddressRequest::parse("10.8.0.1/24").unwrap().is_met_by(&with_peer));
    }

    #[test]
    fn a_network_of_one_or_two_has_no_broadcast() {
        let broadcast = |text| AddressRequest::parse(text).unwrap().address().broadcast();
        assert_eq!(broadcast("10.8.0.1/24"), Some(Ipv4Addr::new(10, 8, 0, 255)));
        assert_eq!(broadcast("10.8.0.1/31"), None);
        assert_eq!(broadcast("10.8.0.1/32"), None);
    }
}
