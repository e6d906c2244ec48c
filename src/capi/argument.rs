// SPDX-License-Identifier: MIT
//! What C gives and takes beside the handle: places for results, texts, lists, and structures with their sizes. Each kind
//! is checked in one place, before anything is done.

use std::ffi::{CStr, c_char, c_void};
use std::fmt::Display;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::{ptr, slice, str};

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::text;

/// What is wrong with what C gave. It becomes an [`Error`] where somebody wants one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// A handle is NULL.
    Handle(&'static str),
    /// The place for a result is NULL.
    Place(&'static str),
    /// Something else is NULL.
    Null(&'static str),
    /// Something is no text.
    NotText(&'static str),
    /// A structure's size: its name, the least, what was given.
    Size(&'static str, usize, usize),
    /// A list's length, and the size of an item.
    Count(usize, usize),
    /// How many parts a packet has, and the limit.
    Parts(usize, usize),
    /// A list is not aligned to so many bytes.
    Unaligned(&'static str, usize),
    /// Any other mistake, in a sentence.
    Wrong(&'static str),
}

impl From<Argument> for Error {
    #[cold]
    fn from(argument: Argument) -> Self {
        let (reason, text) = match argument {
            Argument::Handle(what) => (Reason::Argument, text!("the {what} is NULL")),
            Argument::Place(what) => (Reason::Argument, text!("the place for the {what} is NULL")),
            Argument::Null(what) => (Reason::Argument, text!("{what} is NULL")),
            Argument::NotText(what) => (Reason::Address, text!("{what} is not text")),
            Argument::Size(name, least, given) => (
                Reason::Argument,
                text!(
                    "a size of {given} bytes: give sizeof({name}), which is {least} or more, and {LIMIT} at most"
                ),
            ),
            Argument::Count(count, size) => {
                (Reason::Argument, text!("a list of {count}, of {size} bytes each: no memory is so large"))
            }
            Argument::Parts(count, limit) => (Reason::Argument, text!("{count} parts: give 1 to {limit}")),
            Argument::Unaligned(what, bytes) => {
                (Reason::Argument, text!("{what} are not aligned to {bytes} bytes"))
            }
            Argument::Wrong(what) => (Reason::Argument, text!("{what}")),
        };
        Self::new(Errno::EINVAL, reason, text)
    }
}

type Checked<T> = std::result::Result<T, Argument>;

/// A place for a result.
pub(super) struct Out<T>(*mut T);

/// The caller's place for a result, called `what` in the message.
#[inline]
pub(super) unsafe fn out<T>(place: *mut T, what: &'static str) -> Checked<Out<T>> {
    if place.is_null() { Err(Argument::Place(what)) } else { Ok(Out(place)) }
}

impl<T> Out<T> {
    #[inline]
    pub(super) fn set(self, value: T) {
        // SAFETY: what `out` was given is a place for a T.
        unsafe { self.0.write(value) }
    }

    /// Writes a result, if it is one.
    pub(super) fn fill(self, result: Result<T>) -> Result<()> {
        self.set(result?);
        Ok(())
    }
}

/// A structure of a fixed size that is read.
#[inline]
pub(super) unsafe fn input<'a, T>(value: *const T, what: &'static str) -> Checked<&'a T> {
    value.as_ref().ok_or(Argument::Null(what))
}

/// Bytes that are read.
#[inline]
pub(super) unsafe fn memory<'a>(from: *const c_void, size: usize, what: &'static str) -> Checked<&'a [u8]> {
    if from.is_null() {
        return Err(Argument::Null(what));
    }
    Ok(slice::from_raw_parts(from.cast(), size.min(isize::MAX as usize)))
}

/// Bytes that are written to, of which no more than `limit` are needed.
#[inline]
pub(super) unsafe fn memory_mut<'a>(
    to: *mut c_void,
    size: usize,
    limit: usize,
    what: &'static str,
) -> Checked<&'a mut [MaybeUninit<u8>]> {
    if to.is_null() {
        return Err(Argument::Null(what));
    }
    Ok(slice::from_raw_parts_mut(to.cast(), size.min(limit)))
}

/// A buffer for a text.
pub(super) struct TextOut {
    buf: *mut u8,
    size: usize,
}

/// The caller's buffer for a text.
pub(super) unsafe fn text_out(buf: *mut c_char, size: usize) -> Checked<TextOut> {
    if buf.is_null() { Err(Argument::Null("the buffer")) } else { Ok(TextOut { buf: buf.cast(), size }) }
}

