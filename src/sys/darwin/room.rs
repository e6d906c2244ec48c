// SPDX-License-Identifier: MIT
//! Memory for a vectored read.

use std::io::IoSliceMut;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// An iovec to memory that may be written, and need not be initialized.
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
