// SPDX-License-Identifier: MIT
//! `tuntap`: opening and closing a device, and its properties.

use std::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;

use super::argument::{bytes, out, text_out};
use super::entry::{call, consume, create, descriptor, free, with};
use super::error::CError;
use crate::device::Device;
use crate::device::config::Config;
use crate::model::flags::{FdFlags, Flags};
use crate::model::name::NameRequest;

/// Opens a TUN or TAP device. Attaches to an existing device; otherwise creates it. A new
/// device is down and has no address. A device that this call creates is removed with its
/// last handle, unless it is persistent. If the call fails, an existing device is as it
/// was, and no new device remains.
///
/// Linux: opens /dev/net/tun and calls TUNSETIFF. An existing device that is not open gets
/// the TUNTAP_PI setting of this call and keeps it. A device that is open keeps its setting,
/// and a request for a different one is refused. Descriptors are opened close-on-exec. The
/// device belongs to the network namespace of the calling thread, and the handle continues
/// to act in that namespace.
///
/// Darwin: a TUN is a utun interface, created through its control socket, and up from the
/// start. A TAP is one of a pair of feth interfaces. Its frames pass through BPF and
/// AF_NDRV on the other one, which is also visible in the list of interfaces. Closing the
/// handle destroys both; if the process was killed, run `ifconfig feth0 destroy`. The
/// driver defines the names: "utun7" or "feth7", "utun%d" or "feth%d". A device has one
/// handle, so a name that exists is -EBUSY.
///
/// @param name   NULL or "": the kernel chooses (tun0, tap0, ...). "vpn0": this name. It
///               has at most 15 bytes, no slash, colon or white space, and is not ".", "..",
///               "all" or "default". "vpn%d": the first free number.
/// @param flags  TUNTAP_TUN or TUNTAP_TAP, combined with any of the flags above except
///               TUNTAP_BORROW and TUNTAP_TRUSTED.
/// @param dev    Receives the handle, on success only. tuntap_close frees it.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL      name is not valid (_NAME);
///         -EINVAL      flags are not valid (_FLAGS);
///         -EINVAL      dev is NULL (_ARGUMENT);
///         -EINVAL      the existing device is of the other kind, or is not a TUN or TAP
///                      device (_KIND);
///         -EINVAL      the existing device has other modes than requested, and the message
///                      states the difference (_MISMATCH);
///         -EBUSY       the device is open elsewhere, or exists and TUNTAP_EXCLUSIVE was
///                      given (_BUSY);
///         -ENODEV      the device does not exist, and TUNTAP_EXISTING was given (_ABSENT);
///         -ENODEV      others delete the device each time it is created (_REMOVED);
///         -EPERM       creating a device needs CAP_NET_ADMIN, and so does opening one that
///                      belongs to another user (_PRIVILEGE);
///         -EACCES      the device node cannot be opened (_PRIVILEGE);
///         -ENOENT, -ENODEV, -ENXIO, -ENOTTY  no driver, or no device node (_NO_DRIVER);
///         -ENFILE      all numbers of the pattern are in use (_BUSY);
///         -E2BIG       the device cannot have another queue (_BUSY);
///         -EMFILE, -ENOMEM, ...  out of resources (_SYSTEM);
///         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_open(
    name: *const c_char,
    flags: u64,
    dev: *mut *mut Device,
    err: *mut CError,
) -> c_int {
    tuntap_open_config(name, flags, ptr::null(), dev, err)
}

