// SPDX-License-Identifier: MIT
//! Waiting for packets and for room, and what ends it.

use std::time::{Duration, Instant};

use crate::device::Device;
use crate::device::stream::lock;
use crate::model::error::{Errno, Error, Reason};
use crate::model::limit::Limit;
use crate::model::readiness::Readiness;
use crate::sys::Backend;

impl Device {
    /// Waits until a read or a write would not wait, without doing either; which of them.
    pub fn wait(&self, interest: Readiness, limit: Limit) -> Result<Readiness, Errno> {
        self.check_shutdown()?;
        let rest = Readiness { read: interest.read && self.has_rest()?, write: false };
        // Looked at first, so that what is ready leaves a pending wake.
        let ready = self.backend.ready(interest)?.or(rest);
        if ready.any() {
            return Ok(ready);
        }
        if limit == Limit::For(Duration::ZERO) {
            return Err(self.without_wait(Errno::ETIMEDOUT));
        }
        let deadline = limit.deadline();
        loop {
            let ready = self.backend.wait(interest, deadline)?;
            if ready.any() {
                return Ok(ready);
            }
        }
    }

    /// Ends each wait of this handle, or when there is none the next call that finds nothing.
    pub fn wake(&self) {
        self.backend.wake();
    }

    /// Ends each wait of this handle, and every later read, write and wait.
    pub fn shut_down(&self) {
        self.backend.shut_down();
    }

    /// Before each packet, whether one is there or not: a flood of them must not keep a thread alive.
    #[inline]
    pub(crate) fn check_shutdown(&self) -> Result<(), Errno> {
        if self.backend.is_shut_down() { Err(Errno::ECANCELED) } else { Ok(()) }
    }

    /// Tries first, so that a packet which is there costs one system call. Not `#[cold]` where it waits: an idle
    /// device waits for each packet.
    #[inline]
    pub(crate) fn try_or_wait(
        &self,
        interest: Readiness,
        limit: Limit,
        mut attempt: impl FnMut() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        self.check_shutdown()?;
        match attempt() {
            Err(Errno::EAGAIN) => self.wait_and_retry(interest, limit, attempt),
            first => first,
        }
    }

    /// Goes on after a first attempt found that it would have to wait.
    pub(crate) fn wait_and_retry(
        &self,
        interest: Readiness,
        limit: Limit,
        mut attempt: impl FnMut() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        match limit {
            Limit::Handle if self.nonblock() => return Err(self.without_wait(Errno::EAGAIN)),
            Limit::For(Duration::ZERO) => return Err(self.without_wait(Errno::ETIMEDOUT)),
            Limit::Handle | Limit::None | Limit::For(_) => {}
        }
        let deadline = limit.deadline();
        let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        loop {
            self.backend.wait(interest, deadline)?;
            match attempt() {
                // Another thread came first, or it was only time to try again.
                Err(Errno::EAGAIN) if is_over() => return Err(Errno::ETIMEDOUT),
                Err(Errno::EAGAIN) => {}
                outcome => return outcome,
            }
        }
    }

    /// What a call fails with that found nothing and does not wait. A pending wake is for the next call that finds
    /// nothing, whether it waits or not: it would end a wait much later otherwise.
    fn without_wait(&self, errno: Errno) -> Errno {
        if self.backend.take_wake() { Errno::ECANCELED } else { errno }
    }

    /// Whether packets of a super-packet are left, of which the descriptor tells nothing.
    fn has_rest(&self) -> Result<bool, Errno> {
        self.rest().map_or(Ok(false), |rest| Ok(lock(rest?).is_ready()))
    }

    /// What a failed wait is about.
    pub fn explain_wait(&self, errno: Errno) -> Error {
        match errno {
            Errno::ETIMEDOUT => {
                Error::new(errno, Reason::Timeout, "wait: nothing was ready within the time limit")
            }
            _ => self.explain("wait for", errno),
        }
    }
}
