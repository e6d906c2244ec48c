// SPDX-License-Identifier: MIT
//! `tuntap_writer`.

use std::ffi::{c_int, c_void};

use super::argument::{memory, out};
use super::entry::{Failure, Handle, create, free, pass_mut, share};
use super::error::CError;
use super::packets::packets_in;
use super::reader::CPacket;
use crate::device::Device;
use crate::device::writer::{Loss, Unwritten, Writer};
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags;
use crate::sys::Shared;

/// A writer, and the device that it writes to.
pub struct CWriter {
    device: Shared<Device>,
    writer: Writer,
}

impl Handle for CWriter {
    const NAME: &'static str = "writer";
}

/// Makes a writer: it collects packets, coalesces those of a flow to super-packets on a device
/// with TUNTAP_OFFLOAD, and hands them over in as few system calls as possible. They arrive as they
/// would one by one; only the identification of IPv4 packets that may not be fragmented, and
/// all have the same, is counted up. On every other device each packet is written at once.
///
/// Packets of one TCP or UDP flow stay in order; those of different flows may not. A packet
/// with a bad checksum is not coalesced, and arrives as the bad packet that it is.
///
/// A handle can have several writers, each for one thread.
///
/// A packet that was taken is the writer's, and must not be given again: it is handed over, or
/// stays for the next call when there is no room, or is lost when the kernel refuses it. The
/// others go out nevertheless, and what is lost is reported once: by the tuntap_writer_flush or
/// tuntap_writer_batch that finds it, or by the next one, when that call fails for another
/// cause or another function finds it. The code is why the first of them was refused, and the
/// message says how many they are. tuntap_writer_put, tuntap_writer_reserve and
/// tuntap_writer_commit report only what becomes of their own packet.
///
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param writer  Receives the writer. tuntap_writer_free frees it, before or after
///                tuntap_close closes the device.
/// @return 0, or -EINVAL (dev or writer is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM (for the
///         3.4 MB that it has on a device with TUNTAP_OFFLOAD, or 64 KiB on any other,
///         TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_new(
    dev: *mut Device,
    flags: u64,
    writer: *mut *mut CWriter,
    err: *mut CError,
) -> c_int {
    create(writer, err, || {
        let device = share(dev)?;
        let writer = Writer::new(&device, flags::parse_trusted(flags)?)?;
        Ok(CWriter { device, writer })
    })
}

/// Frees the writer. Packets that it still has are lost: tuntap_writer_flush comes before.
/// When tuntap_close was called on the device before, this closes it.
///
/// @param writer  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_free(writer: *mut CWriter) {
    free(writer);
}

/// Takes a copy of a packet. It goes out with tuntap_writer_flush at the latest, and
/// earlier when the writer is full. On a device without a send buffer (tuntap_set_sndbuf) it
/// never waits.
///
/// @param packet  As for tuntap_write.
/// @param size    Bytes of it.
/// @return 0, or as tuntap_write: then the packet was not taken. When there is no room, that is
///         for what was taken before: the packet may be given again.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_put(
    writer: *mut CWriter,
    packet: *const c_void,
    size: usize,
    err: *mut CError,
) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        let packet = memory(packet, size, "the packet")?;
        writer.put(device, packet).map_err(|unwritten| failure(unwritten, device, packet))
    })
}

/// Reserves bytes in the writer's memory for a packet, which tuntap_writer_commit takes from
/// there: a program decrypts to it, and needs no memory of its own. The bytes are the same ones
/// each time, and stay in the cache; the copy to a super-packet is a part of verifying the
/// packet's checksum.
///
/// @param size    How many bytes, for one packet: its size, or more.
/// @param packet  Receives where they are. They are the caller's until the packet is committed,
///                or any other function is called on this writer, which drops them.
/// @return 0, or -EMSGSIZE (more than the device takes, TUNTAP_REASON_PACKET), -EINVAL (size is
///         0, TUNTAP_REASON_PACKET; writer or packet is NULL, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_reserve(
    writer: *mut CWriter,
    size: usize,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        let place = out(packet, "packet")?;
        let device: &Device = device;
        let explain = |unwritten: Unwritten| {
            Failure::Errno(unwritten.errno(), move || device.explain_write(unwritten.errno(), None, size))
        };
        let reserved = writer.reserve(size).map_err(explain)?;
        place.set(reserved.as_mut_ptr().cast());
        Ok(())
    })
}

