// SPDX-License-Identifier: MIT
//! `tuntap_config`.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::address::CAddr;
use super::argument::{bytes, read_growing};
use super::entry::{create, free, with_mut};
use super::error::CError;
use super::field::is_replace;
use super::link::mac_at;
use super::namespace::namespace_at;
use super::route::CRoute;
use crate::device::Namespace;
use crate::device::config::{Added, Config};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::Alias;
use crate::model::memory;
use crate::model::vnet_hdr::Endian;

/// Makes a config without any option set. One config can serve many opens, and is not
/// changed by them.
///
/// Unlike a device, a config is for one thread at a time.
///
/// @param config  Receives the config; tuntap_config_free frees it.
/// @return 0, or -EINVAL (config is NULL), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_new(config: *mut *mut Config, err: *mut CError) -> c_int {
    create(config, err, || Ok(Config::default()))
}

/// Frees a config. Devices opened with it live on.
///
/// @param config  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_free(config: *mut Config) {
    free(config);
}

/// The user who may open the device without privilege from now on: see tuntap_set_owner.
///
/// @param uid  As the calling process's user namespace numbers users.
/// @return 0, or -EINVAL (config is NULL). Whether the user exists shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_owner(config: *mut Config, uid: u32, err: *mut CError) -> c_int {
    with_mut(config, err, |config| {
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
    with_mut(config, err, |config| {
        config.group = Some(gid);
        Ok(())
    })
}

/// The device node to open, where it is not the usual one (Linux: /dev/net/tun; Android:
/// /dev/tun).
///
/// @param path  Copied. A relative one begins at the working directory of the open, also for
///              further queues. NULL means the usual one again.
/// @return 0, or -EINVAL (config is NULL, path is empty), -ENOMEM. Whether there is such a
///         node shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_node(
    config: *mut Config,
    path: *const c_char,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.node = match path.is_null() {
            true => None,
            false => Some(memory::path(node(bytes(path, "the path")?)?)?),
        };
        Ok(())
    })
}

/// The network namespace to open the device in, where it is not the calling thread's. The
/// thread stays where it is. Entering it needs CAP_SYS_ADMIN, in it and in one's own.
///
/// @param path  Such as "/run/netns/blue" or "/proc/1234/ns/net", opened now. NULL means
///              one's own again.
/// @return 0, or -EINVAL (config is NULL; not a network namespace,
///         TUNTAP_REASON_NAMESPACE), -ENOENT, -EACCES, -ENAMETOOLONG, ... (path cannot be
///         opened).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_netns(
    config: *mut Config,
    path: *const c_char,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.namespace = if path.is_null() { None } else { Some(namespace_at(path)?) };
        Ok(())
    })
}

/// The network namespace to open the device in, by its descriptor: see
/// tuntap_config_set_netns.
///
/// @param fd  An open network namespace, copied: it stays the caller's. -1 means one's own
///            again.
/// @return 0, or -EINVAL (config is NULL; not a network namespace,
///         TUNTAP_REASON_NAMESPACE), -EBADF (fd is not open, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_netns_fd(
    config: *mut Config,
    fd: c_int,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.namespace = if fd == -1 { None } else { Some(Namespace::duplicate(fd)?) };
        Ok(())
    })
}

/// The MTU: see tuntap_set_mtu.
///
/// @return 0, or -EINVAL (config is NULL). Whether the device takes it shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_mtu(config: *mut Config, mtu: u32, err: *mut CError) -> c_int {
    with_mut(config, err, |config| {
        config.mtu = Some(mtu);
        Ok(())
    })
}

/// The MAC address of a TAP: see tuntap_set_mac.
///
/// @param mac  TUNTAP_MAC_SIZE (6) bytes.
/// @return 0, or -EINVAL (config or mac is NULL; no usable address, TUNTAP_REASON_ADDRESS).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_mac(
    config: *mut Config,
    mac: *const u8,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.mac = Some(mac_at(mac)?);
        Ok(())
    })
}

/// The alias: see tuntap_set_alias.
///
/// @param alias  Copied.
/// @return 0, or -EINVAL (config or alias is NULL; too long, TUNTAP_REASON_RANGE), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_alias(
    config: *mut Config,
    alias: *const c_char,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.alias = Some(Alias::new(bytes(alias, "the alias")?)?);
        Ok(())
    })
}

