// SPDX-License-Identifier: MIT
//! `tuntap_writer`.

use std::ffi::{c_int, c_void};
use std::slice;

use libc::ssize_t;

use super::error::CError;
use super::packet::{explain, failed, vectors_of};
use super::{device, null, status};
use crate::device::{Device, Uncancelled};
use crate::error::Result;
use crate::flags;
use crate::writer::Writer;

/// A writer, and the device that it writes to.
pub struct CWriter {
    device: *const Device,
    writer: Writer,
}

/// Makes a writer: it collects packets, joins those that belong together on a device with
/// TUNTAP_OFFLOAD, and hands them over in as few system calls as can be. They arrive as they
/// would one by one; only the identification of IPv4 packets that may not be fragmented, and
/// all have the same, is counted up. On every other device each packet is written at once.
///
/// Packets of one TCP or UDP flow stay in order; those of different flows may not. A packet
/// with a bad checksum is not joined, and arrives as the bad packet that it is.
///
/// A handle can have several writers, each for one thread.
///
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param writer  Receives the writer. tuntap_writer_close frees it, before tuntap_close
///                does the device.
/// @return 0, or -EINVAL (dev or writer is NULL; flags, TUNTAP_REASON_FLAGS).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_open(
    dev: *mut Device,
    flags: u64,
    writer: *mut *mut CWriter,
    err: *mut CError,
) -> c_int {
    let _uncancelled = Uncancelled::new();
    let open = || -> Result<()> {
        let device = device(dev)?;
        if writer.is_null() {
            return Err(null("the place for the writer"));
        }
        let opened = Writer::new(device, flags::parse_trusted(flags)?)?;
        writer.write(Box::into_raw(Box::new(CWriter { device: dev, writer: opened })));
        Ok(())
    };
    status(open(), err)
}

/// Frees the writer. Packets that it still has are lost: tuntap_writer_flush comes before.
///
/// @param writer  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_close(writer: *mut CWriter) {
    if !writer.is_null() {
        let _uncancelled = Uncancelled::new();
        drop(Box::from_raw(writer));
    }
}

/// Takes a copy of a packet. It goes out with tuntap_writer_flush at the latest, and
/// earlier when the writer is full.
///
/// @param packet  As for tuntap_write.
/// @param size    Bytes of it.
/// @return 0, or as tuntap_writer_flush and tuntap_write: then the packet was not taken.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_put(
    writer: *mut CWriter,
    packet: *const c_void,
    size: usize,
    err: *mut CError,
) -> c_int {
    let Some(CWriter { device, writer }) = writer.as_mut() else {
        return failed(&null("the writer"), err) as c_int;
    };
    if packet.is_null() {
        return failed(&null("the packet"), err) as c_int;
    }
    let device = &**device;
    let packet: &[u8] = slice::from_raw_parts(packet.cast(), size.min(isize::MAX as usize));
    match writer.put(device, packet) {
        Ok(()) => 0,
        Err(errno) if err.is_null() => (errno as c_int).wrapping_neg(),
        Err(errno) => {
            failed(&explain(|| device.explain_write(errno, packet.first().copied(), size)), err) as c_int
        }
    }
}

/// Hands over what was collected.
///
/// @return 0, or
///         -EAGAIN    no room, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EINTR     a signal handler ran while the call waited (_INTERRUPTED);
///         -ECANCELED tuntap_wake ended the wait (_WOKEN): in these three cases what is left
///                    stays for the next call;
///         -ENETDOWN  the device is down (_DOWN);
///         -ENODEV    the device is gone (_REMOVED);
///         -EINVAL    the kernel did not take a packet (_PACKET): in these three it is lost,
///                    and the others were tried; or writer is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_flush(writer: *mut CWriter, err: *mut CError) -> c_int {
    let Some(CWriter { device, writer }) = writer.as_mut() else {
        return failed(&null("the writer"), err) as c_int;
    };
    let device = &**device;
    match writer.flush(device) {
        Ok(()) => 0,
        Err(errno) if err.is_null() => (errno as c_int).wrapping_neg(),
        Err(errno) => failed(&explain(|| device.explain_flush(errno)), err) as c_int,
    }
}

/// Takes packets, and hands them over: tuntap_writer_put for each, and tuntap_writer_flush.
///
/// @param packets  Where they are, and their lengths.
/// @param count    How many.
/// @return How many were taken: fewer when the one behind them is no packet of this device,
///         or has no room; or as tuntap_writer_put for the first, and as
///         tuntap_writer_flush, but for -EAGAIN and -EINTR, after which they were taken;
///         or -EINVAL (packets or one of its addresses is NULL, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_batch(
    writer: *mut CWriter,
    packets: *const libc::iovec,
    count: usize,
    err: *mut CError,
) -> ssize_t {
    let Some(CWriter { device, writer }) = writer.as_mut() else {
        return failed(&null("the writer"), err);
    };
    let device = &**device;
    let packets = match vectors_of(packets, count) {
        Ok(packets) => packets,
        Err(error) => return failed(&error, err),
    };
    let bytes = |packet: &libc::iovec| slice::from_raw_parts(packet.iov_base.cast::<u8>(), packet.iov_len);
    match writer.batch(device, packets.iter().map(bytes)) {
        Ok(taken) => taken as ssize_t,
        Err(errno) if err.is_null() => (errno as ssize_t).wrapping_neg(),
        Err(errno) => {
            let first = packets.first().map(bytes).unwrap_or_default();
            failed(&explain(|| device.explain_write(errno, first.first().copied(), first.len())), err)
        }
    }
}
