// SPDX-License-Identifier: MIT
//! `tuntap_reader`.

use std::ffi::{c_int, c_void};
use std::slice;

use libc::ssize_t;

use super::argument::out;
use super::entry::{Failure, Handle, create, free, pass_mut, share, with_mut};
use super::error::CError;
use super::packet::read_failure;
use super::packets::{CPacket, packets_out};
use crate::device::Device;
use crate::device::reader::{Placed, Reader};
use crate::model::error::Errno;
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

/// Creates a reader, which reads packets in batches. On a device with TUNTAP_OFFLOAD this costs a
/// fraction of tuntap_read: the reader segments each super-packet, and every segment has correct
/// headers and checksums. A reader works on every other device too.
///
/// A handle can have several readers, each used by one thread. A reader keeps the packets that it
/// has read until it returns them. So if other readers or tuntap_read use the same handle, each of
/// them gets only some of the packets.
///
/// @param dev     The handle.
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param reader  Receives the reader. Free it with tuntap_reader_free, before or after
///                tuntap_close.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  dev or reader is NULL (_ARGUMENT); unknown flags (_FLAGS);
///         -ENOMEM  no memory: a reader needs 390 KB (_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_new(
    dev: *mut Device,
    flags: u64,
    reader: *mut *mut CReader,
    err: *mut CError,
) -> c_int {
    create(reader, err, || {
        let device = share(dev)?;
        let reader = Reader::new(&device, flags::parse_trusted(flags, "create a reader")?)?;
        Ok(CReader { device, reader })
    })
}

/// Frees a reader, and the packets that it still holds. If tuntap_close was called before on the
/// device, this closes the device.
///
/// @param reader  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_free(reader: *mut CReader) {
    free(reader);
}

/// Sets the free space before and after each packet of tuntap_reader_batch, for example for a
/// header and an authentication tag. The caller may write to it until the next call on this reader.
/// A new reader has no free space.
///
/// The room makes a packet larger, and the kernel refuses a segment of UDP_SEGMENT that is larger than
/// the path's MTU: with EINVAL or EMSGSIZE. So set the MTU of the device to the path's MTU minus the
/// tunnel's headers (IP and UDP: 28 bytes for IPv4, 48 for IPv6), minus headroom and tailroom, and for a
/// TAP minus the 14 bytes of the Ethernet header.
///
/// @param reader    The reader.
/// @param headroom  Bytes before each packet.
/// @param tailroom  Bytes after each packet. headroom + tailroom is at most 4096.
/// @param err       May be NULL.
/// @return 0, or
///         -EINVAL  reader is NULL (_ARGUMENT); more than 4096 bytes (_RANGE).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_set_room(
    reader: *mut CReader,
    headroom: usize,
    tailroom: usize,
    err: *mut CError,
) -> c_int {
    with_mut(reader, err, |CReader { reader, .. }| reader.set_room(headroom, tailroom))
}

/// Returns the next packet of a batch, without a copy. The first call of a batch waits for a packet,
/// unless the handle is non-blocking. The batch then has the packets that are in the device's
/// queue, until the queue is empty, or 256 reads were made, or 64 KiB were read. At the end of a
/// batch, send what was collected, for example with tuntap_writer_flush: then no packet is delayed by
/// a packet that may never come.
///
/// After a return value of 0 the reader is empty, but the device may have more packets. The program
/// may call this function again, or wait with tuntap_wait, with poll or with level-triggered epoll: the
/// descriptor is readable when the device has more packets.
/// While the call returns packets, the reader may hold others that the descriptor does not show.
/// With edge-triggered epoll, call this function until it returns -EAGAIN.
///
/// @param reader  The reader.
/// @param packet  Receives the address of the packet. The packet is valid until the next call on
///                this reader, and may be modified in place.
/// @param err     May be NULL.
/// @return The size of the packet, or
///         0           the batch is over: flush now. The device may have more packets: the next
///                     call begins another batch;
///         -EAGAIN     no packet is waiting, and the handle is non-blocking (_AGAIN).
///                     Only this value means that no packet is waiting;
///         -EPROTO     a super-packet did not match its virtio header, and is lost (_PACKET);
///         -ECANCELED  no packet, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was called
///                     (_SHUTDOWN);
///         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
///         -ENODEV     the device is gone (_REMOVED);
///         -EINVAL     reader or packet is NULL (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_next(
    reader: *mut CReader,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> ssize_t {
    pass_mut(reader, err, |CReader { device, reader }| {
        let out = out(packet, "packet")?;
        match reader.next(device).map_err(|errno| read_failure(device, errno, 0))? {
            Some(bytes) => {
                out.set(bytes.as_mut_ptr().cast());
                Ok(bytes.len())
            }
            None => Ok(0),
        }
    })
}

