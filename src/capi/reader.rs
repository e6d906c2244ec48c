// SPDX-License-Identifier: MIT
//! `tuntap_reader`.

use std::ffi::{c_int, c_void};
use std::slice;

use libc::ssize_t;

use super::argument::out;
use super::entry::{Failure, Handle, create, free, pass_mut, share, with_mut};
use super::error::CError;
use super::packets::packets_out;
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

/// A packet of a batch.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CPacket {
    /// Where it is.
    pub data: *mut c_void,
    /// Bytes of it.
    pub size: usize,
    /// How many packets from this one on lie evenly spaced in memory and have this size, of
    /// which the last may be shorter: with the room of tuntap_reader_set_room one send with
    /// UDP_SEGMENT takes them, from data - headroom on, in segments of headroom + size +
    /// tailroom. So a run has at most 60 packets, and at most 65507 bytes with their room. 1 for
    /// a packet alone, of any size. A function that takes packets ignores it.
    pub run: usize,
}

/// Makes a reader: it takes packets in batches, which on a device with TUNTAP_OFFLOAD costs
/// a fraction of tuntap_read. It segments each super-packet, with correct headers and
/// checksums. It works on every other device too.
///
/// A handle can have several readers, each for one thread. What one has read it keeps until
/// it is asked: beside tuntap_read or another reader each gets a part of the packets.
///
/// @param flags   0 or TUNTAP_TRUSTED.
/// @param reader  Receives the reader. tuntap_reader_free frees it, before or after
///                tuntap_close closes the device.
/// @return 0, or -EINVAL (dev or reader is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM (for its
///         330 KB, TUNTAP_REASON_SYSTEM).
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
pub unsafe extern "C" fn tuntap_reader_free(reader: *mut CReader) {
    free(reader);
}

/// Sets the room before and behind each packet of tuntap_reader_batch, for a header and a tag
/// for example. It is the caller's, until the next call on this reader. A new reader has none.
///
/// @param headroom  Bytes before each packet.
/// @param tailroom  Bytes behind each packet. Both together may be 4096.
/// @return 0, or -EINVAL (reader is NULL; more than 4096 bytes, TUNTAP_REASON_RANGE).
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

/// The next packet of a batch. A batch begins with a packet that is waited for, unless the
/// handle is non-blocking, and has what the device has then: until nothing is left, or some
/// 64 KiB. Its end is the moment to hand on what was made of it, by tuntap_writer_flush for
/// example: so no packet is kept back for others that may never come.
///
/// After 0 the reader is empty, and a program may wait with tuntap_wait, or on the descriptor with poll or
/// level-triggered epoll: it is readable when the device has more. Before 0 the reader may have
/// packets that the descriptor does not show. With edge-triggered epoll, call until -EAGAIN.
///
/// @param packet  Receives where the packet is. It lasts until the next call on this
///                reader, and may be changed in place.
/// @return Bytes of the packet, or 0: the batch is over, and the next call begins another
///         one; or
///         -EAGAIN    no packet, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
///         -EPROTO    a super-packet was not what its virtio header says, and is lost
///                    (_PACKET);
///         -ECANCELED no packet, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was
///                    called (_SHUTDOWN);
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

/// The packets of a batch, in the reader's memory. Those that there is no room for come with
/// the next call. It waits for the first packet, unless the handle is non-blocking. The packets
/// are copied, which tuntap_reader_next does without.
///
/// They lie one behind the other, without gaps: headroom, packet, tailroom, headroom, packet,
/// and so on. That is what makes a run.
///
/// @param packets  Receives where they are. They last until the next call on this reader, and
///                 may be changed in place.
/// @param count    How many there is room for: 1 or more; 64 to 256 are a good number.
/// @param size     sizeof(tuntap_packet), with which the list goes on from one to the next.
/// @return How many packets, or 0 and failures as tuntap_reader_next: a failure behind
///         packets is returned by the next call; or -EINVAL (packets is NULL; count is 0, or
///         more than memory can hold; a bad size, TUNTAP_REASON_ARGUMENT).
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
        let device: &Device = device;
        let explain = |errno| Failure::Errno(errno, move || device.explain_read(errno, 0));
        let given = reader.batch(device, count, give).map_err(explain)?;
        packets.set_runs(given, reader.room());
        Ok(given)
    })
}

/// The packets of a batch, each copied to a place of the caller's. It waits for the first
/// packet, unless the handle is non-blocking.
///
/// @param packets  In: where each packet goes, data, and how many bytes there are, size. Out:
///                 the size of the packet, data as it was, and 1 as run. Those behind the
///                 number that is returned stay as they are.
/// @param count    How many places there are: 1 or more.
/// @param size     sizeof(tuntap_packet), with which the list goes on from one to the next.
/// @return How many packets, fewer where the next one is longer than its place; or 0 and
///         failures as tuntap_reader_batch; or -EMSGSIZE: the first packet is longer than
///         its place (TUNTAP_REASON_BUFFER). It is not lost, and stays the next one: the message
///         has its size; or -EINVAL (an address is NULL; a size is more than memory can hold,
///         TUNTAP_REASON_ARGUMENT).
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
        let place = |number: usize, length: usize| {
            let CPacket { data, size, .. } = packets.get(number);
            if length > size {
                return None;
            }
            packets.set(number, CPacket { data, size: length, run: 1 });
            Some(slice::from_raw_parts_mut(data.cast(), length))
        };
        let device: &Device = device;
        reader.copy(device, count, place).map_err(|errno| {
            let (length, room) = (reader.pending(), packets.get(0).size);
            Failure::Errno(errno, move || match errno {
                Errno::EMSGSIZE => device.explain_small_place(length, room),
                _ => device.explain_read(errno, 0),
            })
        })
    })
}
