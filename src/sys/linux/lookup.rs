// SPDX-License-Identifier: MIT
//! The route to a destination: RTM_GETROUTE.

use std::mem;
use std::net::IpAddr;
use std::result::Result;

use super::address::octets;
use super::link;
use super::message::{Refusal, Request};
use super::netlink::Socket;
use super::rtmsg::{
    LENGTH_AT, RTA_MARK, RTM_F_FIB_MATCH, RTM_F_LOOKUP_TABLE, RouteMessage, SOURCE_AT, rtmsg, with_flags,
};
use crate::model::error::Errno;
use crate::model::lookup::{Found, Lookup};
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Installed, Route};

/// The route that the kernel selects for a packet: the destination and the attributes of the route as it was added,
/// with the gateway, the source and the MTU for this packet.
pub(super) fn find(netlink: &mut Socket, lookup: &Lookup) -> Result<Found, Refusal> {
    // For IPv6 the kernel always reports the table, and with NETLINK_GET_STRICT_CHK refuses this flag.
    let table = if Family::of(lookup.destination()) == Family::V4 { RTM_F_LOOKUP_TABLE } else { 0 };
    let mut selected = find_one(netlink, lookup, table)?;
    let mut added = find_one(netlink, lookup, table | RTM_F_FIB_MATCH)?;
    for _ in 0..TRIES {
        let before = mem::replace(&mut selected, find_one(netlink, lookup, table)?);
        if before == selected {
            break;
        }
        // The routes changed between the two lookups.
        added = find_one(netlink, lookup, table | RTM_F_FIB_MATCH)?;
    }
    let index = selected.index.ok_or(Errno::EPROTO)?;
    let mtu = match selected.details.mtu {
        0 => link::query(netlink, index)?.mtu,
        mtu => mtu,
    };
    let details = Details { mtu, ..added.details };
    let (gateway, source) = (selected.gateway, selected.source.or(lookup.source()));
    // Of IPv6 routes with the same nexthop object, the kernel can return another one (rt6_get_pcpu_route).
    let fits = added.prefix.network(lookup.destination()) == added.network;
    let (network, prefix) =
        if fits { (added.network, added.prefix) } else { (selected.network, selected.prefix) };
    let route = Route::reported(network, prefix, gateway, source, details).ok_or(Errno::EPROTO)?;
    let (partial, rank) = (!fits || added.partial, added.rank);
    Ok(Found { route: Installed { route, partial, rank, message: Vec::new() }, index })
}

/// Limit of the attempts at a lookup, which is repeated if the routes change meanwhile.
const TRIES: usize = 16;

/// What an answer says about a route. One with several next hops has no interface.
#[derive(PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) network: IpAddr,
    pub(super) prefix: Prefix,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    details: Details,
    index: Option<u32>,
    partial: bool,
    rank: Option<u8>,
}

fn find_one(netlink: &mut Socket, lookup: &Lookup, flags: u32) -> Result<Selected, Refusal> {
    let answers = netlink.query(&find_request(lookup, flags), |body| Ok(Some(parse_found(body))));
    let answers = answers.map_err(|refusal| match refusal.errno {
        // The kernel has one page for its answer (inet_rtm_getroute, inet6_rtm_getroute).
        Errno::EMSGSIZE => refusal.with_text("the route has more next hops than the kernel can report"),
        _ => refusal,
    })?;
    // A route that discards packets is an error for IPv4, and an answer of its type for IPv6.
    Ok(answers.into_iter().next().flatten().ok_or(Errno::ENETUNREACH)?)
}

pub(super) fn parse_found(body: &[u8]) -> Option<Selected> {
    let route = RouteMessage::of(body)?;
    let network = route.network()?;
    Some(Selected {
        network,
        prefix: Prefix::new(Family::of(network), route.byte(LENGTH_AT))?,
        gateway: route.gateway(),
        source: route.source(),
        details: route.details()?,
        index: route.interface(),
        partial: route.is_partial(),
        rank: route.rank(),
    })
}

fn find_request(lookup: &Lookup, flags: u32) -> Request {
    let destination = lookup.destination();
    let host = Family::of(destination).bits();
    let mut fixed = rtmsg(Family::of(destination), host, 0, 0, 0);
    if let Some(length) = fixed.get_mut(SOURCE_AT).filter(|_| lookup.source().is_some()) {
        *length = host;
    }
    let request = Request::new(libc::RTM_GETROUTE, 0, &with_flags(fixed, flags))
        .attribute(libc::RTA_DST, octets(&destination).as_ref());
    let request = match lookup.source() {
        Some(source) => request.attribute(libc::RTA_SRC, octets(&source).as_ref()),
        None => request,
    };
    match lookup.mark() {
        0 => request,
        mark => request.attribute(RTA_MARK, &mark.to_ne_bytes()),
    }
}
