// SPDX-License-Identifier: MIT
//! Notifications of rtnetlink about interfaces, addresses and routes.
//!
//! The current state is requested through the socket that receives the notifications. So both are in one queue, in
//! order. After an overflow of the queue the cached state is discarded: the queue is emptied, and the state is listed
//! again.

use std::mem;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::message::Message;
use super::netlink::Socket;
use super::socket::{self, Datagram};
use super::{address, link, notice, route, rtmsg};
use crate::model::error::{Errno, Error, Result};
use crate::model::event::{Notice, RouteKey};
use crate::model::flags::Reports;
use crate::model::memory;
use crate::model::prefix::Family;
use crate::model::readiness::Readiness;
use crate::sys::zeroed;
use crate::sys::{Outcome, Waker, Watching};

/// The requested receive buffer for a slow reader. The kernel may limit it (net.core.rmem_max).
const QUEUE: libc::c_int = 1 << 20;
/// Limit of the lists in one call, which are repeated if the state changes during a dump.
const TRIES: u32 = 16;

/// The notifications of one network namespace.
pub(crate) struct Watch {
    netlink: Socket,
    /// The interface whose routes are reported, if not those of all.
    own: Option<u32>,
    reports: Reports,
    listing: Listing,
    /// The whole state is listed, not only the routes.
    full: bool,
    /// The routes are to be listed again after the present list.
    relist_routes: bool,
    /// The state changed during the dump, so that items may be missing.
    interrupted: bool,
    buffer: Box<[u8]>,
}

/// The list that was requested, with the sequence number of the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    Nothing,
    /// The whole state is to be listed: the request was not sent yet.
    Pending,
    Links(u32),
    Addresses(u32),
    /// Only the routes are to be listed: the request was not sent yet.
    RoutesPending,
    Routes(Family, u32),
}

impl Watching for Watch {
    const MAIN_TABLE: u32 = rtmsg::MAIN_TABLE;
    const IPV4_ROUTES_NEED_UP: bool = true;

    fn open(own: Option<u32>, reports: Reports) -> Result<Self> {
        let failed = |errno| Error::system(errno, "monitor the network interfaces");
        let netlink = Socket::open()?;
        join(&netlink, reports).map_err(failed)?;
        netlink.kernel().set_receive_buffer(QUEUE).map_err(failed)?;
        let buffer = zeroed(socket::ROOM)?;
        let listing = Listing::Pending;
        let (full, relist_routes, interrupted) = (true, false, false);
        let mut watch = Self { netlink, own, reports, listing, full, relist_routes, interrupted, buffer };
        watch.send_pending(&mut Vec::new()).map_err(failed)?;
        Ok(watch)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.fd()
    }

    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()> {
        let failed = |errno| Error::system(errno, "receive notifications of the network interfaces");
        let mut buffer = mem::take(&mut self.buffer);
        let taken = self.take_with(&mut buffer, notices);
        self.buffer = buffer;
        taken.map_err(failed)
    }

    /// The rest of an unfinished dump would make the next one fail with EBUSY.
    fn restart(&mut self) {
        let mut buffer = mem::take(&mut self.buffer);
        self.drain(&mut buffer);
        self.buffer = buffer;
    }

    fn list_routes(&mut self) {
        match self.listing {
            Listing::Nothing => self.restart_list(false),
            _ => self.relist_routes = true,
        }
    }

    fn wait(&self, waker: &Waker, deadline: Option<Instant>) -> Outcome<()> {
        waker.wait(waker.wakes(), &[(self.fd(), Readiness::READ)], deadline).map(drop)
    }
}

/// Joins the multicast groups. A kernel without nexthop objects does not have their group.
fn join(netlink: &Socket, reports: Reports) -> Outcome<()> {
    let join = |group: &libc::c_uint| netlink.kernel().join(*group);
    notice::GROUPS.iter().try_for_each(join)?;
    if !reports.need_routes() {
        return Ok(());
    }
    notice::ROUTE_GROUPS.iter().try_for_each(join)?;
    join(&notice::NEXTHOP_GROUP).or_else(|errno| if errno == Errno::EINVAL { Ok(()) } else { Err(errno) })
}

impl Watch {
    /// Whether a route through this interface, or through any, is to be reported, or may be the default route.
    fn needs(&self, index: Option<u32>, key: &RouteKey) -> bool {
        (self.reports.routes && (self.own.is_none() || index.is_none() || self.own == index))
            || (self.reports.default_route && key.is_default(rtmsg::MAIN_TABLE))
    }

    /// Starts to list the whole state, or only the routes.
    fn restart_list(&mut self, full: bool) {
        self.full = full;
        self.interrupted = false;
        self.relist_routes &= !full;
        self.listing = if full { Listing::Pending } else { Listing::RoutesPending };
    }

    fn is_pending(&self) -> bool {
        matches!(self.listing, Listing::Pending | Listing::RoutesPending)
    }

