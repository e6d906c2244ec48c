// SPDX-License-Identifier: MIT
//! `tuntap_monitor`.

use std::ffi::{c_char, c_int};
use std::mem;

use super::address::{CAddr, family};
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
use crate::model::link::Link;
use crate::model::prefix::Family;

/// An event, with the state of the device after it. Later versions may add members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEvent {
    /// A TUNTAP_EVENT_*. Later versions may add kinds: ignore unknown ones. For
    /// TUNTAP_EVENT_OVERRUN and TUNTAP_EVENT_COMPLETE all other members are 0.
    pub kind: u32,
    /// The index of the device.
    pub index: u32,
    /// The flags of the device, as in tuntap_list.
    pub flags: u64,
    /// The MTU of the device.
    pub mtu: u32,
    /// Address and route events, TUNTAP_EVENT_DEFAULT_ROUTE: TUNTAP_IPV4 or TUNTAP_IPV6.
    pub family: u32,
    /// Address events: TUNTAP_ADDR_*.
    pub addr_flags: u64,
    /// Route events: TUNTAP_ROUTE_*.
    pub route_flags: u64,
    /// Address and route events: a TUNTAP_SCOPE_*.
    pub scope: u32,
    /// Route events: a TUNTAP_ROUTE_TYPE_*.
    pub route_type: u32,
    /// Address and route events: the origin, as in a tuntap_addr or a tuntap_route.
    pub protocol: u32,
    /// Route events: the MTU of the route in bytes. 0: the MTU of the device.
    pub route_mtu: u32,
    /// Route events: the metric.
    pub metric: u32,
    /// Route events: the number of the routing table.
    pub table: u32,
    /// Not 0: the device is up.
    pub up: u8,
    /// Not 0: the device has a carrier.
    pub carrier: u8,
    /// The MAC address of the device; all 0 for a TUN.
    pub mac: [u8; TUNTAP_MAC_SIZE],
    /// The name of the device.
    pub name: [c_char; TUNTAP_NAME_SIZE],
    /// Address events: the address with its prefix length, such as "10.8.0.1/24" or "fd00::1/64".
    pub addr: [c_char; TUNTAP_ADDR_SIZE],
    /// Address events: the peer, such as "10.8.0.2". "": none.
    pub peer: [c_char; TUNTAP_ADDR_SIZE],
    /// Route events: the destination with its prefix length, such as "10.9.0.0/16".
    pub destination: [c_char; TUNTAP_ADDR_SIZE],
    /// Route events: the gateway, such as "10.8.0.2". "": none.
    pub gateway: [c_char; TUNTAP_ADDR_SIZE],
    /// Route events: the source address of packets. "": the system chooses.
    pub source: [c_char; TUNTAP_ADDR_SIZE],
}

// SAFETY: integers without padding.
unsafe impl Growing for CEvent {
    const LEAST: usize = 648;
    const NAME: &'static str = "tuntap_event";
}

const _: () = assert!(size_of::<CEvent>() == CEvent::LEAST);

/// All members are 0.
// SAFETY: zeros are valid integers.
const NOTHING: CEvent = unsafe { mem::zeroed() };

impl From<Event> for CEvent {
    fn from(event: Event) -> Self {
        let family = event_family(&event).map_or(0, family);
        let mut made = Self { kind: event.kind as u32, family, ..NOTHING };
        if let Some(link) = event.link {
            made.set_link(&link);
        }
        if let Some(assigned) = event.address {
            made.set_address(&assigned.into());
        }
        if let Some(installed) = event.route {
            made.set_route(&installed.into());
        }
        made
    }
}

impl CEvent {
    fn set_link(&mut self, link: &Link) {
        self.index = link.index;
        self.flags = flags_of(link);
        self.mtu = link.mtu;
        self.up = link.up.into();
        self.carrier = link.carrier.into();
        self.mac = link.mac.map_or([0; TUNTAP_MAC_SIZE], |mac| mac.octets());
        self.name = name_of(link);
    }

    fn set_address(&mut self, address: &CAddr) {
        self.scope = address.scope;
        self.protocol = address.protocol;
        self.addr_flags = address.flags;
        self.addr = address.addr;
        self.peer = address.peer;
    }

    fn set_route(&mut self, route: &CRoute) {
        self.scope = route.scope;
        self.protocol = route.protocol;
        self.route_flags = route.flags;
        self.route_type = route.r#type;
        self.route_mtu = route.mtu;
        self.metric = route.metric;
        self.table = route.table;
        self.destination = route.destination;
        self.gateway = route.gateway;
        self.source = route.source;
    }
}

fn event_family(event: &Event) -> Option<Family> {
    let of_address = event.address.as_ref().map(|assigned| assigned.address.family());
    event.family.or(of_address).or(event.route.as_ref().map(|installed| installed.route.family()))
}