/// Opens a device with further options. Either all of them are applied, or none. The order
/// is: network namespace, device node, virtio header, MTU, MAC address, alias, transmit
/// queue length, send buffer, addresses, up or down, routes, owner, group, and
/// TUNTAP_PERSIST last. Addresses and routes are added in the order of the calls. A route needs a device
/// that is up: without tuntap_config_set_up the open fails with -ENETDOWN, unless the device is up
/// already, and with tuntap_config_set_up(config, 0) it fails with -EINVAL (TUNTAP_REASON_ARGUMENT).
///
/// When an option fails, a new device is removed and an existing one is restored, with two
/// exceptions: a first owner that was set cannot be unset when setting the group or
/// TUNTAP_PERSIST fails after it, and a route with several next hops is not restored if the
/// options made the kernel remove it.
///
/// @param name    As tuntap_open. NULL: the kernel chooses.
/// @param flags   As tuntap_open.
/// @param config  The options, not changed and not kept. NULL: no options.
/// @param dev     Receives the handle, on success only. tuntap_close frees it.
/// @param err     May be NULL.
/// @return 0, or as tuntap_open, or as the function that sets the option that failed, which
///         the message names, or -EINVAL (an option of the virtio header was given without
///         TUNTAP_OFFLOAD, TUNTAP_REASON_FLAGS).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_open_config(
    name: *const c_char,
    flags: u64,
    config: *const Config,
    dev: *mut *mut Device,
    err: *mut CError,
) -> c_int {
    create(dev, err, || {
        let name = if name.is_null() { b"" } else { bytes(name, "the name")? };
        let name = NameRequest::parse(name)?;
        let flags = Flags::parse(flags)?;
        let default = Config::default();
        Device::open(&name, &flags, config.as_ref().unwrap_or(&default))
    })
}

/// Takes over the descriptor of a device that was opened elsewhere: by another process,
/// which passed it with SCM_RIGHTS, by systemd, or by Android's VpnService. The library
/// queries its modes from the kernel. tuntap_get_flags reports what the descriptor was
/// granted.
///
/// The device can be in another network namespace. If the process may not configure it
/// there, reading and writing work, and so do tuntap_get_name, tuntap_get_flags and the
/// functions that only act on the queue: tuntap_get_vnet_hdr_size, tuntap_get_sndbuf,
/// tuntap_set_persist and tuntap_shutdown. Other calls that query or configure the device
/// return -EXDEV with TUNTAP_REASON_NAMESPACE. Without CAP_NET_ADMIN they do so in the
/// caller's own namespace too, because nothing shows that the device is in it. Let the
/// process that sends the descriptor configure the device, and send what the receiver needs
/// to know, such as the MTU.
///
/// This call does not change the device and writes no packet. If only the descriptor itself
/// can show whether a TUN has the packet-information header, and the TUN has none, the
/// kernel counts one dropped packet (rx_dropped).
///
/// The open file becomes non-blocking (O_NONBLOCK) for every process that shares it, and
/// stays non-blocking.
///
/// @param fd     A descriptor that TUNSETIFF attached to a device. On success it belongs to
///               the handle, which sets close-on-exec and closes it. On failure it still
///               belongs to the caller.
/// @param flags  0 or TUNTAP_NONBLOCK, and TUNTAP_BORROW: the handle uses a copy, and fd
///               still belongs to the caller.
/// @param dev    Receives the handle, on success only. tuntap_close frees it.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL       dev is NULL (_ARGUMENT);
///         -EINVAL       flags are not valid (_FLAGS);
///         -EINVAL       fd is not the descriptor of a TUN or TAP device (_KIND);
///         -EINVAL       the virtio header has more than 256 bytes, or packet information
///                       comes before it (_MISMATCH);
///         -EBADF        fd is not open for reading and writing (_ARGUMENT);
///         -ENODEV       fd has no device, or the device is gone (_REMOVED);
///         -EMFILE, ...  out of resources (_SYSTEM).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_open_fd(
    fd: c_int,
    flags: u64,
    dev: *mut *mut Device,
    err: *mut CError,
) -> c_int {
    create(dev, err, || Device::open_fd(fd, FdFlags::parse(flags)?))
}