/// Takes the packet that was written to the reserved bytes, as tuntap_writer_put takes a copy.
///
/// @param size  Bytes of the packet, from the first reserved one on: all of them, or fewer.
/// @return 0, or as tuntap_writer_put: then the packet was not taken, and its bytes stay reserved; or
///         -EINVAL (more than is reserved, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_commit(writer: *mut CWriter, size: usize, err: *mut CError) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        let device: &Device = device;
        match writer.commit(device, size) {
            Ok(()) => Ok(()),
            Err(unwritten) => Err(failure(unwritten, device, writer.reserved(size).unwrap_or_default())),
        }
    })
}

/// Hands over what was collected.
///
/// @return 0: all of it went out, and nothing is lost that was not reported; or
///         -EAGAIN    no room, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EINTR     a signal handler ran while the call waited (_INTERRUPTED);
///         -ECANCELED no room, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was
///                    called (_SHUTDOWN): in these cases what is left stays in the writer;
///         -ENETDOWN  the device is down (_DOWN);
///         -ENODEV    the device is gone (_REMOVED);
///         -EBUSY     this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
///         -EINVAL    the kernel does not take what it was given (_PACKET); writer is NULL
///                    (_ARGUMENT);
///         and whatever else the kernel refuses packets with, such as -ENOMEM (_SYSTEM): in
///                    these cases packets are lost, the others were tried, and nothing is left.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_flush(writer: *mut CWriter, err: *mut CError) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        writer.flush(device).map_err(|unwritten| failure(unwritten, device, &[]))
    })
}

/// Takes packets, and hands them over: tuntap_writer_put for each, and tuntap_writer_flush.
///
/// After a failure go on with packets[*taken], or with tuntap_writer_flush when all were taken:
/// so no packet is sent twice, and none is left out.
///
/// @param packets  Where they are, and their sizes.
/// @param count    How many.
/// @param size     sizeof(tuntap_packet), with which the list goes on from one to the next.
/// @param taken    Receives how many of them the writer took, the first ones: always, after a
///                 failure too.
/// @return 0: all were taken and went out; or as tuntap_writer_flush; or, where fewer were taken
///         than there are, as tuntap_writer_put for the next one: those before it went out, or stay
///         as tuntap_writer_flush says; or -EINVAL (writer, packets, taken or one of the
///         addresses is NULL; a size, or count, is more than memory can hold,
///         TUNTAP_REASON_ARGUMENT): then none was taken.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_batch(
    writer: *mut CWriter,
    packets: *const CPacket,
    count: usize,
    size: usize,
    taken: *mut usize,
    err: *mut CError,
) -> c_int {
    if !taken.is_null() {
        taken.write(0);
    }
    pass_mut(writer, err, |CWriter { device, writer }| {
        let taken = out(taken, "number of packets taken")?;
        let packets = packets_in(packets, count, size)?;
        let (number, result) = writer.batch(device, packets.iter());
        taken.set(number);
        result.map_err(|unwritten| failure(unwritten, device, packets.bytes(number)))
    })
}

/// What C gets. `packet` is the one that was not taken.
#[inline]
fn failure<'a>(
    unwritten: Unwritten,
    device: &'a Device,
    packet: &'a [u8],
) -> Failure<impl FnOnce() -> Error + use<'a>> {
    Failure::Errno(unwritten.errno(), move || match unwritten {
        Unwritten::Lost(Loss { errno, packets }) => device.explain_loss(errno, packets),
        Unwritten::Unreserved => {
            Error::new(Errno::EINVAL, Reason::Argument, "commit a packet: it is longer than what is reserved")
        }
        Unwritten::Refused(errno) | Unwritten::Kept(errno) => {
            device.explain_write(errno, packet.first().copied(), packet.len())
        }
    })
}