/// Opens a monitor of one device, or of all TUN and TAP devices.
///
/// The first events report the current state and end with TUNTAP_EVENT_COMPLETE. After that each
/// change is an event, in the order of the changes. TUNTAP_EVENT_OVERRUN reports that events were
/// lost. Changes of the flags or lifetimes of an address are not reported. A monitor needs no
/// privilege, except for a handle of tuntap_open_fd: see Namespace.
///
/// A monitor of one device does not need its handle, and does not keep the device alive: close them in
/// any order. One thread at a time takes events.
///
/// Linux: rtnetlink. The kernel announces a change of the carrier and a new IPv6 address a moment
/// later. It does not announce a carrier that has changed back by then, or an address that has been
/// removed by then. It does not announce every route that is removed: when one may have been, the
/// monitor lists the routes again. A route that is added and removed in the meantime can be missed.
///
/// Darwin: PF_ROUTE and kernel events. Neither reports what a slow reader has lost, so the monitor
/// reads the state of the interfaces after each announcement. All changes that last are reported, and
/// there is no TUNTAP_EVENT_OVERRUN. Both interfaces of a TAP are reported as devices.
///
/// @param dev      The device, in its network namespace. NULL: all devices of the calling thread's
///                 network namespace.
/// @param flags    0: devices and their addresses. TUNTAP_MONITOR_ROUTES: also the routes through
///                 them, as in tuntap_list_routes. TUNTAP_MONITOR_DEFAULT_ROUTE: also the default
///                 route of the system, which a VPN uses to reach its server. Without these flags the
///                 library does not receive the kernel's announcements of routes.
/// @param monitor  Receives the monitor; tuntap_monitor_close frees it.
/// @param err      May be NULL.
/// @return 0, or
///         -EINVAL      unknown flags (_FLAGS);
///         -EINVAL      monitor is NULL (_ARGUMENT);
///         -ENODEV      the device is gone (_REMOVED);
///         -EXDEV       this process cannot enter the network namespace of the device
///                      (_NAMESPACE);
///         -EMFILE, -ENOMEM, ...  no resources (_SYSTEM);
///         -EOPNOTSUPP  this operating system has no monitor (_PLATFORM).
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

/// Closes and frees a monitor.
///
/// No other call may use it at that moment or later. To end a thread that waits in
/// tuntap_monitor_next, call tuntap_monitor_shutdown, join the thread, and then close.
///
/// @param monitor  The monitor. May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_close(monitor: *mut Monitor) {
    free(monitor);
}

/// Gets the descriptor for poll, epoll or select.
///
/// It is readable when tuntap_monitor_next has something to process. Events can also be queued in
/// the monitor while it is not readable: before each wait, also the first, take events until
/// the call fails: with -ETIMEDOUT, or -ENODEV when the device is gone. The descriptor belongs to
/// the library. Darwin: a kqueue.
///
/// @param monitor  The monitor.
/// @param err      May be NULL.
/// @return The descriptor, or
///         -EINVAL  monitor is NULL (_ARGUMENT).
/// @since 0.1.0
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_get_fd(monitor: *const Monitor, err: *mut CError) -> c_int {
    descriptor(monitor, err, Monitor::fd)
}

/// Ends the tuntap_monitor_next that waits, and every later one.
///
/// They return -ECANCELED with TUNTAP_REASON_SHUTDOWN. Any thread and any signal handler
/// may call it. It does not make the descriptor of tuntap_monitor_get_fd readable.
///
/// @param monitor  The monitor. May be NULL.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_monitor_shutdown(monitor: *mut Monitor) {
    notify(monitor, Monitor::shut_down);
}

/// Takes the next event, and waits until there is one.
///
/// tuntap_monitor_shutdown ends the wait from another thread.
///
/// @param monitor       The monitor.
/// @param event         Receives the event.
/// @param size          sizeof(tuntap_event).
/// @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
/// @param err           May be NULL.
/// @return 0, or
///         -ETIMEDOUT  no event within the time limit (_TIMEOUT);
///         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
///         -ECANCELED  the monitor is shut down (_SHUTDOWN);
///         -ENODEV     the only device of the monitor is gone, and an event has reported that
///                     (_REMOVED);
///         -EBUSY      another thread is taking an event of this monitor (_BUSY);
///         -ENOMEM     no memory for an event: TUNTAP_EVENT_OVERRUN is the next event
///                     (_SYSTEM);
///         -EINVAL     monitor or event is NULL, or size is too small (_ARGUMENT).
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

/// Describes a kind of event in a few words, such as "address added".
///
/// @param kind  A TUNTAP_EVENT_*.
/// @return A constant string; "unknown event" for a number that this version does not know. Cannot
///         fail. Safe in a signal handler.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_strevent(kind: u32) -> *const c_char {
    Kind::from_number(kind).map_or(c"unknown event", Kind::phrase).as_ptr()
}
