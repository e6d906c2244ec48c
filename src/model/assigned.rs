// SPDX-License-Identifier: MIT
//! The properties of an address on a device: scope, lifetimes, label and flags.

use std::fmt;
use std::net::Ipv4Addr;

use crate::model::address::Address;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::bit;
use crate::model::table::{constants, enumeration};
use crate::model::text::{Untrusted, text};

constants! {
    bits FLAGS: u64 {
        /// A flag of tuntap_addr.flags, like all TUNTAP_ADDR_*. IPv6: the address is used at once,
        /// without duplicate address detection. This is always so on a TUN, which has no neighbours.
        NODAD = 0x1, "TUNTAP_ADDR_NODAD";
        /// No route to the network of the address is added.
        NOPREFIXROUTE = 0x2, "TUNTAP_ADDR_NOPREFIXROUTE";
        /// Reported only: duplicate address detection is in progress, and the address is not used
        /// yet.
        TENTATIVE = 0x4, "TUNTAP_ADDR_TENTATIVE";
        /// Reported only: duplicate address detection found the address on another host, so it is not
        /// used.
        DADFAILED = 0x8, "TUNTAP_ADDR_DADFAILED";
        /// The preferred lifetime is over: new connections do not use the address.
        DEPRECATED = 0x10, "TUNTAP_ADDR_DEPRECATED";
        /// Reported only: for IPv4, the address is not the first one of its network; for IPv6, it is
        /// a temporary address.
        SECONDARY = 0x20, "TUNTAP_ADDR_SECONDARY";
        /// Reported only: the kernel created the address, or it has a lifetime.
        DYNAMIC = 0x40, "TUNTAP_ADDR_DYNAMIC";
        /// IPv4, on a TAP: the address has no broadcast address.
        NOBROADCAST = 0x80, "TUNTAP_ADDR_NOBROADCAST";
    }
}

/// The flags that a caller can request.
const REQUESTABLE: u64 = NODAD | NOPREFIXROUTE | DEPRECATED | NOBROADCAST;
/// The flags that are only reported. They are ignored in a request, so that a listed address can be added.
const REPORTED: u64 = TENTATIVE | DADFAILED | SECONDARY | DYNAMIC;

enumeration! {
    /// Where an address is valid, or the destination of a route is.
    pub enum Scope {
        /// Valid everywhere.
        Global = 1, "TUNTAP_SCOPE_GLOBAL";
        /// Valid on the link.
        Link = 2, "TUNTAP_SCOPE_LINK";
        /// Valid on the host.
        Host = 3, "TUNTAP_SCOPE_HOST";
        /// Valid in the site, or in a scope that the administrator has defined.
        Site = 4, "TUNTAP_SCOPE_SITE";
    }
}

impl Scope {
    /// Checks a caller's number. 0 is the default of the system.
    pub fn parse(number: u32) -> Result<Option<Self>> {
        if number == 0 {
            return Ok(None);
        }
        let scopes = [Self::Global, Self::Link, Self::Host, Self::Site];
        let found = scopes.into_iter().find(|scope| *scope as u32 == number);
        let unknown = || {
            Error::new(
                Errno::EINVAL,
                Reason::Argument,
                text!("scope {number} is unknown: use one of TUNTAP_SCOPE_*"),
            )
        };
        found.map(Some).ok_or_else(unknown)
    }
}

/// The lifetimes of an address in seconds. 0 is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// The address is removed after this time.
    pub valid: u32,
    /// New connections do not use the address after this time. 0 is the valid lifetime.
    pub preferred: u32,
    /// New connections do not use the address.
    pub deprecated: bool,
}

/// The number of the kernel for an infinite lifetime.
pub const FOREVER: u32 = u32::MAX;

impl Lifetimes {
    /// Checks a caller's seconds.
    pub fn new(valid: u32, preferred: u32, deprecated: bool) -> Result<Self> {
        let [valid, preferred] =
            [valid, preferred].map(|seconds| if seconds == FOREVER { 0 } else { seconds });
        let fault = if deprecated && preferred != 0 {
            text!("a preferred lifetime of {preferred} seconds contradicts TUNTAP_ADDR_DEPRECATED: use 0")
        } else if valid != 0 && preferred > valid {
            text!("a preferred lifetime of {preferred} seconds is longer than the valid lifetime of {valid}")
        } else {
            return Ok(Self { valid, preferred, deprecated });
        };
        Err(Error::new(Errno::EINVAL, Reason::Range, fault))
    }

    /// The lifetimes that a kernel reported: [`FOREVER`] is infinite, and 0 is over. For a permanent IPv4 address whose
    /// preferred lifetime is over, Linux reports [`FOREVER`] and a flag.
    pub fn reported(valid: u32, preferred: u32, deprecated: bool) -> Self {
        let seconds = |number| if number == FOREVER { 0 } else { number };
        let deprecated = deprecated || preferred == 0;
        let preferred = if deprecated { 0 } else { seconds(preferred) };
        Self { valid: seconds(valid.max(1)), preferred, deprecated }
    }

