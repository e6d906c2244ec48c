// SPDX-License-Identifier: MIT
//! The routing socket: requests about routes, and messages of the kernel.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::layout::*;
use super::message::{Message, route_message};
use super::room::Room;
use super::{descriptor, kernel, poll};
use crate::model::error::Errno;
use crate::sys::Outcome;
use crate::sys::bytes::u32_at;

/// Size of the longest message.
pub(super) const LONGEST: usize = 2048;
/// How long to wait for an answer. The kernel queues it before the request returns (rtsock.c, route_output), but drops
/// it if the messages about other changes fill the socket.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Limit of the messages that are read without a check of the time: more than the buffer of a socket can hold.
const QUEUED: usize = 1024;

pub(super) fn open() -> Outcome<OwnedFd> {
    kernel::socket(PF_ROUTE, SOCK_RAW, 0)
}

/// Sends a request. The result of the write is the result of the request.
pub(super) fn send(socket: &OwnedFd, message: &[u8]) -> Outcome<()> {
    match kernel::writev(socket.as_fd(), &[IoSlice::new(message)])? {
        written if written == message.len() => Ok(()),
        _ => Err(Errno::EPROTO),
    }
}

/// Reads one message. None if no message is waiting.
pub(super) fn receive<'a>(socket: &OwnedFd, memory: &'a mut [u8]) -> Outcome<Option<&'a [u8]>> {
    match kernel::readv(socket.as_fd(), &mut [Room::of(memory)]) {
        Ok(length) => Ok(memory.get(..length)),
        Err(Errno::EAGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Sends a request, and returns what `parse` finds in its answer. ETIMEDOUT if the answer is lost.
pub(super) fn query<T>(
    kind: u8,
    flags: u32,
    sockaddrs: &[(u32, Vec<u8>)],
    parse: impl Fn(&Message<'_>) -> Option<T>,
) -> Outcome<T> {
    static SEQUENCE: AtomicU32 = AtomicU32::new(1);
    let socket = open()?;
    descriptor::nonblocking(&socket)?;
    let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
    send(&socket, &route_message(kind, flags, sequence, sockaddrs))?;
    let is_answer = |message: &Message<'_>| {
        message.kind == kind
            && u32_at(message.bytes, RT_MSGHDR_SEQ) == Some(sequence)
            && u32_at(message.bytes, RT_MSGHDR_PID) == Some(std::process::id())
    };
    let deadline = Instant::now().checked_add(TIME_LIMIT);
    let mut memory = [0; LONGEST];
    loop {
        // All routing sockets receive the answers of all. The answer is read however late this thread runs.
        for _ in 0..QUEUED {
            let Some(mut bytes) = receive(&socket, &mut memory)? else { break };
            while let Some(message) = Message::take(&mut bytes) {
                if is_answer(&message) {
                    return parse(&message).ok_or(Errno::EPROTO);
                }
            }
        }
        check(deadline)?;
        let mut entry = [libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        match poll(&mut entry, deadline) {
            Err(Errno::EINTR) | Ok(()) => {}
            failed => failed?,
        }
    }
}

fn check(deadline: Option<Instant>) -> Outcome<()> {
    match deadline {
        Some(deadline) if Instant::now() < deadline => Ok(()),
        _ => Err(Errno::ETIMEDOUT),
    }
}
