// SPDX-License-Identifier: MIT
//! Waits for packets and for room, and ends such waits.

use std::time::{Duration, Instant};

use crate::device::Device;
use crate::device::stream::lock;
use crate::model::error::{Errno, Error, Reason};
use crate::model::limit::Limit;
use crate::model::readiness::Readiness;
use crate::sys::{Backend, Wakes};

impl Device {
    /// Waits until a read or a write would not wait, and does neither. Returns the ready events.
    pub fn wait(&self, interest: Readiness, limit: Limit) -> Result<Readiness, Errno> {
        let since = self.check_shutdown()?;
        let rest = Readiness { read: interest.read && self.has_rest()?, write: false };
        // Checked first: a wake stays pending if an event is ready.
        let ready = self.backend.ready(interest)?.or(rest);
        if ready.any() {
            return Ok(ready);
        }
        if limit == Limit::For(Duration::ZERO) {
            return Err(self.without_wait(Errno::ETIMEDOUT));
        }
        let deadline = limit.deadline();
        loop {
            let ready = self.backend.wait(since, interest, deadline)?;
            if ready.any() {
                return Ok(ready);
            }
        }
    }

    /// Ends each wait of this handle or, if there is none, the next call that finds nothing.
    pub fn wake(&self) {
        self.backend.wake();
    }

    /// Ends each wait of this handle, and every later read, write and wait.
    pub fn shut_down(&self) {
        self.backend.shut_down();
    }

    /// Begins a call. Called before each packet, so that a flood of packets cannot prevent a thread from ending.
    #[inline]
    pub(crate) fn check_shutdown(&self) -> Result<Wakes, Errno> {
        if self.backend.is_shut_down() { Err(Errno::ECANCELED) } else { Ok(self.backend.wakes()) }
    }

    /// Tries first, so that a packet that is ready costs one system call. The wait is not `#[cold]`: on an idle device
    /// each packet needs one.
    #[inline]
    pub(crate) fn try_or_wait(
        &self,
        interest: Readiness,
        limit: Limit,
        mut attempt: impl FnMut() -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let since = self.check_shutdown()?;
        match attempt() {
            Err(Errno::EAGAIN) => self.wait_and_retry(since, interest, limit, attempt),
            first => first,
        }
    }

    /// Continues after a first attempt that failed with EAGAIN.
    pub(crate) fn wait_and_retry(
        &self,
        since: Wakes,
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
            self.backend.wait(since, interest, deadline)?;
            match attempt() {
                // Another thread was faster, or the backend returned to try again.
                Err(Errno::EAGAIN) if is_over() => return Err(Errno::ETIMEDOUT),
                Err(Errno::EAGAIN) => {}
                outcome => return outcome,
            }
        }
    }

    /// The error of a call that found nothing and does not wait. It consumes a pending wake too, which would otherwise
    /// end an unrelated wait later.
    fn without_wait(&self, errno: Errno) -> Errno {
        if self.backend.take_wake() { Errno::ECANCELED } else { errno }
    }

    /// Whether packets of a super-packet are left, which the descriptor does not show.
    fn has_rest(&self) -> Result<bool, Errno> {
        self.stream().map_or(Ok(false), |stream| Ok(lock(stream?).is_ready()))
    }

    /// The error of a failed wait.
    pub fn explain_wait(&self, errno: Errno) -> Error {
        match errno {
            Errno::ETIMEDOUT => {
                Error::new(errno, Reason::Timeout, "wait: nothing was ready within the time limit")
            }
            _ => self.explain("wait for", errno),
        }
    }
}
