// SPDX-License-Identifier: MIT
//! Messages about a route: struct rtmsg, and its attributes.

use std::iter;
use std::net::IpAddr;

use super::address::{number, parse_ip, scope, scope_number};
use super::message::Attributes;
use crate::model::event::RouteKey;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Installed, Route, Type};
use crate::sys::bytes::{u16_at, u32_at};

/// Size of struct rtmsg: family, prefix lengths of destination and source, TOS, table, protocol, scope, type, and a
/// word of flags.
pub(super) const RTMSG: usize = 12;
pub(super) const LENGTH_AT: usize = 1;
pub(super) const SOURCE_AT: usize = 2;
pub(super) const TOS_AT: usize = 3;
pub(super) const TABLE_AT: usize = 4;
pub(super) const PROTOCOL_AT: usize = 5;
pub(super) const SCOPE_AT: usize = 6;
pub(super) const TYPE_AT: usize = 7;
pub(super) const FLAGS_AT: usize = 8;
/// Size of struct rtnexthop: its length with its attributes (16 bits), flags, hops, and the index of its interface.
const RTNEXTHOP: usize = 8;
const RTNH_IFINDEX_AT: usize = 4;
/// Offset of rta_expires in struct rta_cacheinfo.
pub(super) const EXPIRES_AT: usize = 8;
/// linux/rtnetlink.h; libc does not have them for every target.
pub(super) const RTA_VIA: u16 = 18;
pub(super) const RTA_PREF: u16 = 20;
pub(super) const RTA_MARK: u16 = 16;
pub(super) const RTA_ENCAP_TYPE: u16 = 21;
pub(super) const RTA_ENCAP: u16 = 22;
pub(super) const RTA_EXPIRES: u16 = 23;
pub(super) const RTA_NH_ID: u16 = 30;
/// linux/rtnetlink.h: the gateway is on the link, even if no address has a network with it.
pub(super) const RTNH_F_ONLINK: u32 = 4;

/// linux/rtnetlink.h: the answer has the table of the route.
pub(super) const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
/// linux/rtnetlink.h: the answer is the route as it was added.
pub(super) const RTM_F_FIB_MATCH: u32 = 0x2000;

/// linux/rtnetlink.h: the MTU in RTA_METRICS.
pub(super) const RTAX_MTU: u16 = 2;

/// The default metric of IPv6 routes.
pub(super) const IPV6_METRIC: u32 = 1024;
pub(super) const MAIN_TABLE: u32 = libc::RT_TABLE_MAIN as u32;
/// The table of the host's own addresses and of broadcast addresses, which the kernel manages.
pub(super) const LOCAL_TABLE: u32 = libc::RT_TABLE_LOCAL as u32;

pub(super) fn rtmsg(family: Family, prefix: u8, protocol: u8, scope: u8, kind: u8) -> [u8; RTMSG] {
    [number(family), prefix, 0, 0, 0, protocol, scope, kind, 0, 0, 0, 0]
}

pub(super) fn with_flags(mut fixed: [u8; RTMSG], flags: u32) -> [u8; RTMSG] {
    if let Some(word) = fixed.get_mut(FLAGS_AT..) {
        word.copy_from_slice(&flags.to_ne_bytes());
    }
    fixed
}

const TYPES: [(Type, u8); 5] = [
    (Type::Unicast, libc::RTN_UNICAST),
    (Type::Local, libc::RTN_LOCAL),
    (Type::Broadcast, libc::RTN_BROADCAST),
    (Type::Anycast, libc::RTN_ANYCAST),
    (Type::Multicast, libc::RTN_MULTICAST),
];

pub(super) fn type_number(kind: Type) -> u8 {
    TYPES.iter().find(|(ours, _)| *ours == kind).map_or(libc::RTN_UNICAST, |(_, number)| *number)
}

/// A message about a route, with its attributes.
pub(super) struct RouteMessage<'a> {
    body: &'a [u8],
    pub(super) family: u8,
    pub(super) attributes: Attributes<'a>,
}

