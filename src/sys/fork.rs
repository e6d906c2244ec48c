// SPDX-License-Identifier: MIT
//! Values that a child of fork() must not share with its parent. At the time of the fork another thread may have held a
//! lock, or changed the value. The child has a copy of that memory, but not the thread.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sys::Outcome;
use crate::sys::boxed;

/// A value with a separate instance in each process. The child does not touch the parent's instance until all are
/// dropped.
pub(crate) struct PerProcess<T> {
    own: AtomicPtr<Own<T>>,
}

struct Own<T> {
    process: usize,
    value: T,
    /// The instance of the parent.
    before: *mut Own<T>,
}

// SAFETY: it owns the instances, and gives out shared references only.
unsafe impl<T: Send + Sync> Send for PerProcess<T> {}
// SAFETY: as above. Only the pointer changes, atomically.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> Outcome<Self> {
        let own = boxed(Own { process: process(), value, before: ptr::null_mut() })?;
        Ok(Self { own: AtomicPtr::new(Box::into_raw(own)) })
    }

    /// The instance of this process. Creates it if there is none.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> Outcome<T>) -> Outcome<&T> {
        let own = self.own.load(Ordering::Acquire);
        // SAFETY: stored instances exist as long as `self`.
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
                // SAFETY: another thread of this process was first, and nothing refers to this instance.
                drop(unsafe { Box::from_raw(own) });
                first
            }
        };
        // SAFETY: stored instances exist as long as `self`.
        Ok(unsafe { &(*kept).value })
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let mut next = *self.own.get_mut();
        while !next.is_null() {
            // SAFETY: each came from a box, is stored once, and is no longer referred to.
            next = unsafe { Box::from_raw(next) }.before;
        }
    }
}

/// A number that identifies this process among its ancestors.
#[cfg(not(target_os = "linux"))]
pub(super) fn process() -> usize {
    usize::try_from(std::process::id()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
pub(super) use mark::process;

#[cfg(target_os = "linux")]
mod mark {
    //! A page that the kernel zeroes in each child (MADV_WIPEONFORK, Linux 4.14). Reading it costs a load; getpid()
    //! would cost a system call.

    use std::ptr;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    /// The page. NULL until it is first needed.
    static PAGE: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
    /// Marks that the kernel does not support such a page.
    static NO_PAGE: AtomicUsize = AtomicUsize::new(0);
    /// The last number that was used, by this process or by one of its ancestors.
    static LAST: AtomicUsize = AtomicUsize::new(0);

    /// A number that identifies this process among its ancestors.
    #[inline]
    pub(in crate::sys) fn process() -> usize {
        let page = PAGE.load(Ordering::Acquire);
        // SAFETY: a stored page is never unmapped.
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
        // SAFETY: a stored page is never unmapped.
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
            // Another thread was first. This page is leaked, which can happen once in a process.
            Err(first) => first,
        }
    }

    /// None if the kernel does not support such a page.
    fn map() -> Option<*mut AtomicUsize> {
        let size = size_of::<AtomicUsize>();
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address that the kernel chooses. It has at least one page.
        let page = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // An emulator that accepts an invalid advice does not implement this one either.
        // SAFETY: advice on the mapping above.
        let any = unsafe { libc::madvise(page, size, -1) } == 0;
        // SAFETY: as above.
        let wiped = !any && unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } == 0;
        wiped.then(|| page.cast())
    }
}
