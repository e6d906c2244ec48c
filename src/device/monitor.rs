// SPDX-License-Identifier: MIT
//! Watching devices: the notifications of the system become events, one for each change.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, TryLockError};
use std::time::Instant;

use super::known::{DefaultRoute, Interfaces, Known, Listed, Routes, default_route, is_default, put};
use crate::device::Device;
use crate::model::assigned::Assigned;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::event::{Event, Kind, NOWHERE, Notice, RouteKey};
use crate::model::flags::Reports;
use crate::model::limit::Limit;
use crate::model::link::Link;
use crate::model::memory::NoMemory;
use crate::model::prefix::Family;
use crate::model::route::Installed;
use crate::sys::{Backend, Waker, Watch, Watching};

/// The result of processing a notification: memory may be missing.
type Noted = std::result::Result<(), NoMemory>;

/// A watch over one device, or over all TUN and TAP devices of a network namespace.
pub struct Monitor {
    fd: RawFd,
    waker: Waker,
    /// Locked during a wait: one thread at a time takes events.
    state: Mutex<State>,
}

struct State {
    watch: Watch,
    only: Option<u32>,
    reports: Reports,
    /// The last known state of the only device, while the current state is read again.
    before: Option<Link>,
    known: Interfaces,
    /// The default routes that discard packets, if the default route is reported.
    discarding: Routes,
    /// The number of the current or the last list of routes.
    list: u64,
    /// The number of the last route that was in a notification or a list.
    order: u64,
    /// The keys of the needed routes with several next hops.
    multipath: HashSet<RouteKey>,
    events: VecDeque<Event>,
    /// Events were lost because memory was missing. This is reported before the next event.
    overrun: bool,
    /// The current state was listed completely.
    complete: bool,
    /// The default routes that were reported last: IPv4, IPv6.
    defaults: [Option<DefaultRoute>; 2],
    ended: bool,
}

impl Monitor {
    /// Watches one device in its network namespace, or all devices of the calling thread's namespace.
    pub fn open(device: Option<&Device>, bits: u64) -> Result<Self> {
        let reports = Reports::parse(bits)?;
        let (watch, before) = match device {
            Some(device) => device.backend.watch(reports).map(|(watch, link)| (watch, Some(link)))?,
            None => (Watch::open(None, reports)?, None),
        };
        let (fd, only) = (watch.fd().as_raw_fd(), before.as_ref().map(|link| link.index));
        let (known, multipath, events) = (HashMap::new(), HashSet::new(), VecDeque::new());
        let mut state = State {
            watch,
            only,
            reports,
            before,
            known,
            discarding: HashMap::new(),
            list: 0,
            order: 0,
            multipath,
            events,
            overrun: false,
            complete: false,
            defaults: [None, None],
            ended: false,
        };
        state.take()?;
        Ok(Self { fd, waker: Waker::new(), state: Mutex::new(state) })
    }

    /// The descriptor to wait on.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Ends the wait for an event, and every later one. Safe in a signal handler.
    pub fn shut_down(&self) {
        self.waker.shut_down();
    }

    /// Takes the next event, and waits for it up to the limit.
    pub fn next(&self, limit: Limit) -> Result<Event> {
        let deadline = limit.deadline();
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let text = "monitor: another thread is taking an event of this monitor";
                return Err(Error::new(Errno::EBUSY, Reason::Busy, text));
            }
        };
        loop {
            if self.waker.is_shut_down() {
                return Err(shut_down());
            }
            if let Some(event) = state.next()? {
                return Ok(event);
            }
            match state.take() {
                Err(error) if error.errno() == Errno::EAGAIN => self.wait(&state.watch, deadline)?,
                taken => taken?,
            }
        }
    }

    fn wait(&self, watch: &Watch, deadline: Option<Instant>) -> Result<()> {
        let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let waited = if late { Err(Errno::ETIMEDOUT) } else { watch.wait(&self.waker, deadline) };
        waited.map_err(|errno| match errno {
            Errno::ECANCELED => shut_down(),
            Errno::ETIMEDOUT => {
                let text = "monitor: no event within the time limit";
                Error::new(errno, Reason::Timeout, text)
            }
            _ => Error::system(errno, "wait for an event"),
        })
    }
}