impl<'a> RouteMessage<'a> {
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        Some(Self { body, family: *body.first()?, attributes: Attributes(body.get(RTMSG..)?) })
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.body.get(at).copied().unwrap_or(0)
    }

    pub(super) fn table(&self) -> u32 {
        self.attributes.u32(libc::RTA_TABLE).unwrap_or(self.byte(TABLE_AT).into())
    }

    pub(super) fn metric(&self) -> u32 {
        self.attributes.u32(libc::RTA_PRIORITY).unwrap_or(0)
    }

    pub(super) fn interface(&self) -> Option<u32> {
        self.attributes.u32(libc::RTA_OIF)
    }

    /// The nexthop object, whose interface and gateway the route has.
    pub(super) fn object(&self) -> Option<u32> {
        self.attributes.u32(RTA_NH_ID)
    }

    /// The interfaces of its next hops, if it is a multipath route.
    pub(super) fn hops(&self) -> impl Iterator<Item = u32> + 'a {
        let mut rest = self.attributes.get(libc::RTA_MULTIPATH).unwrap_or_default();
        iter::from_fn(move || {
            let length = usize::from(u16_at(rest, 0)?).next_multiple_of(4);
            let index = u32_at(rest, RTNH_IFINDEX_AT)?;
            rest = rest.get(length.max(RTNEXTHOP)..).unwrap_or_default();
            Some(index)
        })
    }

    /// A gateway of another family is in RTA_VIA, after the number of its family.
    pub(super) fn gateway(&self) -> Option<IpAddr> {
        let via = || self.attributes.get(RTA_VIA).and_then(|via| via.get(2..));
        self.attributes.get(libc::RTA_GATEWAY).or_else(via).and_then(parse_ip)
    }

    pub(super) fn source(&self) -> Option<IpAddr> {
        self.attributes.get(libc::RTA_PREFSRC).and_then(parse_ip)
    }

    pub(super) fn mtu(&self) -> u32 {
        self.attributes.nested(libc::RTA_METRICS).u32(RTAX_MTU).unwrap_or(0)
    }

    pub(super) fn flags(&self) -> u32 {
        u32_at(self.body, FLAGS_AT).unwrap_or(0)
    }

    /// None for a route that discards packets.
    pub(super) fn kind(&self) -> Option<Type> {
        let kind = self.byte(TYPE_AT);
        TYPES.iter().find(|(_, number)| *number == kind).map(|(ours, _)| *ours)
    }

    pub(super) fn details(&self) -> Option<Details> {
        self.kind().map(|kind| self.details_of(kind))
    }

    fn details_of(&self, kind: Type) -> Details {
        Details {
            metric: self.metric(),
            table: self.table(),
            kind,
            protocol: self.byte(PROTOCOL_AT),
            scope: Some(scope(self.byte(SCOPE_AT))),
            mtu: self.mtu(),
            onlink: self.flags() & RTNH_F_ONLINK != 0,
        }
    }

    /// By the router preference, which only IPv6 routes have: 1 is high, 0 medium, 3 low (rt6_score_route).
    pub(super) fn rank(&self) -> Option<u8> {
        let is_for_all = self.byte(TOS_AT) == 0 && self.byte(SOURCE_AT) == 0;
        is_for_all.then(|| match self.attributes.get(RTA_PREF) {
            Some([1]) => 0,
            Some([3]) => 2,
            _ => 1,
        })
    }

    /// The route without its `message`, as one of this type.
    pub(super) fn installed(&self, kind: Type) -> Option<Installed> {
        let network = self.network()?;
        let prefix = Prefix::new(Family::of(network), self.byte(LENGTH_AT))?;
        let details = self.details_of(kind);
        let route = Route::reported(network, prefix, self.gateway(), self.source(), details)?;
        Some(Installed { route, partial: self.is_partial(), rank: self.rank(), message: Vec::new() })
    }

    pub(super) fn network(&self) -> Option<IpAddr> {
        let family = if self.family == number(Family::V4) { Family::V4 } else { Family::V6 };
        self.attributes.get(libc::RTA_DST).map_or(Some(family.unspecified()), parse_ip)
    }

    /// None in the table of the host's own addresses.
    pub(super) fn key(&self) -> Option<RouteKey> {
        let network = self.network()?;
        let prefix = Prefix::new(Family::of(network), self.byte(LENGTH_AT))?;
        let (metric, table) = (self.metric(), self.table());
        (table != LOCAL_TABLE).then_some(RouteKey { network, prefix, metric, table })
    }

    pub(super) fn has_destination_of(&self, other: &Self) -> bool {
        let of = |route: &Self| (route.family, route.byte(LENGTH_AT), route.network(), route.table());
        of(self) == of(other)
    }

    /// Whether a [`Route`] lacks some of its attributes.
    pub(super) fn is_partial(&self) -> bool {
        let mut attributes = self.attributes;
        self.byte(TOS_AT) != 0
            || self.byte(SOURCE_AT) != 0
            || self.byte(PROTOCOL_AT) == 0
            || scope_number(scope(self.byte(SCOPE_AT))) != self.byte(SCOPE_AT)
            || attributes.any(|(kind, value)| !is_plain(kind, value))
    }
}

fn is_plain(kind: u16, value: &[u8]) -> bool {
    match kind {
        libc::RTA_DST
        | libc::RTA_OIF
        | libc::RTA_GATEWAY
        | RTA_VIA
        | libc::RTA_PRIORITY
        | libc::RTA_TABLE
        | libc::RTA_PREFSRC => true,
        libc::RTA_METRICS => Attributes(value).all(|(kind, _)| kind == RTAX_MTU),
        libc::RTA_CACHEINFO => u32_at(value, EXPIRES_AT) == Some(0),
        RTA_PREF => value == [0],
        _ => false,
    }
}

/// Parses a message about a route through this interface only, without its `message`.
pub(super) fn parse(body: &[u8], index: u32) -> Option<Installed> {
    let route = RouteMessage::of(body)?;
    if route.interface() != Some(index) || route.table() == LOCAL_TABLE {
        return None;
    }
    route.installed(route.kind()?)
}
