// SPDX-License-Identifier: MIT
//! Reads and writes packets through the descriptor of a device node, without waiting.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr;

use super::node::Node;
use crate::model::error::Errno;
use crate::model::memory;
use crate::sys::Outcome;

/// Limit of the vectors of a system call: UIO_MAXIOV.
pub(super) const MAX_PARTS: usize = 1024;
/// Limit of the vectors on the stack, which may be small. Longer lists are allocated.
const FEW_PARTS: usize = 16;

impl Node {
    /// Reads into a buffer that holds every packet.
    #[inline]
    pub(super) fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        self.read_into(buf.as_mut_ptr().cast(), buf.len())
    }

    /// Reads into a buffer that may be too small. The kernel truncates a packet that is too long, and reports no error.
    /// So the read has an extra byte at the end: if the packet reaches it, the packet was too long.
    pub(super) fn read_short(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        let mut spill = MaybeUninit::<u8>::uninit();
        let parts = [
            libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() },
            libc::iovec { iov_base: spill.as_mut_ptr().cast(), iov_len: 1 },
        ];
        // SAFETY: the kernel writes at most the length of each part.
        let length = outcome(unsafe {
            libc::syscall(libc::SYS_readv, self.fd().as_raw_fd(), parts.as_ptr(), parts.len())
        })?;
        if length > buf.len() { Err(Errno::EMSGSIZE) } else { Ok(length) }
    }

    /// Reads into several buffers. Adds the extra byte of [`Self::read_short`] unless they hold every packet.
    pub(super) fn readv(&self, bufs: &mut [IoSliceMut<'_>], enough: bool) -> Outcome<usize> {
        match bufs {
            // A vector costs the kernel some 20 ns.
            [buf] if enough => self.read_into(buf.as_mut_ptr(), buf.len()),
            _ if enough => self.readv_into(bufs.as_ptr().cast(), bufs.len()),
            _ => self.readv_short(bufs),
        }
    }

    fn readv_short(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let mut spill = MaybeUninit::<u8>::uninit();
        let room = bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
        let last = libc::iovec { iov_base: spill.as_mut_ptr().cast(), iov_len: 1 };
        let given =
            bufs.iter_mut().map(|buf| libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() });
        let length = with_list(given.chain([last]), |parts| self.readv_into(parts.as_ptr(), parts.len()))?;
        if length > room { Err(Errno::EMSGSIZE) } else { Ok(length) }
    }

    /// Reads a packet and its virtio header. Adds the extra byte of [`Self::read_short`] unless the buffer holds every
    /// packet.
    pub(super) fn read_framed(
        &self,
        header: &mut [u8],
        buf: &mut [MaybeUninit<u8>],
        enough: bool,
    ) -> Outcome<usize> {
        let mut spill = MaybeUninit::<u8>::uninit();
        let parts = [
            libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: header.len() },
            libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() },
            libc::iovec { iov_base: spill.as_mut_ptr().cast(), iov_len: 1 },
        ];
        let count = if enough { 2 } else { 3 };
        let length = self.readv_into(parts.as_ptr(), count)?.saturating_sub(header.len());
        if length > buf.len() { Err(Errno::EMSGSIZE) } else { Ok(length) }
    }

    #[inline]
    fn read_into(&self, buf: *mut u8, length: usize) -> Outcome<usize> {
        // SAFETY: the callers above pass writable memory of this length.
        outcome(unsafe { libc::syscall(libc::SYS_read, self.fd().as_raw_fd(), buf, length) })
    }

    fn readv_into(&self, parts: *const libc::iovec, count: usize) -> Outcome<usize> {
        // SAFETY: the callers above pass this number of vectors, each to writable memory.
        outcome(unsafe { libc::syscall(libc::SYS_readv, self.fd().as_raw_fd(), parts, count) })
    }

    #[inline]
    pub(super) fn write(&self, packet: &[u8]) -> Outcome<usize> {
        // SAFETY: the kernel reads at most the length of the packet from it.
        outcome(unsafe {
            libc::syscall(libc::SYS_write, self.fd().as_raw_fd(), packet.as_ptr(), packet.len())
        })
    }

    pub(super) fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        // SAFETY: an IoSlice is an iovec to readable memory.
        outcome(unsafe {
            libc::syscall(libc::SYS_writev, self.fd().as_raw_fd(), parts.as_ptr(), parts.len())
        })
    }

    /// Writes a packet after its virtio header.
    pub(super) fn writev_framed(&self, header: &[u8], parts: &[IoSlice<'_>]) -> Outcome<usize> {
        let first = libc::iovec { iov_base: header.as_ptr().cast_mut().cast(), iov_len: header.len() };
        let rest = parts
            .iter()
            .map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
        let length = with_list([first].into_iter().chain(rest), |framed| {
            // SAFETY: this number of vectors, each to readable memory.
            outcome(unsafe {
                libc::syscall(libc::SYS_writev, self.fd().as_raw_fd(), framed.as_ptr(), framed.len())
            })
        })?;
        Ok(length.saturating_sub(header.len()))
    }
}

/// Calls `call` with a list of vectors, which is on the stack if it is short.
#[inline]
fn with_list(
    vectors: impl Iterator<Item = libc::iovec>,
    call: impl FnOnce(&[libc::iovec]) -> Outcome<usize>,
) -> Outcome<usize> {
    let none = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
    let (mut few, mut count) = ([none; FEW_PARTS], 0_usize);
    let mut vectors = vectors.fuse();
    for (to, vector) in few.iter_mut().zip(&mut vectors) {
        *to = vector;
        count = count.saturating_add(1);
    }
    match vectors.next() {
        None => call(few.get(..count).unwrap_or_default()),
        Some(more) => call(&memory::collect(few.into_iter().chain([more]).chain(vectors))?),
    }
}

/// The result of a system call. Calls on the path of packets do not use libc's wrappers, which are cancellation points:
/// they cost more, and would unwind a thread through this library.
#[inline]
fn outcome(returned: libc::c_long) -> Outcome<usize> {
    usize::try_from(returned).map_err(|_| Errno::last())
}
