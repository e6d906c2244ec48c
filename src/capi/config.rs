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
use crate::device::config::{Addition, Config};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::Alias;
use crate::model::memory;
use crate::model::vnet_hdr::Endian;

/// Creates a config without options. One config can be used for any number of opens, which
/// do not change it. Only one thread at a time may use a config.
///
/// @param config  Receives the config. tuntap_config_free frees it.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -ENOMEM  out of memory (_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_new(config: *mut *mut Config, err: *mut CError) -> c_int {
    create(config, err, || Ok(Config::default()))
}

/// Frees a config. Devices that were opened with it are not affected.
///
/// @param config  The config. May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_free(config: *mut Config) {
    free(config);
}

/// Sets the user who may open the device without privilege: see tuntap_set_owner. The user
/// is checked at open.
///
/// @param config  The config.
/// @param uid     As numbered in the user namespace of the calling process.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_owner(config: *mut Config, uid: u32, err: *mut CError) -> c_int {
    set(config, err, |config| config.owner = Some(uid))
}

/// Sets the group whose members may open the device without privilege: see
/// tuntap_set_group. The group is checked at open.
///
/// @param config  The config.
/// @param gid     As numbered in the user namespace of the calling process.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_group(config: *mut Config, gid: u32, err: *mut CError) -> c_int {
    set(config, err, |config| config.group = Some(gid))
}

/// Sets the device node to open instead of the usual one (Linux: /dev/net/tun; Android:
/// /dev/tun). The open fails if there is no such node.
///
/// @param config  The config.
/// @param path    Copied. A relative path starts at the working directory at the time of
///                the open, and of tuntap_open_queue. NULL: the usual node again.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -EINVAL  path is empty (_ARGUMENT);
///         -ENOMEM  out of memory (_SYSTEM).
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

/// Sets the network namespace to open the device in, instead of the one of the calling
/// thread. The thread itself does not change its namespace. Entering the namespace needs
/// CAP_SYS_ADMIN, in it and in the namespace of the caller.
///
/// @param config  The config.
/// @param path    For example "/run/netns/blue" or "/proc/1234/ns/net". Opened by this
///                call. NULL: the namespace of the calling thread again.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -EINVAL  path is not a network namespace (_NAMESPACE);
///         -ENOENT, -EACCES, -ENAMETOOLONG, ...  path cannot be opened.
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

/// Sets the network namespace to open the device in, by descriptor: see
/// tuntap_config_set_netns.
///
/// @param config  The config.
/// @param fd      A descriptor of a network namespace, duplicated. It still belongs to the
///                caller. -1: the namespace of the calling thread again.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -EINVAL  fd is not a network namespace (_NAMESPACE);
///         -EBADF   fd is not open (_ARGUMENT).
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

/// Sets the MTU: see tuntap_set_mtu. The value is checked at open.
///
/// @param config  The config.
/// @param mtu     In bytes.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_mtu(config: *mut Config, mtu: u32, err: *mut CError) -> c_int {
    set(config, err, |config| config.mtu = Some(mtu))
}

/// Sets the MAC address of a TAP: see tuntap_set_mac.
///
/// @param config  The config.
/// @param mac     TUNTAP_MAC_SIZE (6) bytes.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config or mac is NULL (_ARGUMENT);
///         -EINVAL  mac is a group address or all zeros (_ADDRESS).
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

/// Sets the alias: see tuntap_set_alias.
///
/// @param config  The config.
/// @param alias   Copied. Up to 255 bytes.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config or alias is NULL (_ARGUMENT);
///         -EINVAL  alias is too long (_RANGE);
///         -ENOMEM  out of memory (_SYSTEM).
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

/// Sets the transmit queue length: see tuntap_set_txqueuelen. The open fails if there is no
/// memory for it.
///
/// @param config   The config.
/// @param packets  For each queue.
/// @param err      May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_txqueuelen(
    config: *mut Config,
    packets: u32,
    err: *mut CError,
) -> c_int {
    set(config, err, |config| config.tx_queue_length = Some(packets))
}

/// Sets the send buffer: see tuntap_set_sndbuf. The value is checked at open.
///
/// @param config  The config.
/// @param bytes   1 to 2147483647.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_sndbuf(
    config: *mut Config,
    bytes: u32,
    err: *mut CError,
) -> c_int {
    set(config, err, |config| config.send_buffer = Some(bytes))
}

