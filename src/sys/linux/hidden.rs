// SPDX-License-Identifier: MIT
//! Memory that neither this process nor the kernel can read, but for moments.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use crate::model::error::Errno;
use crate::sys::Outcome;

/// A mapping of its own. Nothing else comes to lie at its address while it lives.
pub(super) struct Hidden {
    at: NonNull<c_void>,
    size: usize,
}

// SAFETY: whoever has it has its memory alone, and writes to it only in `new`.
unsafe impl Send for Hidden {}

impl Hidden {
    /// With these bytes in it, or with none a page of nothing.
    pub(super) fn new(bytes: &[u8]) -> Outcome<Self> {
        let (size, protection) = (bytes.len().max(1), libc::PROT_READ | libc::PROT_WRITE);
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new memory, where the kernel has room for it.
        let at = unsafe { libc::mmap(ptr::null_mut(), size, protection, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let hidden = Self { at: NonNull::new(at).ok_or(Errno::ENOMEM)?, size };
        // SAFETY: the memory is new, can be written, and has at least as many bytes.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), hidden.at.as_ptr().cast(), bytes.len()) };
        hidden.protect(libc::PROT_NONE)?;
        Ok(hidden)
    }

    pub(super) fn address(&self) -> *const u8 {
        self.at.as_ptr().cast()
    }

    /// Does something while it can be read.
    pub(super) fn readable<T>(&self, action: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.protect(libc::PROT_READ)?;
        let done = action();
        let _ = self.protect(libc::PROT_NONE);
        done
    }

    fn protect(&self, protection: c_int) -> Outcome<()> {
        // SAFETY: nobody has a reference into this memory.
        Errno::result(unsafe { libc::mprotect(self.at.as_ptr(), self.size, protection) }).map(drop)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // SAFETY: nobody has a reference into this memory.
        unsafe { libc::munmap(self.at.as_ptr(), self.size) };
    }
}
