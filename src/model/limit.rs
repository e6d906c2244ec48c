// SPDX-License-Identifier: MIT
//! Time limits.

use std::time::{Duration, Instant};

/// How long a call waits. A signal handler ends any wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As the handle is set: without a limit, or not at all.
    Handle,
    /// Without a limit.
    None,
    /// At most for this duration.
    For(Duration),
}

impl Limit {
    /// A limit in milliseconds. A negative number means no limit.
    pub fn milliseconds(number: i32) -> Self {
        u64::try_from(number).map_or(Self::None, |number| Self::For(Duration::from_millis(number)))
    }

    /// The end of a wait that begins now.
    pub fn deadline(self) -> Option<Instant> {
        match self {
            Self::Handle | Self::None => None,
            Self::For(duration) => Instant::now().checked_add(duration),
        }
    }
}
