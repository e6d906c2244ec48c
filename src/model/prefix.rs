// SPDX-License-Identifier: MIT
//! IP prefixes, and parsing of addresses with a prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::{Untrusted, text};

/// The family of an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The length of an address in bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The unspecified address, which is the network of the default route.
    pub fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Self::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// The length of a network prefix in bits: 0 to 32 for IPv4, 0 to 128 for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix(u8);

impl Prefix {
    /// The prefix of all addresses.
    pub const ALL: Self = Self(0);

    /// None if the family has no prefix of this length.
    pub fn new(family: Family, bits: u8) -> Option<Self> {
        (bits <= family.bits()).then_some(Self(bits))
    }

    /// The prefix of a single host.
    pub fn host(family: Family) -> Self {
        Self(family.bits())
    }

    /// The length in bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The IPv4 netmask.
    pub fn netmask(self) -> Ipv4Addr {
        let host_bits = 32_u32.saturating_sub(self.0.into());
        Ipv4Addr::from_bits(u32::MAX.checked_shl(host_bits).unwrap_or(0))
    }

    /// Parses an IPv4 netmask. Its one bits must come before its zero bits.
    pub fn parse_netmask(text: &str) -> Result<Self> {
        let mask: Ipv4Addr =
            text.parse().map_err(|_| invalid(text, "not a netmask: write it as in 255.255.255.0"))?;
        let ones = mask.to_bits().leading_ones();
        match u8::try_from(ones).ok().and_then(|bits| Self::new(Family::V4, bits)) {
            Some(prefix) if prefix.netmask() == mask => Ok(prefix),
            _ => Err(invalid(
                text,
                "not a netmask: its one bits must come before its zero bits, as in 255.255.255.0",
            )),
        }
    }

    /// The address of the network: `ip` with the bits after the prefix cleared.
    pub fn network(self, ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & self.netmask().to_bits()).into(),
            IpAddr::V6(ip) => {
                let host_bits = 128_u32.saturating_sub(self.0.into());
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        }
    }
}

/// An address parsed from a text such as `10.8.0.1/24` or `fd00::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The address.
    pub ip: IpAddr,
    /// The prefix, if the text has one.
    pub prefix: Option<Prefix>,
}

impl Parsed {
    /// Parses an address of either family, with or without a prefix.
    pub fn new(text: &str) -> Result<Self> {
        let Some((address, bits)) = text.split_once('/') else {
            return Ok(Self { ip: parse_ip(text, text)?, prefix: None });
        };
        let ip = parse_ip(address, text)?;
        match parse_bits(bits).and_then(|bits| Prefix::new(Family::of(ip), bits)) {
            Some(prefix) => Ok(Self { ip, prefix: Some(prefix) }),
            None if ip.is_ipv4() => {
                Err(invalid(text, "the length of an IPv4 prefix is a number from 0 to 32"))
            }
            None => Err(invalid(text, "the length of an IPv6 prefix is a number from 0 to 128")),
        }
    }

    /// The family of the address.
    pub fn family(&self) -> Family {
        Family::of(self.ip)
    }

    /// Adds the family and the prefix length that were passed separately, if any. They must not contradict the text.
    pub fn combined_with(self, family: Option<Family>, bits: u32, text: &str) -> Result<Self> {
        if family.is_some_and(|family| family != self.family()) {
            return Err(invalid(text, "the address is of another family than requested"));
        }
        let given = || u8::try_from(bits).ok().and_then(|bits| Prefix::new(self.family(), bits));
        match (bits, self.prefix, given()) {
            (0, _, _) => Ok(self),
            (_, Some(prefix), Some(given)) if prefix == given => Ok(self),
            (_, None, Some(given)) => Ok(Self { prefix: Some(given), ..self }),
            (_, Some(_), Some(_)) => Err(invalid(text, text!("a prefix length of {bits} contradicts it"))),
            (_, _, None) => Err(invalid(text, text!("a prefix length of {bits} is too large"))),
        }
    }

    /// The prefix; without one, the prefix of a single host.
    pub fn prefix_or_host(&self) -> Prefix {
        self.prefix.unwrap_or(Prefix::host(self.family()))
    }
}

/// Parses an IPv4 address without a prefix.
pub fn parse_ipv4(text: &str) -> Result<Ipv4Addr> {
    text.parse().map_err(|_| invalid(text, "not an IPv4 address: write it as in 10.8.0.255"))
}

/// Parses the address of a host, without a prefix.
pub fn parse_host(text: &str) -> Result<IpAddr> {
    check_host(parse_ip(text, text)?, text)
}

