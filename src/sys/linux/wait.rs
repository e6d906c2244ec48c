// SPDX-License-Identifier: MIT
//! Waiting: an event counter that ends a wait, and ppoll.

use std::ffi::c_long;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use crate::model::error::Errno;
use crate::model::readiness::Readiness;
use crate::sys::Outcome;
use crate::sys::wait::{Source, Waker, Wakes};

/// An event counter. Each read decrements it by one.
pub(crate) struct Tokens(OwnedFd);

impl Tokens {
    pub(crate) fn new() -> Outcome<Self> {
        // SAFETY: takes numbers only.
        let fd = Errno::result(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_SEMAPHORE) })?;
        // SAFETY: eventfd has just returned this descriptor, and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(crate) fn add(&self, count: u64) {
        // SAFETY: the kernel reads the eight bytes of `count`. The counter can hold 2^64 - 2.
        unsafe { libc::syscall(libc::SYS_write, self.0.as_raw_fd(), &raw const count, 8) };
    }

    /// Waits for a token and takes it.
    pub(crate) fn take(&self) {
        let mut token = 0_u64;
        loop {
            // SAFETY: the kernel writes eight bytes to `token`.
            let returned = unsafe { libc::syscall(libc::SYS_read, self.0.as_raw_fd(), &raw mut token, 8) };
            if returned >= 0 || Errno::last() != Errno::EINTR {
                return;
            }
        }
    }
}

/// How long a writer waits before it tries again: the driver does not wake it when the device goes down.
const WRITE_AGAIN: Duration = Duration::from_millis(100);

/// Waits until a read or a write of the queue may succeed.
pub(super) fn wait_for(
    waker: &Waker,
    since: Wakes,
    queue: Source<'_>,
    deadline: Option<Instant>,
) -> Outcome<Readiness> {
    let (_, interest) = queue;
    let again = interest.write.then(|| Instant::now().checked_add(WRITE_AGAIN)).flatten();
    let earlier = |again| deadline.is_none_or(|deadline| again < deadline);
    match again.filter(|again| earlier(*again)) {
        None => waker.wait(since, &[queue], deadline),
        again => match waker.wait(since, &[queue], again) {
            Err(Errno::ETIMEDOUT) => Ok(Readiness::NONE),
            waited => waited,
        },
    }
}

/// Waits until a descriptor is ready or the deadline passes. libc's poll() would be a cancellation point.
pub(crate) fn poll(entries: &mut [libc::pollfd], until: Option<Instant>) -> Outcome<()> {
    let mut left = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
    // The system call writes the remaining time to it, unlike libc's wrapper.
    let left = left.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let no_mask: *const libc::sigset_t = ptr::null();
    // SAFETY: the kernel reads and writes the entries and the time, or NULL for no limit.
    let returned = unsafe {
        libc::syscall(libc::SYS_ppoll, entries.as_mut_ptr(), entries.len(), left, no_mask, 0_usize)
    };
    if returned < 0 { Err(Errno::last()) } else { Ok(()) }
}

/// struct timespec of SYS_ppoll. It differs from that of a libc with a 64-bit time_t on a 32-bit machine.
#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

fn timespec(left: Duration) -> Timespec {
    Timespec {
        seconds: c_long::try_from(left.as_secs()).unwrap_or(c_long::MAX),
        nanoseconds: left.subsec_nanos() as c_long,
    }
}
