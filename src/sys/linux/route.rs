// SPDX-License-Identifier: MIT
//! Routes through an interface: RTM_GETROUTE, RTM_NEWROUTE and RTM_DELROUTE.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::result::Result;

use super::address::{number, octets, parse_ip};
use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use crate::model::error::Errno;
use crate::model::memory::{self, NoMemory};
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Installed, Route};
use crate::sys::boxed;
use crate::sys::bytes::u32_at;

/// Bytes of struct rtmsg: family, destination's and source's prefix lengths, TOS, table, protocol, scope, type,
/// and a word of flags.
const RTMSG: usize = 12;
const LENGTH_AT: usize = 1;
const SOURCE_AT: usize = 2;
const TOS_AT: usize = 3;
const TABLE_AT: usize = 4;
const PROTOCOL_AT: usize = 5;
const SCOPE_AT: usize = 6;
const TYPE_AT: usize = 7;
const FLAGS_AT: usize = 8;
/// Of struct rta_cacheinfo: when the route goes.
const EXPIRES_AT: usize = 8;
/// linux/rtnetlink.h; libc does not have them for every target.
const RTA_PREF: u16 = 20;
const RTA_NH_ID: u16 = 30;
/// linux/rtnetlink.h: the gateway is on the link, whatever the addresses say.
const RTNH_F_ONLINK: u32 = 4;

pub(super) const MAIN_TABLE: u32 = libc::RT_TABLE_MAIN as u32;
/// Of the host's own addresses and of broadcasts, which the kernel keeps by itself.
const LOCAL_TABLE: u32 = libc::RT_TABLE_LOCAL as u32;

/// Those of both families.
pub(super) fn list(netlink: &mut Socket, index: u32) -> Result<Vec<Installed>, Refusal> {
    let read = |body: &[u8]| {
        let Some(installed) = parse(body, index) else { return Ok(None) };
        Ok(Some(Installed { detail: memory::copy(body)?, ..installed }))
    };
    let mut listed = netlink.ask(&list_request(Family::V4, index), read)?;
    let mut ipv6 = netlink.ask(&list_request(Family::V6, index), read)?;
    listed.try_reserve(ipv6.len()).map_err(|_| Errno::ENOMEM)?;
    listed.append(&mut ipv6);
    Ok(listed)
}

/// For the list of the routes through this interface. Before Linux 4.20 it has the others too.
pub(super) fn list_request(family: Family, index: u32) -> Request {
    list_all_request(family).attribute(libc::RTA_OIF, &index.to_ne_bytes())
}

/// For the list of the routes through all interfaces.
pub(super) fn list_all_request(family: Family) -> Request {
    Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(family, 0, 0, 0, 0))
}

pub(super) fn add(netlink: &mut Socket, index: u32, route: &Route) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    // "static" is what an administrator or a program of his made; through a gateway the far end is anywhere.
    let scope = match (route.family(), route.gateway()) {
        (Family::V4, None) => libc::RT_SCOPE_LINK,
        _ => libc::RT_SCOPE_UNIVERSE,
    };
    netlink.change(&new_request(flags, scope, index, route))
}

/// Gives back what was listed of a route, but for flags that say how it is at the moment.
pub(super) fn restore(netlink: &mut Socket, installed: &Installed) -> Result<(), Refusal> {
    netlink.change(&restore_request(installed)?)
}

pub(super) fn restore_request(installed: &Installed) -> Result<Request, NoMemory> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut detail = memory::copy(&installed.detail)?;
    if let Some(word) = detail.get_mut(FLAGS_AT..RTMSG) {
        word.copy_from_slice(&(u32_at(word, 0).unwrap_or(0) & RTNH_F_ONLINK).to_ne_bytes());
    }
    Ok(Request::new(libc::RTM_NEWROUTE, flags, &detail))
}

