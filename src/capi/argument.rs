// SPDX-License-Identifier: MIT
//! The arguments of C functions besides the handle: outputs, texts, lists, and structures with their sizes. Each kind
//! is checked in one place, before the function does anything.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::{ptr, slice, str};

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::text;

/// An argument that is not valid. It becomes an [`Error`] only if the caller wants a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// A handle is NULL.
    Handle(&'static str),
    /// The pointer to an output is NULL.
    Out(&'static str),
    /// Another pointer is NULL.
    Null(&'static str),
    /// A text is not UTF-8.
    NotText(&'static str),
    /// The size of a structure: its name, the minimum, and the size given.
    Size(&'static str, usize, usize),
    /// The length of a list, and the size of an item.
    Count(usize, usize),
    /// The number of parts of a packet, and the limit.
    Parts(usize, usize),
    /// A list is not aligned to this number of bytes.
    Unaligned(&'static str, usize),
    /// Any other fault, as a message.
    Wrong(&'static str),
}

impl From<Argument> for Error {
    #[cold]
    fn from(argument: Argument) -> Self {
        let (reason, text) = match argument {
            Argument::Handle(what) => (Reason::Argument, text!("the {what} is NULL")),
            Argument::Out(what) => (Reason::Argument, text!("the pointer to the {what} is NULL")),
            Argument::Null(what) => (Reason::Argument, text!("{what} is NULL")),
            Argument::NotText(what) => (Reason::Address, text!("{what} is not text")),
            Argument::Size(name, least, given) => (
                Reason::Argument,
                text!("the size {given} is out of range: give sizeof({name}), from {least} to {LIMIT} bytes"),
            ),
            Argument::Count(count, size) => {
                (Reason::Argument, text!("a list of {count} items of {size} bytes is larger than any memory"))
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

/// An output.
pub(super) struct Out<T>(*mut T);

/// The caller's output, called `what` in the message.
#[inline]
pub(super) unsafe fn out<T>(to: *mut T, what: &'static str) -> Checked<Out<T>> {
    if to.is_null() { Err(Argument::Out(what)) } else { Ok(Out(to)) }
}

impl<T> Out<T> {
    #[inline]
    pub(super) fn set(self, value: T) {
        // SAFETY: the pointer given to `out` has room for a T.
        unsafe { self.0.write(value) }
    }

    /// Writes a successful result.
    pub(super) fn fill(self, result: Result<T>) -> Result<()> {
        self.set(result?);
        Ok(())
    }
}

/// An input structure of a fixed size.
#[inline]
pub(super) unsafe fn input<'a, T>(value: *const T, what: &'static str) -> Checked<&'a T> {
    value.as_ref().ok_or(Argument::Null(what))
}

/// Input bytes.
#[inline]
pub(super) unsafe fn memory<'a>(from: *const c_void, size: usize, what: &'static str) -> Checked<&'a [u8]> {
    if from.is_null() {
        return Err(Argument::Null(what));
    }
    Ok(slice::from_raw_parts(from.cast(), size.min(isize::MAX as usize)))
}

/// Output bytes, at most `limit`.
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

/// An output buffer for a text.
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
        // SAFETY: the buffer given to `text_out` has `size` bytes, and the text with its NUL is not longer.
        unsafe {
            self.buf.copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.buf.add(text.len()).write(0);
        }
        Ok(())
    }
}

/// A structure that later versions may extend. The caller passes its size.
///
/// # Safety
///
/// All its bytes may be read, and all bytes are a valid value: it is `repr(C)`, of integers and raw pointers, without
/// padding.
pub(super) unsafe trait Growing: Copy {
    /// Its size in the first version that had it. No caller has a smaller one.
    const LEAST: usize;
    const NAME: &'static str;
}

/// The maximum size of a structure in any version. A greater size is a mistake of the caller, and the library would
/// write all of it.
const LIMIT: usize = 4096;

pub(super) fn check_size<T: Growing>(size: usize) -> Checked<()> {
    if (T::LEAST..=LIMIT).contains(&size) { Ok(()) } else { Err(Argument::Size(T::NAME, T::LEAST, size)) }
}

/// Refuses a list that is larger than memory can be: its count is probably a negative number.
#[inline]
pub(super) fn check_count(count: usize, size: usize) -> Checked<()> {
    match count.checked_mul(size) {
        Some(bytes) if bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Argument::Count(count, size)),
    }
}

/// An output structure, with its size.
pub(super) struct SizedOut<T> {
    to: *mut u8,
    size: usize,
    kind: PhantomData<T>,
}

/// The caller's output structure, called `what` in the message.
pub(super) unsafe fn sized_out<T: Growing>(
    to: *mut T,
    size: usize,
    what: &'static str,
) -> Checked<SizedOut<T>> {
    check_size::<T>(size)?;
    out(to, what).map(|Out(to)| SizedOut { to: to.cast(), size, kind: PhantomData })
}

impl<T: Growing> SizedOut<T> {
    /// Writes the structure, and zeros for members that this version does not know.
    #[inline]
    pub(super) fn set(self, value: T) {
        // Most callers are built with this version: nothing is zeroed.
        if self.size == size_of::<T>() {
            // SAFETY: the output given to `sized_out` has `size` bytes.
            return unsafe { self.to.cast::<T>().write_unaligned(value) };
        }
        self.set_other_size(value);
    }

    #[cold]
    fn set_other_size(self, value: T) {
        let known = self.size.min(size_of::<T>());
        // SAFETY: the output given to `sized_out` has `size` bytes, and all bytes of a Growing may be read.
        unsafe {
            self.to.copy_from_nonoverlapping(ptr::from_ref(&value).cast(), known);
            self.to.add(known).write_bytes(0, self.size.saturating_sub(known));
        }
    }

    /// Writes a successful result.
    pub(super) fn fill(self, result: Result<impl Into<T>>) -> Result<()> {
        self.set(result?.into());
        Ok(())
    }
}

/// A caller's list of structures: `count` items of `size` bytes.
pub(super) struct List<T> {
    items: *mut u8,
    pub(super) count: usize,
    pub(super) size: usize,
    kind: PhantomData<T>,
}

/// The caller's output list.
pub(super) unsafe fn list_out<T: Growing>(items: *mut T, count: usize, size: usize) -> Checked<List<T>> {
    let list = List::new(items, count, size)?;
    if items.is_null() && count != 0 { Err(Argument::Out("list")) } else { Ok(list) }
}

impl<T: Growing> List<T> {
    #[inline]
    pub(super) unsafe fn new(items: *mut T, count: usize, size: usize) -> Checked<Self> {
        check_size::<T>(size)?;
        check_count(count, size)?;
        Ok(Self { items: items.cast(), count, size, kind: PhantomData })
    }

    /// The pointer to an item.
    #[inline]
    pub(super) fn at(&self, number: usize) -> *mut T {
        self.items.wrapping_add(number.wrapping_mul(self.size)).cast()
    }

    /// The item with this number, which must be less than the count. Members that a shorter one lacks are zero.
    #[inline]
    pub(super) unsafe fn get(&self, number: usize) -> T {
        let item = self.at(number);
        if self.size >= size_of::<T>() { item.read_unaligned() } else { read_known(item, self.size) }
    }

    /// Writes the item with this number, which must be less than the count.
    #[inline]
    pub(super) unsafe fn set(&self, number: usize, value: T) {
        let to = self.at(number).cast();
        SizedOut { to, size: self.size, kind: PhantomData }.set(value);
    }

    /// Writes as many items as there is room for. Returns the length of the whole list.
    pub(super) fn fill<I: Into<T>>(self, items: Vec<I>) -> usize {
        let length = items.len();
        for (number, item) in items.into_iter().take(self.count).enumerate() {
            // SAFETY: the list given to `new` has `count` items.
            unsafe { self.set(number, item.into()) }
        }
        length
    }

    /// Whether a member that this version does not know is not 0.
    pub(super) unsafe fn has_unknown(&self, number: usize) -> bool {
        unknown_at(self.at(number), self.size).is_some()
    }
}

/// A caller's structure, with its size. Members that a shorter one lacks are zero. Members that this version does not
/// know must be zero.
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
    if let Some(at) = unknown_at(from, size) {
        let text = text!(
            "{what}: byte {at} of a {} of {size} bytes is not 0: this version of the library does not know that member",
            T::NAME
        );
        return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
    }
    Ok(read_known(from, size))
}

/// The offset of the first byte of a structure that this version does not know and that is not 0.
unsafe fn unknown_at<T: Growing>(from: *const T, size: usize) -> Option<usize> {
    let bytes = slice::from_raw_parts(from.cast::<u8>(), size);
    (size_of::<T>()..size).find(|at| bytes.get(*at).is_some_and(|byte| *byte != 0))
}

/// The members of a structure that this version knows.
#[cold]
unsafe fn read_known<T: Growing>(from: *const T, size: usize) -> T {
    let mut value = std::mem::zeroed::<T>();
    let known = size.min(size_of::<T>());
    ptr::from_mut(&mut value).cast::<u8>().copy_from_nonoverlapping(from.cast(), known);
    value
}

/// A caller's list of at most `limit` items. A longer one is not read.
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
        let text = text!("{what}: {count} given, and the limit is {limit}");
        return Err(Error::new(Errno::EINVAL, Reason::Range, text));
    }
    if !items.is_aligned() {
        return Err(Argument::Unaligned(what, align_of::<T>()).into());
    }
    Ok(slice::from_raw_parts(items, count))
}

