// SPDX-License-Identifier: MIT
//! `tuntap_monitor`.

use std::ffi::{c_char, c_int};

use super::address::CAddr;
use super::argument::{Growing, sized_out};
use super::entry::{create, descriptor, free, notify, with};
use super::error::CError;
use super::presence::{flags_of, name_of};
use super::route::CRoute;
use super::size::{TUNTAP_ADDR_SIZE, TUNTAP_MAC_SIZE, TUNTAP_NAME_SIZE};
use crate::device::Device;
use crate::device::monitor::Monitor;
use crate::model::event::{Event, Kind};
use crate::model::limit::Limit;

/// Something that happened, with the state of the device after it. Later versions may add
/// members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEvent {
    /// A TUNTAP_EVENT_*. Later versions may add kinds: ignore those that you do not know.
    /// TUNTAP_EVENT_OVERRUN and TUNTAP_EVENT_COMPLETE are about no device, and the rest is 0
    /// then.
    pub kind: u32,
    /// The device's index.
    pub index: u32,
    /// What the device is: flags as tuntap_list has them.
    pub flags: u64,
    /// Its MTU.
    pub mtu: u32,
    /// For an address or a route that was added or removed: TUNTAP_IPV4 or TUNTAP_IPV6.
    pub family: u32,
    /// For an address that was added or removed: TUNTAP_ADDR_*.
    pub addr_flags: u64,
    /// For a route that was added or removed, as in a tuntap_route: TUNTAP_ROUTE_*.
    pub route_flags: u64,
    /// For an address or a route: a TUNTAP_SCOPE_*.
    pub scope: u32,
    /// For a route: a TUNTAP_ROUTE_TYPE_*.
    pub route_type: u32,
    /// For an address or a route: who made it, as in a tuntap_addr or a tuntap_route.
    pub protocol: u32,
    /// For a route: bytes of the largest packet that is sent by it; 0: the device's MTU.
    pub route_mtu: u32,
    /// For a route: its metric.
    pub metric: u32,
    /// For a route: the number of its table.
    pub table: u32,
    /// Not 0: it is up.
    pub up: u8,
    /// Not 0: it has a carrier.
    pub carrier: u8,
    /// Its MAC address; zeros for a TUN.
    pub mac: [u8; TUNTAP_MAC_SIZE],
    /// Its name.
    pub name: [c_char; TUNTAP_NAME_SIZE],
    /// The address with its prefix, such as "10.8.0.1/24" or "fd00::1/64"; "" for other events.
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// Its other end, such as "10.8.0.2"; "" where there is none.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
    /// The destination of the route with its prefix, such as "10.9.0.0/16"; "" for other events.
    pub destination: [c_char; TUNTAP_ADDR_SIZE],
    /// Its next host on the link, such as "10.8.0.2"; "" where there is none.
    pub gateway: [c_char; TUNTAP_ADDR_SIZE],
    /// The address that packets are sent from by it; "" where the system chooses.
    pub source: [c_char; TUNTAP_ADDR_SIZE],
}

unsafe impl Growing for CEvent {
    const LEAST: usize = 648;
    const NAME: &'static str = "tuntap_event";
}

const _: () = assert!(size_of::<CEvent>() == CEvent::LEAST);