/// The transmit queue length: see tuntap_set_txqueuelen.
///
/// @return 0, or -EINVAL (config is NULL). Whether there is memory for it shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_txqueuelen(
    config: *mut Config,
    packets: u32,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.tx_queue_length = Some(packets);
        Ok(())
    })
}

/// The send buffer: see tuntap_set_sndbuf.
///
/// @return 0, or -EINVAL (config is NULL). Whether it is in range shows at open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_sndbuf(
    config: *mut Config,
    bytes: u32,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.send_buffer = Some(bytes);
        Ok(())
    })
}

/// Bytes of the virtio header before each packet of a device with TUNTAP_OFFLOAD: 10, 12 for
/// one with num_buffers, or more, as another program needs it that uses the device too.
/// Without this a device keeps what it has, and a new one has 10. All packet functions are
/// the same with any.
///
/// The size is the device's, for all its queues, and stays with a persistent one. So it is
/// changed only where no other queue is open: then the open fails with TUNTAP_REASON_BUSY,
/// unless it is so already.
///
/// @param size  10 to 256.
/// @return 0, or -EINVAL (config is NULL; size, TUNTAP_REASON_RANGE).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_vnet_hdr_size(
    config: *mut Config,
    size: usize,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| config.vnet.set_size(size))
}

/// The byte order of the virtio header before each packet of a device with TUNTAP_OFFLOAD, as
/// another program needs it that uses the device too. Without this a device keeps what it
/// has, and a new one has the machine's own. All packet functions are the same with either:
/// tuntap_vnet_hdr is always in the machine's own. It is changed as the size is: see
/// tuntap_config_set_vnet_hdr_size.
///
/// On a little-endian machine, TUNTAP_ENDIAN_BIG needs a kernel with
/// CONFIG_TUN_VNET_CROSS_LE: without that the open fails with -EOPNOTSUPP,
/// TUNTAP_REASON_KERNEL.
///
/// @param endian  A TUNTAP_ENDIAN_*.
/// @return 0, or -EINVAL (config is NULL; endian is none, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_vnet_endian(
    config: *mut Config,
    endian: u32,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        config.vnet.endian = Some(Endian::parse(endian)?);
        Ok(())
    })
}

/// An address that the device is given, beside those of other calls and those that it has:
/// see tuntap_add_addr.
///
/// @param addr   Copied.
/// @param size   sizeof(tuntap_addr).
/// @param flags  0, or TUNTAP_REPLACE.
/// @return 0, or -EINVAL (config or addr is NULL; otherwise as there), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_add_addr(
    config: *mut Config,
    addr: *const CAddr,
    size: usize,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        let addr = read_growing(addr, size, "the address")?;
        let (request, options) = (addr.request()?, addr.options()?);
        options.check(&request.address())?;
        memory::push(&mut config.addresses, Added { item: (request, options), replace: is_replace(flags)? })?;
        Ok(())
    })
}

/// A route that is added through the device: see tuntap_add_route. The device must be up
/// for it: see tuntap_config_set_up.
///
/// @param route  Copied.
/// @param size   sizeof(tuntap_route).
/// @param flags  0, or TUNTAP_REPLACE.
/// @return 0, or -EINVAL (config or route is NULL; otherwise as there), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_add_route(
    config: *mut Config,
    route: *const CRoute,
    size: usize,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| {
        let item = read_growing(route, size, "the route")?.whole()?;
        memory::push(&mut config.routes, Added { item, replace: is_replace(flags)? })?;
        Ok(())
    })
}

/// Whether the device is taken up or down. Without this it stays as it is.
///
/// @param up  0: down. Not 0: up.
/// @return 0, or -EINVAL (config is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_up(config: *mut Config, up: c_int, err: *mut CError) -> c_int {
    with_mut(config, err, |config| {
        config.up = Some(up != 0);
        Ok(())
    })
}

fn node(path: &[u8]) -> Result<&Path> {
    if path.is_empty() {
        return Err(Error::new(Errno::EINVAL, Reason::Argument, "the path of the device node is empty"));
    }
    Ok(Path::new(OsStr::from_bytes(path)))
}
