// SPDX-License-Identifier: MIT
//! A default route through a device, and the packets that bypass it.

use std::fmt;
use std::net::IpAddr;

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::{self, Family, Parsed, Prefix};
use crate::model::route::Route;
use crate::model::table::constants;
use crate::model::text::text;

constants! {
    bits FLAGS: u64 {
        /// Argument flags of tuntap_add_default_route and tuntap_add_bypass: the default route or the
        /// bypass stays when the handle that added it is closed. On a device that is not persistent it
        /// ends with the device; on Darwin a bypass stays.
        KEEP = 0x2, "TUNTAP_KEEP";
        /// Argument flags of tuntap_add_default_route: the default route through the device precedes
        /// all other routes. Without this flag, more specific routes of the main table precede it, such
        /// as those to the networks of other interfaces. Whoever controls such a network can add such
        /// routes: a DHCP server, for example.
        OVERRIDE = 0x4, "TUNTAP_OVERRIDE";
    }
}

/// A default route through a device, as requested.
#[derive(Clone, Copy, Debug)]
pub struct DefaultRoute {
    /// None: both families.
    pub family: Option<Family>,
    /// The next hop on the link.
    pub gateway: Option<IpAddr>,
    /// It precedes the more specific routes of the system.
    pub overriding: bool,
    /// It stays when the handle that made it is closed.
    pub keep: bool,
}

impl DefaultRoute {
    /// Parses the gateway, which belongs to one family, and a caller's bits.
    pub fn parse(family: Option<Family>, gateway: Option<&str>, bits: u64) -> Result<Self> {
        let bits = check_flags(bits, KEEP | OVERRIDE)?;
        let (overriding, keep) = (bits & OVERRIDE != 0, bits & KEEP != 0);
        let request = Self { family, gateway: None, overriding, keep };
        let Some(text) = gateway else { return Ok(request) };
        let gateway = prefix::parse_host(text)?;
        match family {
            Some(Family::V6) if Family::of(gateway) == Family::V4 => {
                Err(prefix::invalid(text, "the gateway of an IPv6 route must be an IPv6 address"))
            }
            Some(_) => Ok(Self { gateway: Some(gateway), ..request }),
            None => {
                let text = "a gateway belongs to one family: request the families one by one";
                Err(Error::new(Errno::EINVAL, Reason::Argument, text))
            }
        }
    }
}

/// Checks a caller's bits for a bypass. Returns whether it stays.
pub fn parse_bypass_flags(bits: u64) -> Result<bool> {
    Ok(check_flags(bits, KEEP)? != 0)
}

fn check_flags(bits: u64, known: u64) -> Result<u64> {
    if bits & !known == 0 {
        return Ok(bits);
    }
    let text = text!("flags {bits:#x}: this call does not accept {:#x}", bits & !known);
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

/// A mark of packets, and the bits of it that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Not 0.
    pub value: u32,
    /// Has all bits of the value.
    pub mask: u32,
}

impl Mark {
    /// Checks a caller's numbers. A value of 0 is no mark, and a mask of 0 has all bits.
    fn parse(value: u32, mask: u32) -> Result<Option<Self>> {
        let all = if mask == 0 && value != 0 { u32::MAX } else { mask };
        if value & !all == 0 && (value != 0 || mask == 0) {
            return Ok((value != 0).then_some(Self { value, mask: all }));
        }
        let text =
            text!("the mark {value:#x} with the mask {mask:#x}: a mark has one or more bits of its mask");
        Err(Error::new(Errno::EINVAL, Reason::Argument, text))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mark {:#x}/{:#x}", self.value, self.mask)
    }
}

/// Packets that a default route through a device does not apply to: those to a destination, those with a mark, or those
/// with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// A route to the destination, without any attributes.
    destination: Option<Route>,
    mark: Option<Mark>,
}

