// SPDX-License-Identifier: MIT
//! `tuntap_error` and the reasons.

use std::ffi::c_char;

use crate::model::error::{Error, Reason};
use crate::model::text;

/// No error.
pub const TUNTAP_REASON_NONE: u32 = 0;
/// An argument is NULL, or not one of those allowed.
pub const TUNTAP_REASON_ARGUMENT: u32 = 1;
/// The flags are unknown or contradict each other.
pub const TUNTAP_REASON_FLAGS: u32 = 2;
/// Not a valid device name.
pub const TUNTAP_REASON_NAME: u32 = 3;
/// Not a usable address.
pub const TUNTAP_REASON_ADDRESS: u32 = 4;
/// A number outside of what the device takes.
pub const TUNTAP_REASON_RANGE: u32 = 5;
/// The caller's buffer is too small.
pub const TUNTAP_REASON_BUFFER: u32 = 6;
/// The bytes are no packet of the device's kind.
pub const TUNTAP_REASON_PACKET: u32 = 7;
/// No TUN/TAP driver, or no device node.
pub const TUNTAP_REASON_NO_DRIVER: u32 = 8;
/// The process lacks the right to do it.
pub const TUNTAP_REASON_PRIVILEGE: u32 = 9;
/// The name is taken, or the device is in use.
pub const TUNTAP_REASON_BUSY: u32 = 10;
/// The wrong kind of device: a TAP for a TUN, or neither.
pub const TUNTAP_REASON_KIND: u32 = 11;
/// The device's modes are not those asked for; the message names the difference.
pub const TUNTAP_REASON_MISMATCH: u32 = 12;
/// This kernel does not support it.
pub const TUNTAP_REASON_KERNEL: u32 = 13;
/// This operating system does not support it.
pub const TUNTAP_REASON_PLATFORM: u32 = 14;
/// The device is gone: somebody else removed it.
pub const TUNTAP_REASON_REMOVED: u32 = 15;
/// The device is down.
pub const TUNTAP_REASON_DOWN: u32 = 16;
/// The value asked for is not set.
pub const TUNTAP_REASON_UNSET: u32 = 17;
/// Nothing to read, or no room to write, at the moment.
pub const TUNTAP_REASON_AGAIN: u32 = 18;
/// A signal handler ran while the call waited.
pub const TUNTAP_REASON_INTERRUPTED: u32 = 19;
/// The operating system refused for a cause of its own: the code tells.
pub const TUNTAP_REASON_SYSTEM: u32 = 20;
/// A network namespace that is none, or that cannot be entered.
pub const TUNTAP_REASON_NAMESPACE: u32 = 21;
/// The time limit passed before anything happened.
pub const TUNTAP_REASON_TIMEOUT: u32 = 22;
/// tuntap_wake ended the wait.
pub const TUNTAP_REASON_WOKEN: u32 = 23;
/// There is no such device.
pub const TUNTAP_REASON_ABSENT: u32 = 24;
/// The kernel's queue is full, and poll does not tell when there is room: try again a little
/// later. Only where the system has such a queue (Darwin).
pub const TUNTAP_REASON_FULL: u32 = 25;

const _: () = {
    assert!(TUNTAP_REASON_NONE == Reason::None as u32);
    assert!(TUNTAP_REASON_ARGUMENT == Reason::Argument as u32);
    assert!(TUNTAP_REASON_FLAGS == Reason::Flags as u32);
    assert!(TUNTAP_REASON_NAME == Reason::Name as u32);
    assert!(TUNTAP_REASON_ADDRESS == Reason::Address as u32);
    assert!(TUNTAP_REASON_RANGE == Reason::Range as u32);
    assert!(TUNTAP_REASON_BUFFER == Reason::Buffer as u32);
    assert!(TUNTAP_REASON_PACKET == Reason::Packet as u32);
    assert!(TUNTAP_REASON_NO_DRIVER == Reason::NoDriver as u32);
    assert!(TUNTAP_REASON_PRIVILEGE == Reason::Privilege as u32);
    assert!(TUNTAP_REASON_BUSY == Reason::Busy as u32);
    assert!(TUNTAP_REASON_KIND == Reason::Kind as u32);
    assert!(TUNTAP_REASON_MISMATCH == Reason::Mismatch as u32);
    assert!(TUNTAP_REASON_KERNEL == Reason::Kernel as u32);
    assert!(TUNTAP_REASON_PLATFORM == Reason::Platform as u32);
    assert!(TUNTAP_REASON_REMOVED == Reason::Removed as u32);
    assert!(TUNTAP_REASON_DOWN == Reason::Down as u32);
    assert!(TUNTAP_REASON_UNSET == Reason::Unset as u32);
    assert!(TUNTAP_REASON_AGAIN == Reason::Again as u32);
    assert!(TUNTAP_REASON_INTERRUPTED == Reason::Interrupted as u32);
    assert!(TUNTAP_REASON_SYSTEM == Reason::System as u32);
    assert!(TUNTAP_REASON_NAMESPACE == Reason::Namespace as u32);
    assert!(TUNTAP_REASON_TIMEOUT == Reason::Timeout as u32);
    assert!(TUNTAP_REASON_WOKEN == Reason::Woken as u32);
    assert!(TUNTAP_REASON_ABSENT == Reason::Absent as u32);
    assert!(TUNTAP_REASON_FULL == Reason::Full as u32);
};

/// Bytes of the message of a tuntap_error, with its NUL.
pub const TUNTAP_MESSAGE_SIZE: usize = 248;

/// Why a call failed. 256 bytes, for ever.
#[repr(C)]
pub struct CError {
    /// The negative errno that the call returned.
    pub code: i32,
    /// A TUNTAP_REASON_*: what errno cannot tell.
    pub reason: u32,
    /// One sentence: what was tried, on what, why it failed, what to do. NUL-terminated UTF-8.
    pub message: [c_char; TUNTAP_MESSAGE_SIZE],
}

const _: () = assert!(size_of::<CError>() == 256 && TUNTAP_MESSAGE_SIZE == text::MAX_LEN + 1);

impl From<&Error> for CError {
    fn from(error: &Error) -> Self {
        let mut message = [0; TUNTAP_MESSAGE_SIZE];
        for (to, from) in message.iter_mut().zip(error.message().bytes()) {
            *to = from as c_char;
        }
        Self { code: error.errno().raw().wrapping_neg(), reason: error.reason() as u32, message }
    }
}

/// A short phrase for a reason, such as "name taken or device busy".
///
/// @param reason  A TUNTAP_REASON_*.
/// @return The phrase, a constant; for a number that this version does not know, "unknown
///         reason".
///         Cannot fail. Safe in a signal handler.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_strreason(reason: u32) -> *const c_char {
    Reason::from_number(reason).map_or(c"unknown reason", Reason::phrase).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Errno;
    use std::ffi::CStr;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = format!("x{}", "\u{e9}".repeat(200));
        let error = CError::from(&Error::new(Errno::EINVAL, Reason::Name, text.as_str()));
        let bytes: Vec<u8> = error.message.iter().map(|byte| *byte as u8).collect();
        let message = CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap();
        assert_eq!(message.len(), 247);
        assert!(text.starts_with(message));
        assert_eq!((error.code, error.reason), (-libc::EINVAL, TUNTAP_REASON_NAME));
    }
}
