// SPDX-License-Identifier: MIT
//! Waiting for a descriptor, and ending the wait from elsewhere.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::result::Result;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Direction, Tokens, poll};
use crate::model::error::{Errno, Error};

/// How long a waiter looks away while an earlier wake is still being taken by those that it was for.
const PASSING_WAKE: Duration = Duration::from_millis(1);

/// Ends waits. The kernel's part is a store of tokens, which every waiter polls beside its descriptor; it holds one for
/// each waiter that has been woken and has not noticed yet. Who is to notice is decided here, in one word: the number
/// of wakes, whether one is left over for the next waiter, and how many wait at the moment.
///
/// Everything that wake() does is allowed in a signal handler.
pub(super) struct Waker {
    tokens: Tokens,
    state: AtomicU64,
}

/// Descriptors of a wait, at most, with that of the tokens.
const MOST: usize = 5;

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
        let tokens = Tokens::new().map_err(|errno| Error::system(errno, Tokens::STEP))?;
        Ok(Self { tokens, state: AtomicU64::new(0) })
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
            self.tokens.add(tokens);
        }
    }

    /// For a call that has found nothing, and does not wait: whether a wake was left over, which is taken then.
    pub(super) fn take_pending(&self) -> bool {
        // Looked at before it is written to: most often there is none.
        self.state.load(Ordering::SeqCst) & PENDING != 0
            && self.update(|state| state & !PENDING) & PENDING != 0
    }

    /// Waits until one of the descriptors is ready, and for ever without a deadline. ECANCELED: woken. ETIMEDOUT: too
    /// late. EINTR: a signal handler ran.
    pub(super) fn wait(
        &self,
        fds: &[BorrowedFd<'_>],
        direction: Direction,
        deadline: Option<Instant>,
    ) -> Result<(), Errno> {
        let own = self.enter()?;
        let result = self.wait_as(own, fds, direction, deadline);
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
        // It waits for the waker to have added it.
        self.tokens.take();
        true
    }

    fn wait_as(
        &self,
        own: u64,
        fds: &[BorrowedFd<'_>],
        direction: Direction,
        deadline: Option<Instant>,
    ) -> Result<(), Errno> {
        let events = match direction {
            Direction::Read => libc::POLLIN,
            Direction::Write => libc::POLLOUT,
        };
        let entry = |fd: c_int, events| libc::pollfd { fd, events, revents: 0 };
        let mut entries = [entry(-1, 0); MOST];
        let entries = entries.get_mut(..=fds.len()).ok_or(Errno::EINVAL)?;
        for (place, fd) in entries.iter_mut().zip(fds) {
            *place = entry(fd.as_raw_fd(), events);
        }
        let mut look_away = false;
        loop {
            // A negative descriptor is passed over.
            let tokens = if look_away { -1 } else { self.tokens.fd().as_raw_fd() };
            if let Some(last) = entries.last_mut() {
                *last = entry(tokens, libc::POLLIN);
            }
            let until = if look_away { Some(soon(deadline)) } else { deadline };
            let found = poll(entries, until);
            if wakes(self.state.load(Ordering::SeqCst)) != own {
                return Ok(());
            }
            found?;
            let mut answers = entries.iter().map(|entry| entry.revents != 0);
            let token = answers.next_back().unwrap_or(false);
            if answers.any(|ready| ready) {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Errno::ETIMEDOUT);
            }
            look_away = token;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{AsFd, OwnedFd};
    use std::thread;

    /// A descriptor to read from on which nothing ever happens, and one to write to.
    fn silence() -> (OwnedFd, OwnedFd) {
        crate::sys::descriptor::pipe().unwrap()
    }

    #[test]
    fn a_wake_without_a_waiter_is_for_the_next() {
        let (waker, (silence, _into)) = (Waker::new().unwrap(), silence());
        waker.wake();
        waker.wake();
        let wait = || waker.wait(&[silence.as_fd()], Direction::Read, Some(Instant::now()));
        assert_eq!(wait(), Err(Errno::ECANCELED));
        assert_eq!(wait(), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn who_does_not_wait_takes_a_wake_once() {
        let waker = Waker::new().unwrap();
        assert!(!waker.take_pending());
        waker.wake();
        assert!(waker.take_pending());
        assert!(!waker.take_pending());
    }

    #[test]
    fn a_wake_ends_every_wait_once() {
        let (waker, (silence, _into)) = (Waker::new().unwrap(), silence());
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| waker.wait(&[silence.as_fd()], Direction::Read, None)))
                .collect();
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
        let again = waker.wait(&[silence.as_fd()], Direction::Read, Some(Instant::now()));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn what_is_ready_is_not_waited_for() {
        let (waker, (silence, into)) = (Waker::new().unwrap(), silence());
        assert_eq!(waker.wait(&[silence.as_fd(), into.as_fd()], Direction::Write, None), Ok(()));
    }
}
