// SPDX-License-Identifier: MIT
//! Memory that neither this process nor the kernel can read, except during [`Hidden::readable`].

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use crate::model::error::Errno;
use crate::sys::Outcome;

/// A private mapping. Its address is not reused while it exists.
pub(super) struct Hidden {
    at: NonNull<c_void>,
    size: usize,
}

// SAFETY: it owns its memory, and writes to it only in `new`.
unsafe impl Send for Hidden {}

impl Hidden {
    /// Maps memory with these bytes, or one page if there are none.
    pub(super) fn new(bytes: &[u8]) -> Outcome<Self> {
        let (size, protection) = (bytes.len().max(1), libc::PROT_READ | libc::PROT_WRITE);
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let at = unsafe { libc::mmap(ptr::null_mut(), size, protection, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let hidden = Self { at: NonNull::new(at).ok_or(Errno::ENOMEM)?, size };
        // SAFETY: the memory is new and writable, and has at least this number of bytes.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), hidden.at.as_ptr().cast(), bytes.len()) };
        hidden.protect(libc::PROT_NONE)?;
        Ok(hidden)
    }

    pub(super) fn address(&self) -> *const u8 {
        self.at.as_ptr().cast()
    }

    /// Calls `action` while the memory is readable.
    pub(super) fn readable<T>(&self, action: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.protect(libc::PROT_READ)?;
        let done = action();
        let _ = self.protect(libc::PROT_NONE);
        done
    }

    fn protect(&self, protection: c_int) -> Outcome<()> {
        // SAFETY: there are no references into this memory.
        Errno::result(unsafe { libc::mprotect(self.at.as_ptr(), self.size, protection) }).map(drop)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // SAFETY: there are no references into this memory.
        unsafe { libc::munmap(self.at.as_ptr(), self.size) };
    }
}
