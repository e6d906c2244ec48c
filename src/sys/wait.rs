// SPDX-License-Identifier: MIT
//! Waiting for a descriptor, and ending the wait from elsewhere.

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

/// How long a waiter does not poll the tokens while those that an earlier wake was for still take theirs.
const WAKE_IN_PROGRESS: Duration = Duration::from_millis(1);

/// Ends waits. The kernel's part is a counter of tokens, which every waiter polls beside its descriptor; it holds one for
/// each waiter that has been woken and has not noticed yet. Which waiters these are is decided here, in one word: the
/// number of wakes, whether one is pending, whether the handle is shut down, and how many wait at the moment.
///
/// The first waiter makes the counter, before it is counted in: what ends waits and finds none needs no counter, and
/// what finds some has it. Everything that wake() and shut_down() do is allowed in a signal handler.
pub(crate) struct Waker {
    /// NULL before the first wait.
    tokens: AtomicPtr<Tokens>,
    state: AtomicU64,
}

/// Descriptors of a wait, at most, with that of the tokens.
const MAX_ENTRIES: usize = 5;

/// A descriptor, and what of it is waited for.
pub(super) type Source<'a> = (BorrowedFd<'a>, Readiness);

const WAITER: u64 = 1;
const WAITERS: u64 = 0x00ff_ffff;
/// For the next call that finds nothing.
const PENDING: u64 = 1 << 24;
/// Nothing waits any more.
const SHUT_DOWN: u64 = 1 << 25;
const WAKE: u64 = 1 << 32;

/// The wakes of a state.
fn wakes(state: u64) -> u64 {
    state >> 32
}

impl Waker {
    pub(crate) fn new() -> Self {
        Self { tokens: AtomicPtr::new(ptr::null_mut()), state: AtomicU64::new(0) }
    }

    /// Whether somebody has waited.
    #[allow(dead_code, reason = "Darwin does not ask")]
    pub(super) fn is_begun(&self) -> bool {
        self.tokens().is_some()
    }

    /// Ends every wait that goes on, or when there is none, the next one.
    pub(super) fn wake(&self) {
        self.end_waits(PENDING, 0);
    }

    /// Ends every wait that goes on, and every later one.
    pub(crate) fn shut_down(&self) {
        self.end_waits(SHUT_DOWN, SHUT_DOWN);
    }

    /// On a packet's way. Who calls after shut_down() sees it, as that is the only word.
    #[inline]
    pub(crate) fn is_shut_down(&self) -> bool {
        self.state.load(Ordering::Relaxed) & SHUT_DOWN != 0
    }

    /// What is set where nothing waits, and where something does.
    fn end_waits(&self, without: u64, with: u64) {
        let before = self.update(|state| match state & WAITERS {
            0 => state | without,
            _ => (state & !(WAITERS | PENDING)).wrapping_add(WAKE) | with,
        });
        let waiters = before & WAITERS;
        if let (1.., Some(tokens)) = (waiters, self.tokens()) {
            tokens.add(waiters);
        }
    }

    /// For a call that has found nothing, and does not wait: takes a pending wake, and tells whether there was one.
    pub(super) fn take_pending(&self) -> bool {
        // Looked at before it is written to: most often there is none.
        self.state.load(Ordering::SeqCst) & PENDING != 0
            && self.update(|state| state & !PENDING) & PENDING != 0
    }

    /// Waits until one of the descriptors is ready, and for ever without a deadline; what is ready. ECANCELED: woken or
    /// shut down. ETIMEDOUT: too late. EINTR: a signal handler ran. What else the system says to a new counter.
    pub(super) fn wait(&self, sources: &[Source<'_>], deadline: Option<Instant>) -> Result<Readiness, Errno> {
        // Needs no counter.
        if self.take_pending() || self.is_shut_down() {
            return Err(Errno::ECANCELED);
        }
        let tokens = self.begin()?;
        let own = self.enter()?;
        let waited = self.wait_as(own, tokens, sources, deadline);
        if self.leave(own, tokens) { Err(Errno::ECANCELED) } else { waited }
    }

    fn tokens(&self) -> Option<&Tokens> {
        // SAFETY: what is stored lives as long as this.
        unsafe { self.tokens.load(Ordering::Acquire).as_ref() }
    }

    /// The tokens, which the first waiter makes.
    fn begin(&self) -> Result<&Tokens, Errno> {
        match self.tokens() {
            Some(tokens) => Ok(tokens),
            None => self.make(),
        }
    }

    #[cold]
    fn make(&self) -> Result<&Tokens, Errno> {
        // Of two that are made, one is closed.
        let _cancel_disabled = CancelDisabled::new();
        let made = Box::into_raw(boxed(Tokens::new()?)?);
        let stored = self.tokens.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
        let kept = match stored {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: another thread came first, and nobody has seen this one.
                drop(unsafe { Box::from_raw(made) });
                first
            }
        };
        // SAFETY: what is stored lives as long as this.
        Ok(unsafe { &*kept })
    }

