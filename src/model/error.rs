// SPDX-License-Identifier: MIT
//! What every layer fails with: an errno, the reason that an errno cannot tell, and one sentence.

use std::fmt;

use crate::model::text::{Text, text};

pub use crate::model::errno::Errno;

/// Result of everything off the packet path.
pub type Result<T> = std::result::Result<T, Error>;

/// What errno cannot tell. The numbers are the ABI's `TUNTAP_REASON_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// No failure.
    None = 0,
    /// An argument is NULL or not one of those allowed.
    Argument = 1,
    /// The flags are unknown or contradict each other.
    Flags = 2,
    /// Not a valid device name.
    Name = 3,
    /// Not a usable address.
    Address = 4,
    /// A number outside of what the device takes.
    Range = 5,
    /// The caller's buffer is too small.
    Buffer = 6,
    /// The bytes are no packet of the device's kind.
    Packet = 7,
    /// No TUN/TAP driver, or no device node.
    NoDriver = 8,
    /// The process lacks the right to do it.
    Privilege = 9,
    /// The name is taken, or the device is in use.
    Busy = 10,
    /// The wrong kind of device.
    Kind = 11,
    /// The device's modes are not those asked for.
    Mismatch = 12,
    /// This kernel does not support it.
    Kernel = 13,
    /// This operating system does not support it.
    Platform = 14,
    /// The device is gone.
    Removed = 15,
    /// The device is down.
    Down = 16,
    /// The value asked for is not set.
    Unset = 17,
    /// Nothing to read, or no room to write, at the moment.
    Again = 18,
    /// A signal handler ran before anything happened.
    Interrupted = 19,
    /// The operating system refused for a cause of its own: the errno tells.
    System = 20,
    /// The device lives in another network namespace.
    Namespace = 21,
    /// The time limit passed before anything happened.
    Timeout = 22,
    /// tuntap_wake ended the wait.
    Woken = 23,
    /// There is no such device.
    Absent = 24,
    /// The kernel's queue is full, and poll does not tell when it is not.
    Full = 25,
}

impl Reason {
    const ALL: [Self; 26] = [
        Self::None,
        Self::Argument,
        Self::Flags,
        Self::Name,
        Self::Address,
        Self::Range,
        Self::Buffer,
        Self::Packet,
        Self::NoDriver,
        Self::Privilege,
        Self::Busy,
        Self::Kind,
        Self::Mismatch,
        Self::Kernel,
        Self::Platform,
        Self::Removed,
        Self::Down,
        Self::Unset,
        Self::Again,
        Self::Interrupted,
        Self::System,
        Self::Namespace,
        Self::Timeout,
        Self::Woken,
        Self::Absent,
        Self::Full,
    ];

    /// The reason that has this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u32 == number)
    }

    /// A short phrase, as C text because that is what it is asked for.
    pub fn phrase(self) -> &'static std::ffi::CStr {
        match self {
            Self::None => c"no error",
            Self::Argument => c"invalid argument",
            Self::Flags => c"unknown or contradicting flags",
            Self::Name => c"invalid device name",
            Self::Address => c"invalid address",
            Self::Range => c"number out of range",
            Self::Buffer => c"buffer too small",
            Self::Packet => c"not a packet of this kind of device",
            Self::NoDriver => c"no TUN/TAP driver or device node",
            Self::Privilege => c"not permitted",
            Self::Busy => c"name taken or device busy",
            Self::Kind => c"wrong kind of device",
            Self::Mismatch => c"device has other modes than those asked for",
            Self::Kernel => c"not supported by this kernel",
            Self::Platform => c"not supported on this operating system",
            Self::Removed => c"device is gone",
            Self::Down => c"device is down",
            Self::Unset => c"not set",
            Self::Again => c"would block",
            Self::Interrupted => c"interrupted by a signal",
            Self::System => c"refused by the operating system",
            Self::Namespace => c"another network namespace",
            Self::Timeout => c"time limit passed",
            Self::Woken => c"woken",
            Self::Absent => c"no such device",
            Self::Full => c"the kernel's queue is full",
        }
    }
}

/// An array of one, because std has no fallible box; nothing is moved, as the room is exact.
fn boxed(message: Text) -> Option<Box<[Text; 1]>> {
    let mut one = Vec::new();
    one.try_reserve_exact(1).ok()?;
    one.push(message);
    one.try_into().ok()
}

/// A failure: never without an errno, a reason and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    errno: Errno,
    reason: Reason,
    /// Apart, as an error is moved often. None where there was no memory for it.
    message: Option<Box<[Text; 1]>>,
}

impl Error {
    /// An error with its sentence: what was tried, on what, why it failed, what to do.
    #[cold]
    #[inline(never)]
    pub fn new(errno: Errno, reason: Reason, message: impl Into<Text>) -> Self {
        Self { errno, reason, message: boxed(message.into()) }
    }

    /// The operating system's refusal of `action` ("set the MTU of vpn0 to 9000").
    pub fn system(errno: Errno, action: impl fmt::Display) -> Self {
        Self::refused(errno, &action)
    }

    #[cold]
    #[inline(never)]
    fn refused(errno: Errno, action: &dyn fmt::Display) -> Self {
        let reason = match errno {
            Errno::EPERM | Errno::EACCES => Reason::Privilege,
            Errno::ENODEV => Reason::Removed,
            Errno::EAGAIN => Reason::Again,
            Errno::EINTR => Reason::Interrupted,
            Errno::ENETDOWN => Reason::Down,
            _ => Reason::System,
        };
        Self::new(errno, reason, text!("{action}: {}", errno.desc()))
    }

    /// It came of an option of an open.
    pub fn of_option(self, name: &str) -> Self {
        Self::new(self.errno, self.reason, text!("option {name}: {}", self.message()))
    }

    /// The operating system has no such thing.
    pub fn platform(action: impl fmt::Display) -> Self {
        Self::new(
            Errno::EOPNOTSUPP,
            Reason::Platform,
            text!("{action}: not supported on this operating system"),
        )
    }

    /// The errno, positive.
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// What errno cannot tell.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        self.message
            .as_deref()
            .map_or("there is not enough memory for the message", |[message]| message.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_the_number_of_its_place() {
        for (number, reason) in (0..).zip(Reason::ALL) {
            assert_eq!(Reason::from_number(number), Some(reason));
        }
        assert_eq!(Reason::from_number(26), None);
        assert_eq!(Reason::from_number(u32::MAX), None);
    }

    #[test]
    fn a_refusal_keeps_its_errno_and_finds_its_reason() {
        let error = Error::system(Errno::EPERM, "set the MTU of vpn0 to 9000");
        assert_eq!(error.errno(), Errno::EPERM);
        assert_eq!(error.reason(), Reason::Privilege);
        assert!(error.to_string().starts_with("set the MTU of vpn0 to 9000: "));
    }
}
