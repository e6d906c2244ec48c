// SPDX-License-Identifier: MIT
//! rtnetlink: requests to the kernel and its answers.

use std::os::fd::BorrowedFd;
use std::result::Result;

use super::departure::Departures;
use super::message::{Message, Refusal, Request};
use super::socket::{self, KernelSocket};
use crate::model::error::{Errno, Error};
use crate::model::memory::{self, NoMemory};
use crate::sys::zeroed;

/// Limit of the attempts at a request, which is repeated if its answer was lost, or interrupted by a change.
const TRIES: usize = 64;

/// linux/netlink.h; libc does not have it for every target.
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

/// A socket to rtnetlink, in the network namespace of the thread that opened it.
pub(super) struct Socket {
    socket: KernelSocket,
    sequence: u32,
    /// NETLINK_EXT_ACK was requested: errors have a text, if the kernel has the option.
    ext_ack: bool,
    /// NETLINK_GET_STRICT_CHK is set: lists can be limited to an interface.
    strict: bool,
    /// Set after [`Socket::listen`].
    departures: Option<Departures>,
}

/// Reads a message of an answer. None: the answer begins, or begins again.
type EachMessage<'a> = &'a mut dyn FnMut(Option<&[u8]>) -> Result<(), NoMemory>;

/// How complete an answer is.
#[derive(PartialEq, Eq)]
enum Completeness {
    Complete,
    /// A change interrupted the dump: items may be missing or duplicated.
    Interrupted,
    /// The queue of the socket was full.
    Lost,
    /// A datagram of this length was longer than the receive buffer.
    Cut(usize),
}

impl Socket {
    pub(super) fn open() -> Result<Self, Error> {
        Self::connect(KernelSocket::new().map_err(open_error)?)
    }

