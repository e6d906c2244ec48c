// SPDX-License-Identifier: MIT
//! A reference-counted pointer, like std's Arc, which would end the process if there is no memory.

use std::mem::{MaybeUninit, offset_of};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::model::memory::NoMemory;

/// A reference to a shared value, which is dropped with the last reference.
pub(crate) struct Shared<T>(NonNull<Counted<T>>);

#[repr(C)]
struct Counted<T> {
    references: AtomicUsize,
    value: T,
}

/// Limit of the references. Only a leak exceeds it: the count must not wrap to zero.
const LIMIT: usize = isize::MAX as usize;

// SAFETY: it gives out shared references to the value, and any thread may drop it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// Memory that was allocated before its value exists.
pub(crate) struct Reserved<T>(Box<MaybeUninit<Counted<T>>>);

impl<T> Reserved<T> {
    pub(crate) fn new() -> Result<Self, NoMemory> {
        Ok(Self(super::boxed(MaybeUninit::uninit())?))
    }

    pub(crate) fn fill(self, value: T) -> Shared<T> {
        let pointer = NonNull::from(Box::leak(self.0)).cast::<Counted<T>>();
        // SAFETY: the memory has room for it, and nothing else refers to it.
        unsafe { pointer.write(Counted { references: AtomicUsize::new(1), value }) };
        Shared(pointer)
    }
}

impl<T> Shared<T> {
    #[allow(dead_code, reason = "not every platform shares more than a handle")]
    pub(crate) fn new(value: T) -> Result<Self, NoMemory> {
        Ok(Reserved::new()?.fill(value))
    }

    /// Converts to a pointer to the value. [`Self::from_raw`] converts back.
    pub(crate) fn into_raw(self) -> *mut T {
        let counted = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: the value exists, because this reference is not dropped.
        unsafe { &raw mut (*counted).value }
    }

    /// Converts a pointer back.
    ///
    /// # Safety
    ///
    /// `value` is from [`Self::into_raw`], and is converted back only once.
    pub(crate) unsafe fn from_raw(value: *mut T) -> Self {
        // SAFETY: the value is after the count in the same allocation.
        Self(unsafe { NonNull::new_unchecked(value.byte_sub(offset_of!(Counted<T>, value)).cast()) })
    }

    /// Another reference to the value of a pointer.
    ///
    /// # Safety
    ///
    /// `value` is from [`Self::into_raw`], and was not converted back.
    pub(crate) unsafe fn of_raw(value: *mut T) -> Self {
        // SAFETY: by the condition above; this reference is not dropped.
        let reference = std::mem::ManuallyDrop::new(unsafe { Self::from_raw(value) });
        Self::clone(&reference)
    }

    /// The value, if this is the only reference.
    pub(crate) fn into_inner(self) -> Result<T, Self> {
        // Synchronizes with the release of other references.
        if self.counted().references.load(Ordering::Acquire) != 1 {
            return Err(self);
        }
        let counted = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: this was the last reference to the box that `fill` leaked.
        Ok(unsafe { Box::from_raw(counted) }.value)
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: the value exists while there is a reference.
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
        if self.counted().references.fetch_add(1, Ordering::Relaxed) > LIMIT {
            std::process::abort();
        }
        Self(self.0)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.counted().references.fetch_sub(1, Ordering::Release) == 1 {
            // Synchronizes with the release of other references.
            fence(Ordering::Acquire);
            // SAFETY: this was the last reference to the box that `fill` leaked.
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
    fn the_last_reference_drops_the_value() {
        let gone = AtomicBool::new(false);
        let first = Shared::new(Last(&gone, 0)).unwrap();
        let second = first.clone();
        drop(first);
        assert!(!gone.load(Ordering::Relaxed));
        drop(second);
        assert!(gone.load(Ordering::Relaxed));
    }

    #[test]
    fn a_raw_pointer_is_a_reference() {
        let gone = AtomicBool::new(false);
        let raw = Shared::new(Last(&gone, 7)).unwrap().into_raw();
        // SAFETY: the value exists.
        assert_eq!(unsafe { (*raw).1 }, 7);
        // SAFETY: `raw` is converted back last, and once.
        let (second, own) = unsafe { (Shared::of_raw(raw), Shared::from_raw(raw)) };
        drop(own);
        assert!(!gone.load(Ordering::Relaxed));
        assert_eq!(second.1, 7);
        drop(second);
        assert!(gone.load(Ordering::Relaxed));
    }

    #[test]
    fn into_inner_needs_the_only_reference() {
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
    fn reserved_memory_can_be_dropped_or_filled() {
        drop(Reserved::<u64>::new().unwrap());
        assert_eq!(*Reserved::new().unwrap().fill(5_u64), 5);
    }
}
