// SPDX-License-Identifier: MIT
//! Waits for descriptors, and ends waits from other threads and from signal handlers.

use std::ffi::c_short;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::result::Result;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::boxed;
use super::{CancelDisabled, Tokens, poll};
use crate::model::error::Errno;
use crate::model::readiness::Readiness;

/// The counter stays readable until each waiter of an earlier wake has taken its token. A later waiter that finds it
/// readable polls only its descriptors for this time, and then the counter again.
const WAKE_IN_PROGRESS: Duration = Duration::from_millis(1);

/// Ends waits. Every waiter polls a kernel counter of tokens together with its descriptors. The counter has one token
/// for each waiter that was woken and has not returned yet. An atomic word decides which waiters these are: it has the
/// number of wakes, whether a wake is pending, whether the handle is shut down, and the number of waiters.
///
/// The first waiter creates the counter before it increments the number of waiters. So the counter exists whenever
/// there are waiters to wake. wake() and shut_down() are async-signal-safe.
pub(crate) struct Waker {
    /// NULL before the first wait.
    tokens: AtomicPtr<Tokens>,
    state: AtomicU64,
}

/// Limit of the descriptors of a wait, including that of the tokens.
const MAX_ENTRIES: usize = 5;

/// A descriptor, and the events to wait for.
pub(super) type Source<'a> = (BorrowedFd<'a>, Readiness);

const WAITER: u64 = 1;
const WAITERS: u64 = 0x00ff_ffff;
/// There was no waiter at the last wake: it is for the next call that finds nothing.
const PENDING: u64 = 1 << 24;
/// No call waits any more.
const SHUT_DOWN: u64 = 1 << 25;
const WAKE: u64 = 1 << 32;

/// The number of wakes when a call began. A wake after that ends the next wait of the call, also if it came while the
/// call did not wait, but tried to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wakes(u64);

impl Wakes {
    fn of(state: u64) -> Self {
        Self(state >> 32)
    }
}

impl Waker {
    pub(crate) fn new() -> Self {
        Self { tokens: AtomicPtr::new(ptr::null_mut()), state: AtomicU64::new(0) }
    }

    /// Whether a call has waited.
    #[allow(dead_code, reason = "not used on Darwin")]
    pub(super) fn has_waited(&self) -> bool {
        self.tokens().is_some()
    }

    /// Ends every current wait or, if there is none, the next one.
    pub(super) fn wake(&self) {
        self.end_waits(PENDING, 0);
    }

    /// Ends every current and later wait.
    pub(crate) fn shut_down(&self) {
        self.end_waits(SHUT_DOWN, SHUT_DOWN);
    }

    /// Called for each packet. Relaxed is enough, because the state is a single word.
    #[inline]
    pub(crate) fn is_shut_down(&self) -> bool {
        self.state.load(Ordering::Relaxed) & SHUT_DOWN != 0
    }

    /// Called for each packet. Relaxed is enough, because the state is a single word.
    #[inline]
    pub(crate) fn wakes(&self) -> Wakes {
        Wakes::of(self.state.load(Ordering::Relaxed))
    }

    /// Wakes all waiters, and sets the bits `if_waiting`. If there are none, sets the bits `if_idle`.
    fn end_waits(&self, if_idle: u64, if_waiting: u64) {
        let before = self.update(|state| {
            let bits = if state & WAITERS == 0 {
                state | if_idle
            } else {
                state & !(WAITERS | PENDING) | if_waiting
            };
            bits.wrapping_add(WAKE)
        });
        let waiters = before & WAITERS;
        if let (1.., Some(tokens)) = (waiters, self.tokens()) {
            tokens.add(waiters);
        }
    }

    /// Clears a pending wake, and returns whether there was one. For a call that found nothing and does not wait.
    pub(super) fn take_pending(&self) -> bool {
        // Read before written: usually there is none.
        self.state.load(Ordering::SeqCst) & PENDING != 0
            && self.update(|state| state & !PENDING) & PENDING != 0
    }