impl From<Event> for CEvent {
    fn from(event: Event) -> Self {
        let link = event.link.as_ref();
        let address = event.address.map(CAddr::from);
        let route = event.route.map(CRoute::from);
        let none = [0; TUNTAP_ADDR_SIZE];
        Self {
            kind: event.kind as u32,
            index: link.map_or(0, |link| link.index),
            flags: link.map_or(0, flags_of),
            mtu: link.map_or(0, |link| link.mtu),
            family: address.map_or(0, |address| address.family).max(route.map_or(0, |route| route.family)),
            scope: address.map_or(0, |address| address.scope).max(route.map_or(0, |route| route.scope)),
            protocol: address
                .map_or(0, |address| address.protocol)
                .max(route.map_or(0, |route| route.protocol)),
            route_flags: route.map_or(0, |route| route.flags),
            route_type: route.map_or(0, |route| route.r#type),
            route_mtu: route.map_or(0, |route| route.mtu),
            addr_flags: address.map_or(0, |address| address.flags),
            metric: route.map_or(0, |route| route.metric),
            table: route.map_or(0, |route| route.table),
            up: link.is_some_and(|link| link.up).into(),
            carrier: link.is_some_and(|link| link.carrier).into(),
            mac: link.and_then(|link| link.mac).map_or([0; TUNTAP_MAC_SIZE], |mac| mac.octets()),
            name: link.map_or([0; TUNTAP_NAME_SIZE], name_of),
            addr: address.map_or(none, |address| address.addr),
            peer: address.map_or(none, |address| address.peer),
            destination: route.map_or(none, |route| route.destination),
            gateway: route.map_or(none, |route| route.gateway),
            source: route.map_or(none, |route| route.source),
        }
    }
}

/// Begins to watch a device, or all TUN and TAP devices. The first events report what is
/// present, up to TUNTAP_EVENT_COMPLETE; from then on each change is an event, in the order
/// of the changes, and none is missing unless a TUNTAP_EVENT_OVERRUN says so. Needs no
/// privilege.
///
/// One thread at a time takes events. A monitor needs no handle: the device's may be closed
/// before it or after it, and the monitor does not keep the device alive.
///
/// Linux: rtnetlink, which announces the carrier and a new IPv6 address a moment later, and
/// not at all a carrier that has changed back by then, or an address that has gone. It does
/// not announce each route that goes: where one may have, the monitor lists the routes, so
/// that one which comes and goes meanwhile may be missing.
///
/// Darwin: PF_ROUTE and kernel events, neither of which tells of what a slow reader lost. So
/// the interfaces are looked at again after each announcement: all that lasts is reported,
/// and TUNTAP_EVENT_OVERRUN never comes. Both interfaces of a TAP are devices.
///
/// @param dev      The device, watched where it is. NULL: all devices of the network
///                 namespace that the calling thread is in.
/// @param flags    0: devices and their addresses. TUNTAP_MONITOR_ROUTES: also the routes
///                 through them, as tuntap_list_routes has them; without it the kernel's
///                 announcements of routes are not even received.
/// @param monitor  Receives the monitor; tuntap_monitor_close frees it.
/// @return 0, or -EINVAL (monitor is NULL; flags, TUNTAP_REASON_FLAGS), -ENODEV (the device
///         is gone), -EXDEV (it is where this process cannot follow, TUNTAP_REASON_NAMESPACE),
///         -EMFILE, -ENOMEM, ... (out of something, TUNTAP_REASON_SYSTEM), -EOPNOTSUPP (not on
///         this operating system, TUNTAP_REASON_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_open(
    dev: *const Device,
    flags: u64,
    monitor: *mut *mut Monitor,
    err: *mut CError,
) -> c_int {
    create(monitor, err, || Monitor::open(dev.as_ref(), flags))
}

/// Ends the watch and frees the monitor. No other call may be running on it, and none may
/// follow. To end a thread that waits in tuntap_monitor_next: call tuntap_monitor_shutdown,
/// join the thread, and close then.
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
pub unsafe extern "C" fn tuntap_monitor_get_fd(monitor: *const Monitor, err: *mut CError) -> c_int {
    descriptor(monitor, err, Monitor::fd)
}

/// Ends the tuntap_monitor_next that waits, and every later one: they return -ECANCELED with
/// TUNTAP_REASON_SHUTDOWN. From any thread, and safe in a signal handler. It does not make the
/// descriptor of tuntap_monitor_get_fd readable.
///
/// @param monitor  May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_shutdown(monitor: *mut Monitor) {
    notify(monitor, Monitor::shut_down);
}

/// The next event. To end a wait without limit from another thread: tuntap_monitor_shutdown.
///
/// @param event         Receives the event.
/// @param size          sizeof(tuntap_event).
/// @param milliseconds  Waits for at most this long, by the monotonic clock; never returns
///                      -ETIMEDOUT early. 0: does not wait. Negative: no limit.
/// @return 0, or
///         -ETIMEDOUT  nothing happened (TUNTAP_REASON_TIMEOUT);
///         -EINTR      a signal handler ran while it waited (_INTERRUPTED);
///         -ECANCELED  the monitor was shut down (_SHUTDOWN);
///         -ENODEV     the one device that is watched is gone, and that has been reported
///                     (_REMOVED);
///         -EBUSY      another thread waits for an event of this monitor (_BUSY);
///         -ENOMEM     there is no memory for what happened: TUNTAP_EVENT_OVERRUN comes next
///                     (_SYSTEM);
///         -EINVAL     monitor or event is NULL; size is too small (_ARGUMENT).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_next(
    monitor: *mut Monitor,
    event: *mut CEvent,
    size: usize,
    milliseconds: i32,
    err: *mut CError,
) -> c_int {
    with(monitor, err, |monitor| {
        sized_out(event, size, "event")?.fill(monitor.next(Limit::milliseconds(milliseconds)))
    })
}

/// A short phrase for a kind of event, such as "address added".
///
/// @param kind  A TUNTAP_EVENT_*.
/// @return The phrase, a constant; for a number that this version does not know, "unknown
///         event".
///         Cannot fail. Safe in a signal handler.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_strevent(kind: u32) -> *const c_char {
    Kind::from_number(kind).map_or(c"unknown event", Kind::phrase).as_ptr()
}
