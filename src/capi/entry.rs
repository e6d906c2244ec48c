// SPDX-License-Identifier: MIT
//! The entry from C: the common steps before and after the work of each function.
//!
//! [`with`] and [`with_mut`] are for functions that may wait or make system calls: they disable cancellation. [`pass`]
//! and [`pass_mut`] are for functions on the path of packets, which have no cancellation point: they do not disable it,
//! and build a message only if the caller wants one. [`create`] makes a handle, and [`free`] releases it.

use std::ffi::c_int;

use libc::ssize_t;

use super::argument::{Argument, Out, out};
use super::error::CError;
use crate::device::config::Config;
use crate::device::monitor::Monitor;
use crate::device::{CancelDisabled, Device};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::text;
use crate::sys::{Reserved, Shared};

/// An object that C has a pointer to. The pointer is always a [`Shared`], so that other objects can hold it too.
pub(super) trait Handle: Sized {
    /// The noun for messages.
    const NAME: &'static str;
    /// The fault if the handle is NULL.
    const MISSING: Argument = Argument::Handle(Self::NAME);
}

impl Handle for Device {
    const NAME: &'static str = "device";
}

impl Handle for Config {
    const NAME: &'static str = "config";
}

impl Handle for Monitor {
    const NAME: &'static str = "monitor";
}

/// The result of a successful call in C.
pub(super) trait Return {
    type C: Code;
    fn into_c(self) -> Self::C;
}

/// A number that is a negative errno on failure.
pub(super) trait Code {
    fn failure(errno: Errno) -> Self;
}

impl Code for c_int {
    #[inline]
    fn failure(errno: Errno) -> Self {
        errno.raw().wrapping_neg()
    }
}

impl Code for ssize_t {
    #[inline]
    fn failure(errno: Errno) -> Self {
        // A c_int is never wider than ssize_t.
        (errno.raw() as Self).wrapping_neg()
    }
}

impl Return for () {
    type C = c_int;

    #[inline]
    fn into_c(self) -> c_int {
        0
    }
}

impl Return for c_int {
    type C = Self;

    #[inline]
    fn into_c(self) -> Self {
        self
    }
}

impl Return for bool {
    type C = c_int;

    #[inline]
    fn into_c(self) -> c_int {
        self.into()
    }
}

/// A count of bytes or items, limited by memory.
impl Return for usize {
    type C = ssize_t;

    #[inline]
    fn into_c(self) -> ssize_t {
        self as ssize_t
    }
}

/// Calls `action` with an object.
pub(super) unsafe fn with<T: Handle, R: Return>(
    handle: *const T,
    err: *mut CError,
    action: impl FnOnce(&T) -> Result<R>,
) -> R::C {
    call(err, || action(handle.as_ref().ok_or(T::MISSING)?))
}

/// Calls `action` with an object that one thread at a time may use.
pub(super) unsafe fn with_mut<T: Handle, R: Return>(
    handle: *mut T,
    err: *mut CError,
    action: impl FnOnce(&mut T) -> Result<R>,
) -> R::C {
    call(err, || action(handle.as_mut().ok_or(T::MISSING)?))
}

/// Calls `action` without an object, or with one that may be NULL.
pub(super) unsafe fn call<R: Return>(err: *mut CError, action: impl FnOnce() -> Result<R>) -> R::C {
    let _cancel_disabled = CancelDisabled::new();
    match action() {
        Ok(result) => result.into_c(),
        Err(error) => R::C::failure(fail(&error, err)),
    }
}

/// Makes an object, and writes its handle to the caller's output. The memory is allocated first, because an opened
/// device could not be undone for lack of it.
pub(super) unsafe fn create<T: Handle>(
    to: *mut *mut T,
    err: *mut CError,
    make: impl FnOnce() -> Result<T>,
) -> c_int {
    call(err, || {
        let out: Out<*mut T> = out(to, T::NAME)?;
        let memory = Reserved::new()?;
        out.set(memory.fill(make()?).into_raw());
        Ok(())
    })
}

/// Releases a handle that [`create`] made. Does nothing at NULL.
pub(super) unsafe fn free<T: Handle>(handle: *mut T) {
    if !handle.is_null() {
        let _cancel_disabled = CancelDisabled::new();
        drop(Shared::from_raw(handle));
    }
}

