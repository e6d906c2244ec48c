// SPDX-License-Identifier: MIT
//! Reading and writing one packet at a time.

use std::ffi::c_void;
use std::io::{IoSlice, IoSliceMut};
use std::slice;

use libc::ssize_t;

use super::argument::{Argument, check_count, memory, memory_mut};
use super::entry::{Failure, pass};
use super::error::CError;
use crate::device::Device;
use crate::model::error::{Errno, Error};
use crate::model::limit::Limit;
use crate::model::packet;

/// Gets the size of a buffer that holds every packet of this device.
///
/// The size suffices at any MTU, and on a TAP with up to two VLAN tags. It depends on the kind of the
/// device and on the packet-information header: about 64 KiB, or 16 KiB for a TAP on Darwin.
/// tuntap_read is fastest with a buffer of this size, and never truncates.
///
/// @param dev  The device.
/// @return Bytes, which do not change while the handle is open; 0 if dev is NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_size(dev: *const Device) -> usize {
    dev.as_ref().map_or(0, Device::read_size)
}

/// Reads one packet that the kernel sends through the device.
///
/// It is an IP packet (TUN), or an Ethernet frame without its frame check sequence (TAP). The
/// packet-information header comes first if the device has it. The call waits for a packet unless
/// the handle is non-blocking.
///
/// A packet that is already there costs one system call, a wait three. Neither allocates, except
/// that the first wait of a handle opens an event counter (see Cost). On Darwin
/// one system call reads all waiting frames of a TAP, and later calls return them without another.
/// Use one reading thread for each queue to keep packets in order.
///
/// Expect packets that the program did not cause: the kernel sends some IPv6 packets through each
/// device that is up, such as router solicitations and multicast listener reports (MLD).
///
/// With TUNTAP_OFFLOAD each call returns one packet of a super-packet. tuntap_wait sees that packets
/// of it are left; poll does not, so read until -EAGAIN before you poll. tuntap_reader_next is faster.
///
/// @param dev   The device.
/// @param buf   Receives the packet. After a failure its contents are undefined.
/// @param size  Bytes of buf. Any size that holds the packets is enough; the size of
///              tuntap_read_size always is.
/// @param err   May be NULL, which skips formatting a message.
/// @return The length of the packet, or
///         -EAGAIN     no packet, and the handle is non-blocking (_AGAIN);
///         -EMSGSIZE   the packet was longer than size, and is lost (_BUFFER);
///         -ECANCELED  no packet, and tuntap_wake was called (_WOKEN);
///         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
///         -EINTR      a signal handler ran during the wait, even with SA_RESTART
///                     (_INTERRUPTED);
///         -ENODEV     the device is gone, or was removed during the wait (_REMOVED);
///         -EPROTO     a super-packet contradicts its virtio header, and is lost
///                     (_PACKET);
///         -ENOMEM     no memory for the first read with TUNTAP_OFFLOAD in a child of fork()
///                     (_SYSTEM);
///         -EINVAL     size is too small for the packet-information header (_BUFFER);
///         -EINVAL     dev or buf is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read(
    dev: *mut Device,
    buf: *mut c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    read(dev, buf, size, Limit::Handle, err)
}

/// Reads one packet as tuntap_read does, with a time limit for the wait.
///
/// The limit replaces the mode of the handle, blocking or non-blocking.
///
/// @param dev           The device.
/// @param buf           Receives the packet. After a failure its contents are undefined.
/// @param size          Bytes of buf.
/// @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
/// @param err           May be NULL.
/// @return As tuntap_read, without -EAGAIN, or
///         -ETIMEDOUT  no packet within the time limit (_TIMEOUT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_timeout(
    dev: *mut Device,
    buf: *mut c_void,
    size: usize,
    milliseconds: i32,
    err: *mut CError,
) -> ssize_t {
    read(dev, buf, size, Limit::milliseconds(milliseconds), err)
}

#[inline]
unsafe fn read(dev: *mut Device, buf: *mut c_void, size: usize, limit: Limit, err: *mut CError) -> ssize_t {
    pass(dev, err, |device| {
        let room = memory_mut(buf, size, device.read_size(), "the buffer")?;
        device.read(room, limit).map_err(|errno| read_failure(device, errno, size))
    })
}

/// Reads one packet as tuntap_read does, into several buffers, which are filled in order.
///
/// @param dev    The device.
/// @param parts  The buffers.
/// @param count  The number of buffers: 1 to 1023. More than 15 may cost an allocation.
/// @param err    May be NULL.
/// @return As tuntap_read; or
///         -EINVAL  count is 0 or above 1023 (_ARGUMENT);
///         -EINVAL  parts or the address of a buffer is NULL (_ARGUMENT);
///         -ENOMEM  no memory for more than 15 buffers (_SYSTEM).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_readv(
    dev: *mut Device,
    parts: *const libc::iovec,
    count: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let room = room(vectors(parts, count)?);
        // SAFETY: an IoSliceMut is an iovec, and the caller lets each be written to. `count` is checked.
        let bufs: &mut [IoSliceMut<'_>] = slice::from_raw_parts_mut(parts.cast_mut().cast(), count);
        device.readv(bufs, Limit::Handle).map_err(|errno| read_failure(device, errno, room))
    })
}