    /// Sends the pending request, if there is one.
    fn send_pending(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        match self.listing {
            Listing::Pending => self.listing = Listing::Links(self.netlink.send(&link::list_request())?),
            Listing::RoutesPending => self.request_routes(Family::V4, notices)?,
            _ => {}
        }
        Ok(())
    }

    fn request_routes(&mut self, family: Family, notices: &mut Vec<Notice>) -> Outcome<()> {
        if family == Family::V4 {
            memory::push(notices, Notice::RoutesBegin)?;
        }
        let request = match self.own.filter(|_| !self.reports.default_route) {
            Some(index) => route::list_request(family, index),
            None => route::list_all_request(family),
        };
        self.listing = Listing::Routes(family, self.netlink.send(&request)?);
        Ok(())
    }

    /// Receives at least one notice, and the whole list that was requested: the kernel has it ready.
    fn take_with(&mut self, buffer: &mut Box<[u8]>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut tries = TRIES;
        while notices.is_empty() || (self.listing != Listing::Nothing && tries > 0) {
            if self.is_pending() {
                tries = tries.saturating_sub(1);
            }
            self.send_pending(notices)?;
            let (read, length) = match self.netlink.kernel().receive(buffer) {
                Ok(Some(datagram)) => (self.read(&datagram, notices), datagram.length),
                other => (other.map(drop), 0),
            };
            if length > buffer.len() {
                socket::lengthen(buffer, length)?;
            }
            match read {
                Ok(()) => {}
                Err(Errno::ENOBUFS) => {
                    self.drain(buffer);
                    memory::push(notices, Notice::Overrun)?;
                }
                Err(Errno::EAGAIN) if self.listing != Listing::Nothing && tries > 0 => {
                    self.restart_list(self.full);
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Empties the queue after messages were lost, and starts to list the whole state.
    fn drain(&mut self, buffer: &mut [u8]) {
        self.netlink.kernel().drain(buffer);
        self.restart_list(true);
    }

    fn read(&mut self, datagram: &Datagram<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        if datagram.is_cut() {
            return self.miss(datagram.notification);
        }
        let mut bytes = datagram.bytes;
        while let Some(message) = Message::take(&mut bytes) {
            if message.is_overrun() {
                return Err(Errno::ENOBUFS);
            }
            if datagram.notification {
                self.note_change(&message);
                notice::push(notices, &message, |index, key| self.needs(index, key))?;
            } else {
                self.read_answer(&message, notices)?;
            }
        }
        Ok(())
    }

    /// The rest of a datagram was lost, because the buffer was shorter. The state is listed again: after the present
    /// list if it was a part of that, otherwise at once.
    fn miss(&mut self, notification: bool) -> Outcome<()> {
        self.interrupted = true;
        if notification { Err(Errno::ENOBUFS) } else { Ok(()) }
    }

    /// The kernel does not set NLM_F_DUMP_INTR for a list of IPv6 routes. A change during the dump can hide other
    /// routes.
    fn note_change(&mut self, message: &Message<'_>) {
        let of_route = matches!(message.kind, libc::RTM_NEWROUTE | libc::RTM_DELROUTE);
        let lists_routes = matches!(self.listing, Listing::Routes(Family::V6, _));
        self.interrupted |= of_route && lists_routes && message.is_of_family(libc::AF_INET6);
    }

    /// Processes a message of an answer. Ignores answers to earlier requests.
    fn read_answer(&mut self, message: &Message<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let (Listing::Links(number) | Listing::Addresses(number) | Listing::Routes(_, number)) = self.listing
        else {
            return Ok(());
        };
        if number != message.sequence {
            return Ok(());
        }
        self.interrupted |= message.is_interrupted();
        if !message.is_end() {
            notice::push(notices, message, |index, key| self.needs(index, key))?;
        } else if let Err(refusal) = message.outcome() {
            self.restart_list(self.full);
            return Err(refusal.errno);
        } else if mem::take(&mut self.interrupted) {
            // The notices of the list remain valid, because every change is notified too.
            self.restart_list(self.full);
        } else {
            self.list_next(notices)?;
        }
        Ok(())
    }

    /// Requests the next list.
    fn list_next(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        match self.listing {
            Listing::Links(_) => {
                self.listing = Listing::Addresses(self.netlink.send(&address::list_request(0, 0))?);
                Ok(())
            }
            Listing::Addresses(_) if self.reports.need_routes() => self.request_routes(Family::V4, notices),
            Listing::Routes(Family::V4, _) => self.request_routes(Family::V6, notices),
            _ => self.end(notices),
        }
    }

    fn end(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        self.listing = Listing::Nothing;
        if self.reports.need_routes() {
            memory::push(notices, Notice::RoutesEnd)?;
        }
        if mem::take(&mut self.full) {
            memory::push(notices, Notice::Complete)?;
        }
        if mem::take(&mut self.relist_routes) {
            self.restart_list(false);
        }
        Ok(())
    }
}
