// SPDX-License-Identifier: MIT
//! A lookup of the route to a destination: RTM_GET.

use std::net::IpAddr;

use super::layout::*;
use super::message::{sockaddr_ip, sockaddr_link};
use super::route::{self, Entry};
use super::{link, routing};
use crate::model::error::{Errno, Error, Result};
use crate::model::lookup::{Found, Lookup};
use crate::model::prefix::{Family, Prefix};
use crate::model::route::{Details, Installed, Route};
use crate::model::text::text;
use crate::sys::Outcome;

pub(super) fn find(lookup: &Lookup) -> Result<Found> {
    let destination = lookup.destination();
    if lookup.mark() != 0 {
        return Err(Error::platform(text!("find the route of packets to {destination} with a mark")));
    }
    if let Some(source) = lookup.source() {
        return Err(Error::platform(text!("find the route of packets to {destination} from {source}")));
    }
    match query(destination) {
        Err(Errno::ESRCH) => Err(lookup.no_route()),
        Ok(entry) if entry.discards() => Err(lookup.no_route()),
        answer => answer
            .and_then(describe)
            .map_err(|errno| Error::system(errno, text!("find the route to {destination}"))),
    }
}

/// The kernel adds the interface and its address to the answer if the request has room for one of them.
fn query(destination: IpAddr) -> Outcome<Entry> {
    let sockaddrs = [(RTA_DST, sockaddr_ip(destination)), (RTA_IFP, sockaddr_link(0))];
    routing::query(RTM_GET, RTF_UP, &sockaddrs, Entry::parse)
}

/// The route as it was added, with the gateway, the source and the MTU for this destination.
fn describe(answer: Entry) -> Outcome<Found> {
    let index = answer.index;
    let interface = link::by_index(index)?.link.mtu;
    // The kernel uses the smaller one (ip_output.c), and does not change the routes with the interface.
    let mtu = if answer.mtu == 0 { interface } else { answer.mtu.min(interface) };
    // For IPv6 the kernel selects the source for each destination (in6_src.c), whatever the route has.
    let source = answer.source.filter(|_| Family::of(answer.network) == Family::V4);
    let gateway = answer.gateway;
    let added = if answer.is_clone() { origin(answer)? } else { answer };
    let details = Details { mtu, ..Details::default() };
    let route =
        Route::reported(added.network, added.prefix, gateway, source, details).ok_or(Errno::EPROTO)?;
    Ok(Found {
        route: Installed { route, partial: !added.is_listed(), rank: Some(0), message: Vec::new() },
        index,
    })
}

/// The route that the kernel created this one from.
fn origin(clone: Entry) -> Outcome<Entry> {
    let family = Family::of(clone.network);
    let table = route::table(family)?;
    let is_origin = |entry: &Entry| {
        !entry.is_clone() && entry.index == clone.index && entry.covers(clone.network, Prefix::host(family))
    };
    let origin = table.into_iter().filter(is_origin).max_by_key(|entry| entry.prefix.bits());
    Ok(origin.unwrap_or(clone))
}
