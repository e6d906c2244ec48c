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

/// Moves the device to another network namespace. All its handles continue to read and
/// write, in any thread and namespace, and calls that configure the device act on it in its
/// new namespace.
///
/// The kernel takes the device down and removes its addresses, routes, master and IPv6
/// settings. In the new namespace its index can be different, and its name must not be in
/// use.
///
/// To configure the device there, the process must be able to enter that namespace: this
/// needs CAP_SYS_ADMIN in both namespaces and Linux 5.4 or later. Otherwise a handle can
/// only read and write, and calls that query or configure the device return -EXDEV with
/// TUNTAP_REASON_NAMESPACE.
///
/// @param dev   The device.
/// @param path  For example "/run/netns/blue" or "/proc/1234/ns/net".
/// @param err   May be NULL.
/// @return 0, even if it is already there, or
///         -EINVAL  dev or path is NULL (_ARGUMENT);
///         -EINVAL  path is not a network namespace (_NAMESPACE);
///         -ENOENT, -EACCES, ...  path cannot be opened;
///         -EEXIST  the name is in use there (_BUSY);
///         -EPERM   this needs CAP_NET_ADMIN in both namespaces (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netns(dev: *mut Device, path: *const c_char, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_namespace(&namespace_at(path)?))
}

/// Moves the device to the network namespace of a descriptor: see tuntap_set_netns.
///
/// @param dev  The device.
/// @param fd   A descriptor of a network namespace. It still belongs to the caller.
/// @param err  May be NULL.
/// @return 0, or as tuntap_set_netns, or
///         -EBADF  fd is not open (_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_netns_fd(dev: *mut Device, fd: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_namespace(&Namespace::duplicate(fd)?))
}
