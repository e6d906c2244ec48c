// SPDX-License-Identifier: MIT
//! The events that a wait is for, and those that are ready.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::constants;
use crate::model::text::text;

constants! {
    bits WAITS: u32 {
        /// A packet can be read.
        WAIT_READ = 0x1, "TUNTAP_WAIT_READ";
        /// There is room to write a packet.
        WAIT_WRITE = 0x2, "TUNTAP_WAIT_WRITE";
    }
}

/// A set of events: reading, writing, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A read does not wait.
    pub read: bool,
    /// A write does not wait.
    pub write: bool,
}

impl Readiness {
    /// Nothing is ready.
    pub const NONE: Self = Self { read: false, write: false };
    /// Reading alone.
    pub const READ: Self = Self { read: true, write: false };
    /// Writing alone.
    pub const WRITE: Self = Self { read: false, write: true };

    /// Checks the ABI's bits. A wait needs at least one.
    pub fn parse(events: u32) -> Result<Self> {
        let why = match events {
            0 => "no event to wait for",
            _ if events & !(WAIT_READ | WAIT_WRITE) != 0 => "unknown events",
            _ => return Ok(Self { read: events & WAIT_READ != 0, write: events & WAIT_WRITE != 0 }),
        };
        let text =
            text!("wait for the events {events:#x}: {why}: use TUNTAP_WAIT_READ, TUNTAP_WAIT_WRITE or both");
        Err(Error::new(Errno::EINVAL, Reason::Flags, text))
    }

    /// The ABI's bits.
    pub fn bits(self) -> u32 {
        let bit = |set, bit| if set { bit } else { 0 };
        bit(self.read, WAIT_READ) | bit(self.write, WAIT_WRITE)
    }

    /// Whether anything is ready.
    pub fn any(self) -> bool {
        self.read || self.write
    }

    /// The events in either set.
    pub fn or(self, other: Self) -> Self {
        Self { read: self.read || other.read, write: self.write || other.write }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_bits_are_checked_and_preserved() {
        for bits in 1..4 {
            assert_eq!(Readiness::parse(bits).unwrap().bits(), bits);
        }
        for bits in [0, 4, 5, u32::MAX] {
            assert_eq!(Readiness::parse(bits).unwrap_err().reason(), Reason::Flags);
        }
    }
}
