// SPDX-License-Identifier: MIT
//! Notifications of the kernel about interfaces, addresses and routes.
//!
//! PF_ROUTE has changes in order: up, down, MTU, addresses. It does not report a new interface, a changed MAC address
//! or carrier, and reports the end of an interface only before it is gone (rtsock.c, rt_ifmsg, has few callers). It
//! also does not report lost messages. Kernel events report these changes, after all others. So after a message of
//! either kind, the interfaces are listed, and the differences are reported.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use super::layout::*;
use super::link::{self, Present};
use super::message::{Message, put};
use super::routing::{LONGEST, receive};
use super::{address, descriptor, kernel, route};
use crate::model::assigned::Assigned;
use crate::model::error::{Errno, Error, Result};
use crate::model::event::Notice;
use crate::model::flags::Reports;
use crate::model::prefix::Family;
use crate::model::readiness::Readiness;
use crate::model::route::Installed;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::{Outcome, Waker, Watching};

/// Size of the socket buffer for a slow reader.
const QUEUE: i32 = 256 * 1024;
/// Limit of the messages that are read at once.
const MAX_MESSAGES: usize = 1 << 12;

/// Notifications about the interfaces, and their state when they were last listed.
pub(crate) struct Watch {
    /// Readable if one of the two sockets is. The caller polls it.
    readiness: OwnedFd,
    routing: OwnedFd,
    events: OwnedFd,
    known: BTreeMap<u32, Present>,
    /// The interface whose routes are reported, if not those of all.
    own: Option<u32>,
    reports: Reports,
    known_routes: BTreeMap<u32, Vec<Installed>>,
    started: bool,
}

impl Watching for Watch {
    const MAIN_TABLE: u32 = 0;
    const IPV4_ROUTES_NEED_UP: bool = false;

    fn open(own: Option<u32>, reports: Reports) -> Result<Self> {
        let open = || {
            let routing = listen(PF_ROUTE, 0)?;
            let events = listen(PF_SYSTEM, SYSPROTO_EVENT)?;
            kernel::ioctl(events.as_fd(), SIOCSKEVFILT, &mut network_filter())?;
            let readiness = kernel::gather(&[routing.as_fd(), events.as_fd()])?;
            let (known, known_routes) = (BTreeMap::new(), BTreeMap::new());
            Ok(Self { readiness, routing, events, known, own, reports, known_routes, started: false })
        };
        open().map_err(|errno| Error::system(errno, "monitor the network interfaces"))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.readiness.as_fd()
    }

    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()> {
        let taken = self.receive_all(notices).and_then(|()| self.compare(notices));
        taken.map_err(|errno| Error::system(errno, "receive notifications of the network interfaces"))?;
        if !std::mem::replace(&mut self.started, true) {
            notices.push(Notice::Complete);
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.known.clear();
        self.known_routes.clear();
        self.started = false;
    }

    /// Does nothing: routes are listed after each notification.
    fn list_routes(&mut self) {}

    fn wait(&self, waker: &Waker, deadline: Option<Instant>) -> Outcome<()> {
        let sources = [&self.routing, &self.events].map(|socket| (socket.as_fd(), Readiness::READ));
        waker.wait(waker.wakes(), &sources, deadline).map(drop)
    }
}

fn listen(domain: c_int, protocol: c_int) -> Outcome<OwnedFd> {
    let socket = kernel::socket(domain, SOCK_RAW, protocol)?;
    descriptor::nonblocking(&socket)?;
    kernel::set_option(socket.as_fd(), SOL_SOCKET, SO_RCVBUF, &QUEUE.to_ne_bytes())?;
    Ok(socket)
}

/// A filter for all network events. The default filter of a socket passes nothing (kern_event.c, kev_attach).
fn network_filter() -> [u8; KEV_REQUEST_SIZE] {
    let mut filter = [0; KEV_REQUEST_SIZE];
    put(&mut filter, KEV_REQUEST_VENDOR, &KEV_VENDOR_APPLE.to_ne_bytes());
    put(&mut filter, KEV_REQUEST_CLASS, &KEV_NETWORK_CLASS.to_ne_bytes());
    put(&mut filter, KEV_REQUEST_SUBCLASS, &KEV_ANY_SUBCLASS.to_ne_bytes());
    filter
}

impl Watch {
    /// Reads all messages. Fails with EAGAIN if there are none, except the first time.
    fn receive_all(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut memory = [0; LONGEST];
        let mut received = !self.started;
        for _ in 0..MAX_MESSAGES {
            let Some(message) = receive(&self.routing, &mut memory)? else { break };
            self.note(message, notices);
            received = true;
        }
        // The list of interfaces shows what the event is about.
        for _ in 0..MAX_MESSAGES {
            if receive(&self.events, &mut memory)?.is_none() {
                break;
            }
            received = true;
        }
        // If this fails, the next call refreshes again.
        let _ = kernel::refresh(self.readiness.as_fd());
        if received { Ok(()) } else { Err(Errno::EAGAIN) }
    }

    fn note(&mut self, mut bytes: &[u8], notices: &mut Vec<Notice>) {
        while let Some(message) = Message::take(&mut bytes) {
            match message.kind {
                RTM_IFINFO => self.note_link(&message, notices),
                RTM_NEWADDR => self.note_address(&message, true, notices),
                RTM_DELADDR => self.note_address(&message, false, notices),
                _ => {}
            }
        }
    }