/// Closes a handle. The last handle of a device that is not persistent removes the device.
///
/// More precisely, the kernel removes the device with its last descriptor. Descriptors that were passed
/// with SCM_RIGHTS, inherited by fork(), duplicated or released (tuntap_release), and the copy of
/// TUNTAP_BORROW, also count, in every process. So a process that sends a descriptor may close its
/// handle directly after sendmsg().
///
/// On Linux the kernel takes about 20 ms to remove a device, and the call waits for that. A
/// program with many devices can open them with TUNTAP_PERSIST, close the handles, and delete their
/// network namespace: the kernel then removes all of them together.
///
/// Readers and writers also hold the device: it stays open, and they continue to work,
/// until the last of them is closed. They and the handle can be closed in any order.
///
/// No other call on the handle may be running, and none may follow. To stop the threads
/// that use it, call tuntap_shutdown, join them, then close. After tuntap_close only a signal
/// handler ends a wait of a reader or writer.
///
/// @param dev  The handle. May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_close(dev: *mut Device) {
    free(dev);
}

/// Frees a handle and gives its descriptor to the caller, for a program that continues
/// without the library or passes the device to another process. tuntap_open_fd takes it
/// back.
///
/// Default routes and bypasses of the handle end, unless TUNTAP_KEEP was set.
///
/// The descriptor is non-blocking (O_NONBLOCK) and close-on-exec, as it was in the handle.
/// The device stays open and keeps its settings. The unread rest of a super-packet is lost:
/// read until -EAGAIN first.
///
/// The caller must close the descriptor. For a handle that tuntap_open_fd opened with TUNTAP_BORROW it
/// is the copy, and the caller still has the original one. For one that it opened without this flag it
/// is the descriptor that was given to tuntap_open_fd.
///
/// A device with TUNTAP_OFFLOAD keeps its offloads and its virtio header, which each packet on the
/// descriptor has: tuntap_get_vnet_hdr_size returns its size, and
/// tuntap_config_set_vnet_hdr_size sets one that the other program expects. For a program that
/// knows the header but no offloads, call tuntap_set_offloads(dev, 0) first: then it gets no
/// super-packets, and all checksums are complete.
///
/// @param dev  Freed on success: no other call on it may be running, and none may follow.
///             Unchanged on failure.
/// @param fd   Receives the descriptor.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL      dev or fd is NULL (_ARGUMENT);
///         -EBUSY       a reader or a writer holds the device (_BUSY);
///         -EOPNOTSUPP  Darwin: a TAP uses several descriptors (_PLATFORM).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_release(dev: *mut Device, fd: *mut c_int, err: *mut CError) -> c_int {
    call(err, || {
        let out = out(fd, "descriptor")?;
        out.set(consume(dev, Device::check_release)?.release().into_raw_fd());
        Ok(())
    })
}

/// Gets the current name of the device. Other processes can rename it at any time.
///
/// @param dev   The device.
/// @param buf   Receives the name: the bytes of the kernel, usually but not always UTF-8.
/// @param size  Bytes of buf. TUNTAP_NAME_SIZE is always enough.
/// @param err   May be NULL.
/// @return 0, or
///         -EINVAL  dev or buf is NULL (_ARGUMENT);
///         -ERANGE  buf is too small (_BUFFER);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_name(
    dev: *const Device,
    buf: *mut c_char,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| text_out(buf, size)?.set(device.name()?))
}

/// Gets the interface index, as if_nametoindex() returns it. Renaming the device does not
/// change it.
///
/// @param dev    The device.
/// @param index  Receives the index.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev or index is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_index(dev: *const Device, index: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(index, "result")?.fill(device.index()))
}