impl TextOut {
    /// Writes the text with a NUL.
    pub(super) fn set(self, text: impl AsRef<[u8]>) -> Result<()> {
        let (text, size) = (text.as_ref(), self.size);
        if text.len() >= size {
            let needed = text.len().saturating_add(1);
            let text = text!("the buffer of {size} bytes is too small: the text needs {needed}");
            return Err(Error::new(Errno::ERANGE, Reason::Buffer, text));
        }
        // SAFETY: what `text_out` was given has `size` bytes, which the text and its NUL do not exceed.
        unsafe {
            self.buf.copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.buf.add(text.len()).write(0);
        }
        Ok(())
    }
}

/// A structure that later versions make longer: it passes in as many bytes as the caller has for it.
///
/// # Safety
///
/// Any bytes of it may be read, and any bytes are a value: it is `repr(C)`, of integers, without padding.
pub(super) unsafe trait Growing: Copy {
    /// Its bytes in the version that it came with, of which no caller has fewer.
    const LEAST: usize;
    const NAME: &'static str;
}

/// Bytes that no version of a structure exceeds: whoever gives a greater size has mistaken the argument, and all of
/// it would be written.
const LIMIT: usize = 4096;

pub(super) fn check_size<T: Growing>(size: usize) -> Checked<()> {
    if (T::LEAST..=LIMIT).contains(&size) { Ok(()) } else { Err(Argument::Size(T::NAME, T::LEAST, size)) }
}

/// No list is longer than memory can be: such a count is a negative number, most likely.
#[inline]
pub(super) fn check_count(count: usize, size: usize) -> Checked<()> {
    match count.checked_mul(size) {
        Some(bytes) if bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Argument::Count(count, size)),
    }
}

/// A place for a structure, of so many bytes.
pub(super) struct SizedOut<T> {
    place: *mut u8,
    size: usize,
    kind: PhantomData<T>,
}

/// The caller's place for a structure, called `what` in the message.
pub(super) unsafe fn sized_out<T: Growing>(
    place: *mut T,
    size: usize,
    what: &'static str,
) -> Checked<SizedOut<T>> {
    check_size::<T>(size)?;
    out(place, what).map(|Out(place)| SizedOut { place: place.cast(), size, kind: PhantomData })
}

impl<T: Growing> SizedOut<T> {
    /// Writes the structure; what this version does not know is zeroed.
    pub(super) fn set(self, value: T) {
        let known = self.size.min(size_of::<T>());
        // SAFETY: what `sized_out` was given has `size` bytes, and any bytes of a Growing may be read.
        unsafe {
            self.place.copy_from_nonoverlapping(ptr::from_ref(&value).cast(), known);
            self.place.add(known).write_bytes(0, self.size.saturating_sub(known));
        }
    }

    /// Writes a result, if it is one.
    pub(super) fn fill(self, result: Result<impl Into<T>>) -> Result<()> {
        self.set(result?.into());
        Ok(())
    }
}

/// Places for a list of structures.
pub(super) struct ListOut<T> {
    places: *mut u8,
    count: usize,
    size: usize,
    kind: PhantomData<T>,
}

/// The caller's places for a list: `count` of them, of `size` bytes each.
pub(super) unsafe fn list_out<T: Growing>(places: *mut T, count: usize, size: usize) -> Checked<ListOut<T>> {
    check_size::<T>(size)?;
    check_count(count, size)?;
    if places.is_null() && count != 0 {
        return Err(Argument::Place("list"));
    }
    Ok(ListOut { places: places.cast(), count, size, kind: PhantomData })
}

impl<T: Growing> ListOut<T> {
    /// Writes as much of the list as there is room for; how long it is.
    pub(super) fn set<I: Into<T>>(self, items: Vec<I>) -> usize {
        let length = items.len();
        for (place, item) in items.into_iter().take(self.count).enumerate() {
            // SAFETY: what `list_out` was given has `count` places of `size` bytes, one behind the other.
            let place = unsafe { self.places.add(place.wrapping_mul(self.size)) };
            SizedOut { place, size: self.size, kind: PhantomData }.set(item.into());
        }
        length
    }
}

/// A caller's structure of so many bytes. What a shorter one lacks is zero; what this version does not know must be.
#[inline]
pub(super) unsafe fn read_growing<T: Growing>(from: *const T, size: usize, what: &'static str) -> Result<T> {
    // Most callers are built with this version: nothing is zeroed or compared.
    if size == size_of::<T>() && !from.is_null() {
        return Ok(from.read_unaligned());
    }
    read_other_size(from, size, what)
}

#[cold]
unsafe fn read_other_size<T: Growing>(from: *const T, size: usize, what: &'static str) -> Result<T> {
    check_size::<T>(size)?;
    if from.is_null() {
        return Err(Argument::Null(what).into());
    }
    let bytes = slice::from_raw_parts(from.cast::<u8>(), size);
    if let Some(place) = bytes.iter().skip(size_of::<T>()).position(|byte| *byte != 0) {
        let text = text!(
            "{what}: byte {} of a {} of {size} bytes is not 0: this version of the library does not know that member",
            place.saturating_add(size_of::<T>()),
            T::NAME
        );
        return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
    }
    let mut value = std::mem::zeroed::<T>();
    ptr::from_mut(&mut value).cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), size.min(size_of::<T>()));
    Ok(value)
}

