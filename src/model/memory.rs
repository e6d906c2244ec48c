// SPDX-License-Identifier: MIT
//! Fallible allocation. If there is no memory, std's functions end the process, and these return [`NoMemory`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::error::{Errno, Error, Reason};

/// There is not enough memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

impl From<NoMemory> for Errno {
    fn from(_: NoMemory) -> Self {
        Self::ENOMEM
    }
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Self::new(Errno::ENOMEM, Reason::System, "out of memory")
    }
}

/// Appends an item. The capacity grows as with [`Vec::push`].
pub fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), NoMemory> {
    items.try_reserve(1).map_err(|_| NoMemory)?;
    items.push(item);
    Ok(())
}

/// Appends copies of all items.
pub fn append<T: Copy>(items: &mut Vec<T>, more: &[T]) -> Result<(), NoMemory> {
    items.try_reserve(more.len()).map_err(|_| NoMemory)?;
    items.extend_from_slice(more);
    Ok(())
}

/// A copy of all items.
pub fn copy<T: Copy>(items: &[T]) -> Result<Vec<T>, NoMemory> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(items.len()).map_err(|_| NoMemory)?;
    copy.extend_from_slice(items);
    Ok(copy)
}

/// All items of an iterator.
pub fn collect<T>(items: impl IntoIterator<Item = T>) -> Result<Vec<T>, NoMemory> {
    let items = items.into_iter();
    let mut found = Vec::new();
    found.try_reserve(items.size_hint().0).map_err(|_| NoMemory)?;
    for item in items {
        push(&mut found, item)?;
    }
    Ok(found)
}

/// A copy of a path.
pub fn path(path: &Path) -> Result<PathBuf, NoMemory> {
    let mut copy = OsString::new();
    copy.try_reserve_exact(path.as_os_str().len()).map_err(|_| NoMemory)?;
    copy.push(path);
    Ok(copy.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_contain_the_given_items() {
        assert_eq!(copy(&[1, 2, 3]).unwrap(), [1, 2, 3]);
        let mut items = collect((0..5).filter(|number| number % 2 == 0)).unwrap();
        push(&mut items, 6).unwrap();
        append(&mut items, &[8, 10]).unwrap();
        assert_eq!(items, [0, 2, 4, 6, 8, 10]);
    }
}
