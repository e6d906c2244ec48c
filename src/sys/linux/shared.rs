// SPDX-License-Identifier: MIT
//! Something that several handles have together. As std's Arc, which ends the process where memory is missing.

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::model::memory::NoMemory;
use crate::sys::boxed;

/// A share of a value, which goes with the last one.
pub(super) struct Shared<T>(NonNull<Counted<T>>);

struct Counted<T> {
    shares: AtomicUsize,
    value: T,
}

// SAFETY: a share gives a reference to the value, and the last one drops it, on whatever thread it is.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Result<Self, NoMemory> {
        let counted = boxed(Counted { shares: AtomicUsize::new(1), value })?;
        Ok(Self(NonNull::from(Box::leak(counted))))
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: it lives as long as there is a share.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // There are as many shares as handles, which descriptors limit.
        self.counted().shares.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.counted().shares.fetch_sub(1, Ordering::Release) == 1 {
            // What others did with their shares comes before the end of the value.
            fence(Ordering::Acquire);
            // SAFETY: this was the last share of what `new` has leaked.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    struct Last<'a>(&'a AtomicBool);

    impl Drop for Last<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_value_goes_with_the_last_share() {
        let gone = AtomicBool::new(false);
        let first = Shared::new(Last(&gone)).unwrap();
        let second = first.clone();
        drop(first);
        assert!(!gone.load(Ordering::Relaxed));
        drop(second);
        assert!(gone.load(Ordering::Relaxed));
    }
}
