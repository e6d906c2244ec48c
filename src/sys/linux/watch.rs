// SPDX-License-Identifier: MIT
//! What rtnetlink announces of interfaces and addresses, without loss.
//!
//! What is present is asked for through the socket that the announcements come through: so both are in one queue,
//! in the order in which they were true. When that queue overflowed, it is emptied and everything asked for anew.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

use super::netlink::{self, Message, Socket};
use super::{address, link, wait};
use crate::error::{Errno, Error, Result};
use crate::monitor::Notice;
use crate::sys::{Outcome, Watching};

/// Bytes that the kernel may keep for a slow reader. It gives less where it is set to.
const QUEUE: libc::c_int = 1 << 20;
/// Messages that are thrown away after an overflow, at most, before what is present is asked for.
const DRAIN: usize = 1 << 16;

/// How often what is present is asked for anew while it is disturbed, before the reader gets what there is.
const TRIES: u32 = 16;

/// Announcements of one network namespace.
pub(crate) struct Watch {
    netlink: Socket,
    port: u32,
    asking: Asking,
    /// The list changed while it was told, so that something may be missing from it.
    disturbed: bool,
    buffer: Vec<u8>,
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
        let fd = netlink.fd();
        for group in [libc::RTNLGRP_LINK, libc::RTNLGRP_IPV4_IFADDR, libc::RTNLGRP_IPV6_IFADDR] {
            netlink::set_option(fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group as libc::c_int)
                .map_err(failed)?;
        }
        netlink::set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE).map_err(failed)?;
        let buffer = vec![0; netlink::ANSWER];
        let mut watch = Self { netlink, port: 0, asking: Asking::Soon, disturbed: false, buffer };
        watch.ask().map_err(failed)?;
        // Given to the socket with its first request.
        let port = watch.netlink.port().map_err(failed)?;
        Ok(Self { port, ..watch })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.fd()
    }

    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()> {
        let failed = |errno| Error::system(errno, "hear what happens to the network interfaces");
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.take_with(&mut buffer, notices);
        self.buffer = buffer;
        taken.map_err(failed)
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

    /// Takes a message at least, and all that it was told of what is present: the kernel has that ready.
    fn take_with(&mut self, buffer: &mut [u8], notices: &mut Vec<Notice>) -> Outcome<()> {
        let mut tries = TRIES;
        while notices.is_empty() || (self.asking != Asking::Nothing && tries > 0) {
            if self.asking == Asking::Soon {
                tries = tries.saturating_sub(1);
            }
            self.ask()?;
            match self.netlink.receive(buffer) {
                Ok(bytes) => self.read(bytes, notices)?,
                Err(Errno::ENOBUFS) => {
                    self.drain(buffer);
                    notices.push(Notice::Overrun);
                }
                Err(Errno::EAGAIN) if self.asking != Asking::Nothing && tries > 0 => {
                    self.asking = Asking::Soon;
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// After an overflow: what is left of the queue has a gap in it. A list that was being told ends with it.
    fn drain(&mut self, buffer: &mut [u8]) {
        let more =
            |received: Outcome<&[u8]>| matches!(received, Ok(_) | Err(Errno::ENOBUFS | Errno::EMSGSIZE));
        for _ in 0..DRAIN {
            if !more(self.netlink.receive(buffer)) {
                break;
            }
        }
        self.asking = Asking::Soon;
    }

    fn read(&mut self, mut bytes: &[u8], notices: &mut Vec<Notice>) -> Outcome<()> {
        while let Some(message) = Message::take(&mut bytes) {
            if message.port == self.port {
                self.read_answer(&message, notices)?;
            } else {
                notices.extend(notice(&message));
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
        self.disturbed |= message.is_disturbed();
        if !message.is_end() {
            notices.extend(notice(message));
        } else if let Err(refusal) = message.outcome() {
            self.asking = Asking::Soon;
            return Err(refusal.errno);
        } else if std::mem::take(&mut self.disturbed) {
            // What was told stays true, as every change is announced.
            self.asking = Asking::Soon;
        } else if links {
            self.asking = Asking::Addresses(self.netlink.send(&address::list_request(0, 0))?);
        } else {
            self.asking = Asking::Nothing;
            notices.push(Notice::Complete);
        }
        Ok(())
    }
}

/// What a message tells. A bridge tells of its ports in messages of its own family, RTM_DELLINK when one leaves it:
/// the interface lives on.
fn notice(message: &Message<'_>) -> Option<Notice> {
    let about_link = message.body.first().copied().map(libc::c_int::from) == Some(libc::AF_UNSPEC);
    match message.kind {
        libc::RTM_NEWLINK if about_link => link::parse(message.body).map(Notice::Link),
        libc::RTM_DELLINK if about_link => link::parse(message.body).map(|link| Notice::LinkGone(link.index)),
        libc::RTM_NEWADDR => address::parse(message.body).map(|(index, it)| Notice::Address(index, it)),
        libc::RTM_DELADDR => address::parse(message.body).map(|(index, it)| Notice::AddressGone(index, it)),
        _ => None,
    }
}
