// SPDX-License-Identifier: MIT
//! What rtnetlink announces of interfaces and addresses, without loss.
//!
//! What is present is asked for through the socket that the announcements come through: so both are in one queue,
//! in the order in which they were true. When that queue overflowed, it is emptied and everything asked for anew.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

use super::message::Message;
use super::netlink::{self, Socket};
use super::socket::Datagram;
use super::{address, link, wait};
use crate::model::error::{Errno, Error, Result};
use crate::model::event::Notice;
use crate::model::memory;
use crate::sys::zeroed;
use crate::sys::{Outcome, Watching};

/// Bytes that the kernel may keep for a slow reader. It gives less where it is set to.
const QUEUE: libc::c_int = 1 << 20;
/// Messages that are thrown away after an overflow, at most, before what is present is asked for.
const DRAIN: usize = 1 << 16;

/// How often what is present is asked for anew while it changes, before the reader gets what there is.
const TRIES: u32 = 16;

/// Announcements of one network namespace.
pub(crate) struct Watch {
    netlink: Socket,
    asking: Asking,
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
}

impl Watching for Watch {
    fn open() -> Result<Self> {
        let failed = |errno| Error::system(errno, "watch the network interfaces");
        let netlink = Socket::open()?;
        for group in [libc::RTNLGRP_LINK, libc::RTNLGRP_IPV4_IFADDR, libc::RTNLGRP_IPV6_IFADDR] {
            netlink.kernel().join(group).map_err(failed)?;
        }
        netlink.kernel().set_option(libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE).map_err(failed)?;
        let buffer = zeroed(netlink::ANSWER)?;
        let mut watch = Self { netlink, asking: Asking::Soon, interrupted: false, buffer };
        watch.ask().map_err(failed)?;
        Ok(watch)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.fd()
    }

    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()> {
        let failed = |errno| Error::system(errno, "receive what happens to the network interfaces");
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.take_with(&mut buffer, notices);
        self.buffer = buffer;
        taken.map_err(failed)
    }

    fn restart(&mut self) {
        self.asking = Asking::Soon;
    }

    fn wait(&self, deadline: Option<Instant>) -> Outcome<()> {
        let mut entry = [libc::pollfd { fd: self.fd().as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        wait::poll(&mut entry, deadline)?;
        let [entry] = entry;
        let late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if entry.revents == 0 && late() { Err(Errno::ETIMEDOUT) } else { Ok(()) }
    }
}

impl Watch {
    /// Asks for what is present, when it is time to.
    fn ask(&mut self) -> Outcome<()> {
        if self.asking == Asking::Soon {
            self.asking = Asking::Links(self.netlink.send(&link::list_request())?);
        }
        Ok(())
    }

    /// Takes a message at least, and all that was asked for of what is present: the kernel has that ready.
    fn take_with(&mut self, buffer: &mut [u8], notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut tries = TRIES;
        while notices.is_empty() || (self.asking != Asking::Nothing && tries > 0) {
            if self.asking == Asking::Soon {
                tries = tries.saturating_sub(1);
            }
            self.ask()?;
            let received = self.netlink.kernel().receive(buffer);
            match received.and_then(|datagram| datagram.map_or(Ok(()), |it| self.read(&it, notices))) {
                Ok(()) => {}
                Err(Errno::ENOBUFS) => {
                    self.drain(buffer);
                    memory::push(notices, Notice::Overrun)?;
                }
                Err(Errno::EAGAIN) if self.asking != Asking::Nothing && tries > 0 => {
                    self.asking = Asking::Soon;
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
        self.asking = Asking::Soon;
    }

    fn read(&mut self, datagram: &Datagram<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut bytes = datagram.bytes;
        while let Some(message) = Message::take(&mut bytes) {
            if message.is_overrun() {
                return Err(Errno::ENOBUFS);
            }
            if datagram.announced {
                push(notices, &message)?;
            } else {
                self.read_answer(&message, notices)?;
            }
        }
        Ok(())
    }

    /// Of an answer to an earlier question, which was given up, nothing counts.
    fn read_answer(&mut self, message: &Message<'_>, notices: &mut Vec<Notice>) -> Outcome<()> {
        let links = match self.asking {
            Asking::Links(number) if number == message.sequence => true,
            Asking::Addresses(number) if number == message.sequence => false,
            _ => return Ok(()),
        };
        self.interrupted |= message.is_interrupted();
        if !message.is_end() {
            push(notices, message)?;
        } else if let Err(refusal) = message.outcome() {
            self.asking = Asking::Soon;
            return Err(refusal.errno);
        } else if std::mem::take(&mut self.interrupted) {
            // What was listed stays true, as every change is announced.
            self.asking = Asking::Soon;
        } else if links {
            self.asking = Asking::Addresses(self.netlink.send(&address::list_request(0, 0))?);
        } else {
            self.asking = Asking::Nothing;
            memory::push(notices, Notice::Complete)?;
        }
        Ok(())
    }
}

fn push(notices: &mut Vec<Notice>, message: &Message<'_>) -> Outcome<()> {
    notice(message).map_or(Ok(()), |notice| memory::push(notices, notice).map_err(Errno::from))
}

/// What a message tells. A bridge tells of its ports in messages of its own family, RTM_DELLINK when one leaves it:
/// the interface lives on.
pub(super) fn notice(message: &Message<'_>) -> Option<Notice> {
    let about_link = message.is_of_family(libc::AF_UNSPEC);
    match message.kind {
        libc::RTM_NEWLINK if about_link => link::parse(message.body).map(Notice::Link),
        libc::RTM_DELLINK if about_link => link::parse(message.body).map(|link| Notice::LinkGone(link.index)),
        libc::RTM_NEWADDR => address::parse(message.body).map(|(index, it)| Notice::Address(index, it)),
        libc::RTM_DELADDR => address::parse(message.body).map(|(index, it)| Notice::AddressGone(index, it)),
        _ => None,
    }
}
