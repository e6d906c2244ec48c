// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::address::family;
use super::argument::{Growing, c_text, list_out, optional_text, text};
use super::entry::with;
use super::error::CError;
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::error::Result;
use crate::model::route::{Installed, Route};

/// A route through a device. Later versions may add members at the end, which is why each
/// function takes its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CRoute {
    /// TUNTAP_IPV4 or TUNTAP_IPV6.
    pub family: u32,
    /// The length of the prefix in bits.
    pub prefix: u32,
    /// Of several routes to the same destination the one with the least is used.
    pub metric: u32,
    /// The number of the routing table; Linux: 254 is the main one.
    pub table: u32,
    /// The destination with its prefix, such as "10.9.0.0/16"; "0.0.0.0/0" and "::/0" are the
    /// default routes.
    pub destination: [c_char; TUNTAP_ADDR_SIZE],
    /// The next host on the link, such as "10.8.0.2"; "" where there is none.
    pub gateway: [c_char; TUNTAP_ADDR_SIZE],
}

unsafe impl Growing for CRoute {
    const LEAST: usize = 144;
    const NAME: &'static str = "tuntap_route";
}

const _: () = assert!(size_of::<CRoute>() == CRoute::LEAST);

impl From<Installed> for CRoute {
    fn from(Installed { route, .. }: Installed) -> Self {
        Self {
            family: family(route.family()),
            prefix: route.prefix().bits().into(),
            metric: route.metric(),
            table: route.table(),
            destination: c_text(format_args!("{}/{}", route.network(), route.prefix().bits())),
            gateway: route.gateway().map_or([0; TUNTAP_ADDR_SIZE], c_text),
        }
    }
}

/// What the functions for a route take.
pub(super) unsafe fn route(
    destination: *const c_char,
    gateway: *const c_char,
    metric: u32,
    table: u32,
) -> Result<Route> {
    Route::parse(text(destination, "the destination")?, optional_text(gateway, "the gateway")?, metric, table)
}

/// Adds a route through the device, which must be up. It goes when the device goes down.
/// Linux: RTM_NEWROUTE, protocol "static". Darwin: RTM_ADD, without metric and table, and one
/// route for a destination: -EEXIST (TUNTAP_REASON_BUSY) when another interface has it; and
/// the device needs an address of its family: -ENETUNREACH (TUNTAP_REASON_ARGUMENT).
///
/// A route is there already when it is the same in all that the system has of it. One with
/// more than is said here, such as a type of service, a gateway of the other family, several
/// next hops, an encapsulation or an MTU, is another route.
///
/// @param destination  "10.9.0.0/16", "fd01::/48"; "0.0.0.0/0" and "::/0" are the default
///                     routes. Without a prefix, a single host.
/// @param gateway      The next host on the link, of a TAP; it must be reachable without a
///                     gateway. NULL: none, as on a TUN.
/// @param metric       Of several routes to the same destination the one with the least is
///                     used. 0: the system's usual one; Linux: none for IPv4, 1024 for
///                     IPv6.
/// @param table        The number of the routing table. 0: the main one.
/// @return 0, also when there is this route already, or -EINVAL (dev or destination is
///         NULL; not a network, or bits are set behind the prefix, or of two families,
///         TUNTAP_REASON_ADDRESS), -ENETDOWN (the device is down, TUNTAP_REASON_DOWN),
///         -EEXIST (another route has this destination, metric and table,
///         TUNTAP_REASON_BUSY),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone), or what the kernel has against the gateway,
///         such as -ENETUNREACH (TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_route(
    dev: *mut Device,
    destination: *const c_char,
    gateway: *const c_char,
    metric: u32,
    table: u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.add_route(&route(destination, gateway, metric, table)?))
}

/// Deletes a route through the device, whoever made it. All arguments are as
/// tuntap_add_route takes them, and those of the route must be the same.
///
/// @return 0, or -ESRCH (there is no such route through the device, TUNTAP_REASON_UNSET),
///         -EBUSY (Linux would delete another one instead, which has this destination and
///         metric and comes before it, TUNTAP_REASON_BUSY), -EINVAL (as there), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_route(
    dev: *mut Device,
    destination: *const c_char,
    gateway: *const c_char,
    metric: u32,
    table: u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.del_route(&route(destination, gateway, metric, table)?))
}

/// The routes through the device, IPv4 before IPv6, with those that the kernel made for its
/// addresses. Routes of the local table, to the host itself, are not among them, and none
/// of several ways. Of a route with more to it than a tuntap_route has (see
/// tuntap_add_route) this says a part.
///
/// @param routes  Receives the first `count` of them. NULL with a count of 0: only the
///                number is asked for.
/// @param count   Places in routes.
/// @param size    sizeof(tuntap_route): where one ends and the next begins.
/// @return How many there are, which may be more than count, or -EINVAL (dev is NULL;
///         routes is NULL and count is not 0; size is too small), -ENODEV (the device is
///         gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list_routes(
    dev: *const Device,
    routes: *mut CRoute,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    with(dev, err, |device| Ok(list_out(routes, count, size)?.set(device.routes()?)))
}