/// Returns several packets of a batch, copied to the reader's memory. Waits for the first packet,
/// unless the handle is non-blocking. Packets that do not fit are returned by the next call.
/// tuntap_reader_next returns packets without a copy.
///
/// The packets are contiguous in memory: headroom, packet, tailroom, headroom, packet, and so on.
/// A sequence of packets of equal size is a run: see tuntap_packet.
///
/// A batch ends as in tuntap_reader_next. If the packets have room (tuntap_reader_set_room), packets
/// that are not segments of a super-packet count with their room, and the batch ends where a run of
/// 65507 bytes ends.
///
/// @param reader   The reader.
/// @param packets  Receives the addresses and sizes. The packets are valid until the next call on
///                 this reader, and may be modified in place.
/// @param count    Number of elements of packets: at least 1. 64 to 128 are good values. More
///                 small datagrams than that at once can overflow the receive buffer of a UDP socket.
/// @param size     sizeof(tuntap_packet), the distance between two elements of packets.
/// @param err      May be NULL.
/// @return The number of packets, or
///         0        the batch is over: flush now. The device may have more packets: the next call
///                  begins another batch;
///         -EAGAIN  no packet is waiting, and the handle is non-blocking (_AGAIN). Only
///                  this value means that no packet is waiting;
///         -EINVAL  packets is NULL; count is 0, or larger than memory; size is wrong (_ARGUMENT);
///         or another errno as tuntap_reader_next.
///         If an error occurs after the first packet, the call returns the packets, and the next
///         call returns the error.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_batch(
    reader: *mut CReader,
    packets: *mut CPacket,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass_mut(reader, err, |CReader { device, reader }| {
        let packets = packets_out(packets, count, size)?;
        let give = |number: usize, placed: Placed<'_>| {
            let data = placed.memory.as_mut_ptr().add(placed.packet.start).cast();
            packets.set(number, CPacket { data, size: placed.packet.len(), run: 1 });
        };
        let given = reader.batch(device, count, give).map_err(|errno| read_failure(device, errno, 0))?;
        packets.set_runs(given, reader.room());
        Ok(given)
    })
}

/// Copies several packets of a batch to buffers of the caller. Waits for the first packet, unless
/// the handle is non-blocking. A buffer of the size of the MTU, and on a TAP 22 bytes more for the
/// Ethernet header and two VLAN tags, has room for what the kernel sends. Set the size of each buffer
/// again before the next call: the call writes the size of the packet there.
///
/// tuntap_reader_set_room has no effect here. To send with UDP_SEGMENT, give sendmsg one iovec for
/// each packet of equal size.
///
/// @param reader   The reader.
/// @param packets  On entry: the address of a buffer in data, and its size in size, for each packet.
///                 On return: size is the size of the packet, run is 1, and data is unchanged.
///                 Elements after the returned number are unchanged.
/// @param count    Number of elements of packets: at least 1.
/// @param size     sizeof(tuntap_packet), the distance between two elements of packets.
/// @param err      May be NULL.
/// @return The number of packets: fewer than count if the next packet is larger than its buffer. Or
///         0          the batch is over: flush now. The device may have more packets: the next call
///                    begins another batch;
///         -EAGAIN    no packet is waiting, and the handle is non-blocking (_AGAIN). Only
///                    this value means that no packet is waiting;
///         -EMSGSIZE  the first packet is larger than its buffer (_BUFFER). The packet is not lost: the
///                    next call returns it. The message has its size;
///         -EINVAL    an address is NULL; a size is larger than memory (_ARGUMENT);
///         or another errno as tuntap_reader_batch.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_reader_copy(
    reader: *mut CReader,
    packets: *mut CPacket,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass_mut(reader, err, |CReader { device, reader }| {
        let packets = packets_out(packets, count, size)?;
        packets.check()?;
        let room = |number: usize, length: usize| {
            let CPacket { data, size, .. } = packets.get(number);
            if length > size {
                return None;
            }
            packets.set(number, CPacket { data, size: length, run: 1 });
            Some(slice::from_raw_parts_mut(data.cast(), length))
        };
        let device: &Device = device;
        reader.copy(device, count, room).map_err(|errno| {
            let (length, room) = (reader.pending(), packets.get(0).size);
            Failure::Errno(errno, move || match errno {
                Errno::EMSGSIZE => device.explain_small_place(length, room),
                _ => device.explain_read(errno, 0),
            })
        })
    })
}