/// Deletes this route and no other: the kernel deletes the first that has what a request says, whatever else that has.
pub(super) fn remove(netlink: &mut Socket, index: u32, installed: &Installed) -> Result<(), Refusal> {
    let rivals = netlink.ask(&rivals_request(&installed.route, index), |body| {
        Ok(is_deleted_by(body, &installed.detail).then(|| parse(body, index)))
    })?;
    let is_meant = |found: &Installed| found.exact && found.route == installed.route;
    match rivals.first() {
        None => Err(Errno::ESRCH.into()),
        Some(Some(first)) if is_meant(first) => netlink.change(&delete_request(&installed.detail)),
        Some(_) => {
            let said = "the kernel would delete another route of this destination, metric and table instead";
            Err(Refusal { errno: Errno::EBUSY, said: boxed(said.into()).ok() })
        }
    }
}

/// Lists where the kernel looks for what a deletion means. In IPv6 it looks at the interface of no route that has a
/// nexthop object (ip6_route_del, since Linux 5.3), so that such a route of another interface can come first.
fn rivals_request(route: &Route, index: u32) -> Request {
    match route.family() {
        Family::V4 => list_request(Family::V4, index),
        Family::V6 => Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(Family::V6, 0, 0, 0, 0))
            .attribute(libc::RTA_TABLE, &route.table().to_ne_bytes()),
    }
}

/// Whether the kernel takes this route for what a deletion of the other means (fib_table_delete, ip6_route_del). A
/// request without a gateway means any.
pub(super) fn is_deleted_by(body: &[u8], asked: &[u8]) -> bool {
    let (Some(found), Some(wanted)) = (Parts::of(body), Parts::of(asked)) else { return false };
    let has_object = found.attributes.get(RTA_NH_ID).is_some();
    if !found.has_destination_of(&wanted) || (has_object && found.family == number(Family::V4)) {
        return false;
    }
    let same = |at: usize| body.get(at) == asked.get(at);
    if found.metric() != wanted.metric() || !same(PROTOCOL_AT) {
        return false;
    }
    let several = found.attributes.get(libc::RTA_MULTIPATH).is_some();
    let same_gateway = several || wanted.gateway().is_none() || found.gateway() == wanted.gateway();
    // Those of other interfaces are listed in IPv6, and before Linux 4.20.
    let elsewhere = found.interface().is_some_and(|index| wanted.interface() != Some(index));
    has_object || (!elsewhere && same_gateway && [TOS_AT, SCOPE_AT, TYPE_AT].into_iter().all(same))
}

/// With all of what tells the route apart for the kernel.
pub(super) fn delete_request(detail: &[u8]) -> Request {
    let mut fixed = [0; RTMSG];
    for (to, from) in fixed.iter_mut().zip(detail).take(FLAGS_AT) {
        *to = *from;
    }
    let telling = [
        libc::RTA_DST,
        libc::RTA_OIF,
        libc::RTA_GATEWAY,
        libc::RTA_PRIORITY,
        libc::RTA_PREFSRC,
        libc::RTA_TABLE,
    ];
    let attributes = Attributes(detail.get(RTMSG..).unwrap_or_default());
    attributes
        .filter(|(kind, _)| telling.contains(kind))
        .fold(Request::new(libc::RTM_DELROUTE, libc::NLM_F_ACK, &fixed), |request, (kind, value)| {
            request.attribute(kind, value)
        })
}

fn new_request(flags: i32, scope: u8, index: u32, route: &Route) -> Request {
    let table = if route.table() == 0 { MAIN_TABLE } else { route.table() };
    let fixed = rtmsg(route.family(), route.prefix().bits(), libc::RTPROT_STATIC, scope, libc::RTN_UNICAST);
    let mut request = Request::new(libc::RTM_NEWROUTE, flags, &fixed)
        .attribute(libc::RTA_DST, octets(&route.network()).as_ref())
        .attribute(libc::RTA_OIF, &index.to_ne_bytes())
        .attribute(libc::RTA_TABLE, &table.to_ne_bytes());
    if let Some(gateway) = route.gateway() {
        request = request.attribute(libc::RTA_GATEWAY, octets(&gateway).as_ref());
    }
    if route.metric() != 0 {
        request = request.attribute(libc::RTA_PRIORITY, &route.metric().to_ne_bytes());
    }
    request
}