/// Whether the route is removed without a notification when its device goes down.
fn needs_up(installed: &Installed) -> bool {
    Watch::IPV4_ROUTES_NEED_UP && installed.route.family() == Family::V4
}

fn shut_down() -> Error {
    Error::new(
        Errno::ECANCELED,
        Reason::Shutdown,
        "monitor: tuntap_monitor_shutdown was called: close the monitor",
    )
}

impl State {
    /// The next queued event.
    fn next(&mut self) -> Result<Option<Event>> {
        if mem::take(&mut self.overrun) {
            return Ok(Some(Event::bare(Kind::Overrun)));
        }
        match self.events.pop_front() {
            None if self.ended => {
                let text = "monitor: the device is gone, or in another network namespace: close the monitor";
                Err(Error::new(Errno::ENODEV, Reason::Removed, text))
            }
            event => Ok(event),
        }
    }

    /// Processes the notifications that have arrived, without waiting.
    fn take(&mut self) -> Result<()> {
        let mut notices = Vec::new();
        let taken = self.watch.take(&mut notices);
        let noted = notices.into_iter().try_for_each(|notice| self.note(notice));
        let noted = noted.and_then(|()| self.note_default_routes()).map_err(Error::from);
        noted.and(taken).inspect_err(|error| {
            // Either error loses what was to be received.
            if matches!(error.errno(), Errno::ENOMEM | Errno::EMSGSIZE) {
                self.start_over();
            }
        })
    }

    fn start_over(&mut self) {
        self.forget();
        self.events = VecDeque::new();
        self.overrun = true;
        self.watch.restart();
    }

    fn forget(&mut self) {
        let one = self.only.and_then(|only| self.known.remove(&only));
        self.before = one.map(|known| known.link).or(self.before.take());
        self.known = HashMap::new();
        self.discarding = HashMap::new();
        self.multipath = HashSet::new();
        self.complete = false;
        self.defaults = [None, None];
    }

    fn note(&mut self, notice: Notice) -> Noted {
        if self.ended {
            return Ok(());
        }
        match notice {
            Notice::Link(link) => self.note_link(link),
            Notice::LinkGone(index) => self.note_gone(index, Kind::Removed),
            Notice::LinkMoved(index) => self.note_gone(index, Kind::Moved),
            Notice::Address(index, assigned) => self.note_address(index, assigned),
            Notice::AddressGone(index, assigned) => self.note_address_gone(index, assigned),
            Notice::Route(index, installed, identity) => self.note_route(index, installed, identity, false),
            Notice::RouteListed(index, installed, identity) => {
                self.note_route(index, installed, identity, true)
            }
            Notice::RouteGone(index, installed, identity) => {
                self.note_route_gone(index, &installed, &identity)
            }
            Notice::RouteReplaced(key) => self.relist_if(self.has_routes(|known| known == key)),
            Notice::Multipath(index, key) => self.note_multipath(index, key),
            Notice::NextHopGone(key) => self.relist_if(self.multipath.contains(&key)),
            Notice::RoutesUncertain => self.relist_if(self.has_routes(|_| true)),
            Notice::RoutesBegin => {
                self.list = self.list.wrapping_add(1);
                self.multipath.clear();
                Ok(())
            }
            Notice::RoutesEnd => self.note_unlisted_routes(),
            Notice::Overrun => {
                self.forget();
                self.push(Event::bare(Kind::Overrun))
            }
            Notice::Complete => self.note_complete(),
        }
    }

