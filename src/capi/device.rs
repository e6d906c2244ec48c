// SPDX-License-Identifier: MIT
//! `tuntap`: open, close, and what a device is.

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

/// Opens a TUN or TAP device: attaches to it when it exists, makes it when it does not. A
/// device that was made here goes away with its last handle, unless it is persistent. A new
/// device is down and has no address.
///
/// Linux: /dev/net/tun, TUNSETIFF. An existing device that nobody has open takes the
/// TUNTAP_PI that is asked for, and keeps it; one that is open keeps its own, and another
/// is refused. Descriptors are opened close-on-exec. The device belongs to the network
/// namespace that the calling thread is in, and the handle goes on acting there.
///
/// Darwin: a TUN is a utun, made by its control socket, and up from the beginning. A TAP is
/// one of a pair of feth interfaces; frames pass through BPF and AF_NDRV at the other one,
/// which also shows among the interfaces, and both are destroyed with the handle (by
/// `ifconfig feth0 destroy` when the process was killed). A name is the driver's, "utun7" or
/// "feth7", "utun%d" or "feth%d". Each device has one handle: a name that exists is -EBUSY.
///
/// @param name   NULL or "": the kernel chooses (tun0, tap0, ...). "vpn0": this name, of 15
///               bytes at most, without slash, colon and white space, and neither "." nor "..".
///               "vpn%d": the first free number.
/// @param flags  TUNTAP_TUN or TUNTAP_TAP, with any of the others.
/// @param dev    Receives the handle; tuntap_close frees it.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  name (TUNTAP_REASON_NAME), flags (_FLAGS), dev is NULL (_ARGUMENT); nothing
///                  was touched;
///         -EINVAL  the existing device is of the other kind, or none of ours (_KIND), or has
///                  other modes than those asked for (_MISMATCH); the message names the
///                  difference;
///         -EBUSY   the device is open elsewhere, or exists and TUNTAP_EXCLUSIVE was given
///                  (_BUSY);
///         -ENODEV  there is no such device, and TUNTAP_EXISTING was given (_ABSENT); or others
///                  delete it as often as it is made (_REMOVED);
///         -EPERM   making a device needs CAP_NET_ADMIN, and so does opening somebody else's
///                  (_PRIVILEGE);
///         -EACCES  the device node may not be opened (_PRIVILEGE);
///         -ENOENT, -ENODEV, -ENXIO, -ENOTTY  no driver, or no device node (_NO_DRIVER);
///         -ENFILE  every number of the pattern is taken (_BUSY);
///         -E2BIG   the device has no room for another queue (_BUSY);
///         -EMFILE, -ENOMEM, ...  out of something (_SYSTEM);
///         -EOPNOTSUPP  not on this operating system (_PLATFORM).
///         After a failure nothing is left behind, and a device that existed is as it was.
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

/// Opens a device with options that have no flag: all of them or, when one fails, none.
/// They are applied in this order: network namespace, device node, virtio header, MTU, MAC
/// address, alias, transmit queue length, send buffer, addresses, up or down, routes, owner,
/// group, and TUNTAP_PERSIST last.
///
/// @param config  Read, not kept. NULL is the same as one without any option.
/// @return As tuntap_open, or -EINVAL (an option of the virtio header without TUNTAP_OFFLOAD,
///         TUNTAP_REASON_FLAGS), or as the function that sets what could not be set, which the
///         message names. A new device is gone again then, and one that was there before is
///         as it was; but its first owner cannot be unset where the group or TUNTAP_PERSIST
///         is then refused.
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
/// which passed it with SCM_RIGHTS, by systemd, by Android's VpnService. Its modes are
/// asked of the kernel.
///
/// The device may be in another network namespace. Where the process may not configure it
/// there, it is read and written, and what asks about it or configures it returns -EXDEV
/// with TUNTAP_REASON_NAMESPACE; tuntap_get_name, tuntap_get_flags, and what acts on the
/// queue alone work all the same.
///
/// Nothing of the device is changed, and no packet is written. Where only the descriptor
/// tells whether a TUN has the packet-information header, the kernel counts a dropped packet
/// (rx_dropped) if it has none.
///
/// The open file becomes non-blocking (O_NONBLOCK), for all who share it, and stays so.
///
/// @param fd     A descriptor that TUNSETIFF gave a device. After a failure it is still the
///               caller's; after a success the handle's, which makes it close-on-exec and
///               closes it.
/// @param flags  0 or TUNTAP_NONBLOCK, and TUNTAP_BORROW: the handle works with a copy, and
///               fd stays the caller's.
/// @param dev    Receives the handle; tuntap_close frees it.
/// @return 0, or -EINVAL (dev is NULL; flags, TUNTAP_REASON_FLAGS; not the descriptor of a
///         TUN or TAP device, TUNTAP_REASON_KIND; its virtio header has more than 256 bytes,
///         or packet information before it, TUNTAP_REASON_MISMATCH), -EBADF (fd is not open,
///         TUNTAP_REASON_ARGUMENT; or it is open for reading alone), -ENODEV (it has no
///         device, or that is gone, TUNTAP_REASON_REMOVED), -EMFILE, ... (out of something,
///         TUNTAP_REASON_SYSTEM).
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

/// Closes a handle. A device that is not persistent goes away with its last handle.
///
/// Readers and writers hold the device too: it stays open, and they go on working, until the
/// last of them is closed. So they and the handle may be closed in any order.
///
/// No other call may be running on the handle, and none may follow. To end the threads that use
/// it call tuntap_shutdown, join them, and close then.
///
/// @param dev  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_close(dev: *mut Device) {
    free(dev);
}