/// Sets the size of the virtio header before each packet of a device with TUNTAP_OFFLOAD,
/// for another program that uses the same device: 10 for struct virtio_net_hdr, 12 for struct
/// virtio_net_hdr_mrg_rxbuf, as QEMU uses it, or more. Without this option an existing device
/// keeps its size. A new one has 24, for struct virtio_net_hdr_v1_hash_tunnel, if the kernel
/// supports TUNTAP_F_UDP_TUNNEL_GSO, and otherwise 10. A new one with TUNTAP_PERSIST has 10:
/// other programs that open it later may expect that. A header of fewer than 24 bytes does not
/// pass super-packets of tunnels. All other packets pass the same with any size.
///
/// The open needs TUNTAP_OFFLOAD: only such a device has the virtio header (IFF_VNET_HDR).
///
/// The size belongs to the device, for all queues, and a persistent device keeps it. It can
/// only be changed while no other queue is open. Otherwise the open fails with
/// TUNTAP_REASON_BUSY, unless the device already has this size.
///
/// @param config  The config.
/// @param size    10 to 256.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -EINVAL  size is out of range (_RANGE).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_vnet_hdr_size(
    config: *mut Config,
    size: usize,
    err: *mut CError,
) -> c_int {
    with_mut(config, err, |config| config.vnet.set_size(size))
}

/// Sets the byte order of the virtio header before each packet of a device with
/// TUNTAP_OFFLOAD, for another program that uses the same device. Without this option an
/// existing device keeps its byte order, and a new one has that of the machine. The packet
/// functions of this library work the same with either: a tuntap_vnet_hdr is always in the
/// byte order of the machine. The byte order can be changed under the same condition as the
/// size: see tuntap_config_set_vnet_hdr_size.
///
/// On a little-endian machine, TUNTAP_ENDIAN_BIG needs a kernel with
/// CONFIG_TUN_VNET_CROSS_LE. With any other kernel the open fails with -EOPNOTSUPP and
/// TUNTAP_REASON_KERNEL.
///
/// @param config  The config.
/// @param endian  A TUNTAP_ENDIAN_*.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT);
///         -EINVAL  endian is not a TUNTAP_ENDIAN_* (_ARGUMENT).
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

/// Adds an address to give to the device, in addition to those of other calls and those
/// that the device has: see tuntap_add_addr.
///
/// @param config  The config.
/// @param addr    Copied.
/// @param size    sizeof(tuntap_addr).
/// @param flags   0 or TUNTAP_REPLACE.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config or addr is NULL (_ARGUMENT);
///         -EINVAL  as in tuntap_add_addr;
///         -ENOMEM  out of memory (_SYSTEM).
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
        memory::push(
            &mut config.addresses,
            Addition { item: (request, options), replace: is_replace(flags)? },
        )?;
        Ok(())
    })
}

/// Adds a route to add through the device: see tuntap_add_route. The device must be up for
/// it: see tuntap_config_set_up.
///
/// @param config  The config.
/// @param route   Copied.
/// @param size    sizeof(tuntap_route).
/// @param flags   0 or TUNTAP_REPLACE.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config or route is NULL (_ARGUMENT);
///         -EINVAL  as in tuntap_add_route;
///         -ENOMEM  out of memory (_SYSTEM).
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
        let item = read_growing(route, size, "the route")?.route_to_add()?;
        memory::push(&mut config.routes, Addition { item, replace: is_replace(flags)? })?;
        Ok(())
    })
}

/// Sets whether to bring the device up or take it down. Without this option it stays as it is.
///
/// @param config  The config.
/// @param up      0: down. Not 0: up.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  config is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_config_set_up(config: *mut Config, up: c_int, err: *mut CError) -> c_int {
    set(config, err, |config| config.up = Some(up != 0))
}

/// Sets an option whose value is checked at open.
unsafe fn set(config: *mut Config, err: *mut CError, set: impl FnOnce(&mut Config)) -> c_int {
    with_mut(config, err, |config| {
        set(config);
        Ok(())
    })
}

fn node(path: &[u8]) -> Result<&Path> {
    if path.is_empty() {
        return Err(Error::new(Errno::EINVAL, Reason::Argument, "the path of the device node is empty"));
    }
    Ok(Path::new(OsStr::from_bytes(path)))
}
