// SPDX-License-Identifier: MIT
//! The C ABI: pointers in, references out, no logic. The `///` of each function here is its reference text;
//! include/tuntap.h is made from it, so it speaks C.
//!
//! Safety, for every function: the caller keeps what include/tuntap.h says of pointers. Each is NULL or points
//! to what its type says, alive and large enough, until the call returns; handles come from this library and
//! are not used after they are freed.

#![allow(unsafe_code)]
#![allow(unsafe_op_in_unsafe_fn, reason = "C upholds the one contract above, not each block")]
#![allow(clippy::missing_safety_doc, reason = "as above")]

pub mod error;
pub mod feature;
pub mod flags;

pub mod config;

pub mod device;
pub mod link;

pub mod address;
pub mod packet;
pub mod queue;

use std::ffi::{CStr, c_char, c_int};
use std::str;

use crate::device::{Device, Uncancelled};
use crate::error::{Errno, Error, Reason, Result};
use error::CError;

/// What C gets for a result: 0, or the negative errno and, where it is wanted, the whole error.
unsafe fn status(result: Result<()>, err: *mut CError) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => fail(&error, err),
    }
}

/// What C gets for a failure.
unsafe fn fail(error: &Error, err: *mut CError) -> c_int {
    if !err.is_null() {
        err.write(CError::from(error));
    }
    (error.errno() as c_int).wrapping_neg()
}

fn null(what: &str) -> Error {
    Error::new(Errno::EINVAL, Reason::Argument, format!("{what} is NULL"))
}

unsafe fn device<'a>(dev: *const Device) -> Result<&'a Device> {
    dev.as_ref().ok_or_else(|| null("the device"))
}

/// Has a device do something.
unsafe fn act(dev: *const Device, err: *mut CError, action: impl FnOnce(&Device) -> Result<()>) -> c_int {
    let _uncancelled = Uncancelled::new();
    status(device(dev).and_then(action), err)
}

/// Has a device tell something, and writes that to the caller's place for it.
unsafe fn tell<T>(
    dev: *const Device,
    out: *mut T,
    err: *mut CError,
    question: impl FnOnce(&Device) -> Result<T>,
) -> c_int {
    act(dev, err, |device| {
        if out.is_null() {
            return Err(null("the place for the result"));
        }
        out.write(question(device)?);
        Ok(())
    })
}

/// Has a device tell a text, and writes that to the caller's buffer with a NUL.
unsafe fn tell_text<T: AsRef<[u8]>>(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
    question: impl FnOnce(&Device) -> Result<T>,
) -> c_int {
    act(dev, err, |device| {
        if buf.is_null() {
            return Err(null("the buffer"));
        }
        let text = question(device)?;
        let text = text.as_ref();
        if text.len() >= size {
            return Err(Error::new(
                Errno::ERANGE,
                Reason::Buffer,
                format!(
                    "the buffer of {size} bytes is too small: the text needs {}",
                    text.len().saturating_add(1)
                ),
            ));
        }
        buf.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        buf.add(text.len()).write(0);
        Ok(())
    })
}

/// The bytes of a caller's text.
unsafe fn bytes<'a>(text: *const c_char, what: &str) -> Result<&'a [u8]> {
    if text.is_null() {
        return Err(null(what));
    }
    Ok(CStr::from_ptr(text).to_bytes())
}

/// A caller's text where only ASCII can be right.
unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str> {
    str::from_utf8(bytes(text, what)?)
        .map_err(|_| Error::new(Errno::EINVAL, Reason::Address, format!("{what} is not text")))
}
