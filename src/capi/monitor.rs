// SPDX-License-Identifier: MIT
//! `tuntap_monitor`.

use std::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;

use super::address::CAddr;
use super::argument::{Growing, sized_out};
use super::entry::{create, free, quick, with_mut};
use super::error::CError;
use super::size::{TUNTAP_ADDR_SIZE, TUNTAP_MAC_SIZE, TUNTAP_NAME_SIZE};
use crate::device::Device;
use crate::device::monitor::Monitor;
use crate::model::event::Event;
use crate::model::limit::Limit;

/// Something that happened, with the state of the device after it. Later versions may add
/// members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEvent {
    /// A TUNTAP_EVENT_*. TUNTAP_EVENT_OVERRUN and TUNTAP_EVENT_COMPLETE are about no device,
    /// and the rest is 0 then.
    pub kind: u32,
    /// The device's index.
    pub index: u32,
    /// Its MTU.
    pub mtu: u32,
    /// For an address that was added or removed: a TUNTAP_SCOPE_*.
    pub scope: u32,
    /// Not 0: it is up.
    pub up: u8,
    /// Not 0: it has a carrier.
    pub carrier: u8,
    /// Its MAC address; zeros for a TUN.
    pub mac: [u8; TUNTAP_MAC_SIZE],
    /// Its name.
    pub name: [c_char; TUNTAP_NAME_SIZE],
    /// For an address that was added or removed: TUNTAP_ADDR_*.
    pub addr_flags: u64,
    /// The address with its prefix, such as "10.8.0.1/24" or "fd00::1/64"; "" for other events.
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// Its other end, such as "10.8.0.2"; "" where there is none.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
}

unsafe impl Growing for CEvent {
    const LEAST: usize = 176;
    const NAME: &'static str = "tuntap_event";
}

const _: () = assert!(size_of::<CEvent>() == CEvent::LEAST);

impl From<Event> for CEvent {
    fn from(event: Event) -> Self {
        let link = event.link.as_ref();
        let address = event.address.map(CAddr::from);
        Self {
            kind: event.kind as u32,
            index: link.map_or(0, |link| link.index),
            mtu: link.map_or(0, |link| link.mtu),
            scope: address.map_or(0, |address| address.scope),
            up: link.is_some_and(|link| link.up).into(),
            carrier: link.is_some_and(|link| link.carrier).into(),
            mac: link.and_then(|link| link.mac).map_or([0; TUNTAP_MAC_SIZE], |mac| mac.octets()),
            name: link.map_or([0; TUNTAP_NAME_SIZE], |link| link.name.with_nul().map(|byte| byte as c_char)),
            addr_flags: address.map_or(0, |address| address.flags),
            addr: address.map_or([0; TUNTAP_ADDR_SIZE], |address| address.addr),
            peer: address.map_or([0; TUNTAP_ADDR_SIZE], |address| address.peer),
        }
    }
}

/// Begins to watch a device, or all TUN and TAP devices. The first events tell what is
/// present, up to TUNTAP_EVENT_COMPLETE; from then on each change is an event, in the order
/// of the changes, and none is missing unless a TUNTAP_EVENT_OVERRUN says so. Needs no
/// privilege.
///
/// Like a config, a monitor is for one thread at a time. Linux: rtnetlink, which tells of
/// the carrier and of a new IPv6 address a moment later, and not at all of a carrier that
/// has changed back by then, or of an address that has gone.
///
/// Darwin: PF_ROUTE and kernel events, neither of which tells of what a slow reader lost. So
/// the interfaces are looked at anew after each announcement: all that lasts is told, and
/// TUNTAP_EVENT_OVERRUN never comes. Both interfaces of a TAP are devices.
///
/// @param dev      The device, watched where it is; the monitor outlives the handle. NULL:
///                 all devices of the network namespace that the calling thread is in.
/// @param monitor  Receives the monitor; tuntap_monitor_close frees it.
/// @return 0, or -EINVAL (monitor is NULL), -ENODEV (the device is gone), -EXDEV (it is
///         where this process cannot follow, TUNTAP_REASON_NAMESPACE), -EMFILE, -ENOMEM, ...
///         (out of something, TUNTAP_REASON_SYSTEM), -EOPNOTSUPP (not on this operating
///         system, TUNTAP_REASON_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_open(
    dev: *const Device,
    monitor: *mut *mut Monitor,
    err: *mut CError,
) -> c_int {
    create(monitor, err, || Monitor::open(dev.as_ref()))
}

/// Ends the watch and frees the monitor.
///
/// @param monitor  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_close(monitor: *mut Monitor) {
    free(monitor);
}

/// The descriptor to wait on with poll, epoll or select. Readable: tuntap_monitor_next has
/// something to do. Events may be there already without it: take them until -ETIMEDOUT
/// before each wait, the first one too. It stays the library's. Darwin: a kqueue.
///
/// @return The descriptor, or -EINVAL (monitor is NULL).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_get_fd(monitor: *const Monitor) -> c_int {
    quick(monitor, |monitor| monitor.fd().as_raw_fd())
}

/// The next event. Signals do not end the wait for it.
///
/// @param event         Receives the event.
/// @param size          sizeof(tuntap_event).
/// @param milliseconds  How long to wait for one, by the monotonic clock, and never cut
///                      short. 0: do not wait. Negative: no limit.
/// @return 0, or -ETIMEDOUT (nothing happened, TUNTAP_REASON_TIMEOUT), -ENODEV (the one
///         device that is watched is gone, and that has been told, TUNTAP_REASON_REMOVED),
///         -ENOMEM (there is no memory for what happened: TUNTAP_EVENT_OVERRUN comes next,
///         TUNTAP_REASON_SYSTEM), -EINVAL (monitor or event is NULL; size is too small).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_next(
    monitor: *mut Monitor,
    event: *mut CEvent,
    size: usize,
    milliseconds: i32,
    err: *mut CError,
) -> c_int {
    with_mut(monitor, err, |monitor| {
        sized_out(event, size, "event")?.fill(monitor.next(Limit::milliseconds(milliseconds)))
    })
}
