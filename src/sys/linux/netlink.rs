// SPDX-License-Identifier: MIT
//! rtnetlink: requests to the kernel and its answers. Small, because only a few messages are ever needed; the
//! crates that know all of them are several times the size of this library.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::result::Result;

use crate::error::{Errno, Error};
use crate::sys::bytes::{u16_at, u32_at};

const HEADER: usize = 16;
/// The kernel makes no answer longer than this for a receiver that offers as much.
pub(super) const ANSWER: usize = 32 * 1024;
/// A dump is begun again when it was disturbed, this many times.
const TRIES: usize = 16;

/// A refusal: the errno, and the kernel's own words where it has any.
pub(super) struct Refusal {
    pub(super) errno: Errno,
    pub(super) said: Option<String>,
}

impl Refusal {
    pub(super) fn error(self, action: &str) -> Error {
        super::refusal::refusal(self.errno, self.said, action)
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, said: None }
    }
}

/// A message to the kernel, its attributes appended one by one.
pub(super) struct Request {
    kind: u16,
    flags: i32,
    body: Vec<u8>,
}

impl Request {
    /// `fixed` is the structure that every message of this kind begins with.
    pub(super) fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        Self { kind, flags, body: fixed.to_vec() }
    }

    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len().saturating_add(4)).unwrap_or(u16::MAX);
        self.body.extend(length.to_ne_bytes());
        self.body.extend(kind.to_ne_bytes());
        self.body.extend(value);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
        self
    }

    fn bytes(&self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(HEADER.saturating_add(self.body.len())).unwrap_or(u32::MAX);
        let flags = u16::try_from(self.flags | libc::NLM_F_REQUEST).unwrap_or(0);
        let mut bytes = Vec::with_capacity(HEADER.saturating_add(self.body.len()));
        bytes.extend(length.to_ne_bytes());
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(&self.body);
        bytes
    }
}

/// One message of an answer, or of what the kernel announces.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    flags: i32,
    pub(super) sequence: u32,
    /// Of the socket that the request came through.
    pub(super) port: u32,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes the first message off `bytes`; None at their end, or where they make no message.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let message = Self {
            kind: u16_at(bytes, 4)?,
            flags: u16_at(bytes, 6)?.into(),
            sequence: u32_at(bytes, 8)?,
            port: u32_at(bytes, 12)?,
            body: bytes.get(HEADER..length)?,
        };
        *bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }

    /// Part of a list that changed while it was told.
    pub(super) fn is_disturbed(&self) -> bool {
        self.flags & libc::NLM_F_DUMP_INTR != 0
    }

    /// It ends its answer.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.kind.into(), libc::NLMSG_ERROR | libc::NLMSG_DONE)
    }

    /// Of the end of an answer: 0 is an acknowledgement, and so is nothing at all at the end of a list.
    pub(super) fn outcome(&self) -> Result<(), Refusal> {
        // NETLINK_CAP_ACK keeps an error's copy of the request to its header; a list's end has none.
        let (missing, copied) = match i32::from(self.kind) == libc::NLMSG_DONE {
            true => (0, 0),
            false => (libc::EPROTO, HEADER),
        };
        let errno = u32_at(self.body, 0).map_or(missing, |code| (code as i32).wrapping_neg());
        if errno == 0 {
            return Ok(());
        }
        let words = self.body.get(copied.saturating_add(4)..).unwrap_or_default();
        let said = Attributes(words)
            .find(|(kind, _)| self.flags & libc::NLM_F_ACK_TLVS != 0 && *kind == NLMSGERR_ATTR_MSG)
            .map(|(_, value)| text(value));
        Err(Refusal { errno: Errno::from_raw(errno), said })
    }
}

const NLMSGERR_ATTR_MSG: u16 = 1;

/// The attributes of a message, or nested in another.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

const NLA_F_NESTED: u16 = 1 << 15;
const NLA_F_NET_BYTEORDER: u16 = 1 << 14;

impl<'a> Attributes<'a> {
    pub(super) fn get(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    pub(super) fn nested(self, kind: u16) -> Self {
        Self(self.get(kind).unwrap_or_default())
    }

    pub(super) fn u32(self, kind: u16) -> Option<u32> {
        u32_at(self.get(kind)?, 0)
    }
}

/// The text of an attribute, up to its NUL.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}

/// A socket to rtnetlink, in the network namespace that its maker was in.
pub(super) struct Socket {
    fd: OwnedFd,
    sequence: u32,
}

/// What of an answer is at hand.
enum Heard<'a> {
    Body(&'a [u8]),
    /// The dump was disturbed: what was heard of it does not count.
    Again,
}

impl Socket {
    pub(super) fn open() -> Result<Self, Error> {
        let failed = |errno| Error::system(errno, "open a netlink socket");
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes numbers only.
        let fd = Errno::result(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })
            .map_err(failed)?;
        // SAFETY: socket has just made this descriptor, for nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        enable(&fd, libc::NETLINK_CAP_ACK).map_err(failed)?;
        enable(&fd, libc::NETLINK_EXT_ACK).map_err(failed)?;
        // Since 4.20 the kernel lists by interface when asked like this; an older one lists all, and the reader
        // of each list picks its own.
        let _ = enable(&fd, NETLINK_GET_STRICT_CHK);
        Ok(Self { fd, sequence: 0 })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The number that the kernel has given this socket.
    pub(super) fn port(&self) -> Result<u32, Errno> {
        // SAFETY: zeros make an address.
        let mut own: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        let mut length = size_of_val(&own) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes of the address.
        Errno::result(unsafe {
            libc::getsockname(self.fd.as_raw_fd(), (&raw mut own).cast(), &raw mut length)
        })?;
        Ok(own.nl_pid)
    }

