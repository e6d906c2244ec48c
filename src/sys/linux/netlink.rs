// SPDX-License-Identifier: MIT
//! rtnetlink: requests to the kernel and its answers.

use std::os::fd::BorrowedFd;
use std::result::Result;

use super::departure::Departures;
use super::message::{Message, Refusal, Request};
use super::socket::KernelSocket;
use crate::model::error::{Errno, Error};
use crate::model::memory::{self, NoMemory};
use crate::sys::zeroed;

/// The kernel makes no answer longer than this for a receiver that offers as much.
pub(super) const ANSWER: usize = 32 * 1024;
/// A request is made again when its answer was lost, or interrupted by a change, this many times.
const TRIES: usize = 64;
/// Datagrams of an answer that was given up, at most.
const DRAIN: usize = 1 << 16;

/// linux/netlink.h; libc does not have it for every target.
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

/// A socket to rtnetlink, in the network namespace that its maker was in.
pub(super) struct Socket {
    socket: KernelSocket,
    sequence: u32,
    /// The kernel says in words why it refuses something.
    explains: bool,
    /// It lists by interface.
    selects: bool,
    /// Where it listens for them.
    departures: Option<Departures>,
}

/// How an answer ended.
#[derive(PartialEq, Eq)]
enum Answer {
    Whole,
    /// What it lists changed meanwhile: it may be missing something, or have it twice.
    Interrupted,
    /// The kernel had no room for it.
    Lost,
}

impl Socket {
    pub(super) fn open() -> Result<Self, Error> {
        Self::connect(KernelSocket::new().map_err(unopened)?)
    }

    pub(super) fn connect(socket: KernelSocket) -> Result<Self, Error> {
        socket.connect().map_err(unopened)?;
        Ok(Self { socket, sequence: 0, explains: false, selects: false, departures: None })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    pub(super) fn kernel(&self) -> &KernelSocket {
        &self.socket
    }

    /// From now on it is known which interfaces leave the namespace.
    pub(super) fn listen(&mut self) -> Result<(), Errno> {
        if self.departures.is_none() {
            self.socket.join(libc::RTNLGRP_LINK)?;
            self.departures = Some(Departures::default());
        }
        Ok(())
    }

    /// What has left, since it listens.
    pub(super) fn departures(&mut self) -> Option<&mut Departures> {
        self.departures.as_mut()
    }

    /// Has the kernel change something. Where its answer was lost, it is asked again: that it is done already means
    /// then that it was done the first time. A refusal without words is asked for again, with words.
    pub(super) fn change(&mut self, request: &Request) -> Result<(), Refusal> {
        let mut lost = false;
        // Before anything is done: there must be an answer to what is.
        let mut buffer = zeroed(ANSWER)?;
        for _ in 0..TRIES {
            let sequence = self.send(request)?;
            match self.answer(sequence, &mut buffer, &mut |_| Ok(())) {
                Ok(Answer::Lost) => lost = true,
                Err(refusal) if lost && request.is_done(refusal.errno) => return Ok(()),
                Err(refusal) if refusal.has_words() && self.asks_for_words()? => {}
                Err(refusal) => return Err(refusal),
                _ => return Ok(()),
            }
        }
        Err(Errno::ENOBUFS.into())
    }

    /// Asks the kernel for something: what `read` finds in each message of the answer.
    pub(super) fn ask<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<Option<T>, NoMemory>,
    ) -> Result<Vec<T>, Refusal> {
        if request.is_list() && !self.selects {
            // Since 4.20 the kernel lists by interface when asked like this; an older one lists all, and the reader of
            // each list picks its own.
            let _ = self.socket.set_option(libc::SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
            self.selects = true;
        }
        let mut last = Errno::EBUSY;
        let mut buffer = zeroed(ANSWER)?;
        for _ in 0..TRIES {
            let mut found = Vec::new();
            let sequence = self.send(request)?;
            let answer = self.answer(sequence, &mut buffer, &mut |body| {
                read(body)?.map_or(Ok(()), |item| memory::push(&mut found, item))
            })?;
            match answer {
                Answer::Whole => return Ok(found),
                Answer::Interrupted => last = Errno::EBUSY,
                Answer::Lost => last = Errno::ENOBUFS,
            }
        }
        Err(last.into())
    }

    /// Makes the kernel say in words why it refuses something; false when it does already.
    fn asks_for_words(&mut self) -> Result<bool, Errno> {
        if self.explains {
            return Ok(false);
        }
        self.socket.set_option(libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)?;
        self.socket.set_option(libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1)?;
        self.explains = true;
        Ok(true)
    }

    /// Sends a request; the number that its answer has.
    pub(super) fn send(&mut self, request: &Request) -> Result<u32, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send(&request.bytes(self.sequence)?)?;
        Ok(self.sequence)
    }

    /// Receives the answer to the request of this number.
    ///
    /// The kernel answers before send() returns, and goes on with a dump whenever something is received: an
    /// empty socket is a lost answer, not one to wait for.
    fn answer(
        &mut self,
        sequence: u32,
        buffer: &mut [u8],
        read: &mut dyn FnMut(&[u8]) -> Result<(), NoMemory>,
    ) -> Result<Answer, Refusal> {
        let mut answer = Answer::Whole;
        loop {
            let datagram = match self.socket.receive(buffer) {
                Ok(None) => continue,
                Ok(Some(datagram)) => datagram,
                Err(errno) => {
                    self.drain(buffer);
                    return match errno {
                        Errno::EAGAIN | Errno::ENOBUFS => Ok(Answer::Lost),
                        _ => Err(errno.into()),
                    };
                }
            };
            if datagram.announced {
                if let Some(departures) = &mut self.departures {
                    departures.note(datagram.bytes);
                }
                continue;
            }
            let mut rest = datagram.bytes;
            while let Some(message) = Message::take(&mut rest).filter(|it| it.sequence == sequence) {
                if message.is_overrun() {
                    return Ok(Answer::Lost);
                }
                if message.is_interrupted() {
                    answer = Answer::Interrupted;
                }
                if message.is_end() {
                    return message.outcome().map(|()| answer);
                }
                read(message.body)?;
                if message.is_alone() {
                    return Ok(answer);
                }
            }
        }
    }

    /// Empties the socket after a failure. What was announced may have a gap.
    fn drain(&mut self, buffer: &mut [u8]) {
        if let Some(departures) = &mut self.departures {
            departures.have_gap();
        }
        for _ in 0..DRAIN {
            if self.socket.receive(buffer).is_err_and(|errno| errno == Errno::EAGAIN) {
                return;
            }
        }
    }
}

pub(super) fn unopened(errno: Errno) -> Error {
    Error::system(errno, "open a netlink socket")
}
