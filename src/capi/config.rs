// SPDX-License-Identifier: MIT
//! `tuntap_config`.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use super::error::CError;
use super::{bytes, null, status};
use crate::config::Config;
use crate::error::{Errno, Error, Reason, Result};

/// Makes a config without any option set. One config can serve many opens, and is not changed
/// by them.
///
/// Unlike a device, a config is for one thread at a time.
///
/// @param config  Receives the config; tuntap_config_free frees it.
/// @return 0, or -EINVAL (config is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_new(config: *mut *mut Config, err: *mut CError) -> c_int {
    if config.is_null() {
        return status(Err(null("the place for the config")), err);
    }
    config.write(Box::into_raw(Box::default()));
    0
}

/// Frees a config. Devices opened with it live on.
///
/// @param config  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_free(config: *mut Config) {
    if !config.is_null() {
        drop(Box::from_raw(config));
    }
}

/// The user who may open the device without privilege from now on: see tuntap_set_owner.
///
/// @param uid  As the calling process's user namespace numbers users.
/// @return 0, or -EINVAL (config is NULL). Whether the user exists shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_owner(config: *mut Config, uid: u32, err: *mut CError) -> c_int {
    set(config, err, |config| {
        config.owner = Some(uid);
        Ok(())
    })
}

/// The group whose members may open the device without privilege from now on: see
/// tuntap_set_group.
///
/// @param gid  As the calling process's user namespace numbers groups.
/// @return 0, or -EINVAL (config is NULL). Whether the group exists shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_group(config: *mut Config, gid: u32, err: *mut CError) -> c_int {
    set(config, err, |config| {
        config.group = Some(gid);
        Ok(())
    })
}

/// The device node to open, where it is not the usual one (Linux: /dev/net/tun; Android:
/// /dev/tun).
///
/// @param path  Copied. NULL means the usual one again.
/// @return 0, or -EINVAL (config is NULL, path is empty). Whether there is such a node shows at
///         open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_node(
    config: *mut Config,
    path: *const c_char,
    err: *mut CError,
) -> c_int {
    set(config, err, |config| {
        config.node = match path.is_null() {
            true => None,
            false => Some(node(bytes(path, "the path")?)?.into()),
        };
        Ok(())
    })
}

unsafe fn set(
    config: *mut Config,
    err: *mut CError,
    setter: impl FnOnce(&mut Config) -> Result<()>,
) -> c_int {
    status(config.as_mut().ok_or_else(|| null("the config")).and_then(setter), err)
}

fn node(path: &[u8]) -> Result<&OsStr> {
    if path.is_empty() {
        return Err(Error::new(Errno::EINVAL, Reason::Argument, "the path of the device node is empty"));
    }
    Ok(OsStr::from_bytes(path))
}