    pub(super) fn connect(socket: KernelSocket) -> Result<Self, Error> {
        socket.connect().map_err(open_error)?;
        Ok(Self { socket, sequence: 0, ext_ack: false, strict: false, departures: None })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    pub(super) fn kernel(&self) -> &KernelSocket {
        &self.socket
    }

    /// Starts to record interfaces that leave the namespace.
    pub(super) fn listen(&mut self) -> Result<(), Errno> {
        if self.departures.is_none() {
            self.socket.join(libc::RTNLGRP_LINK)?;
            self.departures = Some(Departures::default());
        }
        Ok(())
    }

    /// The interfaces that left since [`Self::listen`].
    pub(super) fn departures(&mut self) -> Option<&mut Departures> {
        self.departures.as_mut()
    }

    /// Requests a change. If the answer was lost, sends the request again: an error that the change is already made
    /// then means success. After an error without a text, sends it again with NETLINK_EXT_ACK.
    pub(super) fn change(&mut self, request: &Request) -> Result<(), Refusal> {
        // Whether an answer was lost, and the errno of the first attempt if that failed.
        let (mut lost, mut first) = (false, None);
        // Allocated first: without a buffer, the result of a change would be unknown.
        let mut buffer = zeroed(socket::ROOM)?;
        for _ in 0..TRIES {
            let sequence = self.send(request)?;
            match self.answer(sequence, &mut buffer, &mut |_| Ok(())) {
                Ok(Completeness::Lost | Completeness::Cut(_)) => lost = true,
                // An error that is not repeated was one of the receive: the kernel had made the change.
                Err(Refusal { errno, .. })
                    if (lost || first.is_some_and(|it| it != errno)) && request.is_done(errno) =>
                {
                    return Ok(());
                }
                Err(refusal) if refusal.may_have_text() && self.enable_ext_ack() => {
                    first = Some(refusal.errno);
                }
                Err(refusal) => return Err(refusal),
                _ => return Ok(()),
            }
        }
        Err(Errno::ENOBUFS.into())
    }

    /// Sends a query. Returns what `read` finds in each message of the answer.
    pub(super) fn query<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&[u8]) -> Result<Option<T>, NoMemory>,
    ) -> Result<Vec<T>, Refusal> {
        let mut found = Vec::new();
        self.query_each(request, &mut |body| match body {
            None => {
                found.clear();
                Ok(())
            }
            Some(body) => read(body)?.map_or(Ok(()), |item| memory::push(&mut found, item)),
        })?;
        Ok(found)
    }

    /// Sends a query. Passes each message of the answer to `read`.
    fn query_each(&mut self, request: &Request, read: EachMessage<'_>) -> Result<(), Refusal> {
        if request.is_list() && !self.strict {
            // Since Linux 4.20. An older kernel lists all interfaces, and each `read` filters its own.
            let _ = self.socket.set_option(libc::SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
            self.strict = true;
        }
        let mut last = Errno::EBUSY;
        let mut buffer = zeroed(socket::ROOM)?;
        for _ in 0..TRIES {
            read(None)?;
            let sequence = self.send(request)?;
            match self.answer(sequence, &mut buffer, &mut |body| read(Some(body)))? {
                Completeness::Complete => return Ok(()),
                Completeness::Interrupted => last = Errno::EBUSY,
                Completeness::Lost => last = Errno::ENOBUFS,
                Completeness::Cut(length) => socket::lengthen(&mut buffer, length)?,
            }
        }
        Err(last.into())
    }

    /// Sets NETLINK_EXT_ACK, with which errors have a text. False if it was already set, or cannot be set.
    fn enable_ext_ack(&mut self) -> bool {
        let set = |option| self.socket.set_option(libc::SOL_NETLINK, option, 1).is_ok();
        let enabled = !self.ext_ack && set(libc::NETLINK_CAP_ACK) && set(libc::NETLINK_EXT_ACK);
        self.ext_ack = true;
        enabled
    }

    /// Sends a request. Returns the sequence number of its answer.
    pub(super) fn send(&mut self, request: &Request) -> Result<u32, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send(&request.bytes(self.sequence)?)?;
        Ok(self.sequence)
    }

    /// Receives the answer to the request with this sequence number.
    ///
    /// The kernel answers before send() returns, and continues a dump during each receive. So an empty socket means
    /// that the answer was lost.
    fn answer(
        &mut self,
        sequence: u32,
        buffer: &mut [u8],
        read: &mut dyn FnMut(&[u8]) -> Result<(), NoMemory>,
    ) -> Result<Completeness, Refusal> {
        let mut completeness = Completeness::Complete;
        loop {
            let datagram = match self.socket.receive(buffer) {
                Ok(None) => continue,
                Ok(Some(datagram)) => datagram,
                Err(errno) => {
                    self.drain(buffer);
                    return match (errno, completeness) {
                        (Errno::EAGAIN, Completeness::Cut(length)) => Ok(Completeness::Cut(length)),
                        (Errno::EAGAIN | Errno::ENOBUFS, _) => Ok(Completeness::Lost),
                        _ => Err(errno.into()),
                    };
                }
            };
            if datagram.notification {
                if let Some(departures) = &mut self.departures {
                    departures.note(datagram.bytes);
                }
                continue;
            }
            if datagram.is_cut() {
                completeness = Completeness::Cut(datagram.length);
            }
            let mut rest = datagram.bytes;
            while let Some(message) = Message::take(&mut rest).filter(|it| it.sequence == sequence) {
                if message.is_overrun() {
                    return Ok(Completeness::Lost);
                }
                if message.is_interrupted() {
                    completeness = Completeness::Interrupted;
                }
                if message.is_end() {
                    return message.outcome().map(|()| completeness);
                }
                // The rest of a dump would make the next request fail with EBUSY.
                if let Err(error) = read(message.body) {
                    self.drain(buffer);
                    return Err(error.into());
                }
                if message.is_alone() {
                    return Ok(completeness);
                }
            }
        }
    }

    /// Empties the socket after a failure. Notifications may have been lost.
    fn drain(&mut self, buffer: &mut [u8]) {
        if let Some(departures) = &mut self.departures {
            departures.mark_incomplete();
        }
        self.socket.drain(buffer);
    }
}

pub(super) fn open_error(errno: Errno) -> Error {
    Error::system(errno, "open a netlink socket")
}
