// SPDX-License-Identifier: MIT
//! Time limits.

use std::time::{Duration, Instant};

/// How long a call waits. A signal handler ends each of these waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As the handle was told: without a limit, or not at all.
    Handle,
    /// Without a limit.
    None,
    /// For at most this long.
    For(Duration),
}

impl Limit {
    /// A caller's milliseconds; a negative number is no limit.
    pub fn milliseconds(number: i32) -> Self {
        u64::try_from(number).map_or(Self::None, |number| Self::For(Duration::from_millis(number)))
    }

    /// When it is over, if it began now.
    pub fn deadline(self) -> Option<Instant> {
        match self {
            Self::Handle | Self::None => None,
            Self::For(duration) => Instant::now().checked_add(duration),
        }
    }
}