/// The bytes of a caller's text.
pub(super) unsafe fn bytes<'a>(text: *const c_char, what: &'static str) -> Checked<&'a [u8]> {
    if text.is_null() {
        return Err(Argument::Null(what));
    }
    Ok(CStr::from_ptr(text).to_bytes())
}

/// A caller's text, which must be UTF-8.
pub(super) unsafe fn text<'a>(text: *const c_char, what: &'static str) -> Checked<&'a str> {
    str::from_utf8(bytes(text, what)?).map_err(|_| Argument::NotText(what))
}

/// A caller's text that may be NULL.
pub(super) unsafe fn optional_text<'a>(from: *const c_char, what: &'static str) -> Checked<Option<&'a str>> {
    if from.is_null() { Ok(None) } else { text(from, what).map(Some) }
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
        // SAFETY: the size is that of the bytes.
        unsafe { read_growing(bytes.as_ptr().cast(), bytes.len(), "the point") }
    }

    #[test]
    fn members_that_a_shorter_structure_lacks_are_zero() {
        let bytes: Vec<u8> = [1_u32, 2, 3, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(read(&bytes[..8]).unwrap(), Point { x: 1, y: 2, z: 0 });
        assert_eq!(read(&bytes[..12]).unwrap(), Point { x: 1, y: 2, z: 3 });
        assert_eq!(read(&bytes).unwrap(), Point { x: 1, y: 2, z: 3 });
        // A caller's memory need not be aligned.
        let shifted: Vec<u8> = std::iter::once(9).chain(bytes).collect();
        assert_eq!(read(&shifted[1..9]).unwrap(), Point { x: 1, y: 2, z: 0 });
    }

    #[test]
    fn unknown_members_must_be_zero() {
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
    fn invalid_sizes_are_refused_before_any_read() {
        for size in [0, 7, 4097, usize::MAX] {
            // SAFETY: nothing is read.
            let error = unsafe { read_growing(ptr::null::<Point>(), size, "the point") }.unwrap_err();
            assert!(error.message().contains("sizeof(tuntap_point), from 8 to 4096 bytes"));
        }
        // SAFETY: as above.
        let error = unsafe { read_growing(ptr::null::<Point>(), 8, "the point") }.unwrap_err();
        assert_eq!(error.message(), "the point is NULL");
    }

    #[test]
    fn a_longer_output_is_padded_with_zeros() {
        let mut bytes = [0xff_u8; 24];
        // SAFETY: an output of 20 bytes.
        let out = unsafe { sized_out(bytes.as_mut_ptr().cast::<Point>(), 20, "point") }.unwrap();
        out.set(Point { x: u32::MAX, y: u32::MAX, z: u32::MAX });
        assert_eq!(bytes[..12], [0xff; 12]);
        assert_eq!(bytes[12..20], [0; 8]);
        assert_eq!(bytes[20..], [0xff; 4]);
    }
}
