// SPDX-License-Identifier: MIT
//! The members of structures that C passes in and out.

use std::ffi::{CStr, c_char};
use std::fmt::Display;

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags;
use crate::model::text::text;

/// The text of a member.
pub(super) fn field<'a>(from: &'a [c_char], what: &str) -> Result<&'a str> {
    let bytes = field_bytes(from, what)?;
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(Errno::EINVAL, Reason::Address, text!("{what} is not text")))
}

/// The text of a member; None if it is empty.
pub(super) fn optional_field<'a>(from: &'a [c_char], what: &str) -> Result<Option<&'a str>> {
    field(from, what).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// The bytes of a member, without the NUL.
pub(super) fn field_bytes<'a>(from: &'a [c_char], what: &str) -> Result<&'a [u8]> {
    // SAFETY: a c_char is a byte.
    let bytes = unsafe { &*(std::ptr::from_ref(from) as *const [u8]) };
    let text = CStr::from_bytes_until_nul(bytes);
    text.map(CStr::to_bytes)
        .map_err(|_| Error::new(Errno::EINVAL, Reason::Address, text!("{what} is not NUL-terminated")))
}

/// The bytes of a member, truncated to leave room for the NUL.
pub(super) fn c_bytes<const N: usize>(from: &[u8]) -> [c_char; N] {
    let mut out = [0; N];
    let last = N.saturating_sub(1);
    for (to, from) in out.iter_mut().zip(from.iter().take(last)) {
        *to = *from as c_char;
    }
    out
}

/// The text of a member, truncated in the same way.
pub(super) fn c_text<const N: usize>(text: impl Display) -> [c_char; N] {
    c_bytes(text!("{text}").as_ref())
}

/// Checks a member that a request does not have.
pub(super) fn zero(value: u32, member: &str, name: &str) -> Result<()> {
    if value == 0 {
        return Ok(());
    }
    let text = text!("the member {member} of the {name} is {value}: it must be 0");
    Err(Error::new(Errno::EINVAL, Reason::Argument, text))
}

/// Whether the flags of a call request a replacement.
pub(super) fn is_replace(bits: u64) -> Result<bool> {
    if bits & !flags::REPLACE == 0 {
        return Ok(bits != 0);
    }
    let text = text!("flags {bits:#x}: this call accepts only TUNTAP_REPLACE");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_must_end_within_its_member() {
        let chars = |bytes: &[u8]| bytes.iter().map(|byte| *byte as c_char).collect::<Vec<_>>();
        assert_eq!(field(&chars(b"10.8.0.1\0x"), "the address"), Ok("10.8.0.1"));
        assert_eq!(optional_field(&chars(b"\0\0"), "the peer"), Ok(None));
        for wrong in [&b"10.8.0.1"[..], b"\xff\0"] {
            assert_eq!(field(&chars(wrong), "the address").unwrap_err().reason(), Reason::Address);
        }
        assert_eq!(c_bytes::<4>(b"abcdef"), [97, 98, 99, 0]);
    }

    #[test]
    fn only_the_replace_flag_is_accepted() {
        assert_eq!((is_replace(0), is_replace(1)), (Ok(false), Ok(true)));
        assert_eq!(is_replace(2).unwrap_err().reason(), Reason::Flags);
    }
}
