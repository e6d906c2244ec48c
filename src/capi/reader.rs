// SPDX-License-Identifier: MIT
//! `tuntap_reader`.

use std::ffi::{c_int, c_void};
use std::ptr;

use libc::ssize_t;

use super::argument::{Argument, check_count, out};
use super::entry::{Failure, Handle, create, free, pass_mut, share};
use super::error::CError;
use crate::device::Device;
use crate::device::reader::Reader;
use crate::model::flags;
use crate::sys::Shared;

/// A reader, and the device that it reads.
pub struct CReader {
    device: Shared<Device>,
    reader: Reader,
}

impl Handle for CReader {
    const NAME: &'static str = "reader";
}

/// Makes a reader: it takes packets in batches, which on a device with TUNTAP_OFFLOAD costs
/// a fraction of tuntap_read. It splits each super-packet into the packets that it stands
/// for, with right headers and checksums. It works on every other device too.
///
/// A handle can have several readers, each for one thread. What one has read it keeps until
/// it is asked: beside tuntap_read or another reader each gets a part of the packets.
///
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param reader  Receives the reader. tuntap_reader_close frees it, before or after
///                tuntap_close closes the device.
/// @return 0, or -EINVAL (dev or reader is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM (for its
///         330 KB, TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_open(
    dev: *mut Device,
    flags: u64,
    reader: *mut *mut CReader,
    err: *mut CError,
) -> c_int {
    create(reader, err, || {
        let device = share(dev)?;
        let reader = Reader::new(&device, flags::parse_trusted(flags)?)?;
        Ok(CReader { device, reader })
    })
}

/// Frees the reader, and the packets that it still has. When tuntap_close was called on the
/// device before, this closes it.
///
/// @param reader  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_close(reader: *mut CReader) {
    free(reader);
}

/// The next packet of a batch. A batch begins with a packet that is waited for, unless the
/// handle is non-blocking, and has what is there then: until nothing is left, or to some
/// 64 KiB. Its end is the moment to hand on what was made of it, tuntap_writer_flush for
/// example: so packets are not kept back for others that may never come.
///
/// Before a wait with poll, take packets until -EAGAIN: the reader may have some that the
/// descriptor knows nothing of.
///
/// @param packet  Receives where the packet is. It lasts until the next call on this
///                reader, and may be changed in place.
/// @return Bytes of the packet, or 0: the batch is over, and the next call begins another
///         one; or
///         -EAGAIN    no packet, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EPROTO    a super-packet was not what its offload header says, and is lost
///                    (_PACKET);
///         -ECANCELED no packet, and tuntap_wake was called (_WOKEN);
///         -EINTR     a signal handler ran while the call waited (_INTERRUPTED);
///         -ENODEV    the device is gone (_REMOVED);
///         -EINVAL    reader or packet is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_next(
    reader: *mut CReader,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> ssize_t {
    pass_mut(reader, err, |CReader { device, reader }| {
        let place = out(packet, "packet")?;
        let device: &Device = device;
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, 0));
        match reader.next(device).map_err(explain)? {
            Some(bytes) => {
                place.set(bytes.as_mut_ptr().cast());
                Ok(bytes.len())
            }
            None => Ok(0),
        }
    })
}

/// All packets of a batch, as far as there is room for them: what is left comes with the
/// next call. It waits for the first packet, unless the handle is non-blocking. Handing out
/// many packets at once costs a copy of each that tuntap_reader_next does without.
///
/// @param packets  Receives where they are, and their lengths. They last until the next
///                 call on this reader, and may be changed in place. They lie one behind the
///                 other, with gaps, in one piece of memory: the reader's.
/// @param count    How many there is room for: 1 or more; 64 to 256 are a good number.
/// @return How many packets, or as tuntap_reader_next, or -EINVAL (packets is NULL; count
///         is 0, or more than memory can hold, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_batch(
    reader: *mut CReader,
    packets: *mut libc::iovec,
    count: usize,
    err: *mut CError,
) -> ssize_t {
    pass_mut(reader, err, |CReader { device, reader }| {
        if packets.is_null() {
            return Err(Argument::Place("packets").into());
        }
        if count == 0 {
            return Err(Argument::Wrong("room for 0 packets: give 1 or more").into());
        }
        check_count(count, size_of::<libc::iovec>())?;
        let put = |place: usize, bytes: &mut [u8]| {
            let iovec = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            ptr::write(packets.add(place), iovec);
        };
        let device: &Device = device;
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, 0));
        reader.batch(device, count, put).map_err(explain)
    })
}
