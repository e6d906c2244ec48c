// SPDX-License-Identifier: MIT
//! Ending a wait for good.

use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use super::{Outcome, Tokens};

/// Ends the wait that goes on, and every later one. The descriptor for that is made by the first wait.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: AtomicBool,
    tokens: OnceLock<Tokens>,
}

impl Stop {
    /// Allowed in a signal handler.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Either this finds the descriptor, or the wait that makes it finds that it is stopped.
        fence(Ordering::SeqCst);
        if let Some(tokens) = self.tokens.get() {
            tokens.add(1);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// What a wait polls beside its own descriptors: readable once it is over. Whoever has it looks at
    /// [`Self::is_stopped`] before it waits: what came before the descriptor does not make it readable.
    pub(super) fn fd(&self) -> Outcome<BorrowedFd<'_>> {
        if self.tokens.get().is_none() {
            // Another thread's, which was first, serves as well.
            let _ = self.tokens.set(Tokens::new()?);
            fence(Ordering::SeqCst);
        }
        self.tokens.get().map(Tokens::fd).ok_or(crate::model::error::Errno::EIO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::time::Instant;

    fn is_readable(stop: &Stop) -> bool {
        let fd = stop.fd().unwrap().as_raw_fd();
        let mut entry = [libc::pollfd { fd, events: libc::POLLIN, revents: 0 }];
        super::super::poll(&mut entry, Some(Instant::now())).unwrap();
        entry[0].revents != 0
    }

    #[test]
    fn a_stop_is_for_good() {
        let stop = Stop::default();
        assert!(!is_readable(&stop) && !stop.is_stopped());
        stop.stop();
        stop.stop();
        assert!(is_readable(&stop) && is_readable(&stop) && stop.is_stopped());
    }

    #[test]
    fn a_stop_before_the_first_wait_is_remembered() {
        let stop = Stop::default();
        stop.stop();
        assert!(stop.is_stopped());
        stop.fd().unwrap();
        assert!(stop.is_stopped());
    }
}