fn rtmsg(family: Family, prefix: u8, protocol: u8, scope: u8, kind: u8) -> [u8; RTMSG] {
    [number(family), prefix, 0, 0, 0, protocol, scope, kind, 0, 0, 0, 0]
}

/// A message about a route.
struct Parts<'a> {
    body: &'a [u8],
    family: u8,
    attributes: Attributes<'a>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        Some(Self { body, family: *body.first()?, attributes: Attributes(body.get(RTMSG..)?) })
    }

    fn byte(&self, at: usize) -> u8 {
        self.body.get(at).copied().unwrap_or(0)
    }

    fn table(&self) -> u32 {
        self.attributes.u32(libc::RTA_TABLE).unwrap_or(self.byte(TABLE_AT).into())
    }

    fn metric(&self) -> u32 {
        self.attributes.u32(libc::RTA_PRIORITY).unwrap_or(0)
    }

    fn interface(&self) -> Option<u32> {
        self.attributes.u32(libc::RTA_OIF)
    }

    fn gateway(&self) -> Option<&'a [u8]> {
        self.attributes.get(libc::RTA_GATEWAY)
    }

    fn network(&self) -> Option<IpAddr> {
        let unspecified = match self.family == number(Family::V4) {
            true => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            false => Ipv6Addr::UNSPECIFIED.into(),
        };
        self.attributes.get(libc::RTA_DST).map_or(Some(unspecified), parse_ip)
    }

    fn has_destination_of(&self, other: &Self) -> bool {
        let of = |parts: &Self| (parts.family, parts.byte(LENGTH_AT), parts.network(), parts.table());
        of(self) == of(other)
    }

    /// Whether a [`Route`] says all there is of it, but for who made it and where it is valid.
    fn is_simple(&self) -> bool {
        let flags = u32_at(self.body, FLAGS_AT).unwrap_or(0);
        let mut attributes = self.attributes;
        self.byte(TOS_AT) == 0
            && self.byte(SOURCE_AT) == 0
            && flags & RTNH_F_ONLINK == 0
            && attributes.all(|(kind, value)| self.is_plain(kind, value))
    }

    /// The kernel gives the routes that it makes for an address that one to send from.
    fn is_plain(&self, kind: u16, value: &[u8]) -> bool {
        match kind {
            libc::RTA_DST | libc::RTA_OIF | libc::RTA_GATEWAY | libc::RTA_PRIORITY | libc::RTA_TABLE => true,
            libc::RTA_PREFSRC => self.byte(PROTOCOL_AT) == libc::RTPROT_KERNEL,
            libc::RTA_CACHEINFO => u32_at(value, EXPIRES_AT) == Some(0),
            RTA_PREF => value == [0],
            _ => false,
        }
    }
}

/// A route that leads out through this interface, and through no other beside it. Its detail is left out.
pub(super) fn parse(body: &[u8], index: u32) -> Option<Installed> {
    let parts = Parts::of(body)?;
    if parts.interface() != Some(index)
        || parts.byte(TYPE_AT) != libc::RTN_UNICAST
        || parts.table() == LOCAL_TABLE
    {
        return None;
    }
    let network = parts.network()?;
    let route = Route::reported(
        network,
        Prefix::new(Family::of(network), parts.byte(LENGTH_AT))?,
        parts.attributes.get(libc::RTA_GATEWAY).and_then(parse_ip),
        parts.metric(),
        parts.table(),
    )?;
    Some(Installed { route, exact: parts.is_simple(), detail: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: usize = 16;

    fn listed(index: u32, metric: u32) -> Vec<u8> {
        let route = Route::parse("fe80::/64", None, metric, 0).unwrap();
        new_request(0, libc::RT_SCOPE_UNIVERSE, index, &route).bytes(0).unwrap()[HEADER..].to_vec()
    }

    #[test]
    fn a_deletion_means_the_interface_and_the_metric() {
        let asked = listed(3, 256);
        assert!(is_deleted_by(&listed(3, 256), &asked));
        assert!(!is_deleted_by(&listed(4, 256), &asked));
        assert!(!is_deleted_by(&listed(3, 1024), &asked));
    }
}
