// SPDX-License-Identifier: MIT
//! What rtnetlink announces of interfaces, addresses and routes, without loss.
//!
//! What is present is asked for through the socket that the announcements come through: so both are in one queue,
//! in the order in which they were true. When the queue has overflowed, it is emptied, and everything is listed again.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::message::Message;
use super::netlink::{self, Socket};
use super::socket::Datagram;
use super::{address, link, notice, route};
use crate::model::error::{Errno, Error, Result};
use crate::model::event::Notice;
use crate::model::memory;
use crate::model::prefix::Family;
use crate::model::readiness::Readiness;
use crate::sys::zeroed;
use crate::sys::{Outcome, Routes, Waker, Watching};

/// Bytes that the kernel may keep for a slow reader. It gives less where it is set to.
const QUEUE: libc::c_int = 1 << 20;
/// Messages that are thrown away after an overflow, at most, before what is present is asked for.
const DRAIN: usize = 1 << 16;

/// How often the present state is listed again because it changes meanwhile, before the reader gets it as it is.
const TRIES: u32 = 16;

/// Announcements of one network namespace.
pub(crate) struct Watch {
    netlink: Socket,
    routes: Routes,
    asking: Asking,
    /// What is asked for is all that is present, and not the routes alone.
    whole: bool,
    /// The routes are asked for when that is done.
    again: bool,
    /// The list changed while it was made, so that something may be missing from it.
    interrupted: bool,
    buffer: Box<[u8]>,
}

/// Which list is asked for, by the number of its request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Nothing,
    /// As soon as it can be sent.
    Soon,
    Links(u32),
    Addresses(u32),
    /// The routes alone, as soon as it can be sent.
    RoutesSoon,
    Routes(Family, u32),
}

impl Watching for Watch {
    const IPV4_ROUTES_NEED_UP: bool = true;

    fn open(routes: Routes) -> Result<Self> {
        let failed = |errno| Error::system(errno, "monitor the network interfaces");
        let netlink = Socket::open()?;
        join(&netlink, routes).map_err(failed)?;
        netlink.kernel().set_option(libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE).map_err(failed)?;
        let buffer = zeroed(netlink::ANSWER)?;
        let asking = Asking::Soon;
        let mut watch =
            Self { netlink, routes, asking, whole: true, again: false, interrupted: false, buffer };
        watch.ask(&mut Vec::new()).map_err(failed)?;
        Ok(watch)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.fd()
    }

    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()> {
        let failed = |errno| Error::system(errno, "receive notifications of the network interfaces");
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.take_with(&mut buffer, notices);
        self.buffer = buffer;
        taken.map_err(failed)
    }

    fn restart(&mut self) {
        self.begin_again(true);
    }

    fn list_routes(&mut self) {
        match self.asking {
            Asking::Nothing => self.begin_again(false),
            _ => self.again = true,
        }
    }

    fn wait(&self, waker: &Waker, deadline: Option<Instant>) -> Outcome<()> {
        waker.wait(&[(self.fd(), Readiness::READ)], deadline).map(drop)
    }
}

/// Has the socket receive what is announced. A kernel without nexthop objects does not know their group.
fn join(netlink: &Socket, routes: Routes) -> Outcome<()> {
    let join = |group: &libc::c_uint| netlink.kernel().join(*group);
    notice::GROUPS.iter().try_for_each(join)?;
    if routes == Routes::None {
        return Ok(());
    }
    notice::ROUTE_GROUPS.iter().try_for_each(join)?;
    join(&notice::NEXTHOP_GROUP).or_else(|errno| if errno == Errno::EINVAL { Ok(()) } else { Err(errno) })
}

impl Watch {
    /// All that is present is asked for, or the routes alone.
    fn begin_again(&mut self, whole: bool) {
        self.whole = whole;
        self.asking = if whole { Asking::Soon } else { Asking::RoutesSoon };
    }

    fn is_to_ask(&self) -> bool {
        matches!(self.asking, Asking::Soon | Asking::RoutesSoon)
    }

    /// Asks for what is present, when it is time to.
    fn ask(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        match self.asking {
            Asking::Soon => self.asking = Asking::Links(self.netlink.send(&link::list_request())?),
            Asking::RoutesSoon => self.ask_for_routes(Family::V4, notices)?,
            _ => {}
        }
        Ok(())
    }

