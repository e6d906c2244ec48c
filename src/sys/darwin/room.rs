// SPDX-License-Identifier: MIT
//! Memory for a vectored read.

use std::io::IoSliceMut;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// An iovec to writable memory, which may be uninitialized.
#[repr(transparent)]
pub(super) struct Room<'a> {
    vector: libc::iovec,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

impl<'a> Room<'a> {
    pub(super) const EMPTY: Self =
        Self { vector: libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }, memory: PhantomData };

    pub(super) fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        let vector = libc::iovec { iov_base: memory.as_mut_ptr().cast(), iov_len: memory.len() };
        Self { vector, memory: PhantomData }
    }

    pub(super) fn of(memory: &'a mut [u8]) -> Self {
        let vector = libc::iovec { iov_base: memory.as_mut_ptr().cast(), iov_len: memory.len() };
        Self { vector, memory: PhantomData }
    }

    pub(super) fn of_slice(memory: &'a mut IoSliceMut<'_>) -> Self {
        Self::of(memory)
    }

    pub(super) fn len(&self) -> usize {
        self.vector.iov_len
    }
}

#[cfg(tuntap_simulated)]
impl Room<'_> {
    /// Writes the bytes that fit, and returns the rest.
    pub(super) fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(self.vector.iov_len));
        // SAFETY: the memory has room for these bytes, and is borrowed mutably.
        unsafe { self.vector.iov_base.cast::<u8>().copy_from_nonoverlapping(now.as_ptr(), now.len()) };
        later
    }
}
