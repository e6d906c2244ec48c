// SPDX-License-Identifier: MIT
//! Opens files by name without heap memory.

use std::ffi::{CStr, OsString, c_int};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::model::error::Errno;
use crate::model::memory;
use crate::model::text::Untrusted;
use crate::sys::Outcome;

/// Opens a file; close-on-exec.
pub(super) fn open(path: &Path, flags: c_int) -> Outcome<OwnedFd> {
    let name = path.as_os_str().as_bytes();
    if name.contains(&0) {
        return Err(Errno::EINVAL);
    }
    let mut text = [0; libc::PATH_MAX as usize];
    if name.len() >= text.len() {
        return Err(Errno::ENAMETOOLONG);
    }
    for (to, from) in text.iter_mut().zip(name) {
        *to = *from;
    }
    let text = CStr::from_bytes_until_nul(&text).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the text is NUL-terminated.
    let fd = Errno::result(unsafe { libc::open(text.as_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: open has just returned this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A datagram socket of this family; close-on-exec.
pub(super) fn socket(family: c_int) -> Outcome<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = Errno::result(unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: socket has just returned this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The absolute path of a file.
pub(super) fn absolute(path: &Path) -> Outcome<PathBuf> {
    if path.is_absolute() {
        return Ok(memory::path(path)?);
    }
    let mut directory = [0; libc::PATH_MAX as usize];
    // SAFETY: writes at most the given length.
    if unsafe { libc::getcwd(directory.as_mut_ptr().cast(), directory.len()) }.is_null() {
        return Err(Errno::last());
    }
    let directory = directory.split(|byte| *byte == 0).next().unwrap_or_default();
    let parts = [directory, b"/", path.as_os_str().as_bytes()];
    let bytes = memory::collect(parts.into_iter().flatten().copied())?;
    Ok(OsString::from_vec(bytes).into())
}

/// A path in a message.
pub(super) fn shown(path: &Path) -> Untrusted<'_> {
    Untrusted(path.as_os_str().as_bytes())
}
