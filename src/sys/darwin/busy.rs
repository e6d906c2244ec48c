// SPDX-License-Identifier: MIT
//! Names that are busy although no interface has them: the kernel releases a name some time after the interface was
//! closed or destroyed (dlil.c, ifnet_detach, which leaves the rest to a thread; if_utun.c, utun_detached).

use std::thread;
use std::time::{Duration, Instant};

use super::link;
use crate::model::error::Errno;
use crate::sys::Outcome;

/// How long to wait for such a name, and the time between two attempts.
const LIMIT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Tries to create the interface of this name. If the name is busy and no interface has it, tries again for a while. If
/// an interface has the name, fails with EBUSY at once.
pub(super) fn retry_while_busy<T>(name: &str, mut attempt: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(Errno::EBUSY) if start.elapsed() < LIMIT && !is_listed(name) => thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

fn is_listed(name: &str) -> bool {
    link::survey(0).is_ok_and(|all| all.iter().any(|it| it.link.name.as_bytes() == name.as_bytes()))
}
