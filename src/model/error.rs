// SPDX-License-Identifier: MIT
//! The error of all layers: an errno, a reason that is more precise than the errno, and a message of one sentence.

use std::fmt;

use crate::model::table::enumeration;
use crate::model::text::{Text, text};

pub use crate::model::errno::Errno;

/// The result of everything that is not on the path of packets.
pub type Result<T> = std::result::Result<T, Error>;

enumeration! {
    /// The cause, where the errno alone is ambiguous. The numbers are the `TUNTAP_REASON_*` of the ABI.
    pub enum Reason {
        /// No error.
        None = 0, "TUNTAP_REASON_NONE", c"no error";
        /// An argument is NULL or not one of the allowed values.
        Argument = 1, "TUNTAP_REASON_ARGUMENT", c"invalid argument";
        /// The flags are unknown or contradict each other.
        Flags = 2, "TUNTAP_REASON_FLAGS", c"unknown or contradicting flags";
        /// Not a valid device name.
        Name = 3, "TUNTAP_REASON_NAME", c"invalid device name";
        /// Not a valid or usable address.
        Address = 4, "TUNTAP_REASON_ADDRESS", c"invalid address";
        /// A number is out of range.
        Range = 5, "TUNTAP_REASON_RANGE", c"number out of range";
        /// The caller's buffer is too small.
        Buffer = 6, "TUNTAP_REASON_BUFFER", c"buffer too small";
        /// The bytes are not a packet of this kind of device.
        Packet = 7, "TUNTAP_REASON_PACKET", c"not a packet of this kind of device";
        /// No TUN/TAP driver, or no device node.
        NoDriver = 8, "TUNTAP_REASON_NO_DRIVER", c"no TUN/TAP driver or device node";
        /// The process lacks the privilege.
        Privilege = 9, "TUNTAP_REASON_PRIVILEGE", c"not permitted";
        /// The name or the device is in use.
        Busy = 10, "TUNTAP_REASON_BUSY", c"name taken or device busy";
        /// The wrong kind of device: a TAP instead of a TUN or the reverse, or neither.
        Kind = 11, "TUNTAP_REASON_KIND", c"wrong kind of device";
        /// The device has other modes than requested. The message states the difference.
        Mismatch = 12, "TUNTAP_REASON_MISMATCH", c"device has other modes than requested";
        /// This kernel does not support it.
        Kernel = 13, "TUNTAP_REASON_KERNEL", c"not supported by this kernel";
        /// This operating system does not support it.
        Platform = 14, "TUNTAP_REASON_PLATFORM", c"not supported on this operating system";
        /// The device is gone: it was removed while the handle was open.
        Removed = 15, "TUNTAP_REASON_REMOVED", c"device is gone";
        /// The device is down.
        Down = 16, "TUNTAP_REASON_DOWN", c"device is down";
        /// The requested value is not set.
        Unset = 17, "TUNTAP_REASON_UNSET", c"not set";
        /// No packet to read, or no room to write, at the moment.
        Again = 18, "TUNTAP_REASON_AGAIN", c"would block";
        /// A signal handler ran while the call waited.
        Interrupted = 19, "TUNTAP_REASON_INTERRUPTED", c"interrupted by a signal";
        /// The operating system refused. The errno is the cause.
        System = 20, "TUNTAP_REASON_SYSTEM", c"refused by the operating system";
        /// Not a network namespace, or one that the process cannot enter.
        Namespace = 21, "TUNTAP_REASON_NAMESPACE", c"network namespace not usable";
        /// The time limit passed.
        Timeout = 22, "TUNTAP_REASON_TIMEOUT", c"time limit passed";
        /// tuntap_wake ended the wait.
        Woken = 23, "TUNTAP_REASON_WOKEN", c"woken";
        /// The device does not exist.
        Absent = 24, "TUNTAP_REASON_ABSENT", c"no such device";
        /// The kernel's queue is full, and poll does not report when there is room: try again a
        /// little later. Darwin only.
        Full = 25, "TUNTAP_REASON_FULL", c"the kernel's queue is full";
        /// The handle was shut down: calls on it do not wait any more.
        Shutdown = 26, "TUNTAP_REASON_SHUTDOWN", c"shut down";
    }
}

/// An array of one item, because std has no fallible Box. The capacity is exact, so the conversion moves nothing.
fn boxed(message: Text) -> Option<Box<[Text; 1]>> {
    let mut one = Vec::new();
    one.try_reserve_exact(1).ok()?;
    one.push(message);
    one.try_into().ok()
}

/// A failure: always with an errno, a reason and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    errno: Errno,
    reason: Reason,
    /// On the heap, because errors are moved often. None if there was no memory for it.
    message: Option<Box<[Text; 1]>>,
}

impl Error {
    /// An error with its message: the action, its object, the cause and a remedy.
    #[cold]
    #[inline(never)]
    pub fn new(errno: Errno, reason: Reason, message: impl Into<Text>) -> Self {
        Self { errno, reason, message: boxed(message.into()) }
    }

    /// The operating system refused `action` ("set the MTU of vpn0 to 9000").
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

    /// The same error, caused by an option of an open.
    pub fn of_option(self, name: &str) -> Self {
        Self::new(self.errno, self.reason, text!("option {name}: {}", self.message()))
    }

    /// The operating system does not support `action`.
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

    /// The reason.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The message.
    pub fn message(&self) -> &str {
        self.message.as_deref().map_or("out of memory: there is no message", |[message]| message.as_str())
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
    fn reason_numbers_are_consecutive() {
        for (number, constant) in (0..).zip(Reason::TABLE.constants) {
            assert_eq!(constant.number, number);
            assert_eq!(Reason::from_number(number as u32).map(|reason| reason as u64), Some(number));
        }
        assert_eq!(Reason::from_number(Reason::TABLE.constants.len() as u32), None);
        assert_eq!(Reason::from_number(u32::MAX), None);
    }

    #[test]
    fn a_system_error_has_the_errno_and_a_reason() {
        let error = Error::system(Errno::EPERM, "set the MTU of vpn0 to 9000");
        assert_eq!(error.errno(), Errno::EPERM);
        assert_eq!(error.reason(), Reason::Privilege);
        assert!(error.to_string().starts_with("set the MTU of vpn0 to 9000: "));
    }
}
