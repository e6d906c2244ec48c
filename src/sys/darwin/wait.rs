// SPDX-License-Identifier: MIT
//! Waiting: a pipe that ends a wait, and poll.

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

#[cfg(tuntap_simulated)]
use libc::__errno_location as errno_location;
#[cfg(not(tuntap_simulated))]
use libc::__error as errno_location;

use super::descriptor;
use crate::model::error::Errno;
use crate::sys::{CancelDisabled, Outcome};

/// A pipe with a byte for each token.
pub(crate) struct Tokens {
    read_end: OwnedFd,
    write_end: OwnedFd,
}

impl Tokens {
    pub(crate) fn new() -> Outcome<Self> {
        let (read_end, write_end) = descriptor::pipe()?;
        Ok(Self { read_end, write_end })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.read_end.as_fd()
    }

    pub(crate) fn add(&self, count: u64) {
        let _cancel_disabled = CancelDisabled::new();
        // SAFETY: the C library returns the address of this thread's errno.
        let errno = unsafe { errno_location() };
        // SAFETY: as above. A signal handler may call this, so errno is restored.
        let before = unsafe { *errno };
        let bytes = [0_u8; 64];
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        while left > 0 {
            // SAFETY: the kernel reads at most the length of the slice. A pipe has room for about 16,000 bytes.
            let written = unsafe {
                libc::write(self.write_end.as_raw_fd(), bytes.as_ptr().cast(), left.min(bytes.len()))
            };
            match usize::try_from(written) {
                Ok(written) => left = left.saturating_sub(written),
                Err(_) if Errno::last() == Errno::EINTR => {}
                Err(_) => break,
            }
        }
        // SAFETY: as above.
        unsafe { *errno = before };
    }

    /// Waits for a token and takes it.
    pub(crate) fn take(&self) {
        let _cancel_disabled = CancelDisabled::new();
        let mut token = 0_u8;
        loop {
            // SAFETY: the kernel writes one byte to `token`.
            let returned = unsafe { libc::read(self.read_end.as_raw_fd(), (&raw mut token).cast(), 1) };
            if returned >= 0 || Errno::last() != Errno::EINTR {
                return;
            }
        }
    }
}

/// Waits until a descriptor is ready or the deadline passes. May return earlier, after the longest time that poll
/// supports: a caller with a deadline must check the clock.
pub(crate) fn poll(entries: &mut [libc::pollfd], until: Option<Instant>) -> Outcome<()> {
    let _cancel_disabled = CancelDisabled::new();
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    // Round up to milliseconds, so that a time limit is never shortened.
    let milliseconds =
        left.map_or(-1, |left| c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX));
    let count = entries.len() as libc::nfds_t;
    // SAFETY: the kernel reads and writes only the entries of the slice.
    let returned = unsafe { libc::poll(entries.as_mut_ptr(), count, milliseconds) };
    if returned < 0 { Err(Errno::last()) } else { Ok(()) }
}
