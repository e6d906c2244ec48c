// SPDX-License-Identifier: MIT
//! How a device has an address: its scope, lifetimes, label and flags.

use std::fmt;
use std::net::Ipv4Addr;

use crate::model::address::Address;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::bit;
use crate::model::table::{constants, enumeration};
use crate::model::text::{Outside, text};

constants! {
    bits FLAGS: u64 {
        /// IPv6: the address is used at once, without duplicate address detection. On a TUN that is
        /// always so, as nobody is there who could have it.
        NODAD = 0x1, "TUNTAP_ADDR_NODAD";
        /// No route to the address's network is added.
        NOPREFIXROUTE = 0x2, "TUNTAP_ADDR_NOPREFIXROUTE";
        /// Reported only: duplicate address detection goes on, and nothing is sent from the address
        /// yet.
        TENTATIVE = 0x4, "TUNTAP_ADDR_TENTATIVE";
        /// Reported only: somebody else on the link has the address, so that it is not used.
        DADFAILED = 0x8, "TUNTAP_ADDR_DADFAILED";
        /// No new connection is made from it: its preferred lifetime is over.
        DEPRECATED = 0x10, "TUNTAP_ADDR_DEPRECATED";
        /// Reported only: IPv4, it comes after another address of its network; IPv6, it is a
        /// temporary one.
        SECONDARY = 0x20, "TUNTAP_ADDR_SECONDARY";
        /// Reported only: the kernel made it, or it has a lifetime.
        DYNAMIC = 0x40, "TUNTAP_ADDR_DYNAMIC";
        /// IPv4, on a TAP: the address has no broadcast address.
        NOBROADCAST = 0x80, "TUNTAP_ADDR_NOBROADCAST";
    }
}

/// What a caller can ask for.
const ASKED: u64 = NODAD | NOPREFIXROUTE | DEPRECATED | NOBROADCAST;
/// What the system reports only. It is passed over in what a caller gives, so that a listed address can be added.
const REPORTED: u64 = TENTATIVE | DADFAILED | SECONDARY | DYNAMIC;

enumeration! {
    /// Where an address is valid, or the destination of a route is.
    pub enum Scope {
        /// Everywhere.
        Global = 1, "TUNTAP_SCOPE_GLOBAL";
        /// On the link.
        Link = 2, "TUNTAP_SCOPE_LINK";
        /// On the host.
        Host = 3, "TUNTAP_SCOPE_HOST";
        /// In the site, or in a scope of the administrator's own.
        Site = 4, "TUNTAP_SCOPE_SITE";
    }
}

impl Scope {
    /// A caller's number; 0 leaves it to the system.
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

/// For how long an address is used, in seconds. 0 is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long the device has it.
    pub valid: u32,
    /// How long new connections are made from it: as long as it is valid, with 0.
    pub preferred: u32,
    /// No new connections are made from it at all.
    pub deprecated: bool,
}

/// The kernels' number for a time without an end.
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

    /// What a kernel reports, where [`FOREVER`] has no end and 0 is over. Linux has a preferred lifetime of [`FOREVER`]
    /// for an IPv4 address that stays and has none, and a flag.
    pub fn reported(valid: u32, preferred: u32, deprecated: bool) -> Self {
        let seconds = |number| if number == FOREVER { 0 } else { number };
        let deprecated = deprecated || preferred == 0;
        let preferred = if deprecated { 0 } else { seconds(preferred) };
        Self { valid: seconds(valid.max(1)), preferred, deprecated }
    }

    /// The valid and the preferred one as a kernel counts them.
    pub fn as_kernel(self) -> (u32, u32) {
        let valid = if self.valid == 0 { FOREVER } else { self.valid };
        let preferred = match self.preferred {
            _ if self.deprecated => 0,
            0 => valid,
            seconds => seconds,
        };
        (valid, preferred)
    }

    /// Whether time changes anything about it.
    pub fn end(self) -> bool {
        self.valid != 0 || self.preferred != 0
    }
}

/// The name that IPv4 addresses have for old programs, `eth0:1`. Empty where it is the device's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Label {
    /// IFNAMSIZ less the NUL.
    const MAX_LEN: usize = 15;

    /// Checks a caller's text.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let too_long = || {
            let label = Outside(bytes);
            let fault = text!("label \"{label}\": {} bytes: the limit is {}", bytes.len(), Self::MAX_LEN);
            Error::new(Errno::EINVAL, Reason::Range, fault)
        };
        Self::reported(bytes).ok_or_else(too_long)
    }

    /// One that the system reported.
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

/// How an address is given to a device, beside what it is. Zero and nothing leave it to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// IPv6: it is used at once, without asking the link whether somebody else has it.
    pub nodad: bool,
    /// No route to its network is added.
    pub noprefixroute: bool,
    /// IPv4: it has no broadcast address.
    pub nobroadcast: bool,
    /// IPv4: its broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// Where it is valid.
    pub scope: Option<Scope>,
    /// Of the route to its network.
    pub metric: u32,
    /// Who made it, as the system counts that.
    pub protocol: u8,
    /// For how long.
    pub lifetimes: Lifetimes,
    /// IPv4: its name for old programs.
    pub label: Label,
}

