// SPDX-License-Identifier: MIT
//! `tuntap_error` and the reasons.

use std::ffi::c_char;

use crate::model::error::{Error, Reason};
use crate::model::table::constants;
use crate::model::text;

constants! {
    numbers SIZES: usize {
        /// Bytes of the message of a tuntap_error, with its NUL.
        TUNTAP_MESSAGE_SIZE = 248, "TUNTAP_MESSAGE_SIZE";
    }
}

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
        assert_eq!((error.code, error.reason), (-libc::EINVAL, Reason::Name as u32));
    }
}
