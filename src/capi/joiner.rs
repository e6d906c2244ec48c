// SPDX-License-Identifier: MIT
//! `tuntap_joiner`.

use std::ffi::{c_int, c_void};
use std::slice;

use libc::ssize_t;

use super::error::CError;
use super::offload::COffload;
use super::{explained, free, give, null, transfer};
use crate::cpu::Cpu;
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags;
use crate::model::offload::LARGEST;
use crate::model::text::text;
use crate::offload::join::{Joiner, Joins, Refusal};

/// A joiner, and whether its first item was given to the caller.
pub struct CJoiner {
    joiner: Joiner,
    given: bool,
}

/// Makes a joiner: it joins packets to super-packets in memory, without a device.
///
/// @param flags   TUNTAP_TUN for IP packets, or TUNTAP_TAP for Ethernet frames; and
///                TUNTAP_TRUSTED.
/// @param joiner  Receives the joiner; tuntap_joiner_close frees it.
/// @return 0, or -EINVAL (joiner is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM (for its
///         3.3 MB, TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_open(
    flags: u64,
    joiner: *mut *mut CJoiner,
    err: *mut CError,
) -> c_int {
    give(joiner, err, "joiner", || {
        let kind = flags::parse_kind(flags & !flags::TRUSTED)?;
        let joiner = Joiner::new(Cpu::best(), kind, Joins::ALL, flags & flags::TRUSTED != 0)?;
        Ok(CJoiner { joiner, given: false })
    })
}

/// Frees the joiner, and what it has collected.
///
/// @param joiner  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_close(joiner: *mut CJoiner) {
    free(joiner);
}

/// Takes a copy of a packet, and joins it to those before it where it belongs: what is
/// joined and what is not is as for tuntap_writer_open. Makes no allocation.
///
/// @param packet  The packet.
/// @param size    Bytes of it.
/// @return 0, or -ENOBUFS (no room until what was collected is taken with
///         tuntap_joiner_next, TUNTAP_REASON_AGAIN), -EINVAL (joiner or packet is NULL; a
///         packet of 0 bytes, TUNTAP_REASON_PACKET), -EMSGSIZE (longer than 65,557 bytes,
///         TUNTAP_REASON_PACKET).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_put(
    joiner: *mut CJoiner,
    packet: *const c_void,
    size: usize,
    err: *mut CError,
) -> c_int {
    let Some(CJoiner { joiner, .. }) = joiner.as_mut() else {
        return explained(err, || null("the joiner")) as c_int;
    };
    if packet.is_null() {
        return explained(err, || null("the packet")) as c_int;
    }
    let put = match size {
        ..=LARGEST => joiner.put(slice::from_raw_parts(packet.cast(), size)),
        _ => Err(Refusal::Long),
    };
    let explain = |refusal| explain(refusal, size);
    transfer(put.map(|()| 0), err, |refusal| explain(refusal).errno(), explain) as c_int
}

/// Why a packet was not taken.
fn explain(refusal: Refusal, size: usize) -> Error {
    match refusal {
        Refusal::Full => {
            let text = "join a packet: there is no room until what was collected is taken";
            Error::new(Errno::ENOBUFS, Reason::Again, text)
        }
        Refusal::Empty => {
            Error::new(Errno::EINVAL, Reason::Packet, "join a packet of 0 bytes: it has no headers")
        }
        Refusal::Long => {
            let text = text!("join a packet of {size} bytes: none is so long");
            Error::new(Errno::EMSGSIZE, Reason::Packet, text)
        }
    }
}

/// The next packet or super-packet of those that were collected. Nothing is joined to it any
/// more: a packet that is put afterwards comes behind it.
///
/// @param offload  Receives what is still to be done with it.
/// @param packet   Receives where it is. It lasts until the next call on this joiner.
/// @return Bytes of the packet; 0 when all were given, and there is room again; -EINVAL
///         (joiner, offload or packet is NULL).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_next(
    joiner: *mut CJoiner,
    offload: *mut COffload,
    packet: *mut *const c_void,
) -> ssize_t {
    let Some(CJoiner { joiner, given }) = joiner.as_mut().filter(|_| !offload.is_null() && !packet.is_null())
    else {
        return (Errno::EINVAL.raw() as ssize_t).wrapping_neg();
    };
    if std::mem::take(given) {
        joiner.pop();
    }
    match joiner.peek() {
        Some((told, bytes)) => {
            offload.write(told.into());
            packet.write(bytes.as_ptr().cast());
            *given = true;
            bytes.len() as ssize_t
        }
        None => 0,
    }
}