    /// Does not report new interfaces: only the list of interfaces has their names.
    fn note_link(&mut self, message: &Message<'_>, notices: &mut Vec<Notice>) {
        let at = |offset| u32_at(message.bytes, offset);
        let reported = at(IF_MSGHDR_FLAGS).zip(at(IF_MSGHDR_MTU));
        let known = index_of(message, IF_MSGHDR_INDEX).and_then(|index| self.known.get_mut(&index));
        if let (Some(known), Some((flags, mtu))) = (known, reported) {
            known.link.up = flags & IFF_UP != 0;
            known.link.carrier = flags & IFF_RUNNING != 0;
            known.link.mtu = mtu;
            notices.push(Notice::Link(known.link.clone()));
        }
    }

    fn note_address(&mut self, message: &Message<'_>, present: bool, notices: &mut Vec<Notice>) {
        let Some(index) = index_of(message, IFA_MSGHDR_INDEX) else { return };
        let Some(known) = self.known.get_mut(&index) else { return };
        if let Some(assigned) = address::parse(message, known.point_to_point) {
            notices.extend(known.set_address(index, assigned, present));
        }
    }

    /// Lists the interfaces, and reports differences from the known state.
    fn compare(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        let present: BTreeMap<_, _> =
            link::survey(0)?.into_iter().map(|present| (present.link.index, present)).collect();
        let gone: Vec<u32> =
            self.known.keys().copied().filter(|index| !present.contains_key(index)).collect();
        for index in gone {
            self.known.remove(&index);
            self.known_routes.remove(&index);
            notices.push(Notice::LinkGone(index));
        }
        for (index, now) in present {
            match self.known.get_mut(&index) {
                Some(known) => known.update(now, notices),
                None => self.add(index, now, notices),
            }
        }
        let own = self.own.filter(|_| !self.reports.default_route);
        let needed = |index: &u32| self.reports.need_routes() && own.is_none_or(|own| own == *index);
        let devices: Vec<u32> = self.known.keys().copied().filter(needed).collect();
        devices.into_iter().try_for_each(|index| self.compare_routes(index, notices))
    }

    /// Lists the routes, and reports new and removed ones. The interface may be removed during this.
    fn compare_routes(&mut self, index: u32, notices: &mut Vec<Notice>) -> Outcome<()> {
        let list = |family| match route::list(index, family) {
            Err(Errno::ENXIO) => Ok(Vec::new()),
            listed => listed,
        };
        let present = [list(Family::V4)?, list(Family::V6)?].concat();
        let identity = |installed: &Installed| installed.route.to_string().into_bytes();
        let known = self.known_routes.entry(index).or_default();
        let gone = known.iter().filter(|route| !present.contains(route));
        notices.extend(gone.map(|gone| Notice::RouteGone(index, gone.clone(), identity(gone))));
        let new = present.iter().filter(|route| !known.contains(route));
        notices.extend(new.map(|new| Notice::Route(index, new.clone(), identity(new))));
        *known = present;
        Ok(())
    }

    fn add(&mut self, index: u32, mut now: Present, notices: &mut Vec<Notice>) {
        notices.push(Notice::Link(now.link.clone()));
        let addresses = std::mem::take(&mut now.addresses);
        for assigned in addresses {
            notices.extend(now.set_address(index, assigned, true));
        }
        self.known.insert(index, now);
    }
}

impl Present {
    /// Records that an address was added or removed. Returns a notice if this was not known.
    fn set_address(&mut self, index: u32, assigned: Assigned, present: bool) -> Option<Notice> {
        let known = self.addresses.iter().position(|known| known.address == assigned.address);
        match (known, present) {
            (None, true) => {
                let assigned = address::with_flags(&self.link.name, assigned);
                self.addresses.push(assigned.clone());
                Some(Notice::Address(index, assigned))
            }
            (Some(position), false) => Some(Notice::AddressGone(index, self.addresses.remove(position))),
            _ => None,
        }
    }

    /// Takes over the state in the list of interfaces, which has no flags of addresses.
    fn update(&mut self, now: Present, notices: &mut Vec<Notice>) {
        let index = now.link.index;
        let same = |link: &crate::model::link::Link| (link.name, link.up, link.carrier, link.mtu, link.mac);
        if same(&self.link) != same(&now.link) {
            notices.push(Notice::Link(now.link.clone()));
        }
        self.link = now.link;
        let is_in = |assigned: &Assigned, list: &[Assigned]| {
            list.iter().any(|other| other.address == assigned.address)
        };
        let gone: Vec<_> =
            self.addresses.iter().filter(|known| !is_in(known, &now.addresses)).cloned().collect();
        let changes = gone
            .into_iter()
            .map(|gone| (gone, false))
            .chain(now.addresses.into_iter().map(|new| (new, true)));
        for (assigned, present) in changes {
            notices.extend(self.set_address(index, assigned, present));
        }
    }
}

fn index_of(message: &Message<'_>, at: usize) -> Option<u32> {
    u16_at(message.bytes, at).map(u32::from)
}
