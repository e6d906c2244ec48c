// SPDX-License-Identifier: MIT
//! `tuntap_splitter`.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use libc::ssize_t;

use super::argument::{Argument, out, read_growing};
use super::entry::{Failure, Handle, create, free, pass_mut};
use super::error::CError;
use super::offload::CVnetHdr;
use crate::cpu::Cpu;
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags::{self, Kind};
use crate::model::offload::LARGEST;
use crate::model::text::text;
use crate::offload::split::Splitter;

/// A splitter, and the super-packet that it segments.
pub struct CSplitter {
    kind: Kind,
    splitter: Splitter,
    packet: *mut u8,
    size: usize,
}

impl Handle for CSplitter {
    const NAME: &'static str = "splitter";
}

/// Creates a splitter, which segments super-packets in memory, without a device.
///
/// @param flags     TUNTAP_TUN for IP packets or TUNTAP_TAP for Ethernet frames, and optionally
///                  TUNTAP_TRUSTED.
/// @param splitter  Receives the splitter. Free it with tuntap_splitter_free.
/// @param err       May be NULL.
/// @return 0, or
///         -EINVAL  splitter is NULL (_ARGUMENT); unknown flags, or not exactly one
///                  of TUNTAP_TUN and TUNTAP_TAP (_FLAGS);
///         -ENOMEM  no memory (_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_new(
    flags: u64,
    splitter: *mut *mut CSplitter,
    err: *mut CError,
) -> c_int {
    create(splitter, err, || {
        let kind = flags::parse_kind(flags & !flags::TRUSTED, "create a splitter")?;
        let splitter = Splitter::new(Cpu::best(), flags & flags::TRUSTED != 0)?;
        Ok(CSplitter { kind, splitter, packet: ptr::null_mut(), size: 0 })
    })
}

/// Frees a splitter.
///
/// @param splitter  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_free(splitter: *mut CSplitter) {
    free(splitter);
}

/// Begins to segment a packet, which may be a super-packet. Segments of the previous super-packet
/// that were not returned are dropped. Allocates no memory.
///
/// @param splitter  The splitter.
/// @param hdr       The virtio header of the packet.
/// @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
/// @param packet    The packet. It is segmented in place: do not use its memory for anything else
///                  until tuntap_splitter_next returns 0.
/// @param size      Size of the packet.
/// @param err       May be NULL.
/// @return 0, or
///         -EINVAL  splitter, hdr or packet is NULL, hdr_size is wrong, or a member of hdr that this
///                  version does not know is not 0 (_ARGUMENT); longer than 65,557
///                  bytes, or the packet does not match hdr (_PACKET). The packet is unchanged.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_begin(
    splitter: *mut CSplitter,
    hdr: *const CVnetHdr,
    hdr_size: usize,
    packet: *mut c_void,
    size: usize,
    err: *mut CError,
) -> c_int {
    pass_mut(splitter, err, |CSplitter { splitter, kind, packet: start, size: length }| {
        splitter.drop_rest();
        let hdr = read_growing(hdr, hdr_size, "the virtio header")?;
        if packet.is_null() {
            return Err(Argument::Null("the packet").into());
        }
        let wrong = |why: &'static str| {
            let explain = move || {
                Error::new(Errno::EINVAL, Reason::Packet, text!("segment a packet of {size} bytes: {why}"))
            };
            Failure::Errno(Errno::EINVAL, explain)
        };
        if size > LARGEST {
            return Err(wrong("the limit is 65557 bytes"));
        }
        (*start, *length) = (packet.cast(), size);
        let bytes = slice::from_raw_parts(packet.cast(), size);
        splitter.begin(*kind, hdr.into(), bytes).map_err(|fault| wrong(fault.text()))
    })
}

/// Returns the next segment, a plain packet with correct headers and checksums.
///
/// @param splitter  The splitter.
/// @param packet    Receives the address of the segment, within the super-packet. The segment is
///                  valid until the next call on this splitter, and may be modified in place.
/// @param err       May be NULL.
/// @return The size of the segment, or
///         0        no segment is left;
///         -EINVAL  splitter or packet is NULL (_ARGUMENT); the super-packet was
///                  modified (_PACKET).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_next(
    splitter: *mut CSplitter,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> ssize_t {
    pass_mut(splitter, err, |CSplitter { splitter, packet: start, size, .. }| {
        let out = out(packet, "packet")?;
        if !splitter.is_ready() {
            return Ok(0);
        }
        match splitter.next(slice::from_raw_parts_mut(*start, *size)) {
            Some(found) => {
                out.set(start.add(found.start).cast());
                Ok(found.len())
            }
            None => Err(Failure::Errno(Errno::EINVAL, changed)),
        }
    })
}

/// Copies the next segment to the caller's memory, instead of returning it in place as
/// tuntap_splitter_next does. The copy and the checksum take one pass. For programs that keep several
/// segments, for example in a list.
///
/// @param splitter  The splitter.
/// @param to        Receives the segment. Must not overlap with the super-packet.
/// @param size      Size of to.
/// @param err       May be NULL.
/// @return The size of the segment, or
///         0          no segment is left;
///         -EMSGSIZE  the segment is longer than size (_BUFFER). It is not lost: the
///                    next call returns it;
///         -EINVAL    splitter or to is NULL (_ARGUMENT); the super-packet was modified (_PACKET).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_copy(
    splitter: *mut CSplitter,
    to: *mut c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass_mut(splitter, err, |CSplitter { splitter, packet, size: total, .. }| {
        if to.is_null() {
            return Err(Argument::Null("the buffer").into());
        }
        let Some(length) = splitter.length() else { return Ok(0) };
        if length > size {
            return Err(Failure::Error(too_small(length, size)));
        }
        let packet = slice::from_raw_parts(*packet, *total);
        match splitter.next_into(packet, slice::from_raw_parts_mut(to.cast(), length)) {
            Some(()) => Ok(length),
            None => Err(Failure::Errno(Errno::EINVAL, changed)),
        }
    })
}

#[cold]
fn too_small(length: usize, size: usize) -> Error {
    let text =
        text!("copy a segment: it has {length} bytes, and the buffer {size}: the next call returns it");
    Error::new(Errno::EMSGSIZE, Reason::Buffer, text)
}

#[cold]
fn changed() -> Error {
    Error::new(Errno::EINVAL, Reason::Packet, "segment a packet: its bytes were modified during segmentation")
}
