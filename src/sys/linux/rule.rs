// SPDX-License-Identifier: MIT
//! The rules of policy routing that select a default route through a device: RTM_GETRULE, RTM_NEWRULE and RTM_DELRULE.
//!
//! The kernel evaluates the rules in the order of their priority, and continues with the next one if a table has no
//! route. So these rules have no effect once the device, and with it the route in its table, is gone. Each of them
//! contains the number of the device's table, which shows the device that it belongs to.

use std::net::IpAddr;
use std::result::Result;

use super::address::{number, octets, parse_ip};
use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use super::rtmsg::MAIN_TABLE;
use crate::model::default_route::{Bypass, Mark};
use crate::model::error::Errno;
use crate::model::memory;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Route};
use crate::sys::bytes::u32_at;

/// Size of struct fib_rule_hdr: family, prefix lengths of destination and source, TOS, table, two reserved bytes,
/// action, and a word of flags.
const HEADER: usize = 12;
const LENGTH_AT: usize = 1;
const SOURCE_LENGTH_AT: usize = 2;
const TOS_AT: usize = 3;
const ACTION_AT: usize = 7;
const FLAGS_AT: usize = 8;
/// linux/fib_rules.h: the rule is for what its conditions do not match.
const FIB_RULE_INVERT: u32 = 2;

/// linux/fib_rules.h; libc does not have them for every target.
mod fra {
    pub(super) const DST: u16 = 1;
    pub(super) const SRC: u16 = 2;
    pub(super) const IIFNAME: u16 = 3;
    pub(super) const GOTO: u16 = 4;
    pub(super) const PRIORITY: u16 = 6;
    pub(super) const FWMARK: u16 = 10;
    pub(super) const FLOW: u16 = 11;
    pub(super) const TUN_ID: u16 = 12;
    pub(super) const SUPPRESS_IFGROUP: u16 = 13;
    pub(super) const SUPPRESS_PREFIXLEN: u16 = 14;
    pub(super) const TABLE: u16 = 15;
    pub(super) const FWMASK: u16 = 16;
    pub(super) const OIFNAME: u16 = 17;
    pub(super) const PAD: u16 = 18;
    pub(super) const UID_RANGE: u16 = 20;
    /// Since Linux 4.17.
    pub(super) const PROTOCOL: u16 = 21;
}
const FR_ACT_TO_TBL: u8 = 1;
const FR_ACT_GOTO: u8 = 2;
const FR_ACT_NOP: u8 = 3;

/// The table of the device with index 0. Others follow in the order of the indices, which have 31 bits.
const FIRST_TABLE: u32 = 2_000_000_000;
/// The origin of rules that are removed with their handle. linux/rtnetlink.h does not assign it.
const NOT_KEPT: u8 = 117;
/// The origin of rules that stay.
const KEPT: u8 = libc::RTPROT_STATIC;

/// The priorities. The kernel's rule for the main table has 32766. When the kernel searches for a rule, a condition
/// that the request does not have matches any value (rule_find, rule_exists). So bypasses with different conditions
/// have different priorities.
const TO_DESTINATION: u32 = 30_000;
const TO_DESTINATION_WITH_MARK: u32 = 30_001;
const WITH_MARK: u32 = 30_002;
const OVERRIDING: u32 = 30_003;
const SPECIFIC: u32 = 30_004;
const DEFAULT: u32 = 30_005;
const END: u32 = 30_006;

/// The number of the table that has the default route through this interface.
pub(super) fn table_of(index: u32) -> u32 {
    FIRST_TABLE.saturating_add(index)
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// These packets skip the rules of the default route: the system routes them as if there were no device.
    Bypass(Bypass),
    /// The table of the device applies, before the rules of all devices that follow.
    Overriding,
    /// The routes of the main table apply, except its default routes.
    Specific,
    /// The table of the device applies.
    Default,
    /// Bypassing packets continue here.
    End,
}

/// A rule for a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) family: Family,
    pub(super) step: Step,
    /// The index of the device.
    pub(super) index: u32,
    /// It stays when the handle that added it is closed.
    pub(super) kept: bool,
}

impl Rule {
    pub(super) fn request(&self, kind: u16, flags: i32) -> Request {
        let tag = table_of(self.index).to_ne_bytes();
        let (priority, action, table) = match self.step {
            Step::Bypass(bypass) => (priority_of(&bypass), FR_ACT_GOTO, tag),
            Step::Overriding => (OVERRIDING, FR_ACT_TO_TBL, tag),
            Step::Specific => (SPECIFIC, FR_ACT_TO_TBL, MAIN_TABLE.to_ne_bytes()),
            Step::Default => (DEFAULT, FR_ACT_TO_TBL, tag),
            Step::End => (END, FR_ACT_NOP, tag),
        };
        let destination = match self.step {
            Step::Bypass(bypass) => bypass.destination().copied(),
            _ => None,
        };
        let length = destination.map_or(0, |route| route.prefix().bits());
        let fixed = [number(self.family), length, 0, 0, 0, 0, 0, action, 0, 0, 0, 0];
        let protocol = if self.kept { KEPT } else { NOT_KEPT };
        let request = Request::new(kind, flags, &fixed)
            .attribute(fra::PRIORITY, &priority.to_ne_bytes())
            .attribute(fra::TABLE, &table)
            .attribute(fra::PROTOCOL, &[protocol]);
        match self.step {
            Step::Bypass(bypass) => with_bypass(request, &bypass),
            // Normally no interface is in that group, so it only identifies the device.
            Step::Specific => request
                .attribute(fra::SUPPRESS_PREFIXLEN, &0_u32.to_ne_bytes())
                .attribute(fra::SUPPRESS_IFGROUP, &tag),
            Step::Overriding | Step::Default | Step::End => request,
        }
    }

