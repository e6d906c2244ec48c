// SPDX-License-Identifier: MIT
//! Translates messages of rtnetlink to notices.

use super::address::number;
use super::ifinfo::is_of_interface;
use super::message::{Attributes, Message};
use super::rtmsg::{FLAGS_AT, RTMSG, RouteMessage};
use super::{address, ifinfo};
use crate::model::event::{NOWHERE, Notice, RouteKey};
use crate::model::memory::{self, NoMemory};
use crate::model::prefix::Family;
use crate::model::route::{Installed, Type};

/// linux/rtnetlink.h: a cached IPv6 route to one destination.
const RTM_F_CLONED: u32 = 0x200;
/// linux/rtnetlink.h.
const RTNLGRP_NEXTHOP: libc::c_uint = 32;
const RTM_DELNEXTHOP: u16 = 105;

/// The groups for interfaces and addresses.
pub(super) const GROUPS: [libc::c_uint; 3] =
    [libc::RTNLGRP_LINK, libc::RTNLGRP_IPV4_IFADDR, libc::RTNLGRP_IPV6_IFADDR];
/// The groups for routes.
pub(super) const ROUTE_GROUPS: [libc::c_uint; 2] = [libc::RTNLGRP_IPV4_ROUTE, libc::RTNLGRP_IPV6_ROUTE];
/// Since Linux 5.3: routes are removed with their nexthop object. For IPv4 the kernel sends no RTM_DELROUTE then.
pub(super) const NEXTHOP_GROUP: libc::c_uint = RTNLGRP_NEXTHOP;

/// Appends the notices of a message, which is a notification or part of a list. Of the routes only those that are
/// needed: through the interface of this index, or through any.
pub(super) fn push(
    notices: &mut Vec<Notice>,
    message: &Message<'_>,
    is_needed: impl Fn(Option<u32>, &RouteKey) -> bool,
) -> Result<(), NoMemory> {
    match message.kind {
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE => push_route(notices, message, is_needed),
        RTM_DELNEXTHOP => memory::push(notices, Notice::RoutesUncertain),
        _ => of_interface(message).map_or(Ok(()), |notice| memory::push(notices, notice)),
    }
}

pub(super) fn of_interface(message: &Message<'_>) -> Option<Notice> {
    match message.kind {
        libc::RTM_NEWLINK | libc::RTM_DELLINK if !is_of_interface(message) => None,
        libc::RTM_NEWLINK => ifinfo::parse(message.body).map(Notice::Link),
        libc::RTM_DELLINK => {
            let link = ifinfo::parse(message.body)?;
            let moved = ifinfo::is_moved(message.body);
            Some(if moved { Notice::LinkMoved(link.index) } else { Notice::LinkGone(link.index) })
        }
        libc::RTM_NEWADDR => address::parse(message.body).map(|(index, it)| Notice::Address(index, it)),
        libc::RTM_DELADDR => address::parse(message.body).map(|(index, it)| Notice::AddressGone(index, it)),
        _ => None,
    }
}

/// Appends the notices of a message about a route, which need not be a route through one interface.
fn push_route(
    notices: &mut Vec<Notice>,
    message: &Message<'_>,
    is_needed: impl Fn(Option<u32>, &RouteKey) -> bool,
) -> Result<(), NoMemory> {
    let Some(route) = RouteMessage::of(message.body).filter(|route| route.flags() & RTM_F_CLONED == 0) else {
        return Ok(());
    };
    let Some(key) = route.key().filter(|key| is_needed(None, key)) else { return Ok(()) };
    if let Some(notice) = without_notification(message, &route, key) {
        memory::push(notices, notice)?;
    }
    let added = message.kind == libc::RTM_NEWROUTE;
    for index in route.hops().filter(|index| added && is_needed(Some(*index), &key)) {
        memory::push(notices, Notice::Multipath(index, key))?;
    }
    let found = found(&route).filter(|(index, _)| is_needed(Some(*index), &key));
    let Some((index, installed)) = found else { return Ok(()) };
    let notice = match (added, message.is_alone()) {
        (true, true) => Notice::Route,
        (true, false) => Notice::RouteListed,
        (false, _) => Notice::RouteGone,
    };
    memory::push(notices, notice(index, installed, identity(message.body)?))
}

/// The route, and the index of its interface, if it has one.
fn found(route: &RouteMessage<'_>) -> Option<(u32, Installed)> {
    match route.kind() {
        Some(kind) => Some((route.interface()?, route.installed(kind)?)),
        None => Some((NOWHERE, route.installed(Type::Unicast)?)),
    }
}

/// A change for which the kernel sends no notification. It sends no RTM_DELROUTE for a route that is replaced, or
/// that becomes a multipath route, and does not report the order of routes with one key. It sends only RTM_DELROUTE
/// for a next hop of an IPv6 multipath route (fib6_del_route), also if the route leads through one interface then. Its
/// lists do not have a route between these next hops (fib6_dump_node).
fn without_notification(message: &Message<'_>, route: &RouteMessage<'_>, key: RouteKey) -> Option<Notice> {
    match message.kind {
        libc::RTM_NEWROUTE if message.has_rivals() => Some(Notice::RouteReplaced(key)),
        libc::RTM_DELROUTE if route.family == number(Family::V6) => Some(Notice::NextHopGone(key)),
        _ => None,
    }
}

