// SPDX-License-Identifier: MIT
//! `tuntap_writer`.

use std::ffi::{c_int, c_void};

use super::argument::{memory, out};
use super::entry::{Failure, Handle, create, free, pass_mut, share, with};
use super::error::CError;
use super::packets::{CPacket, packets_in};
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

/// Creates a writer, which writes packets in batches. On a device with TUNTAP_OFFLOAD it coalesces
/// the packets of a flow into super-packets, and writes them with as few system calls as possible.
/// On every other device it writes each packet at once.
///
/// The packets arrive as if they were written one by one, with one exception: if IPv4 packets with
/// the DF flag all have the same identification, they arrive with consecutive ones. Packets of one
/// TCP or UDP flow stay in order; packets of different flows may not. Without TUNTAP_TRUSTED, a
/// packet with a bad checksum is not coalesced, and arrives with the bad checksum.
///
/// A handle can have several writers, each used by one thread.
///
/// A packet that the writer has accepted must not be written again. It goes to the kernel, or stays
/// in the writer until the next call if there is no room, or is lost if the kernel refuses it. After
/// a loss the other packets still go out. Each loss is reported once, by the tuntap_writer_flush or
/// tuntap_writer_batch that finds it. If that call fails for another reason, or another function
/// finds the loss, the next of these calls reports it. The error code is the one of the first lost
/// packet, and the message has the number of lost packets; tuntap_writer_get_lost returns the number
/// of all. tuntap_writer_put, tuntap_writer_reserve and tuntap_writer_commit report only errors of
/// their own packet.
///
/// @param dev     The handle.
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param writer  Receives the writer. Free it with tuntap_writer_free, before or after
///                tuntap_close.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  dev or writer is NULL (_ARGUMENT); unknown flags (_FLAGS);
///         -ENOMEM  no memory: a writer needs 3.4 MB on a device with TUNTAP_OFFLOAD, and 64 KiB on
///                  any other device (_SYSTEM).
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
        let writer = Writer::new(&device, flags::parse_trusted(flags, "create a writer")?)?;
        Ok(CWriter { device, writer })
    })
}

/// Frees a writer. Packets that it still holds are lost: call tuntap_writer_flush before. If
/// tuntap_close was called before on the device, this closes the device.
///
/// @param writer  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_free(writer: *mut CWriter) {
    free(writer);
}

/// Copies a packet to the writer. The packet goes out with tuntap_writer_flush, or earlier if the
/// writer is full. On a device without a send buffer limit (tuntap_set_sndbuf) this never waits.
///
/// @param writer  The writer.
/// @param packet  The packet, as for tuntap_write.
/// @param size    Size of the packet.
/// @param err     May be NULL.
/// @return 0, or errors as tuntap_write: then the packet was not accepted. An error because there is
///         no room concerns the packets that were accepted before: write this packet again.
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

/// Reserves memory in the writer for a packet, which tuntap_writer_commit accepts from there. A
/// program can decrypt to it, and needs no buffer of its own. The memory is the same each time, so
/// it stays in the cache. The copy to a super-packet costs no extra pass: it is made while the
/// checksum is verified.
///
/// @param writer  The writer.
/// @param size    Bytes to reserve: the size of the packet, or more.
/// @param packet  Receives the address. The memory is reserved until tuntap_writer_commit succeeds,
///                or until any other function is called on this writer, which cancels the
///                reservation.
/// @param err     May be NULL.
/// @return 0, or
///         -EMSGSIZE  longer than tuntap_read_size (_PACKET);
///         -EINVAL    size is 0 (_PACKET); writer or packet is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_reserve(
    writer: *mut CWriter,
    size: usize,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        let out = out(packet, "packet")?;
        let device: &Device = device;
        let explain = |unwritten: Unwritten| {
            Failure::Errno(unwritten.errno(), move || device.explain_write(unwritten.errno(), None, size))
        };
        let reserved = writer.reserve(size).map_err(explain)?;
        out.set(reserved.as_mut_ptr().cast());
        Ok(())
    })
}

