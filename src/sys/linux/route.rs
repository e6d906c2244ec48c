// SPDX-License-Identifier: MIT
//! Routes through an interface: RTM_GETROUTE, RTM_NEWROUTE and RTM_DELROUTE.

use std::net::IpAddr;
use std::result::Result;

use super::address::{number, octets, scope_number};
use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use super::rtmsg::{
    EXPIRES_AT, FLAGS_AT, IPV6_METRIC, MAIN_TABLE, PROTOCOL_AT, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_EXPIRES,
    RTA_NH_ID, RTA_VIA, RTAX_MTU, RTMSG, RTNH_F_ONLINK, RouteMessage, SCOPE_AT, TOS_AT, TYPE_AT, parse,
    rtmsg, type_number, with_flags,
};
use crate::model::assigned::Scope;
use crate::model::error::Errno;
use crate::model::memory::{self, NoMemory};
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route, Type};
use crate::sys::boxed;
use crate::sys::bytes::u32_at;

/// The routes through the interface, of both families.
pub(super) fn list(netlink: &mut Socket, index: u32) -> Result<Vec<Installed>, Refusal> {
    // A kernel without this family lists all other families instead.
    let read = |family: Family| {
        move |body: &[u8]| {
            let of_family = body.first() == Some(&number(family));
            let Some(installed) = parse(body, index).filter(|_| of_family) else { return Ok(None) };
            Ok(Some(Installed { message: without_state(body)?, ..installed }))
        }
    };
    let mut listed = netlink.query(&list_request(Family::V4, index), read(Family::V4))?;
    let mut ipv6 = netlink.query(&list_request(Family::V6, index), read(Family::V6))?;
    listed.try_reserve(ipv6.len()).map_err(|_| Errno::ENOMEM)?;
    listed.append(&mut ipv6);
    Ok(listed)
}

/// The message about a route, without the flags that describe its current state.
fn without_state(body: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut message = memory::copy(body)?;
    if let Some(word) = message.get_mut(FLAGS_AT..RTMSG) {
        word.copy_from_slice(&(u32_at(word, 0).unwrap_or(0) & RTNH_F_ONLINK).to_ne_bytes());
    }
    Ok(message)
}

/// Requests the routes through this interface. Before Linux 4.20 the kernel lists those of all interfaces.
pub(super) fn list_request(family: Family, index: u32) -> Request {
    list_all_request(family).attribute(libc::RTA_OIF, &index.to_ne_bytes())
}

/// Requests the routes through all interfaces.
pub(super) fn list_all_request(family: Family) -> Request {
    Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(family, 0, 0, 0, 0))
}

pub(super) fn add(netlink: &mut Socket, index: u32, route: &Route) -> Result<(), Refusal> {
    netlink.change(&new_request(libc::NLM_F_EXCL, index, route)).map_err(|refusal| match refusal.errno {
        Errno::EEXIST => {
            let text = "another route has this destination, metric and table: \
                        TUNTAP_REPLACE replaces a route of this device";
            Refusal { errno: Errno::EEXIST, text: boxed(text.into()).ok() }
        }
        _ => refusal,
    })
}

/// Replaces the first route with this destination, metric and table, if all of these routes lead through this
/// interface. The kernel would also replace a route of another interface.
pub(super) fn replace(netlink: &mut Socket, index: u32, route: &Route) -> Result<(), Refusal> {
    let request = new_request(libc::NLM_F_REPLACE, index, route);
    let wanted = request.body().map(memory::copy).transpose()?.ok_or(NoMemory)?;
    let list = Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(route.family(), 0, 0, 0, 0))
        .attribute(libc::RTA_TABLE, &table(route).to_ne_bytes());
    let owners = match netlink.query(&list, |body| Ok(conflicts(body, &wanted).then(|| owner(body)))) {
        // Since Linux 4.20: the table does not exist.
        Err(refusal) if refusal.errno == Errno::ENOENT => Vec::new(),
        owners => owners?,
    };
    if owners.iter().any(|owner| *owner != Some(index)) {
        let text = "a route through another interface has this destination, metric and table";
        return Err(Refusal { errno: Errno::EEXIST, text: boxed(text.into()).ok() });
    }
    netlink.change(&request)
}

