// SPDX-License-Identifier: MIT
//! Packets in and out.

use std::ffi::c_void;
use std::slice;

use libc::ssize_t;

use super::error::CError;
use super::{device, fail, null};
use crate::device::{Device, Uncancelled};
use crate::error::Error;

/// The buffer that no packet of this device exceeds, at any MTU and on a TAP with up to two
/// VLAN tags: some 64 KiB, by the kind of the device and with the packet-information header.
/// Into such a buffer tuntap_read is at its fastest, and never cuts.
///
/// @return Bytes; 0 if dev is NULL. It does not change while the handle is open.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_read_size(dev: *const Device) -> usize {
    dev.as_ref().map_or(0, Device::read_size)
}

/// Takes one packet that the kernel sends out through the device: an IP packet (TUN) or an
/// Ethernet frame without its check sequence (TAP), behind the packet-information header if the
/// device has it. Waits for one unless the handle is non-blocking. Makes one system call and no
/// allocation; one reader a queue keeps packets in order.
///
/// @param buf   Receives the packet. After a failure its bytes are undefined.
/// @param size  Bytes of buf. Any size that holds the packets is enough; tuntap_read_size says
///              which always is.
/// @param err   May be NULL, which spares the time to write a message.
/// @return Bytes of the packet, or
///         -EAGAIN    no packet, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EMSGSIZE  the packet was longer than size, and is lost (_BUFFER);
///         -EINTR     a signal handler without SA_RESTART ran first (_INTERRUPTED);
///         -ENODEV    the device is gone, also when it went during the wait (_REMOVED);
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
    let device = match device(dev) {
        Ok(device) => device,
        Err(error) => return failed(&error, err),
    };
    if buf.is_null() {
        return failed(&null("the buffer"), err);
    }
    let room = size.min(device.read_size());
    match device.read(slice::from_raw_parts_mut(buf.cast(), room)) {
        Ok(length) => length as ssize_t,
        Err(errno) if err.is_null() => (errno as ssize_t).wrapping_neg(),
        Err(errno) => failed(&explain(|| device.explain_read(errno, size)), err),
    }
}

/// Hands one packet to the kernel, which takes it as received through the device. The device
/// must be up. Takes the whole packet or nothing. Makes one system call and no allocation.
///
/// With TUNTAP_PI the kernel alone judges what follows that header, by its EtherType, and drops
/// in silence what is no packet of that.
///
/// @param buf   An IP packet (TUN) or an Ethernet frame without its check sequence (TAP),
///              behind the packet-information header if the device has it.
/// @param size  Bytes of the packet.
/// @param err   May be NULL, which spares the time to write a message.
/// @return size, or
///         -EAGAIN    no room, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EINVAL    no packet of this device's kind, and the message says why (_PACKET); dev
///                    or buf is NULL (_ARGUMENT);
///         -EMSGSIZE  longer than tuntap_read_size (_PACKET);
///         -ENETDOWN  the device is down (_DOWN);
///         -EINTR     a signal handler without SA_RESTART ran first (_INTERRUPTED);
///         -ENODEV    the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_write(
    dev: *mut Device,
    buf: *const c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    let device = match device(dev) {
        Ok(device) => device,
        Err(error) => return failed(&error, err),
    };
    if buf.is_null() {
        return failed(&null("the buffer"), err);
    }
    let packet = slice::from_raw_parts(buf.cast(), size.min(isize::MAX as usize));
    match device.write(packet) {
        Ok(length) => length as ssize_t,
        Err(errno) if err.is_null() => (errno as ssize_t).wrapping_neg(),
        Err(errno) => failed(&explain(|| device.explain_write(errno, packet)), err),
    }
}

#[cold]
fn explain(explanation: impl FnOnce() -> Error) -> Error {
    let _uncancelled = Uncancelled::new();
    explanation()
}

#[cold]
unsafe fn failed(error: &Error, err: *mut CError) -> ssize_t {
    // An errno is small, and a c_int is never wider than ssize_t.
    fail(error, err) as ssize_t
}