impl Options {
    /// Checks a caller's bits, with the lifetimes that they say something of.
    pub fn parse(bits: u64, valid: u32, preferred: u32) -> Result<Self> {
        let unknown = bits & !(ASKED | REPORTED);
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

    /// As the ABI's bits.
    pub fn bits(&self) -> u64 {
        bit(self.nodad, NODAD)
            | bit(self.noprefixroute, NOPREFIXROUTE)
            | bit(self.nobroadcast, NOBROADCAST)
            | bit(self.lifetimes.deprecated, DEPRECATED)
    }

    /// What only IPv4 has is not asked for of an IPv6 address.
    pub(crate) fn check(&self, address: &Address) -> Result<()> {
        if address.local().is_ipv4() || (self.broadcast.is_none() && self.label == Label::default()) {
            return Ok(());
        }
        let text = text!("add the address {address}: an IPv6 address has no broadcast address and no label");
        Err(Error::new(Errno::EINVAL, Reason::Argument, text))
    }

    /// What takes the place of this: what was not asked for stays, but for the lifetimes.
    pub(crate) fn over(&self, has: &Self) -> Self {
        let or = |wanted: u32, there| if wanted == 0 { there } else { wanted };
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

    /// Whether what a device has is what was asked for. What has an end is not: the time that is left is another. Once it
    /// is there it does not matter whether the link was to be asked.
    pub(crate) fn are_met_by(&self, has: &Self) -> bool {
        let asked = |wanted: bool, there: bool| there || !wanted;
        asked(self.noprefixroute, has.noprefixroute)
            && asked(self.nobroadcast, has.nobroadcast)
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
    /// How it has it.
    pub options: Options,
    /// The ABI's bits, of what can be asked for and of what is only reported.
    pub flags: u64,
    /// The message of the system about the address, unchanged: it restores the address exactly.
    pub detail: Vec<u8>,
}

impl Assigned {
    /// Whether the device has it as a caller asks for it.
    pub(crate) fn meets(&self, options: &Options) -> bool {
        options.are_met_by(&self.options)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Outside(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported_can_be_asked_for() {
        for (valid, preferred) in [(FOREVER, FOREVER), (FOREVER, 0), (600, 300), (600, 0), (7, 7), (0, 0)] {
            let told = Lifetimes::reported(valid, preferred, false);
            assert_eq!(Lifetimes::new(told.valid, told.preferred, told.deprecated), Ok(told));
            assert_eq!(told.as_kernel(), (valid.max(1), preferred));
        }
        assert_eq!(Lifetimes::default().as_kernel(), (FOREVER, FOREVER));
        assert_eq!(Lifetimes::reported(FOREVER, FOREVER, true).as_kernel(), (FOREVER, 0));
        assert_eq!(Options::parse(0xff, 0, 0).unwrap().bits(), ASKED);
        assert_eq!(Options::parse(0x100, 0, 0).unwrap_err().reason(), Reason::Flags);
    }

    #[test]
    fn a_lifetime_of_zero_has_no_end_of_its_own() {
        let of = |valid, preferred| Lifetimes::new(valid, preferred, false).unwrap().as_kernel();
        assert_eq!(of(600, 0), (600, 600));
        assert_eq!(of(0, 300), (FOREVER, 300));
        assert_eq!(of(FOREVER, FOREVER), (FOREVER, FOREVER));
        assert_eq!(Lifetimes::new(300, 301, false).unwrap_err().reason(), Reason::Range);
        assert_eq!(Lifetimes::new(0, 1, true).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn what_is_not_asked_for_may_be_anything_but_an_end() {
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
    fn what_is_replaced_keeps_what_is_not_said() {
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
        let over = Options::default().over(&has);
        assert_eq!(over, Options { lifetimes: Lifetimes::default(), ..has });
        let broadcast = Some(Ipv4Addr::new(10, 8, 0, 255));
        let over = Options { broadcast, metric: 8, ..Options::default() }.over(&has);
        assert_eq!((over.broadcast, over.nobroadcast, over.metric, over.label), (broadcast, false, 8, label));
        assert_eq!(Options { nobroadcast: true, ..Options::default() }.over(&over).broadcast, None);
    }

    #[test]
    fn a_label_is_short() {
        assert_eq!(Label::new(b"fifteen-bytes:1").unwrap().as_bytes(), b"fifteen-bytes:1");
        assert_eq!(Label::new(&[b'x'; 16]).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn a_scope_is_one_of_four() {
        assert_eq!(Scope::parse(0), Ok(None));
        assert_eq!(Scope::parse(3), Ok(Some(Scope::Host)));
        assert_eq!(Scope::parse(5).unwrap_err().reason(), Reason::Argument);
    }
}