/// Gets the descriptor of this queue, for poll, epoll, select, io_uring and
/// sendmsg(SCM_RIGHTS). It belongs to the handle: do not close it. Readable means that a
/// packet is available, writable that the device is up and has room, and POLLERR that the
/// device is gone.
///
/// The descriptor is always non-blocking (O_NONBLOCK), even if the handle is not, and must
/// stay so: the library does the waiting. With io_uring, link a poll before each read.
///
/// The program may read and write the descriptor itself. With TUNTAP_OFFLOAD each packet then
/// begins with the virtio header, in the byte order of the device. Do not mix this with
/// tuntap_read and readers on the same queue: the handle can hold the rest of a super-packet.
///
/// The device stays while any process has the descriptor: after sendmsg(SCM_RIGHTS) the sender may
/// close its handle.
///
/// Darwin: the descriptor of a TAP is a kqueue. It is readable while a frame is available
/// in the kernel or in the handle, until a read finds none, and when the device is gone. It
/// only serves for waiting, and does not report room to write.
///
/// Safe in a signal handler.
///
/// @param dev  The device.
/// @param err  May be NULL.
/// @return The descriptor, or -EINVAL (dev is NULL, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_fd(dev: *const Device, err: *mut CError) -> c_int {
    descriptor(dev, err, |device| device.fd().as_raw_fd())
}

/// Gets the current flags of the device and the handle, as granted by the kernel:
/// TUNTAP_TUN or TUNTAP_TAP, TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_NAPI, TUNTAP_NAPI_FRAGS,
/// TUNTAP_OFFLOAD, TUNTAP_PERSIST and TUNTAP_NONBLOCK. The other flags only apply to the
/// open and are never reported.
///
/// @param dev    The device.
/// @param flags  Receives the flags.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  dev or flags is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_flags(dev: *const Device, flags: *mut u64, err: *mut CError) -> c_int {
    with(dev, err, |device| out(flags, "result")?.fill(device.flags()))
}

/// Sets whether the device stays after its last handle is closed. Needs no privilege on a
/// device that the caller has open.
///
/// @param dev  The device.
/// @param on   0: no. Not 0: yes.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_persist(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_persist(on != 0))
}

/// Gets the user who may open the device without privilege.
///
/// @param dev  The device.
/// @param uid  Receives the user, as numbered in the user namespace of the calling process.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev or uid is NULL (_ARGUMENT);
///         -ENOENT  no owner is set (_UNSET);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_owner(dev: *const Device, uid: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(uid, "result")?.fill(device.owner()))
}

/// Sets the user who may open the device without privilege. If a group is also set, the
/// user must be a member of it. A device without owner and group is open to everyone who
/// may open the device node. The owner must be able to open the device node too. An owner
/// cannot be unset. Setting it needs no privilege on a device that the caller has open.
///
/// @param dev  The device.
/// @param uid  As numbered in the user namespace of the calling process.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EINVAL  this user namespace has no such user (_RANGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_owner(dev: *mut Device, uid: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_owner(uid))
}

/// Gets the group whose members may open the device without privilege.
///
/// @param dev  The device.
/// @param gid  Receives the group, as numbered in the user namespace of the calling
///             process.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev or gid is NULL (_ARGUMENT);
///         -ENOENT  no group is set (_UNSET);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_group(dev: *const Device, gid: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(gid, "result")?.fill(device.group()))
}

/// Sets the group whose members may open the device without privilege: see
/// tuntap_set_owner. A group cannot be unset.
///
/// @param dev  The device.
/// @param gid  As numbered in the user namespace of the calling process.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT);
///         -EINVAL  this user namespace has no such group (_RANGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_group(dev: *mut Device, gid: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_group(gid))
}

/// Sets whether functions that read or write packets through this handle wait, or return
/// -EAGAIN. They are tuntap_read, tuntap_readv, tuntap_read_super, tuntap_write,
/// tuntap_writev and tuntap_write_super; of its readers tuntap_reader_next,
/// tuntap_reader_batch and tuntap_reader_copy; and of its writers tuntap_writer_put,
/// tuntap_writer_commit, tuntap_writer_flush and tuntap_writer_batch.
///
/// Functions with a time limit are not affected: tuntap_wait, tuntap_read_timeout and
/// tuntap_write_timeout. Neither is a call that is already waiting.
///
/// @param dev  The device.
/// @param on   0: they wait. Not 0: they return -EAGAIN.
/// @param err  May be NULL.
/// @return 0, or
///         -EINVAL  dev is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_nonblock(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_nonblock(on != 0))
}
