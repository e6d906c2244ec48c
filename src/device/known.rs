// SPDX-License-Identifier: MIT
//! What a monitor knows of the interfaces.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::model::address::Address;
use crate::model::event::{Event, Kind};
use crate::model::flags::Reports;
use crate::model::link::Link;
use crate::model::memory::NoMemory;
use crate::model::name::Name;
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::sys::{Watch, Watching};

/// The known interfaces, by their index.
pub(super) type Interfaces = HashMap<u32, Known>;

/// The last known state of an interface.
pub(super) struct Known {
    pub(super) link: Link,
    /// Its changes are reported. Other interfaces are known only for the default route of the system.
    pub(super) watched: bool,
    pub(super) addresses: HashSet<Address>,
    pub(super) routes: Routes,
}

/// Routes by the bytes that identify them.
pub(super) type Routes = HashMap<Vec<u8>, Listed>;

/// A route, and when it was listed.
pub(super) struct Listed {
    pub(super) installed: Installed,
    /// The last list that had the route, or that was being read when the notification of the route came.
    pub(super) list: u64,
    /// Of the routes with one key, the system prefers the one with the lowest number.
    pub(super) order: u64,
}

/// Adds a route, and returns whether it is new. Only a list changes the order of a known one.
pub(super) fn put(
    routes: &mut Routes,
    identity: Vec<u8>,
    new: Listed,
    in_list: bool,
) -> Result<bool, NoMemory> {
    if let Some(known) = routes.get_mut(&identity) {
        known.list = new.list;
        known.order = if in_list { new.order } else { known.order };
        return Ok(false);
    }
    routes.try_reserve(1).map_err(|_| NoMemory)?;
    routes.insert(identity, new);
    Ok(true)
}

impl Known {
    pub(super) fn new(link: Link, watched: bool) -> Self {
        Self { link, watched, addresses: HashSet::new(), routes: HashMap::new() }
    }

    /// Whether a route through it is reported, or may be the default route.
    pub(super) fn needs_route(&self, reports: Reports, is_default: bool) -> bool {
        (self.watched && reports.routes) || (reports.default_route && is_default)
    }

    /// Removes some of the routes, each with an event if `events` are wanted.
    pub(super) fn lose_routes(
        &mut self,
        events: Option<&mut VecDeque<Event>>,
        is_lost: impl Fn(&Listed) -> bool,
    ) -> Result<(), NoMemory> {
        if let Some(events) = events.filter(|_| self.watched) {
            let lost = self.routes.values().filter(|listed| is_lost(listed)).count();
            events.try_reserve(lost).map_err(|_| NoMemory)?;
            for listed in self.routes.values().filter(|listed| is_lost(listed)) {
                let event = Event::of(Kind::RouteRemoved, self.link.clone());
                events.push_back(Event { route: Some(listed.installed.clone()), ..event });
            }
        }
        self.routes.retain(|_, listed| !is_lost(listed));
        Ok(())
    }
}

/// The state of a default route and of its interface, compared to find changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct DefaultRoute {
    route: Route,
    index: u32,
    name: Name,
    mtu: u32,
    carrier: bool,
}

impl DefaultRoute {
    pub(super) fn of(known: &Known, installed: &Installed) -> Self {
        let Known { link, .. } = known;
        let Link { index, name, mtu, carrier, .. } = *link;
        Self { route: installed.route, index, name, mtu, carrier }
    }
}

/// Whether it is a default route of the system.
pub(super) fn is_default(installed: &Installed) -> bool {
    installed.rank.is_some() && installed.route.is_default(Watch::MAIN_TABLE)
}

/// The default route of the system for a family: the one with the lowest metric, if it does not discard packets.
pub(super) fn default_route<'a>(
    interfaces: &'a Interfaces,
    discarding: &'a Routes,
    family: Family,
) -> Option<(&'a Known, &'a Installed)> {
    let up = interfaces.values().filter(|known| known.link.up);
    let through = up.flat_map(|known| known.routes.values().map(move |listed| (Some(known), listed)));
    let all = through.chain(discarding.values().map(|listed| (None, listed)));
    let (known, Listed { installed, .. }) = all
        .filter(|(_, Listed { installed, .. })| is_default(installed) && installed.route.family() == family)
        .min_by_key(|(_, Listed { installed, order, .. })| {
            (installed.route.details.metric, installed.rank, *order)
        })?;
    Some((known?, installed))
}
