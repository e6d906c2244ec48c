// SPDX-License-Identifier: MIT
//! Translates messages of rtnetlink to notices.

use super::ifinfo::is_of_interface;
use super::message::{Attributes, Message};
use super::rtmsg::{FLAGS_AT, RTMSG};
use super::{address, ifinfo, rtmsg};
use crate::model::event::{Notice, RouteKey};
use crate::model::memory::{self, NoMemory};
use crate::model::route::{Installed, Route};
use crate::sys::bytes::u32_at;

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

/// Appends the notices of a message, which is a notification or part of a list. Of the routes only those that are needed.
pub(super) fn push(
    notices: &mut Vec<Notice>,
    message: &Message<'_>,
    is_needed: impl Fn(u32, &Route) -> bool,
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

/// The kernel sends no RTM_DELROUTE for a route that is replaced, or that becomes a multipath route.
fn push_route(
    notices: &mut Vec<Notice>,
    message: &Message<'_>,
    is_needed: impl Fn(u32, &Route) -> bool,
) -> Result<(), NoMemory> {
    let body = message.body;
    if u32_at(body, FLAGS_AT).unwrap_or(0) & RTM_F_CLONED != 0 {
        return Ok(());
    }
    let attributes = Attributes(body.get(RTMSG..).unwrap_or_default());
    let found = attributes.u32(libc::RTA_OIF).and_then(|index| Some((index, rtmsg::parse(body, index)?)));
    if message.kind == libc::RTM_NEWROUTE && message.replaces_or_appends() {
        let key = found.as_ref().map(|(_, installed)| RouteKey::of(installed));
        memory::push(notices, key.map_or(Notice::RoutesUncertain, Notice::RouteReplaced))?;
    }
    let needed = found.filter(|(index, installed)| is_needed(*index, &installed.route));
    let Some((index, installed)) = needed else { return Ok(()) };
    let installed = Installed { detail: identity(body)?, ..installed };
    memory::push(
        notices,
        match message.kind {
            libc::RTM_NEWROUTE => Notice::Route(index, installed),
            _ => Notice::RouteGone(index, installed),
        },
    )
}

/// The bytes that identify a route, the same in each notification and list: without its flags, which describe its current
/// state, and without its age.
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