/// Writes one packet to the kernel, which handles it as received through the device.
///
/// The device must be up. The kernel takes the whole packet or nothing. The call makes one system
/// call and does not allocate.
///
/// With TUNTAP_PI the kernel alone checks the bytes after that header, by the EtherType in it. It
/// drops invalid packets without an error.
///
/// @param dev   The device.
/// @param buf   An IP packet (TUN), or an Ethernet frame without its frame check sequence (TAP). The
///              packet-information header comes first if the device has it.
/// @param size  The length of the packet.
/// @param err   May be NULL, which skips formatting a message.
/// @return size, or
///         -EAGAIN     no room, and the handle is non-blocking (_AGAIN);
///         -EAGAIN     no room, and poll cannot see when there is: try again a millisecond later
///                     (_FULL);
///         -EINVAL     not a packet for this kind of device; the message says why
///                     (_PACKET);
///         -EINVAL     dev or buf is NULL (_ARGUMENT);
///         -EMSGSIZE   the packet is longer than tuntap_read_size, or than TUNTAP_NAPI_FRAGS allows
///                     (_PACKET);
///         -ENETDOWN   the device is down (_DOWN). Linux reports this once it has room
///                     for the packet. Darwin passes the packet to the host instead;
///         -EBUSY      this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
///         -ECANCELED  no room, and tuntap_wake was called (_WOKEN);
///         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
///         -EINTR      a signal handler ran during the wait, even with SA_RESTART
///                     (_INTERRUPTED);
///         -ENODEV     the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_write(
    dev: *mut Device,
    buf: *const c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    write(dev, buf, size, Limit::Handle, err)
}

/// Writes one packet as tuntap_write does, with a time limit for the wait.
///
/// The limit replaces the mode of the handle, blocking or non-blocking. Only a device with a send
/// buffer limit (tuntap_set_sndbuf) can be without room.
///
/// @param dev           The device.
/// @param buf           The packet.
/// @param size          The length of the packet.
/// @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
/// @param err           May be NULL.
/// @return As tuntap_write, without -EAGAIN, or
///         -ETIMEDOUT  no room within the time limit (_TIMEOUT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_write_timeout(
    dev: *mut Device,
    buf: *const c_void,
    size: usize,
    milliseconds: i32,
    err: *mut CError,
) -> ssize_t {
    write(dev, buf, size, Limit::milliseconds(milliseconds), err)
}

#[inline]
unsafe fn write(
    dev: *mut Device,
    buf: *const c_void,
    size: usize,
    limit: Limit,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let packet = memory(buf, size, "the buffer")?;
        let explain = move |errno| {
            Failure::Errno(errno, move || device.explain_write(errno, packet.first().copied(), size))
        };
        device.write(packet, limit).map_err(explain)
    })
}

/// Writes one packet as tuntap_write does, from several buffers, in order.
///
/// @param dev    The device.
/// @param parts  The buffers.
/// @param count  The number of buffers: 1 to 1023. With TUNTAP_NAPI_FRAGS at most 18, and each buffer
///               after the first has 1 to 4096 bytes. With TUNTAP_OFFLOAD more than 15 cost an
///               allocation.
/// @param err    May be NULL.
/// @return As tuntap_write; or
///         -EINVAL  count is 0 or above 1023 (_ARGUMENT);
///         -EINVAL  parts or the address of a buffer is NULL (_ARGUMENT);
///         -ENOMEM  no memory for more than 15 buffers (_SYSTEM).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writev(
    dev: *mut Device,
    parts: *const libc::iovec,
    count: usize,
    err: *mut CError,
) -> ssize_t {
    pass(dev, err, |device| {
        let parts = vectors(parts, count)?;
        // SAFETY: an IoSlice is an iovec, and the caller lets each be read from.
        let parts: &[IoSlice<'_>] = slice::from_raw_parts(parts.as_ptr().cast(), parts.len());
        let explain = |errno| {
            Failure::Errno(errno, move || {
                let (first, length) = packet::measure(parts);
                device.explain_write(errno, first, length)
            })
        };
        device.writev(parts, Limit::Handle).map_err(explain)
    })
}

/// The failure of a read with room for `room` bytes, for the C caller.
#[inline]
pub(super) fn read_failure(
    device: &Device,
    errno: Errno,
    room: usize,
) -> Failure<impl FnOnce() -> Error + use<'_>> {
    Failure::Errno(errno, move || device.explain_read(errno, room))
}

/// A caller's vectors, checked. Their number leaves room for one more, for a header.
unsafe fn vectors<'a>(parts: *const libc::iovec, count: usize) -> Result<&'a [libc::iovec], Argument> {
    match count {
        1..=MAX_PARTS => vectors_of(parts, count),
        _ => Err(Argument::Parts(count, MAX_PARTS)),
    }
}

/// Vectors of which none is at NULL or longer than the address space.
pub(super) unsafe fn vectors_of<'a>(
    parts: *const libc::iovec,
    count: usize,
) -> Result<&'a [libc::iovec], Argument> {
    check_count(count, size_of::<libc::iovec>())?;
    if parts.is_null() {
        return Err(Argument::Null("the list of parts"));
    }
    let parts = slice::from_raw_parts(parts, count);
    if parts.iter().any(|part| part.iov_base.is_null()) {
        return Err(Argument::Null("a part"));
    }
    match parts.iter().all(|part| part.iov_len <= isize::MAX as usize) {
        true => Ok(parts),
        false => Err(Argument::Wrong("a part is longer than the address space")),
    }
}

const MAX_PARTS: usize = 1023;

fn room(parts: &[libc::iovec]) -> usize {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.iov_len))
}
