// SPDX-License-Identifier: MIT
//! A kqueue.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::machine::with;
use crate::error::Errno;
use crate::sys::Outcome;

/// A descriptor that is readable when one of these is.
pub(in crate::sys::darwin) fn gather(sources: &[BorrowedFd<'_>]) -> Outcome<OwnedFd> {
    with(|state| state.step("gather".to_owned()))?;
    // SAFETY: takes a number.
    let fd = Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: it is new, and nobody else's.
    let gathered = unsafe { OwnedFd::from_raw_fd(fd) };
    for source in sources {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        // SAFETY: the kernel reads one event.
        Errno::result(unsafe {
            libc::epoll_ctl(fd, libc::EPOLL_CTL_ADD, source.as_raw_fd(), &raw mut event)
        })?;
    }
    Ok(gathered)
}