/// The bytes that identify a route, the same in each notification and list: without its flags, which describe its
/// current state, and without its age.
fn identity(body: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut identity = memory::copy(body.get(..FLAGS_AT).unwrap_or_default())?;
    let attributes = Attributes(body.get(RTMSG..).unwrap_or_default());
    for (kind, value) in attributes.filter(|(kind, _)| *kind != libc::RTA_CACHEINFO) {
        memory::append(&mut identity, &kind.to_ne_bytes())?;
        memory::append(&mut identity, &value.len().to_ne_bytes())?;
        memory::append(&mut identity, value)?;
    }
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::super::message::Request;
    use super::super::rtmsg;
    use super::*;

    const MULTIPATH: u16 = libc::RTA_MULTIPATH;

    /// struct rtmsg for a default route in the main table.
    fn default(family: Family, kind: u8) -> [u8; RTMSG] {
        let mut fixed = rtmsg::rtmsg(family, 0, libc::RTPROT_STATIC, 0, kind);
        fixed[rtmsg::TABLE_AT] = libc::RT_TABLE_MAIN;
        fixed
    }

    /// The notices of a message about a default route.
    fn notices(kind: u16, flags: i32, family: Family, attribute: u16, value: &[u8]) -> Vec<Notice> {
        notices_of(kind, flags, default(family, libc::RTN_UNICAST), attribute, value)
    }

    fn notices_of(kind: u16, flags: i32, fixed: [u8; RTMSG], attribute: u16, value: &[u8]) -> Vec<Notice> {
        let bytes = Request::new(kind, flags, &fixed).attribute(attribute, value).bytes(0).unwrap();
        let message = Message::take(&mut bytes.as_slice()).unwrap();
        let mut notices = Vec::new();
        push(&mut notices, &message, |index, _| index != Some(8)).unwrap();
        notices
    }

    /// struct rtnexthop.
    fn next_hop(length: u8, index: u32) -> [u8; 8] {
        let [a, b] = u16::from(length).to_ne_bytes();
        let [c, d, e, f] = index.to_ne_bytes();
        [a, b, 0, 0, c, d, e, f]
    }

    #[test]
    fn each_needed_next_hop_is_a_notice() {
        for length in [8, 7, 0] {
            let hops = [next_hop(length, 7), next_hop(8, 8), next_hop(8, 9)].concat();
            let found = notices(libc::RTM_NEWROUTE, 0, Family::V6, MULTIPATH, &hops);
            assert!(matches!(found[1..], [Notice::Multipath(7, _), Notice::Multipath(9, _)]));
            let removed = notices(libc::RTM_DELROUTE, 0, Family::V6, MULTIPATH, &hops);
            assert!(matches!(removed[..], [Notice::NextHopGone(_)]));
        }
        let short = &next_hop(8, 7)[..7];
        assert!(notices(libc::RTM_NEWROUTE, libc::NLM_F_EXCL, Family::V6, MULTIPATH, short).is_empty());
    }

    #[test]
    fn a_removed_ipv6_route_may_be_a_next_hop() {
        let removed =
            |family, index: u32| notices(libc::RTM_DELROUTE, 0, family, libc::RTA_OIF, &index.to_ne_bytes());
        assert!(matches!(removed(Family::V6, 7)[..], [Notice::NextHopGone(_), Notice::RouteGone(7, ..)]));
        assert!(matches!(removed(Family::V6, 8)[..], [Notice::NextHopGone(_)]));
        assert!(matches!(removed(Family::V4, 7)[..], [Notice::RouteGone(7, ..)]));
    }

    #[test]
    fn only_the_first_route_with_a_key_replaces_none() {
        let added =
            |flags| notices(libc::RTM_NEWROUTE, flags, Family::V4, libc::RTA_OIF, &7_u32.to_ne_bytes());
        for flags in [libc::NLM_F_CREATE, libc::NLM_F_CREATE | libc::NLM_F_APPEND, libc::NLM_F_REPLACE] {
            assert!(matches!(added(flags)[..], [Notice::RouteReplaced(_), Notice::Route(7, ..)]));
        }
        assert!(matches!(added(libc::NLM_F_CREATE | libc::NLM_F_EXCL)[..], [Notice::Route(7, ..)]));
        assert!(matches!(added(libc::NLM_F_MULTI)[..], [Notice::RouteListed(7, ..)]));
    }

    #[test]
    fn the_rank_is_that_of_the_kernel() {
        let rank = |fixed, preference: u8| {
            let found =
                notices_of(libc::RTM_NEWROUTE, libc::NLM_F_EXCL, fixed, rtmsg::RTA_PREF, &[preference]);
            let [Notice::Route(NOWHERE, Installed { rank, .. }, _)] = found[..] else { return Some(77) };
            rank
        };
        let fixed = default(Family::V6, libc::RTN_BLACKHOLE);
        let (high, medium, low) = (rank(fixed, 1), rank(fixed, 0), rank(fixed, 3));
        assert!(None < high && high < medium && medium < low && low < Some(77));
        for at in [rtmsg::SOURCE_AT, rtmsg::TOS_AT] {
            let mut limited = fixed;
            limited[at] = 8;
            assert_eq!(rank(limited, 1), None);
        }
    }
}
