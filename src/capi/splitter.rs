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

/// Makes a splitter: it segments super-packets in memory, without a device.
///
/// @param flags     TUNTAP_TUN for IP packets, or TUNTAP_TAP for Ethernet frames; and
///                  TUNTAP_TRUSTED.
/// @param splitter  Receives the splitter; tuntap_splitter_free frees it.
/// @return 0, or -EINVAL (splitter is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_new(
    flags: u64,
    splitter: *mut *mut CSplitter,
    err: *mut CError,
) -> c_int {
    create(splitter, err, || {
        let kind = flags::parse_kind(flags & !flags::TRUSTED)?;
        let splitter = Splitter::new(Cpu::best(), flags & flags::TRUSTED != 0)?;
        Ok(CSplitter { kind, splitter, packet: ptr::null_mut(), size: 0 })
    })
}

/// Frees the splitter.
///
/// @param splitter  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_free(splitter: *mut CSplitter) {
    free(splitter);
}

/// Begins to segment a packet, which may be a super-packet: what is left of the last one is
/// dropped. Makes no allocation.
///
/// @param hdr       What is to be done with it.
/// @param hdr_size  sizeof(tuntap_vnet_hdr), or 10 and more of it.
/// @param packet    The packet. It is segmented in place: its bytes are the splitter's until
///                  tuntap_splitter_next returns 0.
/// @param size      Bytes of it.
/// @return 0, or -EINVAL (splitter, hdr or packet is NULL; hdr_size; hdr has more than this
///         version knows, and that is not 0; longer than 65,557 bytes, or not what hdr says,
///         TUNTAP_REASON_PACKET): then the packet is as it was.
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
    pass_mut(splitter, err, |CSplitter { splitter, kind, packet: place, size: length }| {
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
            return Err(wrong("none is so long"));
        }
        (*place, *length) = (packet.cast(), size);
        let bytes = slice::from_raw_parts(packet.cast(), size);
        splitter.begin(*kind, hdr.into(), bytes).map_err(|fault| wrong(fault.text()))
    })
}

/// The next packet: a plain one, with correct headers and checksums.
///
/// @param packet  Receives where it is, within the super-packet. It lasts until the next
///                call on this splitter, and may be changed in place.
/// @return Bytes of the packet; 0 when none is left; -EINVAL (splitter or packet is NULL,
///         TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_next(
    splitter: *mut CSplitter,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> ssize_t {
    pass_mut(splitter, err, |CSplitter { splitter, packet: whole, size, .. }| {
        let place = out(packet, "packet")?;
        if !splitter.is_ready() {
            return Ok(0);
        }
        match splitter.next(slice::from_raw_parts_mut(*whole, *size)) {
            Some(found) => {
                place.set(whole.add(found.start).cast());
                Ok(found.len())
            }
            None => Err(Failure::Errno(Errno::EINVAL, changed)),
        }
    })
}

/// As tuntap_splitter_next, but copies the packet to the caller's memory, in the pass that
/// computes its checksum: for packets that are to stay, as those of a list.
///
/// @param to    Where the packet is written: outside of the super-packet.
/// @param size  Bytes there.
/// @return Bytes of the packet; 0 when none is left; -EMSGSIZE when it is longer than size: it
///         stays the next one (TUNTAP_REASON_BUFFER); -EINVAL (splitter or to is NULL,
///         TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_copy(
    splitter: *mut CSplitter,
    to: *mut c_void,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    pass_mut(splitter, err, |CSplitter { splitter, packet, size: whole, .. }| {
        if to.is_null() {
            return Err(Argument::Null("the buffer").into());
        }
        let Some(length) = splitter.length() else { return Ok(0) };
        if length > size {
            return Err(Failure::Error(too_small(length, size)));
        }
        let packet = slice::from_raw_parts(*packet, *whole);
        match splitter.next_into(packet, slice::from_raw_parts_mut(to.cast(), length)) {
            Some(()) => Ok(length),
            None => Err(Failure::Errno(Errno::EINVAL, changed)),
        }
    })
}

#[cold]
fn too_small(length: usize, size: usize) -> Error {
    let text = text!("the next packet has {length} bytes, and the buffer {size}: it stays the next one");
    Error::new(Errno::EMSGSIZE, Reason::Buffer, text)
}

#[cold]
fn changed() -> Error {
    Error::new(Errno::EINVAL, Reason::Packet, "segment a packet: its bytes were changed meanwhile")
}
