// SPDX-License-Identifier: MIT
//! `tuntap_splitter`.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use libc::ssize_t;

use super::error::CError;
use super::offload::COffload;
use super::{explained, free, give, null, transfer};
use crate::cpu::Cpu;
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags::{self, Kind};
use crate::model::offload::LARGEST;
use crate::model::text::text;
use crate::offload::split::Splitter;

/// A splitter, and the super-packet that it splits.
pub struct CSplitter {
    kind: Kind,
    splitter: Splitter,
    packet: *mut u8,
    size: usize,
}

/// Makes a splitter: it splits super-packets in memory, without a device.
///
/// @param flags     TUNTAP_TUN for IP packets, or TUNTAP_TAP for Ethernet frames; and
///                  TUNTAP_TRUSTED.
/// @param splitter  Receives the splitter; tuntap_splitter_close frees it.
/// @return 0, or -EINVAL (splitter is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_open(
    flags: u64,
    splitter: *mut *mut CSplitter,
    err: *mut CError,
) -> c_int {
    give(splitter, err, "splitter", || {
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
pub unsafe extern "C" fn tuntap_splitter_close(splitter: *mut CSplitter) {
    free(splitter);
}

/// Begins to split a packet, which may be a super-packet: what is left of the last one is
/// forgotten. Makes no allocation.
///
/// @param offload  What is to be done with it.
/// @param packet   The packet. It is split in place: its bytes are the splitter's until
///                 tuntap_splitter_next returns 0.
/// @param size     Bytes of it.
/// @return 0, or -EINVAL (splitter, offload or packet is NULL; longer than 65,557 bytes, or
///         not what offload says, TUNTAP_REASON_PACKET): then the packet is as it was.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_begin(
    splitter: *mut CSplitter,
    offload: *const COffload,
    packet: *mut c_void,
    size: usize,
    err: *mut CError,
) -> c_int {
    let Some(CSplitter { splitter, kind, packet: place, size: length }) = splitter.as_mut() else {
        return explained(err, || null("the splitter")) as c_int;
    };
    let Some(offload) = offload.as_ref() else {
        return explained(err, || null("the offload header")) as c_int;
    };
    if packet.is_null() {
        return explained(err, || null("the packet")) as c_int;
    }
    let wrong =
        |why: &str| Error::new(Errno::EINVAL, Reason::Packet, text!("split a packet of {size} bytes: {why}"));
    if size > LARGEST {
        return explained(err, || wrong("none is so long")) as c_int;
    }
    (*place, *length) = (packet.cast(), size);
    let bytes = slice::from_raw_parts_mut(packet.cast(), size);
    let begun = splitter.begin(*kind, (*offload).into(), bytes);
    transfer(begun.map(|()| 0), err, |_| Errno::EINVAL, |fault| wrong(fault.text())) as c_int
}

/// The next packet: a plain one, with right headers and checksums.
///
/// @param packet  Receives where it is, within the super-packet. It lasts until the next
///                call on this splitter, and may be changed in place.
/// @return Bytes of the packet; 0 when all were given; -EINVAL (splitter or packet is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_next(splitter: *mut CSplitter, packet: *mut *mut c_void) -> ssize_t {
    let Some(splitter) = splitter.as_mut().filter(|_| !packet.is_null()) else {
        return (Errno::EINVAL.raw() as ssize_t).wrapping_neg();
    };
    if !splitter.splitter.is_ready() {
        return 0;
    }
    let bytes = slice::from_raw_parts_mut(splitter.packet, splitter.size);
    match splitter.splitter.next(bytes) {
        Some(place) => {
            packet.write(splitter.packet.add(place.start).cast());
            place.len() as ssize_t
        }
        None => 0,
    }
}

/// As tuntap_splitter_next, but into memory of the caller's, in the pass that sums it up: for
/// packets that are to stay, as those of a list.
///
/// @param to    Where the packet is written: outside of the super-packet.
/// @param size  Bytes there.
/// @return Bytes of the packet; 0 when all were given; -EMSGSIZE when it is longer than size:
///         it stays the next one; -EINVAL (splitter or to is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_splitter_copy(
    splitter: *mut CSplitter,
    to: *mut c_void,
    size: usize,
) -> ssize_t {
    let Some(splitter) = splitter.as_mut().filter(|_| !to.is_null()) else {
        return (Errno::EINVAL.raw() as ssize_t).wrapping_neg();
    };
    let Some(length) = splitter.splitter.length() else { return 0 };
    if length > size {
        return (Errno::EMSGSIZE.raw() as ssize_t).wrapping_neg();
    }
    let packet = slice::from_raw_parts(splitter.packet, splitter.size);
    match splitter.splitter.next_into(packet, slice::from_raw_parts_mut(to.cast(), length)) {
        Some(()) => length as ssize_t,
        None => 0,
    }
}
