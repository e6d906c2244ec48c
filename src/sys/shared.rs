// SPDX-License-Identifier: MIT
//! Something that several owners have together. As std's Arc, which ends the process where memory is missing.

use std::mem::{MaybeUninit, offset_of};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::model::memory::NoMemory;

/// A share of a value, which is dropped with the last share.
pub(crate) struct Shared<T>(NonNull<Counted<T>>);

#[repr(C)]
struct Counted<T> {
    shares: AtomicUsize,
    value: T,
}

/// More shares than this are a program that leaks them: the count must not wrap to zero.
const LIMIT: usize = isize::MAX as usize;

// SAFETY: a share gives a reference to the value, and the last one drops it, on whatever thread it is.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// Memory for a value that is yet to be made.
pub(crate) struct Reserved<T>(Box<MaybeUninit<Counted<T>>>);

impl<T> Reserved<T> {
    pub(crate) fn new() -> Result<Self, NoMemory> {
        Ok(Self(super::boxed(MaybeUninit::uninit())?))
    }

    pub(crate) fn fill(self, value: T) -> Shared<T> {
        let place = NonNull::from(Box::leak(self.0)).cast::<Counted<T>>();
        // SAFETY: memory for it, which is nobody else's.
        unsafe { place.write(Counted { shares: AtomicUsize::new(1), value }) };
        Shared(place)
    }
}

impl<T> Shared<T> {
    #[allow(dead_code, reason = "not every platform shares more than a handle")]
    pub(crate) fn new(value: T) -> Result<Self, NoMemory> {
        Ok(Reserved::new()?.fill(value))
    }

    /// Where the value is. The share is released by [`Self::from_raw`].
    pub(crate) fn into_raw(self) -> *mut T {
        let counted = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: it lives as long as there is a share, and this one is not dropped.
        unsafe { &raw mut (*counted).value }
    }

    /// The share that [`Self::into_raw`] gave away.
    ///
    /// # Safety
    ///
    /// `value` is from [`Self::into_raw`], and no other share is made of it.
    pub(crate) unsafe fn from_raw(value: *mut T) -> Self {
        // SAFETY: the value lies behind the count in the same allocation.
        Self(unsafe { NonNull::new_unchecked(value.byte_sub(offset_of!(Counted<T>, value)).cast()) })
    }

    /// A further share of what [`Self::into_raw`] gave away.
    ///
    /// # Safety
    ///
    /// `value` is from [`Self::into_raw`], and that share has not been released.
    pub(crate) unsafe fn of_raw(value: *mut T) -> Self {
        // SAFETY: as the caller says; the share stays where it is.
        let share = std::mem::ManuallyDrop::new(unsafe { Self::from_raw(value) });
        Self::clone(&share)
    }

    /// The value, unless others have a share of it too.
    pub(crate) fn into_inner(self) -> Result<T, Self> {
        // What others did with their shares comes before this.
        if self.counted().shares.load(Ordering::Acquire) != 1 {
            return Err(self);
        }
        let counted = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: this was the last share of what `fill` has leaked.
        Ok(unsafe { Box::from_raw(counted) }.value)
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: it lives as long as there is a share.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        if self.counted().shares.fetch_add(1, Ordering::Relaxed) > LIMIT {
            std::process::abort();
        }
        Self(self.0)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.counted().shares.fetch_sub(1, Ordering::Release) == 1 {
            // What others did with their shares comes before the end of the value.
            fence(Ordering::Acquire);
            // SAFETY: this was the last share of what `fill` has leaked.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    struct Last<'a>(&'a AtomicBool, #[allow(dead_code, reason = "its alignment moves the value")] u128);

    impl Drop for Last<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_value_goes_with_the_last_share() {
        let gone = AtomicBool::new(false);
        let first = Shared::new(Last(&gone, 0)).unwrap();
        let second = first.clone();
        drop(first);
        assert!(!gone.load(Ordering::Relaxed));
        drop(second);
        assert!(gone.load(Ordering::Relaxed));
    }

    #[test]
    fn a_pointer_is_a_share_of_the_value_that_it_points_to() {
        let gone = AtomicBool::new(false);
        let raw = Shared::new(Last(&gone, 7)).unwrap().into_raw();
        // SAFETY: it is alive.
        assert_eq!(unsafe { (*raw).1 }, 7);
        // SAFETY: the share of `raw` is released last, and once.
        let (further, own) = unsafe { (Shared::of_raw(raw), Shared::from_raw(raw)) };
        drop(own);
        assert!(!gone.load(Ordering::Relaxed));
        assert_eq!(further.1, 7);
        drop(further);
        assert!(gone.load(Ordering::Relaxed));
    }

    #[test]
    fn the_last_share_gives_the_value_away() {
        let gone = AtomicBool::new(false);
        let first = Shared::new(Last(&gone, 3)).unwrap();
        let second = first.clone();
        let first = first.into_inner().err().unwrap();
        drop(second);
        let value = first.into_inner().ok().unwrap();
        assert!(value.1 == 3 && !gone.load(Ordering::Relaxed));
        drop(value);
        assert!(gone.load(Ordering::Relaxed));
    }

    #[test]
    fn memory_that_is_not_filled_is_freed() {
        drop(Reserved::<u64>::new().unwrap());
        assert_eq!(*Reserved::new().unwrap().fill(5_u64), 5);
    }
}
