// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::address::{family, family_of, protocol};
use super::argument::{Growing, c_text, list_out, read_growing};
use super::entry::with;
use super::error::CError;
use super::field::{field, is_replace, optional_field};
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::address::Scope;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::prefix::Parsed;
use crate::model::route::{self, Details, Installed, Route, Type};
use crate::model::text::text;

/// A route through a device, in both directions: what tuntap_list_routes reports can be given
/// to tuntap_add_route and tuntap_del_route. Zeroed, with a text in destination, it is a route
/// with nothing unusual. Later versions may add members at the end, which is why each function
/// takes its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CRoute {
    /// TUNTAP_IPV4 or TUNTAP_IPV6. Given as 0, it is that of destination.
    pub family: u32,
    /// The length of the prefix in bits. Given as 0, it is that in destination.
    pub prefix: u32,
    /// Of several routes to the same destination the one with the least is used. Given as 0, it is
    /// the system's usual one; Linux: none for IPv4, 1024 for IPv6.
    pub metric: u32,
    /// The number of the routing table; Linux: 254 is the main one. Given as 0, it is the main one.
    pub table: u32,
    /// TUNTAP_ROUTE_*.
    pub flags: u64,
    /// A TUNTAP_ROUTE_TYPE_*: what is done with a packet.
    pub r#type: u32,
    /// Who made it; Linux: RTPROT_*, such as 2 for the kernel, 3 for the boot, 4 for an
    /// administrator. Given as 0, it is 4 for a new route, and any for one that is looked for.
    pub protocol: u32,
    /// A TUNTAP_SCOPE_*: how far the destination is. Given as 0, it is the usual one, or any for a
    /// route that is looked for: TUNTAP_SCOPE_GLOBAL through a gateway, TUNTAP_SCOPE_LINK without.
    /// IPv6: always TUNTAP_SCOPE_GLOBAL.
    pub scope: u32,
    /// Bytes of the largest packet that is sent by it. 0: the device's MTU.
    pub mtu: u32,
    /// The destination with its prefix, such as "10.9.0.0/16"; "0.0.0.0/0" and "::/0" are the
    /// default routes. Given without one, it is a single host.
    pub destination: [c_char; TUNTAP_ADDR_SIZE],
    /// The next host on the link, such as "10.8.0.2"; "" where there is none. Linux 5.2: an IPv6
    /// gateway can lead to an IPv4 network.
    pub gateway: [c_char; TUNTAP_ADDR_SIZE],
    /// The address that packets are sent from whose sender chose none; "": the system chooses.
    pub source: [c_char; TUNTAP_ADDR_SIZE],
}

// SAFETY: integers without padding.
unsafe impl Growing for CRoute {
    const LEAST: usize = 232;
    const NAME: &'static str = "tuntap_route";
}

const _: () = assert!(size_of::<CRoute>() == CRoute::LEAST);

impl From<Installed> for CRoute {
    fn from(installed: Installed) -> Self {
        let route = installed.route;
        let details = route.details;
        Self {
            family: family(route.family()),
            prefix: route.prefix().bits().into(),
            metric: details.metric,
            table: details.table,
            flags: installed.flags(),
            r#type: details.kind as u32,
            protocol: details.protocol.into(),
            scope: details.scope.map_or(0, |scope| scope as u32),
            mtu: details.mtu,
            destination: c_text(format_args!("{}/{}", route.network(), route.prefix().bits())),
            gateway: route.gateway().map_or([0; TUNTAP_ADDR_SIZE], c_text),
            source: route.source().map_or([0; TUNTAP_ADDR_SIZE], c_text),
        }
    }
}

impl CRoute {
    /// What a function that adds a route takes: all there is of it.
    pub(super) fn whole(&self) -> Result<Route> {
        match self.route()? {
            (route, true) => Ok(route),
            (route, false) => {
                let text = text!("add the route {route}: with TUNTAP_ROUTE_PARTIAL a part of it is missing");
                Err(Error::new(Errno::EINVAL, Reason::Flags, text))
            }
        }
    }