/// Takes an object out of its handle and frees the handle. The handle stays if something else holds the object or
/// `check` fails.
pub(super) unsafe fn consume<T: Handle>(handle: *mut T, check: impl FnOnce(&T) -> Result<()>) -> Result<T> {
    check(object(handle)?)?;
    Shared::from_raw(handle).into_inner().map_err(|shared| {
        shared.into_raw();
        let text = text!("release the {}: a reader or a writer holds it", T::NAME);
        Error::new(Errno::EBUSY, Reason::Busy, text)
    })
}

/// An object that another one is made from.
pub(super) unsafe fn object<'a, T: Handle>(handle: *const T) -> std::result::Result<&'a T, Argument> {
    handle.as_ref().ok_or(T::MISSING)
}

/// Another reference to an object, for an object that needs it.
pub(super) unsafe fn share<T: Handle>(handle: *mut T) -> std::result::Result<Shared<T>, Argument> {
    if handle.is_null() { Err(T::MISSING) } else { Ok(Shared::of_raw(handle)) }
}

/// Why no packet passed. Cheap to make, because most callers only want the errno.
pub(super) enum Failure<F> {
    /// An argument of the caller.
    Argument(Argument),
    /// An error that has its message already.
    Error(Error),
    /// An errno, and a function that makes the error with its message.
    Errno(Errno, F),
}

impl<F> From<Argument> for Failure<F> {
    #[inline]
    fn from(argument: Argument) -> Self {
        Self::Argument(argument)
    }
}

impl<F> From<Error> for Failure<F> {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

type Passed<R, F> = std::result::Result<R, Failure<F>>;

/// Passes packets through an object.
#[inline]
pub(super) unsafe fn pass<'a, T: Handle + 'a, R: Return, F: FnOnce() -> Error>(
    handle: *const T,
    err: *mut CError,
    action: impl FnOnce(&'a T) -> Passed<R, F>,
) -> R::C {
    match handle.as_ref() {
        Some(object) => passed(action(object), err),
        None => R::C::failure(explained(err, || T::MISSING.into())),
    }
}

/// Passes packets through an object that one thread at a time may use.
#[inline]
pub(super) unsafe fn pass_mut<'a, T: Handle + 'a, R: Return, F: FnOnce() -> Error>(
    handle: *mut T,
    err: *mut CError,
    action: impl FnOnce(&'a mut T) -> Passed<R, F>,
) -> R::C {
    match handle.as_mut() {
        Some(object) => passed(action(object), err),
        None => R::C::failure(explained(err, || T::MISSING.into())),
    }
}

/// Calls `action`, which cannot fail and is safe in a signal handler. Does nothing at NULL.
#[inline]
pub(super) unsafe fn notify<T: Handle>(handle: *const T, action: impl FnOnce(&T)) {
    if let Some(object) = handle.as_ref() {
        action(object);
    }
}

/// Returns the descriptor of an object. Safe in a signal handler.
#[inline]
pub(super) unsafe fn descriptor<T: Handle>(
    handle: *const T,
    err: *mut CError,
    fd: impl FnOnce(&T) -> c_int,
) -> c_int {
    pass(handle, err, |object| Passed::<c_int, fn() -> Error>::Ok(fd(object)))
}

#[inline]
unsafe fn passed<R: Return, F: FnOnce() -> Error>(result: Passed<R, F>, err: *mut CError) -> R::C {
    match result {
        Ok(result) => result.into_c(),
        Err(Failure::Errno(errno, _)) if err.is_null() => R::C::failure(errno),
        Err(Failure::Errno(_, explain)) => R::C::failure(explained(err, explain)),
        Err(Failure::Argument(argument)) => R::C::failure(explained(err, || argument.into())),
        Err(Failure::Error(error)) => R::C::failure(fail(&error, err)),
    }
}

#[cold]
unsafe fn explained(err: *mut CError, explain: impl FnOnce() -> Error) -> Errno {
    let _cancel_disabled = CancelDisabled::new();
    fail(&explain(), err)
}

/// Reports a failure to C.
#[cold]
#[inline(never)]
unsafe fn fail(error: &Error, err: *mut CError) -> Errno {
    if !err.is_null() {
        err.write(CError::from(error));
    }
    error.errno()
}