    /// The valid and the preferred lifetime, as numbers of the kernel.
    pub fn as_kernel(self) -> (u32, u32) {
        let valid = if self.valid == 0 { FOREVER } else { self.valid };
        let preferred = match self.preferred {
            _ if self.deprecated => 0,
            0 => valid,
            seconds => seconds,
        };
        (valid, preferred)
    }

    /// Whether a lifetime is finite.
    pub fn end(self) -> bool {
        self.valid != 0 || self.preferred != 0
    }
}

/// The interface name that old programs show for an IPv4 address, such as `eth0:1`. Empty if it is the name of the
/// device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Label {
    /// IFNAMSIZ without the NUL.
    const MAX_LEN: usize = 15;

    /// Checks a caller's text.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let too_long = || {
            let label = Untrusted(bytes);
            let fault = text!("label \"{label}\": {} bytes: the limit is {}", bytes.len(), Self::MAX_LEN);
            Error::new(Errno::EINVAL, Reason::Range, fault)
        };
        Self::reported(bytes).ok_or_else(too_long)
    }

    /// A label that the system reported.
    pub fn reported(bytes: &[u8]) -> Option<Self> {
        let mut label = Self { len: u8::try_from(bytes.len()).ok()?, ..Self::default() };
        label.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(label)
    }

    /// Its bytes, without a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The properties of an address, besides the address itself. 0, false and None request the default of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// IPv6: the address is used at once, without duplicate address detection.
    pub nodad: bool,
    /// No route to the network of the address is added.
    pub noprefixroute: bool,
    /// IPv4: the address has no broadcast address.
    pub nobroadcast: bool,
    /// IPv4: the broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// Where the address is valid.
    pub scope: Option<Scope>,
    /// The metric of the route to the network of the address.
    pub metric: u32,
    /// The origin, as the system numbers it.
    pub protocol: u8,
    /// The lifetimes.
    pub lifetimes: Lifetimes,
    /// IPv4: the interface name that old programs show.
    pub label: Label,
}

impl Options {
    /// Checks a caller's bits and lifetimes, which must not contradict each other.
    pub fn parse(bits: u64, valid: u32, preferred: u32) -> Result<Self> {
        let unknown = bits & !(REQUESTABLE | REPORTED);
        if unknown != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                text!("address flags {bits:#x}: {unknown:#x} cannot be requested"),
            ));
        }
        let has = |flag| bits & flag != 0;
        Ok(Self {
            nodad: has(NODAD),
            noprefixroute: has(NOPREFIXROUTE),
            nobroadcast: has(NOBROADCAST),
            lifetimes: Lifetimes::new(valid, preferred, has(DEPRECATED))?,
            ..Self::default()
        })
    }

    /// The bits of the ABI.
    pub fn bits(&self) -> u64 {
        bit(self.nodad, NODAD)
            | bit(self.noprefixroute, NOPREFIXROUTE)
            | bit(self.nobroadcast, NOBROADCAST)
            | bit(self.lifetimes.deprecated, DEPRECATED)
    }

    /// Refuses properties that an IPv6 address does not have.
    pub(crate) fn check(&self, address: &Address) -> Result<()> {
        if address.local().is_ipv4() || (self.broadcast.is_none() && self.label == Label::default()) {
            return Ok(());
        }
        let text = text!("add the address {address}: an IPv6 address has no broadcast address and no label");
        Err(Error::new(Errno::EINVAL, Reason::Argument, text))
    }

    /// The properties after replacing `has` by this request. Properties that are not requested stay, except the
    /// lifetimes.
    pub(crate) fn merged_with(&self, has: &Self) -> Self {
        let or = |wanted: u32, present| if wanted == 0 { present } else { wanted };
        Self {
            nodad: self.nodad || has.nodad,
            noprefixroute: self.noprefixroute || has.noprefixroute,
            nobroadcast: self.nobroadcast || (has.nobroadcast && self.broadcast.is_none()),
            broadcast: self.broadcast.or(has.broadcast.filter(|_| !self.nobroadcast)),
            scope: self.scope.or(has.scope),
            metric: or(self.metric, has.metric),
            protocol: if self.protocol == 0 { has.protocol } else { self.protocol },
            lifetimes: self.lifetimes,
            label: if self.label == Label::default() { has.label } else { self.label },
        }
    }

    /// Whether the properties of an address satisfy the request. A finite lifetime never does, because the remaining
    /// time differs. `nodad` is not compared: it matters only when the address is added.
    pub(crate) fn are_met_by(&self, has: &Self) -> bool {
        let is_satisfied = |wanted: bool, present: bool| present || !wanted;
        is_satisfied(self.noprefixroute, has.noprefixroute)
            && is_satisfied(self.nobroadcast, has.nobroadcast)
            && (self.broadcast.is_none() || self.broadcast == has.broadcast)
            && (self.scope.is_none() || self.scope == has.scope)
            && (self.metric == 0 || self.metric == has.metric)
            && (self.protocol == 0 || self.protocol == has.protocol)
            && (self.label == Label::default() || self.label == has.label)
            && !self.lifetimes.end()
            && self.lifetimes == has.lifetimes
    }
}