    /// A route, and whether this is all there is of it.
    fn route(&self) -> Result<(Route, bool)> {
        let text = field(&self.destination, "the destination")?;
        let parsed = Parsed::new(text)?.agreeing(family_of(self.family)?, self.prefix, text)?;
        let route = Route::new(parsed, text)?;
        let gateway = optional_field(&self.gateway, "the gateway")?;
        let route = gateway.map_or(Ok(route), |gateway| route.by(gateway))?;
        let source = optional_field(&self.source, "the source")?;
        let mut route = source.map_or(Ok(route), |source| route.sent_from(source))?;
        let (onlink, exact) = route::parse_flags(self.flags)?;
        route.details = Details {
            metric: self.metric,
            table: self.table,
            kind: Type::parse(self.r#type)?,
            protocol: protocol(self.protocol)?,
            scope: Scope::parse(self.scope)?,
            mtu: self.mtu,
            onlink,
        };
        Ok((route, exact))
    }
}

/// Adds a route through the device, which must be up. It goes when the device goes down.
/// Linux: RTM_NEWROUTE. Darwin: RTM_ADD, with a destination and a gateway alone
/// (TUNTAP_REASON_PLATFORM), and one route for a destination: -EEXIST (TUNTAP_REASON_BUSY) when
/// another interface has it; and the device needs an address of its family: -ENETUNREACH
/// (TUNTAP_REASON_ARGUMENT).
///
/// A route is there already when it is the same in all that the system has of it; where protocol
/// and scope are 0, whatever those are. One with more than a tuntap_route has, such as a type of
/// service, several next hops or an encapsulation, is another route.
///
/// Of a destination, a metric and a table there is one route, another is -EEXIST. With
/// TUNTAP_REPLACE it becomes the one that is given: on Linux so that there is a route all the
/// time; on Darwin the old one is deleted first, and comes back when that fails. A route through
/// another interface is never replaced.
///
/// @param route  The route.
/// @param size   sizeof(tuntap_route).
/// @param flags  0, or TUNTAP_REPLACE.
/// @return 0, also when there is this route already, or -EINVAL (dev or route is NULL; size is
///         too small; not a network, or bits are set behind the prefix, or of two families, or
///         with two prefixes, TUNTAP_REASON_ADDRESS; flags, or those of the route,
///         TUNTAP_REASON_FLAGS; no such type or scope, TUNTAP_REASON_ARGUMENT), -ENETDOWN (the
///         device is down, TUNTAP_REASON_DOWN),
///         -EEXIST (another route has this destination, metric and table,
///         TUNTAP_REASON_BUSY),
///         -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone), or what the kernel has
///         against the gateway or the source, such as -ENETUNREACH (TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_route(
    dev: *mut Device,
    route: *const CRoute,
    size: usize,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let route = read_growing(route, size, "the route")?.whole()?;
        device.add_route(&route, is_replace(flags)?)
    })
}

/// Deletes a route through the device, whoever made it.
///
/// @param route  The route, as tuntap_add_route takes it, and all of it must be the same. What
///               the kernel made for an address is found without its source, too. With
///               TUNTAP_ROUTE_PARTIAL it is one that was listed so.
/// @param size   sizeof(tuntap_route).
/// @return 0, or -ENOENT (there is no such route through the device, TUNTAP_REASON_UNSET),
///         -EBUSY (Linux would delete another one instead, which has this destination and
///         metric and comes before it, TUNTAP_REASON_BUSY), -EINVAL (as there), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_route(
    dev: *mut Device,
    route: *const CRoute,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let (route, exact) = read_growing(route, size, "the route")?.route()?;
        device.del_route(&route, exact)
    })
}

/// The routes through the device, IPv4 before IPv6, with those that the kernel made for its
/// addresses. Routes of the local table, to the host itself, are not among them, and none
/// of several ways. Of a route with more to it than a tuntap_route has (see
/// tuntap_add_route) this says a part, with TUNTAP_ROUTE_PARTIAL.
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
