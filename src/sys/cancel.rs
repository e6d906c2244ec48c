// SPDX-License-Identifier: MIT
//! Disables pthread_cancel, which could end a thread while it holds a lock.

use std::ffi::c_int;
use std::ptr;

/// The value of glibc and musl, and that of Darwin. The libc crate has neither the constant nor the function.
const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// While it exists, its thread cannot be cancelled.
pub(crate) struct CancelDisabled(c_int);

impl CancelDisabled {
    pub(crate) fn new() -> Self {
        let mut old = 0;
        // SAFETY: writes the old state to a local variable.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut old) };
        Self(old)
    }
}

impl Drop for CancelDisabled {
    fn drop(&mut self) {
        // SAFETY: restores the state that it returned; the output may be NULL.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}
