// SPDX-License-Identifier: MIT
//! Routes through an interface: RTM_GETROUTE, RTM_NEWROUTE and RTM_DELROUTE.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::result::Result;

use super::address::{number, octets, parse_ip};
use super::netlink::{Attributes, Refusal, Request, Socket};
use crate::prefix::{Family, Prefix};
use crate::route::{Installed, Route};
use crate::sys::bytes::u32_at;

/// Bytes of struct rtmsg: family, destination's and source's prefix lengths, TOS, table, protocol, scope, type,
/// and a word of flags.
const RTMSG: usize = 12;
const TABLE_AT: usize = 4;
const TYPE_AT: usize = 7;
const FLAGS_AT: usize = 8;
/// linux/rtnetlink.h: the gateway is on the link, whatever the addresses say.
const RTNH_F_ONLINK: u32 = 4;

pub(super) const MAIN_TABLE: u32 = libc::RT_TABLE_MAIN as u32;
/// Of the host's own addresses and of broadcasts, which the kernel keeps by itself.
const LOCAL_TABLE: u32 = libc::RT_TABLE_LOCAL as u32;

pub(super) fn list(netlink: &mut Socket, index: u32, family: Family) -> Result<Vec<Installed>, Refusal> {
    let request = Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(family, 0, 0, 0, 0))
        .attribute(libc::RTA_OIF, &index.to_ne_bytes());
    netlink.ask(&request, |body| parse(body, index))
}

pub(super) fn add(netlink: &mut Socket, index: u32, route: &Route) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    // "static" is what an administrator or a program of his made; through a gateway the far end is anywhere.
    let scope = match (route.family(), route.gateway()) {
        (Family::V4, None) => libc::RT_SCOPE_LINK,
        _ => libc::RT_SCOPE_UNIVERSE,
    };
    netlink.change(&request(libc::RTM_NEWROUTE, flags, libc::RTPROT_STATIC, scope, index, route))
}

/// Gives back what was told of a route, but for flags that tell how it is at the moment.
pub(super) fn restore(netlink: &mut Socket, installed: &Installed) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut detail = installed.detail.clone();
    if let Some(word) = detail.get_mut(FLAGS_AT..RTMSG) {
        word.copy_from_slice(&(u32_at(word, 0).unwrap_or(0) & RTNH_F_ONLINK).to_ne_bytes());
    }
    netlink.change(&Request::new(libc::RTM_NEWROUTE, flags, &detail))
}

pub(super) fn remove(netlink: &mut Socket, index: u32, route: &Route) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK;
    netlink.change(&request(libc::RTM_DELROUTE, flags, 0, libc::RT_SCOPE_NOWHERE, index, route))
}

fn request(kind: u16, flags: i32, protocol: u8, scope: u8, index: u32, route: &Route) -> Request {
    let table = if route.table() == 0 { MAIN_TABLE } else { route.table() };
    let mut request = Request::new(
        kind,
        flags,
        &rtmsg(route.family(), route.prefix().bits(), protocol, scope, libc::RTN_UNICAST),
    )
    .attribute(libc::RTA_DST, &octets(&route.network()))
    .attribute(libc::RTA_OIF, &index.to_ne_bytes())
    .attribute(libc::RTA_TABLE, &table.to_ne_bytes());
    if let Some(gateway) = route.gateway() {
        request = request.attribute(libc::RTA_GATEWAY, &octets(&gateway));
    }
    if route.metric() != 0 {
        request = request.attribute(libc::RTA_PRIORITY, &route.metric().to_ne_bytes());
    }
    request
}

fn rtmsg(family: Family, prefix: u8, protocol: u8, scope: u8, kind: u8) -> [u8; RTMSG] {
    [number(family), prefix, 0, 0, 0, protocol, scope, kind, 0, 0, 0, 0]
}

/// A route that leads out through this interface, and through no other beside it.
fn parse(body: &[u8], index: u32) -> Option<Installed> {
    let attributes = Attributes(body.get(RTMSG..)?);
    let family = *body.first()?;
    let unspecified = if family == number(Family::V4) {
        IpAddr::from(Ipv4Addr::UNSPECIFIED)
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let network = attributes.get(libc::RTA_DST).map_or(Some(unspecified), parse_ip)?;
    let table = attributes.u32(libc::RTA_TABLE).unwrap_or((*body.get(TABLE_AT)?).into());
    if attributes.u32(libc::RTA_OIF) != Some(index)
        || *body.get(TYPE_AT)? != libc::RTN_UNICAST
        || table == LOCAL_TABLE
    {
        return None;
    }
    let route = Route::reported(
        network,
        Prefix::new(Family::of(network), *body.get(1)?)?,
        attributes.get(libc::RTA_GATEWAY).and_then(parse_ip),
        attributes.u32(libc::RTA_PRIORITY).unwrap_or(0),
        table,
    )?;
    Some(Installed { route, detail: body.to_vec() })
}
