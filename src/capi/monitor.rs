// SPDX-License-Identifier: MIT
//! `tuntap_monitor`.

use std::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;

use super::address::CAddr;
use super::error::CError;
use super::flags::{TUNTAP_ADDR_SIZE, TUNTAP_MAC_SIZE, TUNTAP_NAME_SIZE};
use super::{Growing, call, check_size, free, give, null, write_growing};
use crate::device::Device;
use crate::device::monitor::Monitor;
use crate::model::error::Errno;
use crate::model::event::{Event, Kind};
use crate::model::limit::Limit;

/// There is a device: one that was there when the monitor began or after an overrun, or a
/// new one.
pub const TUNTAP_EVENT_DEVICE: u32 = 1;
/// The device went up.
pub const TUNTAP_EVENT_UP: u32 = 2;
/// The device went down.
pub const TUNTAP_EVENT_DOWN: u32 = 3;
/// The device got a carrier.
pub const TUNTAP_EVENT_CARRIER_ON: u32 = 4;
/// The device lost its carrier.
pub const TUNTAP_EVENT_CARRIER_OFF: u32 = 5;
/// The device has another MTU.
pub const TUNTAP_EVENT_MTU: u32 = 6;
/// The device has another MAC address.
pub const TUNTAP_EVENT_MAC: u32 = 7;
/// The device has another name.
pub const TUNTAP_EVENT_NAME: u32 = 8;
/// The device has an address more. Linux tells of an IPv6 address once it may be used,
/// which is a moment after it was added.
pub const TUNTAP_EVENT_ADDR_ADDED: u32 = 9;
/// The device has an address less.
pub const TUNTAP_EVENT_ADDR_REMOVED: u32 = 10;
/// The device is gone, or was moved to another network namespace. Its addresses went with
/// it.
pub const TUNTAP_EVENT_REMOVED: u32 = 11;
/// The kernel had more to tell than it kept for the reader, or there was no memory for it, so
/// that events are missing here. Everything known is to be forgotten: what is present
/// follows, as at the beginning.
pub const TUNTAP_EVENT_OVERRUN: u32 = 12;
/// What is present has been told: each device, and each address of it. What comes now is
/// news.
pub const TUNTAP_EVENT_COMPLETE: u32 = 13;

const _: () = {
    assert!(TUNTAP_EVENT_DEVICE == Kind::Device as u32);
    assert!(TUNTAP_EVENT_UP == Kind::Up as u32);
    assert!(TUNTAP_EVENT_DOWN == Kind::Down as u32);
    assert!(TUNTAP_EVENT_CARRIER_ON == Kind::CarrierOn as u32);
    assert!(TUNTAP_EVENT_CARRIER_OFF == Kind::CarrierOff as u32);
    assert!(TUNTAP_EVENT_MTU == Kind::Mtu as u32);
    assert!(TUNTAP_EVENT_MAC == Kind::Mac as u32);
    assert!(TUNTAP_EVENT_NAME == Kind::Name as u32);
    assert!(TUNTAP_EVENT_ADDR_ADDED == Kind::AddrAdded as u32);
    assert!(TUNTAP_EVENT_ADDR_REMOVED == Kind::AddrRemoved as u32);
    assert!(TUNTAP_EVENT_REMOVED == Kind::Removed as u32);
    assert!(TUNTAP_EVENT_OVERRUN == Kind::Overrun as u32);
    assert!(TUNTAP_EVENT_COMPLETE == Kind::Complete as u32);
};

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
    give(monitor, err, "monitor", || Monitor::open(dev.as_ref()))
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
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_get_fd(monitor: *const Monitor) -> c_int {
    match monitor.as_ref() {
        Some(monitor) => monitor.fd().as_raw_fd(),
        None => Errno::EINVAL.raw().wrapping_neg(),
    }
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
    call(err, || {
        let monitor = monitor.as_mut().ok_or_else(|| null("the monitor"))?;
        check_size::<CEvent>(size)?;
        if event.is_null() {
            return Err(null("the place for the event"));
        }
        let next = monitor.next(Limit::milliseconds(milliseconds))?;
        write_growing(&CEvent::from(next), event.cast(), size);
        Ok(())
    })
}