    fn note_link(&mut self, link: Link) -> Noted {
        let watched = self.only.map_or(link.tuntap.is_some(), |only| only == link.index);
        let Some(known) = self.known.get_mut(&link.index) else {
            if !watched && !self.reports.default_route {
                return Ok(());
            }
            self.known.try_reserve(1).map_err(|_| NoMemory)?;
            self.known.insert(link.index, Known::new(link.clone(), watched));
            return if watched { self.push(Event::of(Kind::Device, link)) } else { Ok(()) };
        };
        let before = mem::replace(&mut known.link, link.clone());
        // Only the notification of the carrier comes later than its change: the other changes came after it.
        let changes = [
            (before.carrier != link.carrier, if link.carrier { Kind::CarrierOn } else { Kind::CarrierOff }),
            (before.name != link.name, Kind::Name),
            (before.mtu != link.mtu, Kind::Mtu),
            (before.mac != link.mac, Kind::Mac),
            (before.up != link.up, if link.up { Kind::Up } else { Kind::Down }),
        ];
        let mut changed = changes.into_iter().filter(|(changed, _)| *changed && watched);
        changed.try_for_each(|(_, kind)| self.push(Event::of(kind, link.clone())))?;
        if before.up && !link.up { self.note_down(link.index) } else { Ok(()) }
    }

    /// The IPv6 routes are removed too. Linux can be configured to send no notification of that.
    fn note_down(&mut self, index: u32) -> Noted {
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        let events = Some(&mut self.events).filter(|_| self.reports.routes);
        known.lose_routes(events, |listed| needs_up(&listed.installed))?;
        if !known.routes.is_empty() {
            self.watch.list_routes();
        }
        Ok(())
    }

    /// Next hops through it are removed too. Linux can be configured to send no notification of that.
    fn note_gone(&mut self, index: u32, kind: Kind) -> Noted {
        self.relist_if(!self.multipath.is_empty())?;
        self.reserve(1)?;
        let Some(known) = self.known.remove(&index).filter(|known| known.watched) else { return Ok(()) };
        self.ended = self.only.is_some();
        self.push(Event::of(kind, known.link))
    }

    /// Another notification of an address comes when its flags or its lifetime changed.
    fn note_address(&mut self, index: u32, assigned: Assigned) -> Noted {
        let Some(known) = self.known.get_mut(&index).filter(|known| known.watched) else { return Ok(()) };
        known.addresses.try_reserve(1).map_err(|_| NoMemory)?;
        if !known.addresses.insert(assigned.address) {
            return Ok(());
        }
        let event = Event::of(Kind::AddrAdded, known.link.clone());
        self.push(Event { address: Some(assigned), ..event })
    }

    /// Routes with this source address are removed with it, of which older kernels send no notification.
    fn note_address_gone(&mut self, index: u32, assigned: Assigned) -> Noted {
        let source = Some(assigned.address.local());
        let has_source = |listed: &Listed| listed.installed.route.source() == source;
        if self.known.values().any(|known| known.routes.values().any(has_source)) {
            self.watch.list_routes();
        }
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        if known.watched && !known.addresses.remove(&assigned.address) {
            return Ok(());
        }
        if !known.routes.is_empty() {
            self.watch.list_routes();
        }
        if !known.watched {
            return Ok(());
        }
        let event = Event::of(Kind::AddrRemoved, known.link.clone());
        self.push(Event { address: Some(assigned), ..event })
    }

    /// A list can still have a route that was removed when its device went down.
    fn note_route(&mut self, index: u32, installed: Installed, identity: Vec<u8>, in_list: bool) -> Noted {
        self.order = self.order.wrapping_add(1);
        let (list, order) = (self.list, self.order);
        if index == NOWHERE {
            return self.note_discarding(installed, identity, in_list);
        }
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        let needed = known.needs_route(self.reports, is_default(&installed));
        if !needed || (!known.link.up && needs_up(&installed)) {
            return Ok(());
        }
        let listed = Listed { installed: installed.clone(), list, order };
        if !put(&mut known.routes, identity, listed, in_list)? || !known.watched || !self.reports.routes {
            return Ok(());
        }
        let event = Event::of(Kind::RouteAdded, known.link.clone());
        self.push(Event { route: Some(installed), ..event })
    }

