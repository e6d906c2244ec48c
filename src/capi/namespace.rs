// SPDX-License-Identifier: MIT
//! Network namespaces.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::argument::bytes;
use super::entry::with;
use super::error::CError;
use crate::device::{Device, Namespace};
use crate::model::error::Result;

pub(super) unsafe fn namespace_at(path: *const c_char) -> Result<Namespace> {
    Namespace::open(Path::new(OsStr::from_bytes(bytes(path, "the path of the network namespace")?)))
}

/// Moves the device to another network namespace. All its handles go on reading and
/// writing, in the threads and namespaces where they are, and configuration calls act on it
/// where it is.
///
/// The kernel takes a device down that it moves, and takes its addresses and routes away.
/// In its new namespace it can have another index, and its name must be free there.
///
/// To configure it there needs CAP_SYS_ADMIN in both namespaces, to enter the other, and
/// Linux 5.4; a handle that cannot reads and writes on, and its calls that ask about the
/// device or configure it return -EXDEV with TUNTAP_REASON_NAMESPACE.
///
/// @param path  Such as "/run/netns/blue" or "/proc/1234/ns/net".
/// @return 0, also when it is there already, or -EINVAL (dev or path is NULL; not a network
///         namespace, TUNTAP_REASON_NAMESPACE), -ENOENT, -EACCES, ... (path cannot be
///         opened), -EEXIST (the name is taken there, TUNTAP_REASON_BUSY), -EPERM (needs
///         CAP_NET_ADMIN in both), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netns(dev: *mut Device, path: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_namespace(&namespace_at(path)?))
}

/// Moves the device to the network namespace of a descriptor: see tuntap_set_netns.
///
/// @param fd  An open network namespace. It stays the caller's.
/// @return As tuntap_set_netns, or -EBADF (fd is not open, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netns_fd(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_namespace(&Namespace::duplicate(fd)?))
}
