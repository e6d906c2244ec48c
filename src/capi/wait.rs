// SPDX-License-Identifier: MIT
//! Waiting, and what ends it.

use std::ffi::c_int;

use super::entry::{Failure, notify, pass};
use super::error::CError;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::readiness::Readiness;

/// Waits until a packet can be read or written, without doing either: so every function that
/// reads or writes gets a time limit. It waits whether the handle is non-blocking or not. Where
/// something is ready it makes one system call; it allocates nothing.
///
/// Ready means that a call is worth a try. Where several threads read one handle, another one
/// may take the packet first; on a non-blocking handle the call returns -EAGAIN then. A device
/// that is gone is ready for both, and the call returns -ENODEV.
///
/// TUNTAP_WAIT_READ is for tuntap_read and its like, and knows what a super-packet still has for
/// the next tuntap_read, of which the descriptor tells nothing. A reader has packets of its own:
/// wait for it after tuntap_reader_next returned 0 or -EAGAIN, when it has none. After
/// tuntap_reader_batch on a non-blocking handle that is after -EAGAIN.
///
/// TUNTAP_WAIT_WRITE: only a device with a send buffer (tuntap_set_sndbuf) ever has no room. On
/// Linux a device that is down has none either. On Darwin a full queue is only known from a
/// write that failed; it is ready again a millisecond later.
///
/// @param events        TUNTAP_WAIT_READ, TUNTAP_WAIT_WRITE, or both: for either.
/// @param milliseconds  Waits for at most this long, by the monotonic clock; never returns
///                      -ETIMEDOUT early. 0: does not wait. Negative: no limit.
/// @return Those of the events that are ready, more than 0; or
///         -ETIMEDOUT none was ready within the time limit (TUNTAP_REASON_TIMEOUT);
///         -EINTR     a signal handler ran while the call waited, with SA_RESTART too
///                    (_INTERRUPTED);
///         -ECANCELED none is ready, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was
///                    called (_SHUTDOWN);
///         -EINVAL    dev is NULL (_ARGUMENT); events is 0 or has unknown bits (_FLAGS).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_wait(
    dev: *mut Device,
    events: u32,
    milliseconds: i32,
    err: *mut CError,
) -> c_int {
    pass(dev, err, |device| {
        let interest = Readiness::parse(events)?;
        let ready = device.wait(interest, Limit::milliseconds(milliseconds));
        ready
            .map(|ready| ready.bits() as c_int)
            .map_err(|errno| Failure::Errno(errno, move || device.explain_wait(errno)))
    })
}

/// Ends each call on this handle that waits for a packet or for room, in whatever thread:
/// it returns -ECANCELED with TUNTAP_REASON_WOKEN. When none waits, the wake is pending, and the
/// next call takes it that finds no packet, no room or nothing ready: that call returns
/// -ECANCELED whether it would have waited or not, with TUNTAP_NONBLOCK and with a limit of 0
/// too. So a wake is not lost on a thread that is just about to wait, and does not end a wait
/// much later. A call that finds something leaves the wake pending. One wake is pending at most:
/// several before a wait end one.
///
/// It does not make the descriptor readable: a program that polls that itself needs a descriptor
/// of its own for the purpose. A signal handler may call it, and errno is kept; make sure that the
/// handler runs no more when the handle is closed. To end threads for good use tuntap_shutdown.
///
/// @param dev  NULL: nothing is done.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_wake(dev: *mut Device) {
    notify(dev, Device::wake);
}

/// Ends the use of the handle for packets, for good: each call that waits, and each later read,
/// write and wait returns -ECANCELED with TUNTAP_REASON_SHUTDOWN, whether packets are there or not.
/// That is so for all threads and for the readers and writers of the handle, which keep what they
/// have. A call that is on its way with a packet in this moment finishes it. Calls that ask about
/// the device or configure it go on as ever, and so do other handles of the device.
///
/// To close a handle that threads use: call tuntap_shutdown, wait for the threads to end, and call
/// tuntap_close. A signal handler may call it, and errno is kept. Nothing undoes it.
///
/// @param dev  NULL: nothing is done.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_shutdown(dev: *mut Device) {
    notify(dev, Device::shut_down);
}
