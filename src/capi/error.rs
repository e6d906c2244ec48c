// SPDX-License-Identifier: MIT
//! `tuntap_error`, and phrases for reasons.

use std::ffi::c_char;

use super::field::c_bytes;
use crate::model::error::{Error, Reason};
use crate::model::table::constants;
use crate::model::text;

constants! {
    numbers SIZES: usize {
        /// Size of the message of a tuntap_error in bytes, with its NUL.
        TUNTAP_MESSAGE_SIZE = 248, "TUNTAP_MESSAGE_SIZE";
    }
}

/// Why a call failed. The size is always 256 bytes.
#[repr(C)]
pub struct CError {
    /// The negative errno that the call returned.
    pub code: i32,
    /// A TUNTAP_REASON_*: the cause, where the errno alone is ambiguous.
    pub reason: u32,
    /// The action, its object, the cause and a remedy, in one sentence. NUL-terminated UTF-8.
    pub message: [c_char; TUNTAP_MESSAGE_SIZE],
}

const _: () = assert!(size_of::<CError>() == 256 && TUNTAP_MESSAGE_SIZE == text::MAX_LEN + 1);

impl From<&Error> for CError {
    fn from(error: &Error) -> Self {
        let message = c_bytes(error.message().as_bytes());
        Self { code: error.errno().raw().wrapping_neg(), reason: error.reason() as u32, message }
    }
}

/// Returns a short phrase for a reason, for example "name taken or device busy". Safe in a
/// signal handler.
///
/// @param reason  A TUNTAP_REASON_*.
/// @return A constant. "unknown reason" for a number that this version does not know.
///         Cannot fail.
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
    fn a_long_message_is_truncated_at_a_character() {
        let text = format!("x{}", "\u{e9}".repeat(200));
        let error = CError::from(&Error::new(Errno::EINVAL, Reason::Name, text.as_str()));
        let bytes: Vec<u8> = error.message.iter().map(|byte| *byte as u8).collect();
        let message = CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap();
        assert_eq!(message.len(), 247);
        assert!(text.starts_with(message));
        assert_eq!((error.code, error.reason), (-libc::EINVAL, Reason::Name as u32));
    }
}
