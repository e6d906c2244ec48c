// SPDX-License-Identifier: MIT
//! The bridge, or another interface, that the device is a port of.

use std::ffi::{c_char, c_int};

use super::argument::{bytes, text_out};
use super::entry::with;
use super::error::CError;
use crate::device::Device;
use crate::model::name::Name;

/// Gets the name of the bridge, or of another interface, that the device is a port of.
///
/// @param dev   The device.
/// @param buf   Receives the name.
/// @param size  Bytes of buf. TUNTAP_NAME_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -ENOENT      the device is not a port (_UNSET);
///         -ERANGE      buf is too small (_BUFFER);
///         -EINVAL      dev or buf is NULL (_ARGUMENT);
///         -EOPNOTSUPP  Darwin (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_master(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(device.master()?))
}

/// Makes the device a port of a bridge, or of another interface: a VRF, for example.
///
/// A port of a bridge should have no addresses: they belong to the bridge. A bridge only takes a TAP.
///
/// Linux: RTM_SETLINK, as `ip link set dev NAME master BRIDGE`.
///
/// @param dev     The device.
/// @param master  The name of the bridge, in the network namespace of the device. NULL or "": none; the
///                device is no longer a port.
/// @param err     May be NULL.
/// @return 0, even if the device is already that port; or
///         -ENODEV      there is no interface with this name (_ABSENT);
///         -EINVAL      master is not a valid name (_NAME);
///         -EINVAL      dev is NULL (_ARGUMENT);
///         -EINVAL      the kernel refuses: the bridge does not take a TUN, for example
///                      (_SYSTEM);
///         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EOPNOTSUPP  the interface cannot have ports (_SYSTEM);
///         -EOPNOTSUPP  Darwin (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_master(
    dev: *mut Device,
    master: *const c_char,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let name = if master.is_null() { b"" } else { bytes(master, "the master")? };
        device.set_master(if name.is_empty() { None } else { Some(Name::new(name)?) })
    })
}
