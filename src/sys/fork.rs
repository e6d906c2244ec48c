// SPDX-License-Identifier: MIT
//! What a child of fork() must not share with its parent: its memory is a copy of a moment at which another thread, which
//! the child does not have, may have held a lock or been in the midst of a change.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sys::Outcome;
use crate::sys::boxed;

/// A value that each process has its own of. That of the parent stays in the child untouched, until all goes.
pub(crate) struct PerProcess<T> {
    own: AtomicPtr<Own<T>>,
}

struct Own<T> {
    process: usize,
    value: T,
    /// The parent's.
    before: *mut Own<T>,
}

// SAFETY: it gives out shared references to what it owns, and drops that with itself.
unsafe impl<T: Send + Sync> Send for PerProcess<T> {}
// SAFETY: as above; the pointer alone changes, atomically.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> Outcome<Self> {
        let own = boxed(Own { process: process(), value, before: ptr::null_mut() })?;
        Ok(Self { own: AtomicPtr::new(Box::into_raw(own)) })
    }

    /// This process's, which is made when there is none yet.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> Outcome<T>) -> Outcome<&T> {
        let own = self.own.load(Ordering::Acquire);
        // SAFETY: what was stored here lives as long as this.
        let found = unsafe { &*own };
        if found.process == process() { Ok(&found.value) } else { self.begin(own, make) }
    }

    #[cold]
    fn begin(&self, before: *mut Own<T>, make: impl FnOnce() -> Outcome<T>) -> Outcome<&T> {
        let own = Box::into_raw(boxed(Own { process: process(), value: make()?, before })?);
        let stored = self.own.compare_exchange(before, own, Ordering::AcqRel, Ordering::Acquire);
        let kept = match stored {
            Ok(_) => own,
            Err(first) => {
                // SAFETY: another thread of this process came first, and nobody has seen this one.
                drop(unsafe { Box::from_raw(own) });
                first
            }
        };
        // SAFETY: what was stored here lives as long as this.
        Ok(unsafe { &(*kept).value })
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let mut next = *self.own.get_mut();
        while !next.is_null() {
            // SAFETY: each came of a box, is stored once, and nobody refers to it any more.
            next = unsafe { Box::from_raw(next) }.before;
        }
    }
}

/// A number that no ancestor of this process had.
#[cfg(not(target_os = "linux"))]
fn process() -> usize {
    usize::try_from(std::process::id()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
use mark::process;

#[cfg(target_os = "linux")]
mod mark {
    //! A page that the kernel zeroes in each child (MADV_WIPEONFORK, Linux 4.14): a look at it costs a load, where
    //! getpid() costs a system call.

    use std::ptr;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    /// The page; NULL before the first look.
    static PAGE: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
    /// Stands for a page where there is none.
    static NO_PAGE: AtomicUsize = AtomicUsize::new(0);
    /// The last number that was given, to this process or to one of its ancestors.
    static LAST: AtomicUsize = AtomicUsize::new(0);

    /// A number that no ancestor of this process had.
    #[inline]
    pub(super) fn process() -> usize {
        let page = PAGE.load(Ordering::Acquire);
        // SAFETY: once stored, the page stays for ever.
        match unsafe { page.as_ref() }.map(|mark| mark.load(Ordering::Acquire)) {
            None | Some(0) => begin(),
            Some(number) => number,
        }
    }

    #[cold]
    fn begin() -> usize {
        let page = page();
        if ptr::eq(page, &raw const NO_PAGE) {
            return usize::try_from(std::process::id()).unwrap_or_default();
        }
        let number = LAST.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        // SAFETY: once stored, the page stays for ever.
        let mark = unsafe { &*page };
        match mark.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => number,
            Err(first) => first,
        }
    }

    fn page() -> *mut AtomicUsize {
        let known = PAGE.load(Ordering::Acquire);
        if !known.is_null() {
            return known;
        }
        let made = map().unwrap_or((&raw const NO_PAGE).cast_mut());
        match PAGE.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => made,
            // Another thread came first: this page is left alone, once in the life of a process.
            Err(first) => first,
        }
    }

    /// None where the kernel has no such pages.
    fn map() -> Option<*mut AtomicUsize> {
        let size = size_of::<AtomicUsize>();
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a mapping of its own, which the kernel makes a page or larger.
        let page = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // An emulator that takes any advice does not follow this one.
        // SAFETY: advice on the mapping that was made above.
        let any = unsafe { libc::madvise(page, size, -1) } == 0;
        // SAFETY: as above.
        let wiped = !any && unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } == 0;
        wiped.then(|| page.cast())
    }
}