    /// Has the kernel change something.
    pub(super) fn change(&mut self, request: &Request) -> Result<(), Refusal> {
        self.converse(request, &mut |_| {})
    }

    /// Has the kernel tell something: what `read` finds in each message of the answer.
    pub(super) fn ask<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut found = Vec::new();
        self.converse(request, &mut |heard| match heard {
            Heard::Body(body) => found.extend(read(body)),
            Heard::Again => found.clear(),
        })?;
        Ok(found)
    }

    fn converse(&mut self, request: &Request, heed: &mut dyn FnMut(Heard<'_>)) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let sequence = self.send(request)?;
            if self.answer(sequence, heed)? {
                return Ok(());
            }
            heed(Heard::Again);
        }
        Err(Errno::EBUSY.into())
    }

    /// Sends a request; the number that its answer has.
    pub(super) fn send(&mut self, request: &Request) -> Result<u32, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = request.bytes(self.sequence);
        // SAFETY: the kernel reads at most the request's length from it.
        Errno::result(unsafe { libc::send(self.fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) })?;
        Ok(self.sequence)
    }

    /// What waits in the socket, without waiting for it.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], Errno> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: the kernel writes at most the buffer's length to it.
        let length = Errno::result(unsafe {
            libc::recv(self.fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags)
        })?;
        buffer.get(..length.unsigned_abs()).ok_or(Errno::EMSGSIZE)
    }

    /// Hears the answer to the request of this number; false when a dump was disturbed while it was made.
    ///
    /// The kernel answers before send() returns, and goes on with a dump whenever something is received: an
    /// empty socket is a lost answer, not one to wait for.
    fn answer(&self, sequence: u32, heed: &mut dyn FnMut(Heard<'_>)) -> Result<bool, Refusal> {
        let mut buffer = vec![0; ANSWER];
        let mut whole = true;
        loop {
            let mut rest = match self.receive(&mut buffer) {
                Err(Errno::EAGAIN) => return Err(Errno::EPROTO.into()),
                received => received?,
            };
            while let Some(message) = Message::take(&mut rest) {
                if message.sequence != sequence {
                    continue;
                }
                whole &= !message.is_disturbed();
                match message.is_end() {
                    false => heed(Heard::Body(message.body)),
                    true => return message.outcome().map(|()| whole),
                }
            }
        }
    }
}

/// linux/netlink.h; libc does not have it for every target.
const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

fn enable(fd: &OwnedFd, option: libc::c_int) -> Result<(), Errno> {
    set_option(fd.as_fd(), libc::SOL_NETLINK, option, 1)
}

pub(super) fn set_option(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> Result<(), Errno> {
    let size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    // SAFETY: the kernel reads `size` bytes of `value`.
    let returned =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), size) };
    Errno::result(returned).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_found_again() {
        let request = Request::new(0, 0, &[]).attribute(3, b"abcde").attribute(7, &9_u32.to_ne_bytes());
        let attributes = Attributes(&request.body);
        assert_eq!(request.body.len(), 12 + 8);
        assert_eq!(attributes.get(3), Some(&b"abcde"[..]));
        assert_eq!(attributes.get(7).and_then(|value| u32_at(value, 0)), Some(9));
        assert_eq!(attributes.get(4), None);
        assert_eq!(attributes.nested(4).count(), 0);
    }

    #[test]
    fn a_request_counts_itself() {
        let bytes = Request::new(18, libc::NLM_F_ACK, &[0; 16]).attribute(4, &[0; 4]).bytes(7);
        assert_eq!(u32_at(&bytes, 0), Some(bytes.len().try_into().unwrap()));
        assert_eq!((u16_at(&bytes, 4), u32_at(&bytes, 8)), (Some(18), Some(7)));
    }

    #[test]
    fn lying_lengths_end_the_walk() {
        for length in [0_u16, 1, 3, 9, u16::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([1, 0, 0, 0, 0, 0]);
            assert_eq!(Attributes(&bytes).count(), 0, "{length}");
        }
        for length in [0_u32, 15, 17, u32::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([0; 12]);
            assert!(Message::take(&mut bytes.as_slice()).is_none(), "{length}");
        }
    }

    #[test]
    fn the_kernels_words_are_heard() {
        let mut body = (-libc::EINVAL).to_ne_bytes().to_vec();
        body.extend([0; HEADER]);
        body.extend(Request::new(0, 0, &[]).attribute(NLMSGERR_ATTR_MSG, b"too big\0").body);
        let message = |flags| Message { kind: 2, flags, sequence: 1, port: 0, body: &body };
        let refusal = message(libc::NLM_F_ACK_TLVS).outcome().err().unwrap();
        assert_eq!((refusal.errno, refusal.said.as_deref()), (Errno::EINVAL, Some("too big")));
        assert_eq!(message(0).outcome().err().unwrap().said, None);
    }
}
