// SPDX-License-Identifier: MIT
//! Holding off pthread_cancel, which would take a thread out of a call with a lock held.

use std::ffi::c_int;
use std::ptr;

/// The same number in glibc and musl, and another one on Darwin; the libc crate has neither it nor the function.
const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// As long as it lives, its thread is not cancelled.
pub(crate) struct CancelDisabled(c_int);

impl CancelDisabled {
    pub(crate) fn new() -> Self {
        let mut old = 0;
        // SAFETY: writes the old state to a place of its own.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut old) };
        Self(old)
    }
}

impl Drop for CancelDisabled {
    fn drop(&mut self) {
        // SAFETY: takes the state that it gave; a NULL place for the old one is allowed.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}