/// A caller's list of at most `limit` items, which is not looked at when it is longer.
pub(super) unsafe fn list<'a, T>(
    items: *const T,
    count: usize,
    limit: usize,
    what: &'static str,
) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if items.is_null() {
        return Err(Argument::Null(what).into());
    }
    if count > limit {
        let text = text!("{what} are {count}, and the limit is {limit}");
        return Err(Error::new(Errno::EINVAL, Reason::Range, text));
    }
    if !items.is_aligned() {
        return Err(Argument::Unaligned(what, align_of::<T>()).into());
    }
    Ok(slice::from_raw_parts(items, count))
}

/// A text for a C structure, with its NUL.
pub(super) fn c_text<const N: usize>(text: impl Display) -> [c_char; N] {
    let mut out = [0; N];
    let last = N.saturating_sub(1);
    for (to, from) in out.iter_mut().zip(text!("{text}").as_str().bytes().take(last)) {
        *to = from as c_char;
    }
    out
}

/// The bytes of a caller's text.
pub(super) unsafe fn bytes<'a>(text: *const c_char, what: &'static str) -> Checked<&'a [u8]> {
    if text.is_null() {
        return Err(Argument::Null(what));
    }
    Ok(CStr::from_ptr(text).to_bytes())
}

/// A caller's text where only ASCII can be right.
pub(super) unsafe fn text<'a>(text: *const c_char, what: &'static str) -> Checked<&'a str> {
    str::from_utf8(bytes(text, what)?).map_err(|_| Argument::NotText(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Point {
        x: u32,
        y: u32,
        z: u32,
    }

    // SAFETY: three numbers without padding.
    unsafe impl Growing for Point {
        const LEAST: usize = 8;
        const NAME: &'static str = "tuntap_point";
    }

    fn read(bytes: &[u8]) -> Result<Point> {
        // SAFETY: as many bytes as said.
        unsafe { read_growing(bytes.as_ptr().cast(), bytes.len(), "the point") }
    }

    #[test]
    fn a_shorter_structure_is_filled_up_with_zeros() {
        let bytes: Vec<u8> = [1_u32, 2, 3, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(read(&bytes[..8]).unwrap(), Point { x: 1, y: 2, z: 0 });
        assert_eq!(read(&bytes[..12]).unwrap(), Point { x: 1, y: 2, z: 3 });
        assert_eq!(read(&bytes).unwrap(), Point { x: 1, y: 2, z: 3 });
        // A caller's memory need not be aligned.
        let shifted: Vec<u8> = std::iter::once(9).chain(bytes).collect();
        assert_eq!(read(&shifted[1..9]).unwrap(), Point { x: 1, y: 2, z: 0 });
    }

    #[test]
    fn a_member_of_a_later_version_must_be_zero() {
        let mut bytes = vec![0; 4096];
        read(&bytes).unwrap();
        bytes[4095] = 1;
        let error = read(&bytes).unwrap_err();
        assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Argument));
        assert!(error.message().starts_with("the point: byte 4095 of a tuntap_point of 4096 bytes"));
        bytes[4095] = 0;
        bytes[12] = 1;
        read(&bytes).unwrap_err();
    }

    #[test]
    fn a_size_that_cannot_be_is_refused_before_anything_is_read() {
        for size in [0, 7, 4097, usize::MAX] {
            // SAFETY: nothing is read.
            let error = unsafe { read_growing(ptr::null::<Point>(), size, "the point") }.unwrap_err();
            assert!(error.message().contains("sizeof(tuntap_point), which is 8 or more, and 4096 at most"));
        }
        // SAFETY: as above.
        let error = unsafe { read_growing(ptr::null::<Point>(), 8, "the point") }.unwrap_err();
        assert_eq!(error.message(), "the point is NULL");
    }

    #[test]
    fn a_longer_place_is_filled_up_with_zeros() {
        let mut bytes = [0xff_u8; 24];
        // SAFETY: a place of 20 bytes.
        let place = unsafe { sized_out(bytes.as_mut_ptr().cast::<Point>(), 20, "point") }.unwrap();
        place.set(Point { x: u32::MAX, y: u32::MAX, z: u32::MAX });
        assert_eq!(bytes[..12], [0xff; 12]);
        assert_eq!(bytes[12..20], [0; 8]);
        assert_eq!(bytes[20..], [0xff; 4]);
    }
}
