// SPDX-License-Identifier: MIT
//! POSIX functions for descriptors of any kind.

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::model::error::Errno;
use crate::sys::Outcome;

pub(super) fn close_on_exec(fd: impl AsFd) -> Outcome<()> {
    set_flags(fd, libc::FD_CLOEXEC)
}

/// The flags of the descriptor itself: FD_CLOEXEC or none.
pub(super) fn flags(fd: impl AsFd) -> Outcome<c_int> {
    control(fd, libc::F_GETFD, 0)
}

pub(super) fn set_flags(fd: impl AsFd, flags: c_int) -> Outcome<()> {
    control(fd, libc::F_SETFD, flags).map(drop)
}

/// Calls on it do not wait.
pub(super) fn nonblocking(fd: impl AsFd) -> Outcome<()> {
    let flags = control(&fd, libc::F_GETFL, 0)?;
    control(&fd, libc::F_SETFL, flags | libc::O_NONBLOCK).map(drop)
}

/// Whether it is open for reading and writing. A socket always is.
#[cfg(all(target_os = "linux", not(tuntap_simulated)))]
pub(super) fn is_read_write(fd: impl AsFd) -> Outcome<bool> {
    Ok(control(fd, libc::F_GETFL, 0)? & libc::O_ACCMODE == libc::O_RDWR)
}

/// Takes over a descriptor, or with `borrow` makes a copy of it, which is close-on-exec.
pub(super) fn take(fd: BorrowedFd<'_>, borrow: bool) -> Outcome<OwnedFd> {
    let own = if borrow { control(fd, libc::F_DUPFD_CLOEXEC, 0)? } else { fd.as_raw_fd() };
    // SAFETY: either fcntl has just returned it, or its owner transfers it.
    Ok(unsafe { OwnedFd::from_raw_fd(own) })
}

/// Creates a pipe. Returns its read end and its write end; both are close-on-exec.
#[cfg(any(target_vendor = "apple", tuntap_simulated, test))]
pub(super) fn pipe() -> Outcome<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    Errno::result(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    // SAFETY: pipe has just returned them, and nothing else owns them.
    let [read_end, write_end] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    close_on_exec(&read_end)?;
    close_on_exec(&write_end)?;
    Ok((read_end, write_end))
}

fn control(fd: impl AsFd, command: c_int, argument: c_int) -> Outcome<c_int> {
    // SAFETY: the commands above take a number.
    Errno::result(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), command, argument) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_returns_its_errno() {
        // SAFETY: no descriptor has this number.
        assert_eq!(Errno::result(unsafe { libc::close(-1) }), Err(Errno::EBADF));
        assert_eq!(Errno::result(3), Ok(3));
    }
}