/// An address that a device has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The address.
    pub address: Address,
    /// Its properties.
    pub options: Options,
    /// The bits of the ABI: those that can be requested, and those that are only reported.
    pub flags: u64,
    /// The message of the system about the address, from which it is restored exactly.
    pub message: Vec<u8>,
}

impl Assigned {
    /// Whether it satisfies the options of a request.
    pub(crate) fn meets(&self, options: &Options) -> bool {
        options.are_met_by(&self.options)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Untrusted(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_properties_can_be_requested() {
        for (valid, preferred) in [(FOREVER, FOREVER), (FOREVER, 0), (600, 300), (600, 0), (7, 7), (0, 0)] {
            let lifetimes = Lifetimes::reported(valid, preferred, false);
            assert_eq!(
                Lifetimes::new(lifetimes.valid, lifetimes.preferred, lifetimes.deprecated),
                Ok(lifetimes)
            );
            assert_eq!(lifetimes.as_kernel(), (valid.max(1), preferred));
        }
        assert_eq!(Lifetimes::default().as_kernel(), (FOREVER, FOREVER));
        assert_eq!(Lifetimes::reported(FOREVER, FOREVER, true).as_kernel(), (FOREVER, 0));
        assert_eq!(Options::parse(0xff, 0, 0).unwrap().bits(), REQUESTABLE);
        assert_eq!(Options::parse(0x100, 0, 0).unwrap_err().reason(), Reason::Flags);
    }

    #[test]
    fn a_lifetime_of_zero_is_the_default() {
        let of = |valid, preferred| Lifetimes::new(valid, preferred, false).unwrap().as_kernel();
        assert_eq!(of(600, 0), (600, 600));
        assert_eq!(of(0, 300), (FOREVER, 300));
        assert_eq!(of(FOREVER, FOREVER), (FOREVER, FOREVER));
        assert_eq!(Lifetimes::new(300, 301, false).unwrap_err().reason(), Reason::Range);
        assert_eq!(Lifetimes::new(0, 1, true).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn only_requested_properties_and_lifetimes_must_match() {
        let has = Options {
            nodad: true,
            scope: Some(Scope::Link),
            metric: 7,
            protocol: 3,
            label: Label::new(b"vpn0:1").unwrap(),
            ..Options::default()
        };
        assert!(Options::default().are_met_by(&has) && has.are_met_by(&has));
        assert!(!Options { metric: 8, ..has }.are_met_by(&has));
        assert!(!Options { label: Label::new(b"vpn0").unwrap(), ..has }.are_met_by(&has));
        assert!(!Options { noprefixroute: true, ..has }.are_met_by(&has));
        let ends = Options { lifetimes: Lifetimes::new(60, 0, false).unwrap(), ..has };
        assert!(!ends.are_met_by(&ends) && !Options::default().are_met_by(&ends));
    }

    #[test]
    fn a_replacement_keeps_properties_that_are_not_requested() {
        let label = Label::new(b"vpn0:1").unwrap();
        let has = Options {
            noprefixroute: true,
            nobroadcast: true,
            scope: Some(Scope::Link),
            metric: 7,
            protocol: 3,
            lifetimes: Lifetimes::new(60, 0, false).unwrap(),
            label,
            ..Options::default()
        };
        let merged = Options::default().merged_with(&has);
        assert_eq!(merged, Options { lifetimes: Lifetimes::default(), ..has });
        let broadcast = Some(Ipv4Addr::new(10, 8, 0, 255));
        let merged = Options { broadcast, metric: 8, ..Options::default() }.merged_with(&has);
        assert_eq!(
            (merged.broadcast, merged.nobroadcast, merged.metric, merged.label),
            (broadcast, false, 8, label)
        );
        assert_eq!(Options { nobroadcast: true, ..Options::default() }.merged_with(&merged).broadcast, None);
    }

    #[test]
    fn the_length_of_a_label_is_limited() {
        assert_eq!(Label::new(b"fifteen-bytes:1").unwrap().as_bytes(), b"fifteen-bytes:1");
        assert_eq!(Label::new(&[b'x'; 16]).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn unknown_scopes_are_refused() {
        assert_eq!(Scope::parse(0), Ok(None));
        assert_eq!(Scope::parse(3), Ok(Some(Scope::Host)));
        assert_eq!(Scope::parse(5).unwrap_err().reason(), Reason::Argument);
    }
}