    fn ask_for_routes(&mut self, family: Family, notices: &mut Vec<Notice>) -> Outcome<()> {
        if family == Family::V4 {
            memory::push(notices, Notice::RoutesBegin)?;
        }
        let request = match self.routes {
            Routes::Of(index) => route::list_request(family, index),
            Routes::None | Routes::All => route::list_all_request(family),
        };
        self.asking = Asking::Routes(family, self.netlink.send(&request)?);
        Ok(())
    }

    /// Takes a message at least, and all that was asked for of what is present: the kernel has that ready.
    fn take_with(&mut self, buffer: &mut [u8], notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut tries = TRIES;
        while notices.is_empty() || (self.asking != Asking::Nothing && tries > 0) {
            if self.is_to_ask() {
                tries = tries.saturating_sub(1);
            }
            self.ask(notices)?;
            let received = self.netlink.kernel().receive(buffer);
            match received.and_then(|datagram| datagram.map_or(Ok(()), |it| self.read(&it, notices))) {
                Ok(()) => {}
                Err(Errno::ENOBUFS) => {
                    self.drain(buffer);
                    memory::push(notices, Notice::Overrun)?;
                }
                Err(Errno::EAGAIN) if self.asking != Asking::Nothing && tries > 0 => {
                    self.begin_again(self.whole);
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// After an overflow: what is left of the queue has a gap in it. A list that was being made ends with it.
    fn drain(&mut self, buffer: &mut [u8]) {
        for _ in 0..DRAIN {
            if self.netlink.kernel().receive(buffer).is_err_and(|errno| errno == Errno::EAGAIN) {
                break;
            }
        }
        self.begin_again(true);
    }

    fn read(&mut self, datagram: &Datagram<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut bytes = datagram.bytes;
        while let Some(message) = Message::take(&mut bytes) {
            if message.is_overrun() {
                return Err(Errno::ENOBUFS);
            }
            if datagram.announced {
                self.note_change(&message);
                notice::push(notices, &message)?;
            } else {
                self.read_answer(&message, notices)?;
            }
        }
        Ok(())
    }

    /// The kernel does not say of a list of IPv6 routes that one came or went meanwhile, which can leave out another.
    fn note_change(&mut self, message: &Message<'_>) {
        let of_route = matches!(message.kind, libc::RTM_NEWROUTE | libc::RTM_DELROUTE);
        let listing = matches!(self.asking, Asking::Routes(Family::V6, _));
        self.interrupted |= of_route && listing && message.is_of_family(libc::AF_INET6);
    }

    /// Of an answer to an earlier question, which was given up, nothing counts.
    fn read_answer(&mut self, message: &Message<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let (Asking::Links(number) | Asking::Addresses(number) | Asking::Routes(_, number)) = self.asking
        else {
            return Ok(());
        };
        if number != message.sequence {
            return Ok(());
        }
        self.interrupted |= message.is_interrupted();
        if !message.is_end() {
            notice::push(notices, message)?;
        } else if let Err(refusal) = message.outcome() {
            self.begin_again(self.whole);
            return Err(refusal.errno);
        } else if std::mem::take(&mut self.interrupted) {
            // What was listed stays true, as every change is announced.
            self.begin_again(self.whole);
        } else {
            self.go_on(notices)?;
        }
        Ok(())
    }

    /// After one list the next one is asked for.
    fn go_on(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        match self.asking {
            Asking::Links(_) => {
                self.asking = Asking::Addresses(self.netlink.send(&address::list_request(0, 0))?);
                Ok(())
            }
            Asking::Addresses(_) if self.routes != Routes::None => self.ask_for_routes(Family::V4, notices),
            Asking::Routes(Family::V4, _) => self.ask_for_routes(Family::V6, notices),
            _ => self.end(notices),
        }
    }

    fn end(&mut self, notices: &mut Vec<Notice>) -> Outcome<()> {
        self.asking = Asking::Nothing;
        if self.routes != Routes::None {
            memory::push(notices, Notice::RoutesEnd)?;
        }
        if std::mem::take(&mut self.whole) {
            memory::push(notices, Notice::Complete)?;
        }
        if std::mem::take(&mut self.again) {
            self.begin_again(false);
        }
        Ok(())
    }
}
