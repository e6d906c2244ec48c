// SPDX-License-Identifier: MIT
//! Bypasses of a device: routes to their destinations, because Darwin has no rules that select a route.
//!
//! Only the two halves of the address space that are routed through the device are bypassed. A destination with a more
//! specific route needs no other one. So no route of another program is ever replaced.

use std::net::IpAddr;
use std::os::fd::OwnedFd;

use super::layout::{RTM_ADD, RTM_DELETE};
use super::route::{self, Entry};
use super::routing;
use crate::model::error::Errno;
use crate::model::lookup::needs_interface;
use crate::model::route::{Details, Route};
use crate::sys::Outcome;
use crate::sys::fork::process;

/// The length of the prefix of each half.
const HALF: u8 = 1;

/// The bypasses that a handle has added. Dropping it removes their routes, in the process that has added them: a child
/// of fork() must not remove those of its parent.
pub(super) struct Bypasses {
    /// The device.
    index: u32,
    /// Kept, because it has the privilege of the process that created it (rtsock.c, SS_PRIV): so the routes can be
    /// changed and removed after the process has dropped it.
    socket: Option<OwnedFd>,
    added: Vec<Bypass>,
    process: usize,
}

struct Bypass {
    destination: Route,
    /// The route that was added, unless the destination needs none.
    route: Option<Through>,
    keep: bool,
}

/// A route, and the index of the interface that it leads through.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Through {
    route: Route,
    index: u32,
}

impl Through {
    fn is_in(&self, table: &[Entry]) -> bool {
        table.iter().any(|entry| entry.is(&self.route, self.index))
    }
}

impl Bypasses {
    pub(super) fn new(index: u32) -> Self {
        Self { index, socket: None, added: Vec::new(), process: process() }
    }

    /// Whether it was created in this process.
    pub(super) fn is_own(&self) -> bool {
        self.process == process()
    }

    /// Whether it has nothing to remove.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// Routes a destination as it would be routed without the device. Replaces the route that this handle added for it
    /// before.
    pub(super) fn add(&mut self, destination: &Route, keep: bool) -> Outcome<()> {
        self.socket()?;
        let table = route::table(destination.family())?;
        let position = self.position(destination);
        let before =
            position.and_then(|position| self.added.get(position)?.route).filter(|it| it.is_in(&table));
        let route = self.required_route(&table, destination, before)?;
        if route != before {
            self.replace(before, route)?;
        }
        match position.and_then(|position| self.added.get_mut(position)) {
            Some(bypass) => *bypass = Bypass { route, keep: keep || bypass.keep, ..*bypass },
            None => self.added.push(Bypass { destination: *destination, route, keep }),
        }
        Ok(())
    }

    /// Undoes [`Self::add`]. Returns whether there was anything to undo.
    pub(super) fn remove(&mut self, destination: &Route) -> Outcome<bool> {
        let Some(position) = self.position(destination) else { return Ok(false) };
        if let Some(through) = self.added.get(position).and_then(|bypass| bypass.route) {
            self.undo(through)?;
        }
        self.added.remove(position);
        Ok(true)
    }

    fn position(&self, destination: &Route) -> Option<usize> {
        self.added.iter().position(|bypass| bypass.destination == *destination)
    }

    /// The route to add. None: the destination needs none. ENETUNREACH if no route leads there without the device.
    fn required_route(
        &self,
        table: &[Entry],
        destination: &Route,
        before: Option<Through>,
    ) -> Outcome<Option<Through>> {
        let (network, prefix) = (destination.network(), destination.prefix());
        if needs_interface(network) {
            return Ok(None);
        }
        let is_half = |entry: &Entry| entry.index == self.index && entry.prefix.bits() <= HALF;
        let is_before = |entry: &Entry| before.is_some_and(|it| entry.is(&it.route, it.index));
        let is_candidate = |entry: &&Entry| {
            entry.is_requested() && entry.covers(network, prefix) && !is_half(entry) && !is_before(entry)
        };
        let entry = table.iter().filter(is_candidate).max_by_key(|entry| entry.prefix.bits());
        match entry.ok_or(Errno::ENETUNREACH)? {
            entry if entry.prefix.bits() > HALF => Ok(None),
            entry if entry.discards() => Err(Errno::ENETUNREACH),
            entry => {
                Ok(Some(Through { route: with_gateway(destination, entry.gateway)?, index: entry.index }))
            }
        }
    }

    /// Replaces a route, or leaves it if that fails. The kernel's own request for this could also change another route.
    fn replace(&mut self, before: Option<Through>, after: Option<Through>) -> Outcome<()> {
        let socket = self.socket()?;
        if let Some(Through { route, index }) = &before {
            ignore_absent(route::change(socket, RTM_DELETE, *index, route))?;
        }
        let Some(Through { route, index }) = &after else { return Ok(()) };
        route::change(socket, RTM_ADD, *index, route).inspect_err(|_| {
            if let Some(Through { route, index }) = &before {
                let _ = route::change(socket, RTM_ADD, *index, route);
            }
        })
    }

    /// Removes a route that was added here, unless another program has replaced it.
    fn undo(&mut self, through: Through) -> Outcome<()> {
        if !through.is_in(&route::table(through.route.family())?) {
            return Ok(());
        }
        ignore_absent(route::change(self.socket()?, RTM_DELETE, through.index, &through.route))
    }

    fn socket(&mut self) -> Outcome<&OwnedFd> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => routing::open()?,
        };
        Ok(self.socket.insert(socket))
    }
}

impl Drop for Bypasses {
    fn drop(&mut self) {
        if self.is_own() {
            let added = std::mem::take(&mut self.added).into_iter().rev();
            for through in added.filter(|bypass| !bypass.keep).filter_map(|bypass| bypass.route) {
                let _ = self.undo(through);
            }
        }
    }
}

/// The route to the destination of a bypass by this gateway.
fn with_gateway(destination: &Route, gateway: Option<IpAddr>) -> Outcome<Route> {
    let (network, prefix) = (destination.network(), destination.prefix());
    Route::reported(network, prefix, gateway, None, Details::default()).ok_or(Errno::EPROTO)
}

/// Another program may have removed the route at the same time.
fn ignore_absent(removed: Outcome<()>) -> Outcome<()> {
    match removed {
        Err(Errno::ESRCH) => Ok(()),
        removed => removed,
    }
}
