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
use crate::offload::join::{Joiner, Protocols, Refusal};

/// A joiner, and whether its first item was returned to the caller.
pub struct CJoiner {
    joiner: Joiner,
    given: bool,
}

impl Handle for CJoiner {
    const NAME: &'static str = "joiner";
}

/// Creates a joiner, which coalesces packets into super-packets in memory, without a device.
///
/// @param flags   TUNTAP_TUN for IP packets or TUNTAP_TAP for Ethernet frames, and optionally
///                TUNTAP_TRUSTED.
/// @param joiner  Receives the joiner. Free it with tuntap_joiner_free.
/// @param err     May be NULL.
/// @return 0, or
///         -EINVAL  joiner is NULL (_ARGUMENT); unknown flags, or not exactly one
///                  of TUNTAP_TUN and TUNTAP_TAP (_FLAGS);
///         -ENOMEM  no memory: a joiner needs 3.3 MB (_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_new(flags: u64, joiner: *mut *mut CJoiner, err: *mut CError) -> c_int {
    create(joiner, err, || {
        let kind = flags::parse_kind(flags & !flags::TRUSTED, "create a joiner")?;
        let joiner = Joiner::new(Cpu::best(), kind, Protocols::ALL, flags & flags::TRUSTED != 0)?;
        Ok(CJoiner { joiner, given: false })
    })
}

/// Frees a joiner, and the packets that it holds.
///
/// @param joiner  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_joiner_free(joiner: *mut CJoiner) {
    free(joiner);
}

/// Copies a packet to the joiner, and coalesces it with earlier packets by the rules of
/// tuntap_writer_new. Bytes that are not a packet of this kind are returned unchanged. Allocates no
/// memory.
///
/// @param joiner  The joiner.
/// @param packet  The packet.
/// @param size    Size of the packet.
/// @param err     May be NULL.
/// @return 0, or
///         -ENOBUFS   no room: take the collected packets with tuntap_joiner_next first
///                    (_AGAIN);
///         -EINVAL    joiner or packet is NULL (_ARGUMENT); size is 0 (_PACKET);
///         -EMSGSIZE  longer than 65,557 bytes (_PACKET).
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

/// Out of line: inlined, it would make an accepted packet pass through the same jump table.
#[cold]
#[inline(never)]
fn errno(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::Full => Errno::ENOBUFS,
        Refusal::Empty => Errno::EINVAL,
        Refusal::Long => Errno::EMSGSIZE,
    }
}

/// Why a packet was not accepted.
fn explain(refusal: Refusal, size: usize) -> Error {
    let (reason, text) = match refusal {
        Refusal::Full => {
            let text =
                text!("coalesce a packet: no room: take the collected packets with tuntap_joiner_next first");
            (Reason::Again, text)
        }
        Refusal::Empty => (Reason::Packet, text!("coalesce a packet of 0 bytes: it has no headers")),
        Refusal::Long => (Reason::Packet, text!("coalesce a packet of {size} bytes: the limit is {LARGEST}")),
    };
    Error::new(errno(refusal), reason, text)
}

/// Returns the next collected packet or super-packet. Nothing is added to it afterwards: packets
/// that are put later come after it.
///
/// @param joiner    The joiner.
/// @param hdr       Receives the virtio header of the packet.
/// @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
/// @param packet    Receives the address of the packet. The packet is valid until the next call on
///                  this joiner, and may be modified in place.
/// @param err       May be NULL.
/// @return The size of the packet, or
///         0        no packet is left, and there is room again;
///         -EINVAL  joiner, hdr or packet is NULL, or hdr_size is wrong (_ARGUMENT).
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
        let Some((header, bytes)) = joiner.peek() else { return Ok::<_, Failure<fn() -> Error>>(0) };
        hdr.set(header.into());
        packet.set(bytes.as_mut_ptr().cast());
        *given = true;
        Ok(bytes.len())
    })
}
