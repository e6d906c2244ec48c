// SPDX-License-Identifier: MIT
//! What a message of rtnetlink announces.

use super::message::{Attributes, Message};
use super::{address, link, route};
use crate::model::event::{Notice, Place};
use crate::model::memory::{self, NoMemory};
use crate::model::route::Installed;
use crate::sys::bytes::u32_at;

/// linux/if_link.h: where an interface that leaves its namespace goes; libc does not have them for every target.
const IFLA_NEW_NETNSID: u16 = 45;
const IFLA_NEW_IFINDEX: u16 = 49;
const IFINFOMSG: usize = 16;

/// Bytes of struct rtmsg, at whose end there is a word of flags.
const RTMSG: usize = 12;
const FLAGS_AT: usize = 8;
/// linux/rtnetlink.h: a copy that IPv6 keeps for one destination.
const RTM_F_CLONED: u32 = 0x200;
/// linux/rtnetlink.h.
const RTNLGRP_NEXTHOP: libc::c_uint = 32;
const RTM_DELNEXTHOP: u16 = 105;

/// What announces interfaces and addresses.
pub(super) const GROUPS: [libc::c_uint; 3] =
    [libc::RTNLGRP_LINK, libc::RTNLGRP_IPV4_IFADDR, libc::RTNLGRP_IPV6_IFADDR];
/// And what announces routes.
pub(super) const ROUTE_GROUPS: [libc::c_uint; 2] = [libc::RTNLGRP_IPV4_ROUTE, libc::RTNLGRP_IPV6_ROUTE];
/// Since Linux 5.3: routes go with their nexthop object, of which IPv4 says nothing.
pub(super) const NEXTHOP_GROUP: libc::c_uint = RTNLGRP_NEXTHOP;

/// What a message announces, or lists.
pub(super) fn push(notices: &mut Vec<Notice>, message: &Message<'_>) -> Result<(), NoMemory> {
    match message.kind {
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE => push_route(notices, message),
        RTM_DELNEXTHOP => memory::push(notices, Notice::RoutesDoubtful),
        _ => of_interface(message).map_or(Ok(()), |notice| memory::push(notices, notice)),
    }
}

/// A bridge announces its ports in messages of its own family, RTM_DELLINK when one leaves it: the interface lives on.
pub(super) fn of_interface(message: &Message<'_>) -> Option<Notice> {
    let about_link = message.is_of_family(libc::AF_UNSPEC);
    match message.kind {
        libc::RTM_NEWLINK if about_link => link::parse(message.body).map(Notice::Link),
        libc::RTM_DELLINK if about_link => {
            let link = link::parse(message.body)?;
            let moved = goes_elsewhere(message.body);
            Some(if moved { Notice::LinkMoved(link.index) } else { Notice::LinkGone(link.index) })
        }
        libc::RTM_NEWADDR => address::parse(message.body).map(|(index, it)| Notice::Address(index, it)),
        libc::RTM_DELADDR => address::parse(message.body).map(|(index, it)| Notice::AddressGone(index, it)),
        _ => None,
    }
}

/// Whether an interface that leaves its namespace lives on in another one.
fn goes_elsewhere(body: &[u8]) -> bool {
    let attributes = Attributes(body.get(IFINFOMSG..).unwrap_or_default());
    attributes.get(IFLA_NEW_NETNSID).or(attributes.get(IFLA_NEW_IFINDEX)).is_some()
}

/// A route that takes the place of another one comes without a word of that, and so does one that makes several ways of
/// it.
fn push_route(notices: &mut Vec<Notice>, message: &Message<'_>) -> Result<(), NoMemory> {
    let body = message.body;
    if u32_at(body, FLAGS_AT).unwrap_or(0) & RTM_F_CLONED != 0 {
        return Ok(());
    }
    let attributes = Attributes(body.get(RTMSG..).unwrap_or_default());
    let found = attributes.u32(libc::RTA_OIF).and_then(|index| Some((index, route::parse(body, index)?)));
    if message.kind == libc::RTM_NEWROUTE && message.takes_a_place() {
        let place = found.as_ref().map(|(_, installed)| Place::of(installed));
        memory::push(notices, place.map_or(Notice::RoutesDoubtful, Notice::RouteReplaced))?;
    }
    let Some((index, installed)) = found else { return Ok(()) };
    let installed = Installed { detail: identity(body)?, ..installed };
    memory::push(
        notices,
        match message.kind {
            libc::RTM_NEWROUTE => Notice::Route(index, installed),
            _ => Notice::RouteGone(index, installed),
        },
    )
}

/// What tells a route from all others, the same whenever it is announced or listed: without its flags, which say how it
/// is at the moment, and without its age.
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
