// SPDX-License-Identifier: MIT
//! Waiting, and the end of a wait.

use std::ffi::c_int;

use super::entry::{Failure, notify, pass};
use super::error::CError;
use crate::device::Device;
use crate::model::limit::Limit;
use crate::model::readiness::Readiness;

/// Waits until a packet can be read or written, and does neither.
///
/// This adds a time limit to every function that reads or writes. It waits even if the handle is
/// non-blocking. It makes one system call when something is ready. The first wait of a
/// handle opens an event counter (see Cost).
///
/// Ready means that a call is likely to succeed. When several threads read from one handle, another
/// thread may read the packet first; on a non-blocking handle the call then returns -EAGAIN. A device
/// that is gone is ready for both events, and the call returns -ENODEV.
///
/// TUNTAP_WAIT_READ is for tuntap_read and its variants. It is also ready while packets of a
/// super-packet are left for the next tuntap_read, which poll on the descriptor cannot see. A wait that
/// has started does not see packets that another thread's read leaves: with TUNTAP_OFFLOAD read each
/// queue from one thread, or use readers. It does not see packets that a reader holds: call
/// tuntap_reader_next, tuntap_reader_batch or tuntap_reader_copy until it returns 0 or -EAGAIN, and
/// then wait.
///
/// TUNTAP_WAIT_WRITE: room is limited only on a device with a send buffer limit (tuntap_set_sndbuf).
/// On Linux a device that is down is not ready either. On Darwin only a failed write shows that the
/// queue is full; the device is ready again a millisecond later.
///
/// @param dev           The device.
/// @param events        TUNTAP_WAIT_READ, TUNTAP_WAIT_WRITE, or both to wait for either.
/// @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
/// @param err           May be NULL.
/// @return The events that are ready, more than 0; or
///         -ETIMEDOUT  no event was ready within the time limit (_TIMEOUT);
///         -EINTR      a signal handler ran during the wait, even with SA_RESTART
///                     (_INTERRUPTED);
///         -ECANCELED  no event was ready, and tuntap_wake was called (_WOKEN);
///         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
///         -EINVAL     events is 0 or has unknown bits (_FLAGS);
///         -EINVAL     dev is NULL (_ARGUMENT).
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

/// Wakes all threads that wait for a packet or for room on this handle.
///
/// Their calls return -ECANCELED with TUNTAP_REASON_WOKEN.
///
/// When no thread waits, the wake stays pending, so a thread that is about to wait does not miss it.
/// The next call that finds no packet, no room or no ready event consumes it and returns -ECANCELED
/// with TUNTAP_REASON_WOKEN. This includes calls that would not wait: with TUNTAP_NONBLOCK, or with a
/// time limit of 0. A call that finds something leaves the wake pending. At most one wake is pending:
/// several wakes before a wait end one wait.
///
/// It does not make the descriptor of tuntap_get_fd readable. A program that polls that descriptor
/// needs another descriptor for wakes. To end threads permanently use tuntap_shutdown.
///
/// A signal handler may call it, and errno is preserved. Make sure that the handler cannot run after
/// the handle is closed.
///
/// @param dev  The device. NULL: does nothing.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_wake(dev: *mut Device) {
    notify(dev, Device::wake);
}

/// Ends reading and writing on the handle permanently.
///
/// Each call that waits, and each later read, write and wait, returns -ECANCELED with
/// TUNTAP_REASON_SHUTDOWN, even when packets are waiting. It cannot be undone.
///
/// This holds for all threads, and for the readers and writers of the handle, which keep the packets
/// that they hold. A call that is transferring a packet finishes it. Calls that query or configure the
/// device still work, and so do other handles of the device.
///
/// To close a handle that threads use, call tuntap_shutdown, wait for the threads to end, and then
/// call tuntap_close.
///
/// It does not make the descriptor of tuntap_get_fd readable: a program that polls that descriptor
/// needs another one to end the poll.
///
/// A signal handler may call it, and errno is preserved.
///
/// @param dev  The device. NULL: does nothing.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_shutdown(dev: *mut Device) {
    notify(dev, Device::shut_down);
}