/// Whether the kernel regards the two routes as conflicting (fib_table_insert, fib6_add_rt2node).
fn conflicts(body: &[u8], wanted: &[u8]) -> bool {
    let (Some(found), Some(wanted)) = (RouteMessage::of(body), RouteMessage::of(wanted)) else {
        return false;
    };
    let metric = |route: &RouteMessage<'_>| match route.metric() {
        0 if route.family == number(Family::V6) => IPV6_METRIC,
        metric => metric,
    };
    found.has_destination_of(&wanted)
        && metric(&found) == metric(&wanted)
        && found.byte(TOS_AT) == wanted.byte(TOS_AT)
}

/// The interface of a route. None if it has several, or a nexthop object.
fn owner(body: &[u8]) -> Option<u32> {
    let route = RouteMessage::of(body)?;
    route.interface().filter(|_| route.object().is_none())
}

/// Restores a route as it was listed. EEXIST if it exists.
pub(super) fn restore(netlink: &mut Socket, installed: &Installed) -> Result<(), Refusal> {
    netlink.change(&restore_request(&installed.message))
}

pub(super) fn restore_request(message: &[u8]) -> Request {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_APPEND;
    let (fixed, rest) = message.split_at_checked(RTMSG).unwrap_or_default();
    let mut attributes = Attributes(rest);
    let mut request = Request::new(libc::RTM_NEWROUTE, flags, fixed);
    while let Some((kind, value)) = attributes.take_raw() {
        if is_of_object(kind, Attributes(rest)) {
            continue;
        }
        // The kernel ignores RTA_CACHEINFO in a request.
        let expires = if kind == libc::RTA_CACHEINFO { seconds_left(value) } else { None };
        request = match expires {
            Some(seconds) => request.attribute(RTA_EXPIRES, &seconds.to_ne_bytes()),
            None => request.attribute(kind, value),
        };
    }
    request
}

/// The remaining lifetime, from a struct rta_cacheinfo. None if the route does not expire.
fn seconds_left(cacheinfo: &[u8]) -> Option<u32> {
    // Negative if the lifetime is over.
    match u32_at(cacheinfo, EXPIRES_AT)? as i32 {
        0 => None,
        ticks => Some(ticks.max(0).unsigned_abs().div_ceil(USER_HZ)),
    }
}

/// The unit of rta_expires, in ticks per second. It is the same for each architecture that Rust supports.
const USER_HZ: u32 = 100;

/// Deletes this route only. The kernel deletes the first route that matches the request, even if its other attributes
/// differ.
pub(super) fn remove(netlink: &mut Socket, index: u32, installed: &Installed) -> Result<(), Refusal> {
    let rivals = netlink.query(&rivals_request(&installed.route, index), |body| {
        Ok(is_deleted_by(body, &installed.message).then(|| parse(body, index)))
    });
    let rivals = match rivals {
        // The kernel removes a table with its last route.
        Err(refusal) if refusal.errno == Errno::ENOENT => return Err(Errno::ESRCH.into()),
        rivals => rivals?,
    };
    let is_meant = |found: &Installed| found.partial == installed.partial && found.route == installed.route;
    match rivals.first() {
        None => Err(Errno::ESRCH.into()),
        Some(Some(first)) if is_meant(first) => netlink.change(&delete_request(&installed.message)),
        Some(_) => {
            let text = "the kernel would delete another route with this destination, metric and table";
            Err(Refusal { errno: Errno::EBUSY, text: boxed(text.into()).ok() })
        }
    }
}

