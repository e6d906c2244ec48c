// SPDX-License-Identifier: MIT
//! Fallible allocation of boxes.

use std::alloc::{Layout, alloc, alloc_zeroed};
use std::ptr;

use crate::model::memory::NoMemory;

/// Allocates zeroed bytes. The allocator does not touch the pages of a large allocation.
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
    // SAFETY: `len` zeroed bytes from the global allocator, with the layout of the box.
    Ok(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(bytes, len)) })
}

/// Allocates a value.
pub(crate) fn boxed<T>(value: T) -> Result<Box<T>, NoMemory> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Ok(Box::new(value));
    }
    // SAFETY: the layout is not empty.
    let pointer = unsafe { alloc(layout) }.cast::<T>();
    if pointer.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: memory for one value from the global allocator, with the layout of the box.
    unsafe {
        pointer.write(value);
        Ok(Box::from_raw(pointer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_sizes_are_refused() {
        assert_eq!(zeroed(usize::MAX), Err(NoMemory));
        assert_eq!(zeroed(isize::MAX as usize), Err(NoMemory));
    }

    #[test]
    fn allocations_have_the_requested_contents() {
        assert!(zeroed(0).unwrap().is_empty());
        assert_eq!(*zeroed(5).unwrap(), [0; 5]);
        assert_eq!(*boxed([7_u16; 40]).unwrap(), [7; 40]);
        boxed(()).unwrap();
    }
}