    /// Waits until one of the descriptors is ready or the deadline passes. Returns the ready events. ECANCELED: woken
    /// since the call began, or shut down. ETIMEDOUT: the deadline passed. EINTR: a signal handler ran. Other errors:
    /// the counter could not be created.
    pub(super) fn wait(
        &self,
        since: Wakes,
        sources: &[Source<'_>],
        deadline: Option<Instant>,
    ) -> Result<Readiness, Errno> {
        // Checked first, because it needs no counter.
        if self.take_pending() || self.is_shut_down() {
            return Err(Errno::ECANCELED);
        }
        let tokens = self.begin()?;
        self.enter(since)?;
        let waited = self.wait_as(since, tokens, sources, deadline);
        if self.leave(since, tokens) { Err(Errno::ECANCELED) } else { waited }
    }

    fn tokens(&self) -> Option<&Tokens> {
        // SAFETY: stored tokens exist as long as `self`.
        unsafe { self.tokens.load(Ordering::Acquire).as_ref() }
    }

    /// The tokens. The first waiter creates them.
    fn begin(&self) -> Result<&Tokens, Errno> {
        match self.tokens() {
            Some(tokens) => Ok(tokens),
            None => self.make(),
        }
    }

    #[cold]
    fn make(&self) -> Result<&Tokens, Errno> {
        // Another thread may create them at the same time: then one of the two is closed.
        let _cancel_disabled = CancelDisabled::new();
        let made = Box::into_raw(boxed(Tokens::new()?)?);
        let stored = self.tokens.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
        let kept = match stored {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: another thread was first, and nothing refers to these tokens.
                drop(unsafe { Box::from_raw(made) });
                first
            }
        };
        // SAFETY: stored tokens exist as long as `self`.
        Ok(unsafe { &*kept })
    }

    /// Adds a waiter. ECANCELED after a shutdown, after a wake since the call began, or if a wake was pending, which it
    /// clears.
    fn enter(&self, since: Wakes) -> Result<(), Errno> {
        let may_wait = |state| Wakes::of(state) == since && state & (PENDING | SHUT_DOWN) == 0;
        let before = self.update(|state| match may_wait(state) {
            true => state.wrapping_add(WAITER),
            false => state & !PENDING,
        });
        if may_wait(before) { Ok(()) } else { Err(Errno::ECANCELED) }
    }

    /// Removes a waiter. True if a wake has already removed it: then takes its token.
    fn leave(&self, since: Wakes, tokens: &Tokens) -> bool {
        let before = self.update(|state| match Wakes::of(state) == since {
            true => state.wrapping_sub(WAITER),
            false => state,
        });
        if Wakes::of(before) == since {
            return false;
        }
        // Waits if the waker has not added the token yet.
        tokens.take();
        true
    }

    fn wait_as(
        &self,
        since: Wakes,
        tokens: &Tokens,
        sources: &[Source<'_>],
        deadline: Option<Instant>,
    ) -> Result<Readiness, Errno> {
        let mut entries = entries(sources);
        let entries = entries.get_mut(..=sources.len()).ok_or(Errno::EINVAL)?;
        let mut skip_tokens = false;
        loop {
            if let Some(last) = entries.last_mut() {
                // poll ignores a negative descriptor.
                let fd = if skip_tokens { -1 } else { tokens.fd().as_raw_fd() };
                *last = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            }
            let until = if skip_tokens { Some(soon(deadline)) } else { deadline };
            let found = poll(entries, until);
            if Wakes::of(self.state.load(Ordering::SeqCst)) != since {
                return Ok(Readiness::NONE);
            }
            found?;
            let ready = ready_events(sources, entries);
            if ready.any() {
                return Ok(ready);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Errno::ETIMEDOUT);
            }
            skip_tokens = entries.last().is_some_and(|tokens| tokens.revents != 0);
        }
    }

    fn update(&self, change: impl Fn(u64) -> u64) -> u64 {
        let changed = |state| Some(change(state));
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, changed).unwrap_or_else(|state| state)
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        let tokens = *self.tokens.get_mut();
        if !tokens.is_null() {
            // SAFETY: it came from a box, is stored once, and is no longer referred to.
            drop(unsafe { Box::from_raw(tokens) });
        }
    }
}