/// Accepts the packet in the reserved memory, as tuntap_writer_put accepts a copy.
///
/// @param writer  The writer.
/// @param size    Size of the packet, from the first reserved byte on: at most the reserved size.
/// @param err     May be NULL.
/// @return 0, or errors as tuntap_writer_put: then the packet was not accepted, and the memory stays
///         reserved; or
///         -EINVAL  larger than the reserved size (_ARGUMENT).
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

/// Writes all collected packets to the device.
///
/// After -EAGAIN or -ECANCELED, or when a signal handler ran, the packets that did not go out stay in
/// the writer, in their order: wait, for example with tuntap_wait and TUNTAP_WAIT_WRITE, and call this
/// function again. No packet is sent twice. Meanwhile tuntap_writer_put accepts more packets, as long as
/// the writer has room.
///
/// @param writer  The writer.
/// @param err     May be NULL.
/// @return 0 if all packets went out and there is no unreported loss, or
///         -EAGAIN     no room, and the handle is non-blocking (_AGAIN);
///         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
///         -ECANCELED  no room, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was called
///                     (_SHUTDOWN).
///         After these errors packets stay in the writer, as above.
///         -ENETDOWN   the device is down (_DOWN);
///         -ENODEV     the device is gone (_REMOVED);
///         -EBUSY      this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
///         -EINVAL     the kernel refused a packet (_PACKET);
///         -ENOMEM     or another errno with which the kernel refuses a packet (_SYSTEM).
///         After these errors packets are lost, all others were written, and the writer is empty.
///         -EINVAL     writer is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_flush(writer: *mut CWriter, err: *mut CError) -> c_int {
    pass_mut(writer, err, |CWriter { device, writer }| {
        writer.flush(device).map_err(|unwritten| failure(unwritten, device, &[]))
    })
}

/// Gets the number of packets that the writer accepted and the kernel refused, since
/// tuntap_writer_new. It counts each loss as soon as it is found, before it is reported.
///
/// @param writer  The writer.
/// @param lost    Receives the number.
/// @param err     May be NULL.
/// @return 0, or -EINVAL if writer or lost is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_writer_get_lost(
    writer: *const CWriter,
    lost: *mut u64,
    err: *mut CError,
) -> c_int {
    with(writer, err, |CWriter { writer, .. }| {
        out(lost, "lost")?.set(writer.lost());
        Ok(())
    })
}

/// Writes several packets: tuntap_writer_put for each, then tuntap_writer_flush.
///
/// After an error continue with packets[*taken], or with tuntap_writer_flush if all packets were
/// accepted. Then no packet is sent twice. If the reason is TUNTAP_REASON_PACKET and *taken is less
/// than count, the writer never accepts packets[*taken]: continue with the packet after it. A count
/// of 0 is a tuntap_writer_flush.
///
/// @param writer   The writer.
/// @param packets  The addresses and sizes of the packets. May be NULL with a count of 0.
/// @param count    Number of packets.
/// @param size     sizeof(tuntap_packet), the distance between two elements of packets.
/// @param taken    Receives the number of packets that the writer accepted, from the first one on.
///                 Set after an error too.
/// @param err      May be NULL.
/// @return 0 if all packets were accepted and went out. Otherwise errors as tuntap_writer_flush. If
///         *taken is less than count, errors as tuntap_writer_put for the next packet: the packets
///         before it went out, or stay in the writer as after tuntap_writer_flush. Or
///         -EINVAL  writer, packets, taken or an address is NULL; a size, or count, is larger than
///                  memory (_ARGUMENT). No packet was accepted.
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

/// The failure for the C caller. `packet` is the one that was not accepted.
#[inline]
fn failure<'a>(
    unwritten: Unwritten,
    device: &'a Device,
    packet: &'a [u8],
) -> Failure<impl FnOnce() -> Error + use<'a>> {
    Failure::Errno(unwritten.errno(), move || match unwritten {
        Unwritten::Lost(Loss { errno, packets }) => device.explain_loss(errno, packets),
        Unwritten::Unreserved => Error::new(
            Errno::EINVAL,
            Reason::Argument,
            "commit a packet: it is longer than the memory that tuntap_writer_reserve has reserved, if any",
        ),
        Unwritten::Refused(errno) | Unwritten::Kept(errno) => {
            device.explain_write(errno, packet.first().copied(), packet.len())
        }
    })
}
