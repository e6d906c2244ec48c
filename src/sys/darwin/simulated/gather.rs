// SPDX-License-Identifier: MIT
//! A kqueue. Poll looks only at its queue. kern_event.c: a source that becomes ready is queued (filt_kqueue and
//! kqueue_select look only at the queue), and is removed when kevent() is called and the source is no longer ready. So
//! the descriptor stays readable after a source was ready, until [`refresh`].

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::calls::{add, open_of};
use super::machine::{Open, Role, State, send, with};
use crate::model::error::Errno;
use crate::sys::Outcome;

pub(super) struct Kqueue {
    sources: Vec<RawFd>,
    queued: bool,
}

/// A descriptor that is readable if one of these is.
pub(in crate::sys::darwin) fn gather(sources: &[BorrowedFd<'_>]) -> Outcome<OwnedFd> {
    with(|state| {
        state.step("gather".to_owned())?;
        let sources = sources.iter().map(AsRawFd::as_raw_fd).collect();
        add(state, Role::Kqueue(Kqueue { sources, queued: false }))
    })
}

/// kevent() without waiting. Returns a bit for each source that is ready.
pub(in crate::sys::darwin) fn refresh(gathered: BorrowedFd<'_>) -> Outcome<u32> {
    with(|state| {
        state.step("refresh".to_owned())?;
        let Role::Kqueue(kqueue) = &mut open_of(state, gathered)?.role else { return Err(Errno::EBADF) };
        if kqueue.queued {
            let mut token = [0_u8; 1];
            let flags = libc::MSG_DONTWAIT;
            // SAFETY: the kernel writes one byte.
            unsafe { libc::recv(gathered.as_raw_fd(), token.as_mut_ptr().cast(), 1, flags) };
            kqueue.queued = false;
        }
        Ok(kqueue.ready())
    })
}

impl Kqueue {
    fn ready(&self) -> u32 {
        let is_ready = |fd: &RawFd| {
            let mut entry = libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry.
            unsafe { libc::poll(&raw mut entry, 1, 0) == 1 && entry.revents & libc::POLLNVAL == 0 }
        };
        (0..).zip(&self.sources).filter(|(_, fd)| is_ready(fd)).fold(0, |bits, (index, _)| bits | 1 << index)
    }
}

impl State {
    /// Queues sources that became ready.
    pub(super) fn queue_ready(&mut self) {
        for Open { role, near, .. } in self.open.values_mut() {
            let Role::Kqueue(kqueue) = role else { continue };
            if !kqueue.queued && kqueue.ready() != 0 {
                kqueue.queued = true;
                send(near, b"!");
            }
        }
    }
}
