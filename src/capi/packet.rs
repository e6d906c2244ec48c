// SPDX-License-Identifier: MIT
//! Packets in and out.

use std::ffi::c_void;
use std::io::{IoSlice, IoSliceMut};
use std::slice;

use libc::ssize_t;

use super::argument::{Argument, check_count, memory, memory_mut};
use super::entry::{Failure, pass};
use super::error::CError;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::packet;

/// The buffer that no packet of this device exceeds, at any MTU and on a TAP with up to two
/// VLAN tags: some 64 KiB, by the kind of the device and with the packet-information
/// header; 16 KiB for a TAP on Darwin. Into such a buffer tuntap_read is at its fastest, and
/// never cuts.
///
/// @return Bytes; 0 if dev is NULL. It does not change while the handle is open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_size(dev: *const Device) -> usize {
    dev.as_ref().map_or(0, Device::read_size)
}

/// Takes one packet that the kernel sends out through the device: an IP packet (TUN) or an
/// Ethernet frame without its check sequence (TAP), behind the packet-information header if
/// the device has it. Waits for one unless the handle is non-blocking. A packet that is
/// there costs one system call, one that is waited for three; none costs an allocation. One
/// reader a queue keeps packets in order. On Darwin one system call takes all frames that a
/// TAP has waiting, and the next calls none.
///
/// With TUNTAP_OFFLOAD a super-packet comes one packet a call, and what is left of it is not
/// seen by poll, but by tuntap_wait: read until -EAGAIN before a wait with poll.
/// tuntap_reader_next is the fast way.
///
/// @param buf   Receives the packet. After a failure its bytes are undefined.
/// @param size  Bytes of buf. Any size that holds the packets is enough; tuntap_read_size
///              says which always is.
/// @param err   May be NULL, which spares the time to write a message.
/// @return Bytes of the packet, or
///         -EAGAIN    no packet, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EMSGSIZE  the packet was longer than size, and is lost (_BUFFER);
///         -ECANCELED no packet, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was
///                    called (_SHUTDOWN);
///         -EINTR     a signal handler ran while the call waited, with SA_RESTART too
///                    (_INTERRUPTED);
///         -ENODEV    the device is gone, also when it went during the wait (_REMOVED);
///         -EPROTO    a super-packet was not what its virtio header says, and is lost
///                    (_PACKET);
///         -ENOMEM    the first read with TUNTAP_OFFLOAD in a child of fork() (_SYSTEM);
///         -EINVAL    dev or buf is NULL (_ARGUMENT); size is too small for the packet
///                    information (_BUFFER).
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

/// Takes one packet as tuntap_read does, and waits for it within a time limit, whether the handle
/// is non-blocking or not.
///
/// @param milliseconds  Waits for at most this long, by the monotonic clock; never returns
///                      -ETIMEDOUT early. 0: does not wait. Negative: no limit.
/// @return As tuntap_read, without -EAGAIN, or -ETIMEDOUT (no packet came within the time
///         limit, TUNTAP_REASON_TIMEOUT).
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
        device
            .read(room, limit)
            .map_err(|errno| Failure::Errno(errno, move || device.explain_read(errno, size)))
    })
}

/// Takes one packet as tuntap_read does, into several buffers that are filled one after the
/// other.
///
/// @param parts  Where they are.
/// @param count  How many: 1 to 1023. More than 15 may cost an allocation.
/// @return As tuntap_read, or -EINVAL (parts or one of its addresses is NULL; count,
///         TUNTAP_REASON_ARGUMENT), -ENOMEM (for more than 15 parts, TUNTAP_REASON_SYSTEM).
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
        let parts = vectors(parts, count)?;
        // SAFETY: an IoSliceMut is an iovec, and the caller lets each be written to.
        let bufs: &mut [IoSliceMut<'_>] =
            slice::from_raw_parts_mut(parts.as_ptr().cast_mut().cast(), parts.len());
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, room(parts)));
        device.readv(bufs, Limit::Handle).map_err(explain)
    })
}

/// Hands one packet to the kernel, which takes it as received through the device. The
/// device must be up. Takes the whole packet or nothing. Makes one system call and no
/// allocation.
///
/// With TUNTAP_PI the kernel alone judges what follows that header, by its EtherType, and
/// drops in silence what is no packet of that.
///
/// @param buf   An IP packet (TUN) or an Ethernet frame without its check sequence (TAP),
///              behind the packet-information header if the device has it.
/// @param size  Bytes of the packet.
/// @param err   May be NULL, which spares the time to write a message.
/// @return size, or
///         -EAGAIN    no room, and the handle is non-blocking (TUNTAP_REASON_AGAIN; _FULL where
///                    poll does not tell of room: try again a millisecond later);
///         -EINVAL    no packet of this device's kind, and the message says why (_PACKET); dev
///                    or buf is NULL (_ARGUMENT);
///         -EMSGSIZE  longer than tuntap_read_size (_PACKET);
///         -ENETDOWN  the device is down (_DOWN), which Linux sees once it has room for the
///                    packet; Darwin hands it to the host then;
///         -EBUSY     this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
///         -ECANCELED no room, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was
///                    called (_SHUTDOWN);
///         -EINTR     a signal handler ran while the call waited, with SA_RESTART too
///                    (_INTERRUPTED);
///         -ENODEV    the device is gone (_REMOVED).
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

/// Hands one packet to the kernel as tuntap_write does, and waits for room within a time limit,
/// whether the handle is non-blocking or not. Only a device with a send buffer
/// (tuntap_set_sndbuf) ever has no room.
///
/// @param milliseconds  Waits for at most this long, by the monotonic clock; never returns
///                      -ETIMEDOUT early. 0: does not wait. Negative: no limit.
/// @return As tuntap_write, without -EAGAIN, or -ETIMEDOUT (no room within the time limit,
///         TUNTAP_REASON_TIMEOUT).
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

/// Hands one packet to the kernel as tuntap_write does, from several parts that lie one
/// after the other in it.
///
/// @param parts  Where they are.
/// @param count  How many: 1 to 1023; on a device with TUNTAP_NAPI_FRAGS 18 at most, of
///               which each but the first has 1 to 4096 bytes. With TUNTAP_OFFLOAD more
///               than 15 cost an allocation.
/// @return As tuntap_write, or -EINVAL (parts or one of its addresses is NULL; count,
///         TUNTAP_REASON_ARGUMENT), -ENOMEM (for more than 15 parts, TUNTAP_REASON_SYSTEM).
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

/// A caller's vectors: none is at NULL, and one more can be put behind them.
unsafe fn vectors<'a>(parts: *const libc::iovec, count: usize) -> Result<&'a [libc::iovec], Argument> {
    match count {
        1..=MAX_PARTS => vectors_of(parts, count),
        _ => Err(Argument::Parts(count, MAX_PARTS)),
    }
}

/// As many vectors as there are, none of which is at NULL or longer than memory can be.
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
        false => Err(Argument::Wrong("a part is longer than memory can be")),
    }
}

const MAX_PARTS: usize = 1023;

fn room(parts: &[libc::iovec]) -> usize {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.iov_len))
}