/// Frees a handle and gives its descriptor to the caller: for a program that goes on by itself,
/// or hands the device over to another one. tuntap_open_fd takes it back.
///
/// The descriptor is non-blocking (O_NONBLOCK) and close-on-exec, as it was in the handle. The
/// device lives on with it, and what was set stays. What a super-packet still had for later
/// reads of this handle is lost: read until -EAGAIN first.
///
/// @param dev  Freed on success: no other call may be running on it, and none may follow. After
///             a failure it is as it was.
/// @param fd   Receives the descriptor.
/// @return 0, or -EINVAL (dev or fd is NULL), -EBUSY (a reader or a writer holds the device,
///         TUNTAP_REASON_BUSY), -EOPNOTSUPP (Darwin: packets of a TAP pass through several
///         descriptors, TUNTAP_REASON_PLATFORM).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_release(dev: *mut Device, fd: *mut c_int, err: *mut CError) -> c_int {
    call(err, || {
        let place = out(fd, "descriptor")?;
        place.set(consume(dev, Device::check_release)?.release().into_raw_fd());
        Ok(())
    })
}

/// The name of the device at this moment; it can be renamed by others.
///
/// @param buf   Receives the name. Bytes as the kernel has them, usually but not always
///              UTF-8.
/// @param size  Bytes of buf; TUNTAP_NAME_SIZE always suffices.
/// @return 0, or -EINVAL (dev or buf is NULL), -ERANGE (buf is too small), -ENODEV (the
///         device is gone).
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

/// The interface index, as if_nametoindex() has it. A rename does not change it.
///
/// @param index  Receives the index.
/// @return 0, or -EINVAL (dev or index is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_index(dev: *const Device, index: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(index, "result")?.fill(device.index()))
}

/// The descriptor of this queue, for poll, epoll, select, io_uring and sendmsg(SCM_RIGHTS).
/// It stays the library's: do not close it. Readable: a packet waits. Writable: the device
/// is up and has room. POLLERR: the device is gone.
///
/// It is non-blocking (O_NONBLOCK) whatever the handle is, and must stay so: waiting is the
/// library's. With io_uring, link a poll before a read.
///
/// Darwin: that of a TAP is a kqueue, readable while a frame waits in the kernel or in the
/// handle, until a read leaves none, and when the device is gone; it is for waiting alone,
/// and tells nothing of room to write.
///
/// @return The descriptor, or -EINVAL (dev is NULL). Safe in a signal handler.
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_fd(dev: *const Device, err: *mut CError) -> c_int {
    descriptor(dev, err, |device| device.fd().as_raw_fd())
}

/// The flags as the kernel granted them and as they are now: TUNTAP_TUN or TUNTAP_TAP,
/// TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_NAPI, TUNTAP_NAPI_FRAGS, TUNTAP_OFFLOAD,
/// TUNTAP_PERSIST and TUNTAP_NONBLOCK. The others are of the opening only, and never among them.
///
/// @param flags  Receives the flags.
/// @return 0, or -EINVAL (dev or flags is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_flags(dev: *const Device, flags: *mut u64, err: *mut CError) -> c_int {
    with(dev, err, |device| out(flags, "result")?.fill(device.flags()))
}

/// Makes the device outlive its last handle, or not. Needs no privilege beyond having
/// opened it.
///
/// @param on  0 or not 0.
/// @return 0, or -EINVAL (dev is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_persist(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_persist(on != 0))
}

/// The user who may open the device without privilege.
///
/// @param uid  Receives the user, as the user namespace of the calling process numbers it.
/// @return 0, or -EINVAL (dev or uid is NULL), -ENOENT (no owner is set), -ENODEV (the
///         device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_owner(dev: *const Device, uid: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(uid, "result")?.fill(device.owner()))
}

/// Lets a user open the device without privilege. Where a group is set as well, the user
/// must be in that too. A device without owner and group is open to everybody who may open
/// the device node.
///
/// @param uid  As the user namespace of the calling process numbers users. An owner cannot
///             be unset again.
/// @return 0, or -EINVAL (dev is NULL; there is no such user in this user namespace,
///         TUNTAP_REASON_RANGE), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_owner(dev: *mut Device, uid: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_owner(uid))
}

/// The group whose members may open the device without privilege.
///
/// @param gid  Receives the group, as the user namespace of the calling process numbers it.
/// @return 0, or -EINVAL (dev or gid is NULL), -ENOENT (no group is set), -ENODEV (the
///         device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_group(dev: *const Device, gid: *mut u32, err: *mut CError) -> c_int {
    with(dev, err, |device| out(gid, "result")?.fill(device.group()))
}

/// Lets the members of a group open the device without privilege: see tuntap_set_owner.
///
/// @param gid  As the user namespace of the calling process numbers groups. A group cannot
///             be unset again.
/// @return 0, or -EINVAL (dev is NULL; there is no such group in this user namespace,
///         TUNTAP_REASON_RANGE), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_group(dev: *mut Device, gid: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_group(gid))
}

/// Makes the calls on this handle that read or write without a time limit wait, or
/// return -EAGAIN instead. A call that waits already goes on waiting.
///
/// @param on  0: they wait. Not 0: they do not.
/// @return 0, or -EINVAL (dev is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_nonblock(dev: *mut Device, on: c_int, err: *mut CError) -> c_int {
    with(dev, err, |device| device.set_nonblock(on != 0))
}
