// SPDX-License-Identifier: MIT
//! Boxes whose memory may be missing.

use std::alloc::{Layout, alloc, alloc_zeroed};
use std::ptr;

use crate::memory::NoMemory;

/// So many zeros. The kernel gives large ones without touching them.
pub fn zeroed(len: usize) -> Result<Box<[u8]>, NoMemory> {
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
pub fn boxed<T>(value: T) -> Result<Box<T>, NoMemory> {
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