/// Rejects an address that no host can have.
pub fn check_host(ip: IpAddr, text: &str) -> Result<IpAddr> {
    let broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    if ip.is_unspecified() || ip.is_multicast() || broadcast {
        return Err(invalid(text, "no host can have this address"));
    }
    Ok(ip)
}

/// Refuses an IPv4 address in IPv6 notation: its packets are IPv4, and no IPv6 route applies to them.
pub(crate) fn check_not_mapped(ip: IpAddr, text: &str) -> Result<()> {
    match ip {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
            Err(invalid(text, "this is an IPv4 address: write it as in 192.0.2.1"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn parse_ip(text: &str, full: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| invalid(full, "not an IP address: write it as in 10.8.0.1 or fd00::1"))
}

/// Accepts only digits: `u8::from_str` also accepts "+24".
fn parse_bits(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

pub(crate) fn invalid(text: &str, what: impl fmt::Display) -> Error {
    Error::new(Errno::EINVAL, Reason::Address, text!("\"{}\": {what}", Untrusted(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_prefix_of_an_address_is_optional() {
        for (text, most) in [("10.8.0.1", 32), ("fd00::1", 128)] {
            let plain = Parsed::new(text).unwrap();
            assert_eq!((plain.ip, plain.prefix), (ip(text), None));
            assert_eq!(plain.prefix_or_host().bits(), most);
            for bits in 0..=most {
                let parsed = Parsed::new(&format!("{text}/{bits}")).unwrap();
                assert_eq!((parsed.ip, parsed.prefix.unwrap().bits()), (ip(text), bits));
            }
        }
    }

    #[test]
    fn separate_family_and_prefix_must_match_the_text() {
        let combined_with = |text, family, bits| Parsed::new(text).unwrap().combined_with(family, bits, text);
        let bits = |parsed: Parsed| parsed.prefix.map(Prefix::bits);
        assert_eq!(combined_with("10.8.0.1", None, 0).map(bits), Ok(None));
        assert_eq!(combined_with("10.8.0.1", Some(Family::V4), 24).map(bits), Ok(Some(24)));
        assert_eq!(combined_with("10.8.0.1/24", Some(Family::V4), 24).map(bits), Ok(Some(24)));
        assert_eq!(combined_with("fd00::1/64", None, 0).map(bits), Ok(Some(64)));
        for (family, bits) in [(Some(Family::V6), 0), (None, 25), (None, 33), (None, 280)] {
            assert_eq!(combined_with("10.8.0.1/24", family, bits).unwrap_err().reason(), Reason::Address);
        }
        assert_eq!(combined_with("10.8.0.1", None, 256).unwrap_err().reason(), Reason::Address);
    }

    #[test]
    fn invalid_addresses_are_refused() {
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
            "host",
            "fd00::1/129",
            "fd00::1/",
            "fd00:::1",
            "fd00::1%lo",
            "[fd00::1]",
            "fd00::g",
            "::1::",
            "10.8.0.1\u{fc}",
        ];
        for text in wrong {
            let error = Parsed::new(text).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Address), "{text}");
        }
        for text in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "10.8.0.1/24"] {
            assert_eq!(parse_host(text).unwrap_err().reason(), Reason::Address, "{text}");
        }
    }

    #[test]
    fn a_long_address_is_truncated_in_the_message() {
        assert!(Parsed::new(&"9".repeat(10_000)).unwrap_err().message().len() < 200);
    }

    #[test]
    fn netmasks_convert_to_prefixes_and_back() {
        for bits in 0..=32 {
            let prefix = Prefix::new(Family::V4, bits).unwrap();
            assert_eq!(Prefix::parse_netmask(&prefix.netmask().to_string()).unwrap(), prefix);
        }
        assert_eq!(Prefix::new(Family::V4, 33), None);
        assert_eq!(Prefix::new(Family::V6, 129), None);
        assert_eq!(Prefix::new(Family::V4, 24).unwrap().netmask().to_string(), "255.255.255.0");
        for text in ["255.0.255.0", "0.0.0.255", "24", "/24", ""] {
            assert_eq!(Prefix::parse_netmask(text).unwrap_err().reason(), Reason::Address);
        }
    }

    #[test]
    fn a_network_address_has_no_host_bits() {
        let network = |text: &str| {
            let parsed = Parsed::new(text).unwrap();
            parsed.prefix_or_host().network(parsed.ip).to_string()
        };
        assert_eq!(network("10.8.1.2/16"), "10.8.0.0");
        assert_eq!(network("10.8.1.2/0"), "0.0.0.0");
        assert_eq!(network("10.8.1.2"), "10.8.1.2");
        assert_eq!(network("fd00:1:2:3::4/48"), "fd00:1:2::");
        assert_eq!(network("fd00::4/0"), "::");
        assert_eq!(network("fd00::4"), "fd00::4");
    }
}