    fn note_discarding(&mut self, installed: Installed, identity: Vec<u8>, in_list: bool) -> Noted {
        if !self.reports.default_route || !is_default(&installed) {
            return Ok(());
        }
        let listed = Listed { installed, list: self.list, order: self.order };
        put(&mut self.discarding, identity, listed, in_list).map(drop)
    }

    /// A router advertisement changes attributes of a route without a notification (ndisc_router_discovery). Then the
    /// route that is gone is known with others.
    fn note_route_gone(&mut self, index: u32, installed: &Installed, identity: &[u8]) -> Noted {
        self.reserve(1)?;
        if index == NOWHERE {
            self.discarding.remove(identity);
            return Ok(());
        }
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        if !known.needs_route(self.reports, is_default(installed)) {
            return Ok(());
        }
        let Some(gone) = known.routes.remove(identity) else {
            let key = RouteKey::of(installed);
            return self.relist_if(self.has_routes(|known| known == key));
        };
        if !known.watched || !self.reports.routes {
            return Ok(());
        }
        let event = Event::of(Kind::RouteRemoved, known.link.clone());
        self.push(Event { route: Some(gone.installed), ..event })
    }

    fn note_multipath(&mut self, index: u32, key: RouteKey) -> Noted {
        let Some(known) = self.known.get(&index) else { return Ok(()) };
        if known.needs_route(self.reports, key.is_default(Watch::MAIN_TABLE)) {
            self.multipath.try_reserve(1).map_err(|_| NoMemory)?;
            self.multipath.insert(key);
        }
        Ok(())
    }

    fn has_routes(&self, which: impl Fn(RouteKey) -> bool) -> bool {
        let routes = self.known.values().flat_map(|known| known.routes.values());
        let routes = routes.chain(self.discarding.values());
        let keys = routes.map(|listed| RouteKey::of(&listed.installed));
        keys.chain(self.multipath.iter().copied()).any(which)
    }

    fn relist_if(&mut self, uncertain: bool) -> Noted {
        if uncertain {
            self.watch.list_routes();
        }
        Ok(())
    }

    /// Removes the routes that the list that has just ended did not have.
    fn note_unlisted_routes(&mut self) -> Noted {
        let list = self.list;
        self.discarding.retain(|_, listed| listed.list == list);
        let mut events = Some(&mut self.events).filter(|_| self.reports.routes);
        self.known
            .values_mut()
            .try_for_each(|known| known.lose_routes(events.as_deref_mut(), |listed| listed.list != list))
    }

    /// Reports the default routes of the system that are not those that were reported last.
    fn note_default_routes(&mut self) -> Noted {
        if !self.reports.default_route || !self.complete {
            return Ok(());
        }
        for family in [Family::V4, Family::V6] {
            self.reserve(1)?;
            let found = default_route(&self.known, &self.discarding, family);
            let now = found.map(|(known, installed)| DefaultRoute::of(known, installed));
            let [ipv4, ipv6] = &mut self.defaults;
            let last = if family == Family::V4 { ipv4 } else { ipv6 };
            if mem::replace(last, now) != now {
                let link = found.map(|(known, _)| known.link.clone());
                let route = found.map(|(_, installed)| installed.clone());
                let event = Event { link, route, family: Some(family), ..Event::bare(Kind::DefaultRoute) };
                self.events.push_back(event);
            }
        }
        Ok(())
    }

    /// The only device is gone if it is not in the current state: it was removed while notifications were lost.
    fn note_complete(&mut self) -> Noted {
        self.complete = true;
        self.note_default_routes()?;
        self.reserve(2)?;
        self.push(Event::bare(Kind::Complete))?;
        if self.only.is_none() || self.known.values().any(|known| known.watched) {
            return Ok(());
        }
        self.ended = true;
        let link = self.before.take();
        self.push(Event { link, ..Event::bare(Kind::Removed) })
    }

    /// Reserves memory for events before the state that they report changes.
    fn reserve(&mut self, events: usize) -> Noted {
        self.events.try_reserve(events).map_err(|_| NoMemory)
    }

    fn push(&mut self, event: Event) -> Noted {
        self.reserve(1)?;
        self.events.push_back(event);
        Ok(())
    }
}
