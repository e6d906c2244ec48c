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
pub mod namespace;

pub mod address;
pub mod route;

pub mod packet;
pub mod queue;

pub mod joiner;
pub mod offload;
pub mod reader;
pub mod splitter;
pub mod writer;

pub mod steering;

pub mod monitor;

use std::ffi::{CStr, c_char, c_int};
use std::fmt::Display;
use std::mem::MaybeUninit;
use std::ptr;
use std::str;

use libc::ssize_t;

use crate::device::{Device, Uncancelled};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::text;
use crate::sys::boxed;
use error::CError;

/// Every function runs in here that does more than pass a packet on: so none is a cancellation
/// point.
fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    let _uncancelled = Uncancelled::new();
    action()
}

/// Does something; 0, or the negative errno and, where it is wanted, the whole error.
unsafe fn call(err: *mut CError, action: impl FnOnce() -> Result<()>) -> c_int {
    uncancelled(|| match action() {
        Ok(()) => 0,
        Err(error) => fail(&error, err),
    })
}

/// Makes something, and writes where it is to the caller's place for it. The memory comes first: what opened a device
/// could not undo that.
unsafe fn give<T>(out: *mut *mut T, err: *mut CError, what: &str, make: impl FnOnce() -> Result<T>) -> c_int {
    call(err, || {
        if out.is_null() {
            return Err(null(format_args!("the place for the {what}")));
        }
        let place = boxed(MaybeUninit::<T>::uninit())?;
        let made = make()?;
        let place = Box::into_raw(place).cast::<T>();
        place.write(made);
        out.write(place);
        Ok(())
    })
}

/// Frees what [`give`] gave; nothing at NULL.
unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        uncancelled(|| drop(Box::from_raw(handle)));
    }
}

/// What C gets for a packet, or so many of them. The packets' way holds off no cancellation: it
/// has no point for one, and that would cost as much as all the rest of the library there.
#[inline]
unsafe fn transfer<E>(
    result: std::result::Result<usize, E>,
    err: *mut CError,
    errno: impl FnOnce(E) -> Errno,
    explain: impl FnOnce(E) -> Error,
) -> ssize_t {
    match result {
        Ok(number) => number as ssize_t,
        Err(failure) if err.is_null() => (errno(failure).raw() as ssize_t).wrapping_neg(),
        Err(failure) => explained(err, || explain(failure)),
    }
}

#[cold]
unsafe fn explained(err: *mut CError, explain: impl FnOnce() -> Error) -> ssize_t {
    // An errno is small, and a c_int is never wider than ssize_t.
    uncancelled(|| fail(&explain(), err) as ssize_t)
}

/// What C gets for a failure.
#[cold]
#[inline(never)]
unsafe fn fail(error: &Error, err: *mut CError) -> c_int {
    if !err.is_null() {
        err.write(CError::from(error));
    }
    error.errno().raw().wrapping_neg()
}

#[cold]
fn null(what: impl Display) -> Error {
    Error::new(Errno::EINVAL, Reason::Argument, text!("{what} is NULL"))
}

unsafe fn device<'a>(dev: *const Device) -> Result<&'a Device> {
    dev.as_ref().ok_or_else(|| null("the device"))
}

/// Has a device do something.
unsafe fn act(dev: *const Device, err: *mut CError, action: impl FnOnce(&Device) -> Result<()>) -> c_int {
    call(err, || device(dev).and_then(action))
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
                text!(
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

/// A structure that later versions make longer: it is told in as many bytes as the caller
/// has for it.
///
/// # Safety Any bytes of it may be read: it is `repr(C)` without padding.
unsafe trait Growing: Copy {
    /// Its bytes in the version that it came with, of which no caller has fewer.
    const LEAST: usize;
    const NAME: &'static str;
}

/// Writes a structure to a caller's place of so many bytes; what this version does not know
/// is zeroed.
unsafe fn write_growing<T: Growing>(value: &T, out: *mut u8, size: usize) {
    let known = size.min(size_of::<T>());
    out.copy_from_nonoverlapping(ptr::from_ref(value).cast(), known);
    out.add(known).write_bytes(0, size.saturating_sub(known));
}

/// Bytes that no version of a structure exceeds: whoever gives a greater size has mistaken the argument, and all of
/// it would be written.
const MOST: usize = 4096;

fn check_size<T: Growing>(size: usize) -> Result<()> {
    if (T::LEAST..=MOST).contains(&size) {
        return Ok(());
    }
    let text = text!(
        "a size of {size} bytes: give sizeof({}), which is {} or more, and {MOST} at most",
        T::NAME,
        T::LEAST
    );
    Err(Error::new(Errno::EINVAL, Reason::Argument, text))
}

/// No list is longer than memory can be: such a count is a negative number, most likely.
fn check_count(count: usize, size: usize) -> Result<()> {
    if count.checked_mul(size).is_some_and(|bytes| bytes <= isize::MAX as usize) {
        return Ok(());
    }
    let text = text!("a list of {count}, of {size} bytes each: no memory is so large");
    Err(Error::new(Errno::EINVAL, Reason::Argument, text))
}

/// Has a device tell a list, and writes as much of it as the caller has room for; how long
/// it is.
unsafe fn tell_list<T, G: Growing + From<T>>(
    dev: *const Device,
    out: *mut G,
    count: usize,
    size: usize,
    err: *mut CError,
    question: impl FnOnce(&Device) -> Result<Vec<T>>,
) -> ssize_t {
    let mut length = 0;
    let status = act(dev, err, |device| {
        check_size::<G>(size)?;
        check_count(count, size)?;
        if out.is_null() && count != 0 {
            return Err(null("the place for the list"));
        }
        let items = question(device)?;
        length = items.len();
        for (place, item) in items.into_iter().take(count).enumerate() {
            write_growing(&G::from(item), out.cast::<u8>().add(place.wrapping_mul(size)), size);
        }
        Ok(())
    });
    if status == 0 { length as ssize_t } else { status as ssize_t }
}

/// A text for a C structure, with its NUL.
fn c_text<const N: usize>(text: impl Display) -> [c_char; N] {
    let mut out = [0; N];
    let last = N.saturating_sub(1);
    for (to, from) in out.iter_mut().zip(text!("{text}").as_str().bytes().take(last)) {
        *to = from as c_char;
    }
    out
}

/// The bytes of a caller's text.
unsafe fn bytes<'a>(text: *const c_char, what: &str) -> Result<&'a [u8]> {
    if text.is_null() {
        return Err(null(what));
    }
    Ok(CStr::from_ptr(text).to_bytes())
}

/// A caller's text that may be missing.
unsafe fn optional_text<'a>(from: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if from.is_null() { Ok(None) } else { text(from, what).map(Some) }
}

/// A caller's text where only ASCII can be right.
unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str> {
    str::from_utf8(bytes(text, what)?)
        .map_err(|_| Error::new(Errno::EINVAL, Reason::Address, text!("{what} is not text")))
}