/// Requests the routes among which the kernel searches for a deletion. For IPv6 it does not compare the interface of a
/// route with a nexthop object (ip6_route_del, since Linux 5.3): such a route of another interface can come first.
fn rivals_request(route: &Route, index: u32) -> Request {
    match route.family() {
        Family::V4 => list_request(Family::V4, index),
        Family::V6 => Request::new(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &rtmsg(Family::V6, 0, 0, 0, 0))
            .attribute(libc::RTA_TABLE, &table(route).to_ne_bytes()),
    }
}

/// Whether a request to delete `asked` matches the route `body` (fib_table_delete, ip6_route_del). A request without a
/// gateway matches any gateway.
pub(super) fn is_deleted_by(body: &[u8], asked: &[u8]) -> bool {
    let (Some(found), Some(wanted)) = (RouteMessage::of(body), RouteMessage::of(asked)) else { return false };
    let same = |at: usize| body.get(at) == asked.get(at);
    if !found.has_destination_of(&wanted) || found.metric() != wanted.metric() || !same(PROTOCOL_AT) {
        return false;
    }
    let same_form = [TOS_AT, SCOPE_AT, TYPE_AT].into_iter().all(same);
    let ipv6 = found.family == number(Family::V6);
    match (found.object(), wanted.object()) {
        (None, None) => same_form && has_next_hop_of(&found, &wanted),
        // For IPv6 the kernel compares nothing else then.
        (Some(found), Some(wanted)) => found == wanted && (ipv6 || same_form),
        (Some(_), None) => ipv6,
        (None, Some(_)) => false,
    }
}

/// Whether a request to delete `wanted` matches the next hop of the route `found`.
fn has_next_hop_of(found: &RouteMessage<'_>, wanted: &RouteMessage<'_>) -> bool {
    let several = found.attributes.get(libc::RTA_MULTIPATH).is_some();
    let same_gateway = several || wanted.gateway().is_none() || found.gateway() == wanted.gateway();
    // The list has routes of other interfaces for IPv6, and before Linux 4.20.
    let other_interface = found.interface().is_some_and(|index| wanted.interface() != Some(index));
    !other_interface && same_gateway
}

/// A request with all attributes that the kernel compares.
pub(super) fn delete_request(message: &[u8]) -> Request {
    let mut fixed = [0; RTMSG];
    for (to, from) in fixed.iter_mut().zip(message).take(FLAGS_AT) {
        *to = *from;
    }
    let compared = [
        libc::RTA_DST,
        libc::RTA_OIF,
        libc::RTA_GATEWAY,
        RTA_VIA,
        RTA_NH_ID,
        libc::RTA_PRIORITY,
        libc::RTA_PREFSRC,
        libc::RTA_TABLE,
    ];
    let attributes = Attributes(message.get(RTMSG..).unwrap_or_default());
    attributes
        .filter(|(kind, _)| compared.contains(kind) && !is_of_object(*kind, attributes))
        .fold(Request::new(libc::RTM_DELROUTE, libc::NLM_F_ACK, &fixed), |request, (kind, value)| {
            request.attribute(kind, value)
        })
}

/// Whether an attribute describes the nexthop object of the route. The kernel refuses both in one request.
fn is_of_object(kind: u16, attributes: Attributes<'_>) -> bool {
    let of_next_hop = [libc::RTA_OIF, libc::RTA_GATEWAY, RTA_VIA, RTA_ENCAP_TYPE, RTA_ENCAP];
    of_next_hop.contains(&kind) && attributes.get(RTA_NH_ID).is_some()
}

fn table(route: &Route) -> u32 {
    if route.details.table == 0 { MAIN_TABLE } else { route.details.table }
}