    /// Counts this waiter in; the number of wakes before it. It takes a pending wake.
    fn enter(&self) -> Result<u64, Errno> {
        let before = self.update(|state| match state & (PENDING | SHUT_DOWN) {
            0 => state.wrapping_add(WAITER),
            _ => state & !PENDING,
        });
        if before & (PENDING | SHUT_DOWN) == 0 { Ok(wakes(before)) } else { Err(Errno::ECANCELED) }
    }

    /// Counts it out; true when a wake did that already, and then its token is taken.
    fn leave(&self, own: u64, tokens: &Tokens) -> bool {
        let before = self.update(|state| match wakes(state) == own {
            true => state.wrapping_sub(WAITER),
            false => state,
        });
        if wakes(before) == own {
            return false;
        }
        // It waits for the waker to have added it.
        tokens.take();
        true
    }

    fn wait_as(
        &self,
        own: u64,
        tokens: &Tokens,
        sources: &[Source<'_>],
        deadline: Option<Instant>,
    ) -> Result<Readiness, Errno> {
        let mut entries = entries(sources);
        let entries = entries.get_mut(..=sources.len()).ok_or(Errno::EINVAL)?;
        let mut skip_tokens = false;
        loop {
            if let Some(last) = entries.last_mut() {
                // A negative descriptor is passed over.
                let fd = if skip_tokens { -1 } else { tokens.fd().as_raw_fd() };
                *last = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            }
            let until = if skip_tokens { Some(soon(deadline)) } else { deadline };
            let found = poll(entries, until);
            if wakes(self.state.load(Ordering::SeqCst)) != own {
                return Ok(Readiness::NONE);
            }
            found?;
            let ready = answers(sources, entries);
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
            // SAFETY: it came of a box, is stored once, and nobody refers to it any more.
            drop(unsafe { Box::from_raw(tokens) });
        }
    }
}

/// What is ready at this moment.
pub(super) fn ready(sources: &[Source<'_>]) -> Result<Readiness, Errno> {
    let mut entries = entries(sources);
    let entries = entries.get_mut(..sources.len()).ok_or(Errno::EINVAL)?;
    poll(entries, Some(Instant::now()))?;
    Ok(answers(sources, entries))
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

/// What poll found. An error or the end is for each who waits: no call waits for long there.
fn answers(sources: &[Source<'_>], entries: &[libc::pollfd]) -> Readiness {
    let answer = |(entry, (_, interest)): (&libc::pollfd, &Source<'_>)| {
        let found = |event: c_short| entry.revents & (event | !(libc::POLLIN | libc::POLLOUT)) != 0;
        Readiness {
            read: interest.read && found(libc::POLLIN),
            write: interest.write && found(libc::POLLOUT),
        }
    };
    entries.iter().zip(sources).map(answer).fold(Readiness::NONE, Readiness::or)
}

/// The deadline, or the moment to poll the tokens again when that is earlier.
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

    /// A descriptor to read from on which nothing ever happens, and one to write to.
    fn silence() -> (OwnedFd, OwnedFd) {
        crate::sys::descriptor::pipe().unwrap()
    }

    #[test]
    fn a_wake_without_a_waiter_is_for_the_next() {
        let (waker, (silence, _into)) = (Waker::new(), silence());
        waker.wake();
        waker.wake();
        let wait = || waker.wait(&[(silence.as_fd(), Readiness::READ)], Some(Instant::now()));
        assert_eq!(wait(), Err(Errno::ECANCELED));
        assert_eq!(wait(), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn a_shutdown_ends_every_wait_for_ever() {
        let (waker, (silence, into)) = (Waker::new(), silence());
        let wait = || waker.wait(&[(silence.as_fd(), Readiness::READ)], None);
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
        assert_eq!(waker.wait(&[(into.as_fd(), Readiness::WRITE)], None), Err(Errno::ECANCELED));
        assert_eq!(waker.state.load(Ordering::SeqCst) & WAITERS, 0);
    }

    #[test]
    fn who_does_not_wait_takes_a_wake_once() {
        let waker = Waker::new();
        assert!(!waker.take_pending());
        waker.wake();
        assert!(waker.take_pending());
        assert!(!waker.take_pending());
    }

    #[test]
    fn a_wake_ends_every_wait_once() {
        let (waker, (silence, _into)) = (Waker::new(), silence());
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| waker.wait(&[(silence.as_fd(), Readiness::READ)], None)))
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
        let again = waker.wait(&[(silence.as_fd(), Readiness::READ)], Some(Instant::now()));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn what_is_ready_is_not_waited_for() {
        let (waker, (silence, into)) = (Waker::new(), silence());
        let (read, write) = ((silence.as_fd(), Readiness::READ), (into.as_fd(), Readiness::WRITE));
        assert_eq!(waker.wait(&[read, write], None), Ok(Readiness::WRITE));
        assert_eq!(ready(&[read, write]), Ok(Readiness::WRITE));
        assert_eq!(ready(&[read]), Ok(Readiness::NONE));
        let closed = silence.as_fd();
        drop(into);
        let both = Readiness { read: true, write: true };
        assert_eq!(ready(&[(closed, both)]), Ok(both));
    }
}