impl Bypass {
    /// Parses a destination such as `192.0.2.1` or `192.168.0.0/16`, and a mark.
    pub fn parse(destination: Option<&str>, mark: u32, mask: u32) -> Result<Self> {
        let mark = Mark::parse(mark, mask)?;
        let destination = destination.map(parse_destination).transpose()?;
        if destination.is_none() && mark.is_none() {
            let text = "a bypass needs a destination or a mark";
            return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
        }
        Ok(Self { destination, mark })
    }

    /// What a system reported.
    pub fn reported(destination: Option<Route>, mark: Option<Mark>) -> Self {
        Self { destination, mark }
    }

    /// The destination, if the bypass is limited to one.
    pub fn destination(&self) -> Option<&Route> {
        self.destination.as_ref()
    }

    /// The mark, if the bypass is limited to packets with one.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The family of the destination. None: both families.
    pub fn family(&self) -> Option<Family> {
        self.destination.map(|route| route.family())
    }
}

fn parse_destination(text: &str) -> Result<Route> {
    let route = Route::new(Parsed::new(text)?, text)?;
    prefix::check_not_mapped(route.network(), text)?;
    if route.prefix() == Prefix::ALL {
        return Err(prefix::invalid(
            text,
            "a bypass of all destinations leaves nothing for the default route",
        ));
    }
    Ok(route)
}

impl fmt::Display for Bypass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.destination, self.mark) {
            (Some(route), None) => write!(f, "packets to {route}"),
            (Some(route), Some(mark)) => write!(f, "packets to {route} with {mark}"),
            (None, Some(mark)) => write!(f, "packets with {mark}"),
            (None, None) => write!(f, "no packets"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_and_flags_are_checked() {
        let parse = |family, gateway| DefaultRoute::parse(family, Some(gateway), 0);
        assert!(parse(Some(Family::V4), "10.8.0.1").is_ok());
        assert!(parse(Some(Family::V4), "fe80::1").is_ok());
        assert!(parse(Some(Family::V6), "fe80::1").is_ok());
        assert_eq!(parse(Some(Family::V6), "10.8.0.1").unwrap_err().reason(), Reason::Address);
        assert_eq!(parse(Some(Family::V4), "10.8.0.1/24").unwrap_err().reason(), Reason::Address);
        assert_eq!(parse(None, "10.8.0.1").unwrap_err().reason(), Reason::Argument);
        let both = DefaultRoute::parse(None, None, KEEP | OVERRIDE).unwrap();
        assert!(both.keep && both.overriding);
        assert_eq!(DefaultRoute::parse(None, None, 1).unwrap_err().reason(), Reason::Flags);
        assert_eq!(parse_bypass_flags(OVERRIDE).unwrap_err().reason(), Reason::Flags);
    }

    #[test]
    fn a_bypass_needs_a_valid_destination_or_mark() {
        let text = |destination, mark, mask| Bypass::parse(destination, mark, mask).unwrap().to_string();
        assert_eq!(text(Some("192.0.2.1"), 0, 0), "packets to 192.0.2.1/32");
        assert_eq!(text(Some("fd00::/8"), 7, 0), "packets to fd00::/8 with the mark 0x7/0xffffffff");
        assert_eq!(text(None, 0x10, 0xf0), "packets with the mark 0x10/0xf0");
        let reason = |destination, mark, mask| Bypass::parse(destination, mark, mask).unwrap_err().reason();
        assert_eq!(reason(None, 0, 0), Reason::Argument);
        assert_eq!(reason(None, 0x100, 0xf0), Reason::Argument);
        assert_eq!(reason(Some("192.0.2.1"), 0, 0xf0), Reason::Argument);
        assert_eq!(reason(Some("0.0.0.0/0"), 0, 0), Reason::Address);
        assert_eq!(reason(Some("::ffff:192.0.2.1"), 0, 0), Reason::Address);
        assert_eq!(reason(Some("192.0.2.1/24"), 0, 0), Reason::Address);
        assert_eq!(reason(Some("vpn.example"), 0, 0), Reason::Address);
    }
}
