// SPDX-License-Identifier: MIT
//! `tuntap_joiner`.

use std::ffi::{c_int, c_void};

use libc::ssize_t;

use super::argument::{memory, out, sized_out};
use super::entry::{Failure, Handle, create, free, pass_mut};
use super::error::CError;
use super::offload::CVnetHdr;
use crate::cpu::Cpu;
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags;
use crate::model::offload::LARGEST;
use crate::model::text::text;
use crate::offload::join::{Joiner, Joins, Refusal};

/// A joiner, and whether the caller has its first item.
pub struct CJoiner {
    joiner: Joiner,
    given: bool,
}

impl Handle for CJoiner {
    const NAME: &'static str = "joiner";
}

/// Makes a joiner: it coalesces packets to super-packets in memory, without a device.
///
/// @param flags   TUNTAP_TUN for IP packets, or TUNTAP_TAP for Ethernet frames; and
///                TUNTAP_TRUSTED.
/// @param joiner  Receives the joiner; tuntap_joiner_free frees it.
/// @return 0, or -EINVAL (joiner is NULL; flags, TUNTAP_REASON_FLAGS), -ENOMEM (for its
///         3.3 MB, TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_new(flags: u64, joiner: *mut *mut CJoiner, err: *mut CError) -> c_int {
    create(joiner, err, || {
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
pub unsafe extern "C" fn tuntap_joiner_free(joiner: *mut CJoiner) {
    free(joiner);
}

/// Takes a copy of a packet, and coalesces it with those before it, as tuntap_writer_new
/// says. Makes no allocation.
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
    pass_mut(joiner, err, |CJoiner { joiner, .. }| {
        let packet = memory(packet, size, "the packet")?;
        let put = if size > LARGEST { Err(Refusal::Long) } else { joiner.put(packet) };
        put.map_err(|refusal| Failure::Errno(errno(refusal), move || explain(refusal, size)))
    })
}

fn errno(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::Full => Errno::ENOBUFS,
        Refusal::Empty => Errno::EINVAL,
        Refusal::Long => Errno::EMSGSIZE,
    }
}

/// Why a packet was not taken.
fn explain(refusal: Refusal, size: usize) -> Error {
    let (reason, text) = match refusal {
        Refusal::Full => {
            (Reason::Again, text!("coalesce a packet: there is no room until what was collected is taken"))
        }
        Refusal::Empty => (Reason::Packet, text!("coalesce a packet of 0 bytes: it has no headers")),
        Refusal::Long => (Reason::Packet, text!("coalesce a packet of {size} bytes: none is so long")),
    };
    Error::new(errno(refusal), reason, text)
}

/// The next packet or super-packet of those that were collected. Nothing is added to it any
/// more: a packet that is put afterwards comes behind it.
///
/// @param hdr       Receives what is still to be done with it.
/// @param hdr_size  sizeof(tuntap_vnet_hdr), or 10 and more of it.
/// @param packet    Receives where it is. It lasts until the next call on this joiner, and may
///                  be changed in place.
/// @return Bytes of the packet; 0 when none is left, and there is room again; -EINVAL
///         (joiner, hdr or packet is NULL; hdr_size, TUNTAP_REASON_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_next(
    joiner: *mut CJoiner,
    hdr: *mut CVnetHdr,
    hdr_size: usize,
    packet: *mut *mut c_void,
    err: *mut CError,
) -> ssize_t {
    pass_mut(joiner, err, |CJoiner { joiner, given }| {
        let (hdr, packet) = (sized_out(hdr, hdr_size, "virtio header")?, out(packet, "packet")?);
        if std::mem::take(given) {
            joiner.pop();
        }
        let Some((told, bytes)) = joiner.peek() else { return Ok::<_, Failure<fn() -> Error>>(0) };
        hdr.set(told.into());
        packet.set(bytes.as_mut_ptr().cast());
        *given = true;
        Ok(bytes.len())
    })
}