/// The events that are ready now.
pub(super) fn ready(sources: &[Source<'_>]) -> Result<Readiness, Errno> {
    let mut entries = entries(sources);
    let entries = entries.get_mut(..sources.len()).ok_or(Errno::EINVAL)?;
    poll(entries, Some(Instant::now()))?;
    Ok(ready_events(sources, entries))
}

fn entries(sources: &[Source<'_>]) -> [libc::pollfd; MAX_ENTRIES] {
    let mut entries = [libc::pollfd { fd: -1, events: 0, revents: 0 }; MAX_ENTRIES];
    for (entry, (fd, interest)) in entries.iter_mut().zip(sources) {
        entry.fd = fd.as_raw_fd();
        entry.events |= if interest.read { libc::POLLIN } else { 0 };
        entry.events |= if interest.write { libc::POLLOUT } else { 0 };
    }
    entries
}

/// The events that poll found. POLLERR and POLLHUP count as every event: no call waits for long then.
fn ready_events(sources: &[Source<'_>], entries: &[libc::pollfd]) -> Readiness {
    let answer = |(entry, (_, interest)): (&libc::pollfd, &Source<'_>)| {
        let found = |event: c_short| entry.revents & (event | !(libc::POLLIN | libc::POLLOUT)) != 0;
        Readiness {
            read: interest.read && found(libc::POLLIN),
            write: interest.write && found(libc::POLLOUT),
        }
    };
    entries.iter().zip(sources).map(answer).fold(Readiness::NONE, Readiness::or)
}

/// The deadline, or the time to poll the tokens again if it is earlier.
fn soon(deadline: Option<Instant>) -> Instant {
    let now = Instant::now();
    let soon = now.checked_add(WAKE_IN_PROGRESS).unwrap_or(now);
    deadline.map_or(soon, |deadline| deadline.min(soon))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{AsFd, OwnedFd};
    use std::thread;

    /// The ends of a pipe: a descriptor that is never readable, and one that is writable.
    fn idle_pipe() -> (OwnedFd, OwnedFd) {
        crate::sys::descriptor::pipe().unwrap()
    }

    #[test]
    fn a_wake_without_a_waiter_ends_the_next_wait() {
        let (waker, (idle, _writable)) = (Waker::new(), idle_pipe());
        waker.wake();
        waker.wake();
        let wait = || waker.wait(waker.wakes(), &[(idle.as_fd(), Readiness::READ)], Some(Instant::now()));
        assert_eq!(wait(), Err(Errno::ECANCELED));
        assert_eq!(wait(), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn a_shutdown_ends_present_and_later_waits() {
        let (waker, (idle, writable)) = (Waker::new(), idle_pipe());
        let wait = || waker.wait(waker.wakes(), &[(idle.as_fd(), Readiness::READ)], None);
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..4).map(|_| scope.spawn(wait)).collect();
            while waker.state.load(Ordering::SeqCst) & WAITERS != 4 {
                thread::yield_now();
            }
            assert!(!waker.is_shut_down());
            waker.shut_down();
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Err(Errno::ECANCELED));
            }
        });
        assert!(waker.is_shut_down());
        waker.wake();
        waker.shut_down();
        assert_eq!(wait(), Err(Errno::ECANCELED));
        assert_eq!(
            waker.wait(waker.wakes(), &[(writable.as_fd(), Readiness::WRITE)], None),
            Err(Errno::ECANCELED)
        );
        assert_eq!(waker.state.load(Ordering::SeqCst) & WAITERS, 0);
    }

    /// A call that waits again after it found nothing is ended by a wake that came in between.
    #[test]
    fn a_wake_ends_the_calls_that_do_not_wait_at_that_moment() {
        let (waker, (idle, _writable)) = (Waker::new(), idle_pipe());
        let wait = |since| waker.wait(since, &[(idle.as_fd(), Readiness::READ)], Some(Instant::now()));
        let calls = [waker.wakes(), waker.wakes()];
        waker.wake();
        for since in calls {
            assert_eq!(wait(since), Err(Errno::ECANCELED));
        }
        assert_eq!(wait(waker.wakes()), Err(Errno::ETIMEDOUT));

        let since = waker.wakes();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| waker.wait(waker.wakes(), &[(idle.as_fd(), Readiness::READ)], None));
            while waker.state.load(Ordering::SeqCst) & WAITERS != 1 {
                thread::yield_now();
            }
            waker.wake();
            assert_eq!(waiter.join().unwrap(), Err(Errno::ECANCELED));
        });
        assert_eq!(wait(since), Err(Errno::ECANCELED));
        assert_eq!(wait(waker.wakes()), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn a_pending_wake_is_taken_once() {
        let waker = Waker::new();
        assert!(!waker.take_pending());
        waker.wake();
        assert!(waker.take_pending());
        assert!(!waker.take_pending());
    }

    #[test]
    fn a_wake_ends_every_wait_once() {
        let (waker, (idle, _writable)) = (Waker::new(), idle_pipe());
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| waker.wait(waker.wakes(), &[(idle.as_fd(), Readiness::READ)], None)))
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
        assert_eq!((Wakes::of(state), state & (WAITERS | PENDING)), (Wakes(1), 0));
        let again = waker.wait(waker.wakes(), &[(idle.as_fd(), Readiness::READ)], Some(Instant::now()));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn a_wait_returns_ready_events_at_once() {
        let (waker, (idle, writable)) = (Waker::new(), idle_pipe());
        let (read, write) = ((idle.as_fd(), Readiness::READ), (writable.as_fd(), Readiness::WRITE));
        assert_eq!(waker.wait(waker.wakes(), &[read, write], None), Ok(Readiness::WRITE));
        assert_eq!(ready(&[read, write]), Ok(Readiness::WRITE));
        assert_eq!(ready(&[read]), Ok(Readiness::NONE));
        let closed = idle.as_fd();
        drop(writable);
        let both = Readiness { read: true, write: true };
        assert_eq!(ready(&[(closed, both)]), Ok(both));
    }
}