/// Requests to add a route. The default protocol is RTPROT_STATIC: added by an administrator.
fn new_request(flags: i32, index: u32, route: &Route) -> Request {
    let details = &route.details;
    let protocol = if details.protocol == 0 { libc::RTPROT_STATIC } else { details.protocol };
    let scope = scope_number(details.scope.unwrap_or(usual_scope(route)));
    let fixed = rtmsg(route.family(), route.prefix().bits(), protocol, scope, type_number(details.kind));
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | flags;
    let mut request = Request::new(
        libc::RTM_NEWROUTE,
        flags,
        &with_flags(fixed, if details.onlink { RTNH_F_ONLINK } else { 0 }),
    )
    .attribute(libc::RTA_DST, octets(&route.network()).as_ref())
    .attribute(libc::RTA_OIF, &index.to_ne_bytes())
    .attribute(libc::RTA_TABLE, &table(route).to_ne_bytes());
    if let Some(gateway) = route.gateway() {
        request = with_gateway(request, route.family(), gateway);
    }
    if let Some(source) = route.source() {
        request = request.attribute(libc::RTA_PREFSRC, octets(&source).as_ref());
    }
    if details.metric != 0 {
        request = request.attribute(libc::RTA_PRIORITY, &details.metric.to_ne_bytes());
    }
    if details.mtu != 0 {
        request = request.attribute_of(libc::RTA_METRICS, |request| {
            request.attribute(RTAX_MTU, &details.mtu.to_ne_bytes())
        });
    }
    request
}

/// The default scope. The destination behind a gateway can be anywhere. The kernel accepts no wider scope for a local
/// route.
fn usual_scope(route: &Route) -> Scope {
    match (route.family(), route.details.kind) {
        (Family::V6, _) => Scope::Global,
        (Family::V4, Type::Local) => Scope::Host,
        (Family::V4, Type::Unicast) if route.gateway().is_some() => Scope::Global,
        (Family::V4, _) => Scope::Link,
    }
}

/// Adds the gateway: as RTA_VIA if its family is not that of the destination.
fn with_gateway(request: Request, family: Family, gateway: IpAddr) -> Request {
    let octets = octets(&gateway);
    if Family::of(gateway) == family {
        return request.attribute(libc::RTA_GATEWAY, octets.as_ref());
    }
    let family = libc::sa_family_t::from(number(Family::of(gateway)));
    request.attribute_of(RTA_VIA, |request| request.with(&family.to_ne_bytes()).with(octets.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: usize = 16;

    fn listed(index: u32, metric: u32) -> Vec<u8> {
        let route = Route::parse("fe80::/64", None, metric, 0).unwrap();
        new_request(0, index, &route).bytes(0).unwrap()[HEADER..].to_vec()
    }

    /// The attributes of a request to add the route through interface 3.
    fn attributes(route: &Route) -> Vec<u8> {
        new_request(0, 3, route).body().unwrap()[RTMSG..].to_vec()
    }

    #[test]
    fn a_gateway_of_another_family_follows_its_family() {
        let route = Route::parse("10.9.0.0/16", Some("fe80::2"), 0, 0).unwrap();
        let words = [22, RTA_VIA, u16::from(number(Family::V6))].into_iter().flat_map(u16::to_ne_bytes);
        let gateway = octets(&route.gateway().unwrap());
        let via: Vec<u8> = words.chain(gateway.as_ref().iter().copied()).chain([0, 0]).collect();
        assert!(attributes(&route).ends_with(&via));
    }

    #[test]
    fn the_mtu_of_a_route_is_nested() {
        let mut route = Route::parse("10.9.0.0/16", None, 0, 0).unwrap();
        route.details.mtu = 1400;
        let words = [12, libc::RTA_METRICS, 8, RTAX_MTU].into_iter().flat_map(u16::to_ne_bytes);
        let metrics: Vec<u8> = words.chain(1400_u32.to_ne_bytes()).collect();
        assert!(attributes(&route).ends_with(&metrics));
    }

    #[test]
    fn a_deletion_matches_the_interface_and_the_metric() {
        let asked = listed(3, 256);
        assert!(is_deleted_by(&listed(3, 256), &asked));
        assert!(!is_deleted_by(&listed(4, 256), &asked));
        assert!(!is_deleted_by(&listed(3, 1024), &asked));
    }
}
