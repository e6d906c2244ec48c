// SPDX-License-Identifier: MIT
//! What is done to a descriptor of any kind, as POSIX has it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::unistd;

use crate::sys::Outcome;

pub(super) fn close_on_exec(fd: impl AsFd) -> Outcome<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(drop)
}

/// Calls on it do not wait.
pub(super) fn nonblocking(fd: impl AsFd) -> Outcome<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

/// Takes over a descriptor, or with `borrow` makes a copy of it, which is close-on-exec.
pub(super) fn take(fd: BorrowedFd<'_>, borrow: bool) -> Outcome<OwnedFd> {
    let own = if borrow { fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(0))? } else { fd.as_raw_fd() };
    // SAFETY: either fcntl has just made it, or its owner hands it over.
    Ok(unsafe { OwnedFd::from_raw_fd(own) })
}

/// A pipe's ends, to read and to write.
pub(super) fn pipe() -> Outcome<(OwnedFd, OwnedFd)> {
    let (out, into) = unistd::pipe()?;
    close_on_exec(&out)?;
    close_on_exec(&into)?;
    Ok((out, into))
}
