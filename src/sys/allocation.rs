// SPDX-License-Identifier: MIT
//! Boxes whose memory may be missing.

use std::alloc::{Layout, alloc, alloc_zeroed};
use std::ptr;

use crate::model::memory::NoMemory;

/// So many zeros. The kernel gives large ones without touching them.
pub(crate) fn zeroed(len: usize) -> Result<Box<[u8]>, NoMemory> {
    if len == 0 {
        return Ok(Box::default());
    }
    let layout = Layout::array::<u8>(len).map_err(|_| NoMemory)?;
    // SAFETY: the layout is not empty.
    let bytes = unsafe { alloc_zeroed(layout) };
    if bytes.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: `len` zeros from the global allocator, with the layout that a box of them is freed with.
    Ok(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(bytes, len)) })
}

/// A value in memory of its own.
pub(crate) fn boxed<T>(value: T) -> Result<Box<T>, NoMemory> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Ok(Box::new(value));
    }
    // SAFETY: the layout is not empty.
    let place = unsafe { alloc(layout) }.cast::<T>();
    if place.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: memory for one value from the global allocator, with the layout that a box of it is freed with.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_refused() {
        assert_eq!(zeroed(usize::MAX), Err(NoMemory));
        assert_eq!(zeroed(isize::MAX as usize), Err(NoMemory));
    }

    #[test]
    fn what_is_asked_for_is_given() {
        assert!(zeroed(0).unwrap().is_empty());
        assert_eq!(*zeroed(5).unwrap(), [0; 5]);
        assert_eq!(*boxed([7_u16; 40]).unwrap(), [7; 40]);
        boxed(()).unwrap();
    }
}
