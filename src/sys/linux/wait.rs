// SPDX-License-Identifier: MIT
//! Waiting for a descriptor, and ending the wait from elsewhere.

use std::ffi::{c_int, c_long};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::result::Result;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Errno, Error};
use crate::sys::Direction;

/// How long a waiter looks away while an earlier wake is still being taken by those that it was for.
const PASSING_WAKE: Duration = Duration::from_millis(1);

/// Ends waits. The kernel's part is an event counter, which every waiter polls beside its descriptor; it holds one
/// token for each waiter that has been woken and has not noticed yet. Who is to notice is decided here, in one word:
/// the number of wakes, whether one is left over for the next waiter, and how many wait at the moment.
///
/// Everything that wake() does is allowed in a signal handler.
pub(super) struct Waker {
    tokens: OwnedFd,
    state: AtomicU64,
}

const WAITER: u64 = 1;
const WAITERS: u64 = 0x00ff_ffff;
const PENDING: u64 = 1 << 24;
const WAKE: u64 = 1 << 32;

/// The wakes of a state.
fn wakes(state: u64) -> u64 {
    state >> 32
}

impl Waker {
    pub(super) fn new() -> Result<Self, Error> {
        // SAFETY: takes numbers only.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_SEMAPHORE) };
        let fd = Errno::result(fd).map_err(|errno| Error::system(errno, "open an event counter"))?;
        // SAFETY: eventfd has just made this descriptor, for nobody else.
        Ok(Self { tokens: unsafe { OwnedFd::from_raw_fd(fd) }, state: AtomicU64::new(0) })
    }

    /// Ends every wait that goes on, or when there is none, the next one.
    pub(super) fn wake(&self) {
        let woken = |state: u64| match state & WAITERS {
            0 => state | PENDING,
            _ => (state & !(WAITERS | PENDING)).wrapping_add(WAKE),
        };
        let before = self.update(woken);
        let tokens = before & WAITERS;
        if tokens != 0 {
            // SAFETY: the kernel reads eight bytes of `tokens`. It has room for 2^64 - 2 of them.
            unsafe { libc::syscall(libc::SYS_write, self.tokens.as_raw_fd(), &raw const tokens, 8) };
        }
    }

    /// Waits until the descriptor is ready, and for ever without a deadline. ECANCELED: woken. ETIMEDOUT: too late.
    /// EINTR: a signal handler ran.
    pub(super) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        direction: Direction,
        deadline: Option<Instant>,
    ) -> Result<(), Errno> {
        let own = self.enter()?;
        let result = self.wait_as(own, fd, direction, deadline);
        if self.leave(own) { Err(Errno::ECANCELED) } else { result }
    }

    /// Counts this waiter in; the number of wakes before it. A wake that was left over is for it.
    fn enter(&self) -> Result<u64, Errno> {
        let before = self.update(|state| match state & PENDING {
            0 => state.wrapping_add(WAITER),
            _ => state & !PENDING,
        });
        if before & PENDING == 0 { Ok(wakes(before)) } else { Err(Errno::ECANCELED) }
    }

    /// Counts it out; true when a wake did that already, and then its token is taken.
    fn leave(&self, own: u64) -> bool {
        let before = self.update(|state| match wakes(state) == own {
            true => state.wrapping_sub(WAITER),
            false => state,
        });
        if wakes(before) == own {
            return false;
        }
        let mut token = 0_u64;
        loop {
            // SAFETY: the kernel writes eight bytes to `token`. It waits for the waker to have written it.
            let returned =
                unsafe { libc::syscall(libc::SYS_read, self.tokens.as_raw_fd(), &raw mut token, 8) };
            if returned >= 0 || Errno::last() != Errno::EINTR {
                return true;
            }
        }
    }

    fn wait_as(
        &self,
        own: u64,
        fd: BorrowedFd<'_>,
        direction: Direction,
        deadline: Option<Instant>,
    ) -> Result<(), Errno> {
        let events = match direction {
            Direction::Read => libc::POLLIN,
            Direction::Write => libc::POLLOUT,
        };
        let entry = |fd: c_int, events| libc::pollfd { fd, events, revents: 0 };
        let mut look_away = false;
        loop {
            // A negative descriptor is passed over.
            let tokens = if look_away { -1 } else { self.tokens.as_raw_fd() };
            let until = if look_away { Some(soon(deadline)) } else { deadline };
            let mut entries = [entry(fd.as_raw_fd(), events), entry(tokens, libc::POLLIN)];
            let found = poll(&mut entries, until);
            let [ready, token] = entries;
            if wakes(self.state.load(Ordering::SeqCst)) != own {
                return Ok(());
            }
            found?;
            if ready.revents != 0 {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Errno::ETIMEDOUT);
            }
            look_away = token.revents != 0;
        }
    }

    fn update(&self, change: impl Fn(u64) -> u64) -> u64 {
        let changed = |state| Some(change(state));
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, changed).unwrap_or_else(|state| state)
    }
}

/// The deadline, or the moment to look at the counter again when that is earlier.
fn soon(deadline: Option<Instant>) -> Instant {
    let now = Instant::now();
    let soon = now.checked_add(PASSING_WAKE).unwrap_or(now);
    deadline.map_or(soon, |deadline| deadline.min(soon))
}

/// Waits until there is something, or until then. libc's poll() would be a cancellation point.
pub(super) fn poll(entries: &mut [libc::pollfd], until: Option<Instant>) -> Result<(), Errno> {
    let left = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    let no_mask: *const libc::sigset_t = ptr::null();
    // SAFETY: the kernel reads and writes the entries, and reads the time, or NULL for no limit.
    let returned = unsafe {
        libc::syscall(libc::SYS_ppoll, entries.as_mut_ptr(), entries.len(), left, no_mask, 0_usize)
    };
    if returned < 0 { Err(Errno::last()) } else { Ok(()) }
}

/// struct timespec as SYS_ppoll has it, which is not libc's where that has 64 bits on a 32-bit machine.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::thread;

    /// A descriptor on which nothing ever happens.
    fn silence() -> OwnedFd {
        // SAFETY: takes numbers only, and makes the descriptor for nobody else.
        unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, 0)) }
    }

    #[test]
    fn a_wake_without_a_waiter_is_for_the_next() {
        let (waker, silence) = (Waker::new().unwrap(), silence());
        waker.wake();
        waker.wake();
        let wait = || waker.wait(silence.as_fd(), Direction::Read, Some(Instant::now()));
        assert_eq!(wait(), Err(Errno::ECANCELED));
        assert_eq!(wait(), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn a_wake_ends_every_wait_once() {
        let (waker, silence) = (Waker::new().unwrap(), silence());
        thread::scope(|scope| {
            let waiters: Vec<_> =
                (0..4).map(|_| scope.spawn(|| waker.wait(silence.as_fd(), Direction::Read, None))).collect();
            while waker.state.load(Ordering::SeqCst) & WAITERS != 4 {
                thread::yield_now();
            }
            waker.wake();
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Err(Errno::ECANCELED));
            }
        });
        let state = waker.state.load(Ordering::SeqCst);
        assert_eq!((wakes(state), state & (WAITERS | PENDING)), (1, 0));
        let again = waker.wait(silence.as_fd(), Direction::Read, Some(Instant::now()));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn what_is_ready_is_not_waited_for() {
        let (waker, silence) = (Waker::new().unwrap(), silence());
        assert_eq!(waker.wait(silence.as_fd(), Direction::Write, None), Ok(()));
    }
}