    /// Parses a message about a rule. None if it is not one of these rules.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let attributes = Attributes(body.get(HEADER..)?);
        if has_other_conditions(body, attributes) {
            return None;
        }
        let family = match libc::c_int::from(*body.first()?) {
            libc::AF_INET => Family::V4,
            libc::AF_INET6 => Family::V6,
            _ => return None,
        };
        let (tag, step) = match (attributes.u32(fra::PRIORITY)?, *body.get(ACTION_AT)?) {
            (TO_DESTINATION..=WITH_MARK, FR_ACT_GOTO) => {
                (fra::TABLE, Step::Bypass(bypass(body, attributes, family)?))
            }
            (OVERRIDING, FR_ACT_TO_TBL) => (fra::TABLE, Step::Overriding),
            (SPECIFIC, FR_ACT_TO_TBL) => (fra::SUPPRESS_IFGROUP, Step::Specific),
            (DEFAULT, FR_ACT_TO_TBL) => (fra::TABLE, Step::Default),
            (END, FR_ACT_NOP) => (fra::TABLE, Step::End),
            _ => return None,
        };
        let index = attributes.u32(tag)?.checked_sub(FIRST_TABLE)?;
        let kept = match attributes.get(fra::PROTOCOL)?.first() {
            Some(&NOT_KEPT) => false,
            Some(&KEPT) => true,
            _ => return None,
        };
        Some(Self { family, step, index, kept })
    }
}

/// Whether a rule has a condition that these rules do not have.
fn has_other_conditions(body: &[u8], mut attributes: Attributes<'_>) -> bool {
    let set = |at: usize| body.get(at).is_some_and(|byte| *byte != 0);
    let inverted = u32_at(body, FLAGS_AT).is_some_and(|flags| flags & FIB_RULE_INVERT != 0);
    let unknown = |kind: u16| {
        matches!(kind, fra::SRC | fra::IIFNAME | fra::FLOW | fra::TUN_ID)
            || (fra::OIFNAME..=fra::UID_RANGE).contains(&kind) && kind != fra::PAD
            || kind > fra::PROTOCOL
    };
    set(SOURCE_LENGTH_AT) || set(TOS_AT) || inverted || attributes.any(|(kind, _)| unknown(kind))
}

fn priority_of(bypass: &Bypass) -> u32 {
    match (bypass.destination(), bypass.mark()) {
        (Some(_), None) => TO_DESTINATION,
        (Some(_), Some(_)) => TO_DESTINATION_WITH_MARK,
        (None, _) => WITH_MARK,
    }
}

fn with_bypass(request: Request, bypass: &Bypass) -> Request {
    let mut request = request.attribute(fra::GOTO, &END.to_ne_bytes());
    if let Some(route) = bypass.destination() {
        request = request.attribute(fra::DST, octets(&route.network()).as_ref());
    }
    match bypass.mark() {
        None => request,
        Some(Mark { value, mask }) => {
            request.attribute(fra::FWMARK, &value.to_ne_bytes()).attribute(fra::FWMASK, &mask.to_ne_bytes())
        }
    }
}

/// The packets that a rule is for. A rule for all destinations has none.
fn bypass(body: &[u8], attributes: Attributes<'_>, family: Family) -> Option<Bypass> {
    let route = |ip: IpAddr| {
        let prefix = Prefix::new(family, *body.get(LENGTH_AT)?)?;
        Route::reported(ip, prefix, None, None, Details::default())
    };
    let destination = match attributes.get(fra::DST) {
        Some(value) => Some(route(parse_ip(value)?)?),
        None => None,
    };
    let mask = attributes.u32(fra::FWMASK).unwrap_or(u32::MAX);
    let mark = attributes.u32(fra::FWMARK).map(|value| Mark { value, mask });
    Some(Bypass::reported(destination, mark))
}

/// The rules of all devices. A kernel without IPv6 has none of that family.
pub(super) fn list(netlink: &mut Socket) -> Result<Vec<Rule>, Refusal> {
    let mut listed = list_family(netlink, Family::V4)?;
    match list_family(netlink, Family::V6) {
        Ok(ipv6) => {
            memory::append(&mut listed, &ipv6)?;
            Ok(listed)
        }
        Err(refusal) if refusal.lacks_rules() => Ok(listed),
        Err(refusal) => Err(refusal),
    }
}

pub(super) fn list_family(netlink: &mut Socket, family: Family) -> Result<Vec<Rule>, Refusal> {
    let fixed = [number(family), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let request = Request::new(libc::RTM_GETRULE, libc::NLM_F_DUMP, &fixed);
    netlink.query(&request, |body| Ok(Rule::parse(body).filter(|rule| rule.family == family)))
}

/// Adds a rule, which another process may have added in the meantime.
pub(super) fn add(netlink: &mut Socket, rule: &Rule) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    match netlink.change(&rule.request(libc::RTM_NEWRULE, flags)) {
        Err(refusal) if refusal.errno == Errno::EEXIST => Ok(()),
        added => added,
    }
}

pub(super) fn remove(netlink: &mut Socket, rule: &Rule) -> Result<(), Refusal> {
    match netlink.change(&rule.request(libc::RTM_DELRULE, libc::NLM_F_ACK)) {
        Err(refusal) if refusal.errno == Errno::ENOENT => Ok(()),
        removed => removed,
    }
}
