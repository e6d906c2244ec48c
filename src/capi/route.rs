// SPDX-License-Identifier: MIT
//! Routes through a device.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::address::{family, family_of, protocol};
use super::argument::{Growing, list_out, optional_text, read_growing, sized_out, text as c_str};
use super::entry::{call, with};
use super::error::CError;
use super::field::{c_text, field, is_replace, optional_field, zero};
use super::size::TUNTAP_ADDR_SIZE;
use crate::device::Device;
use crate::model::assigned::Scope;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::lookup::{Found, Lookup};
use crate::model::prefix::Parsed;
use crate::model::route::{self, Details, Installed, Route, Type};
use crate::model::text::text;

/// A route through a device. tuntap_del_route takes what tuntap_list_routes reports, and so does
/// tuntap_add_route unless TUNTAP_ROUTE_PARTIAL is set. The shortest request is a zeroed structure
/// with a text in destination. For a destination in binary form, let inet_ntop(3) write destination,
/// and set prefix. Later versions may add members at the end, which is why each function takes the
/// size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CRoute {
    /// TUNTAP_IPV4 or TUNTAP_IPV6. Request: 0 for the family of destination.
    pub family: u32,
    /// The prefix length in bits. Request: 0 for the prefix length in destination.
    pub prefix: u32,
    /// The metric: of several routes to the same destination, the one with the lowest metric is
    /// used. Request: 0 for the default; on Linux that is 0 for IPv4 and 1024 for IPv6.
    pub metric: u32,
    /// The number of the routing table. Request: 0 for the main table, which is 254 on Linux.
    pub table: u32,
    /// TUNTAP_ROUTE_*.
    pub flags: u64,
    /// A TUNTAP_ROUTE_TYPE_*: what the system does with a packet.
    pub r#type: u32,
    /// The origin of the route. Linux: RTPROT_*, such as 2 for the kernel, 3 for the boot, 4 for an
    /// administrator. Request: when a route is added, 0 is 4; in tuntap_del_route, 0 matches any.
    pub protocol: u32,
    /// A TUNTAP_SCOPE_*: the distance of the destination. IPv6: always TUNTAP_SCOPE_GLOBAL.
    /// Request: when a route is added, 0 is TUNTAP_SCOPE_GLOBAL with a gateway and TUNTAP_SCOPE_LINK
    /// without; in tuntap_del_route, 0 matches any.
    pub scope: u32,
    /// The MTU of the route in bytes, at most 65520. 0: the MTU of the device.
    pub mtu: u32,
    /// The destination with its prefix length, such as "10.9.0.0/16". "0.0.0.0/0" and "::/0" are the
    /// default routes: "default" is not accepted. Request: without a prefix length it is a single
    /// host.
    pub destination: [c_char; TUNTAP_ADDR_SIZE],
    /// The gateway: the next hop on the link, such as "10.8.0.2". "": none. Since Linux 5.2 an IPv4
    /// destination can have an IPv6 gateway. It must be in the network of an address of the device:
    /// with a short prefix length, such as 10.0.0.1/8, many gateways are valid. For any other gateway
    /// set TUNTAP_ROUTE_ONLINK.
    pub gateway: [c_char; TUNTAP_ADDR_SIZE],
    /// The source address of packets whose sender has not chosen one. "": the system chooses.
    pub source: [c_char; TUNTAP_ADDR_SIZE],
    /// The index of the interface: see if_indextoname(3). Only tuntap_find_route reports it. In a
    /// request it must be 0.
    pub index: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers without padding.
unsafe impl Growing for CRoute {
    const LEAST: usize = 240;
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
            index: 0,
            reserved: 0,
        }
    }
}

impl From<Found> for CRoute {
    fn from(found: Found) -> Self {
        Self { index: found.index, ..found.route.into() }
    }
}

impl CRoute {
    /// The route to add, which must not be partial.
    pub(super) fn route_to_add(&self) -> Result<Route> {
        match self.route()? {
            (route, false) => Ok(route),
            (route, true) => {
                let text =
                    text!("add the route {route}: it has TUNTAP_ROUTE_PARTIAL: attributes are missing");
                Err(Error::new(Errno::EINVAL, Reason::Flags, text))
            }
        }
    }

    /// The route, and whether it is partial.
    fn route(&self) -> Result<(Route, bool)> {
        zero(self.index, "index", "tuntap_route")?;
        zero(self.reserved, "reserved", "tuntap_route")?;
        let text = field(&self.destination, "the destination")?;
        let parsed = Parsed::new(text)?.combined_with(family_of(self.family)?, self.prefix, text)?;
        let route = Route::new(parsed, text)?;
        let gateway = optional_field(&self.gateway, "the gateway")?;
        let route = gateway.map_or(Ok(route), |gateway| route.with_gateway(gateway))?;
        let source = optional_field(&self.source, "the source")?;
        let mut route = source.map_or(Ok(route), |source| route.with_source(source))?;
        let (onlink, partial) = route::parse_flags(self.flags)?;
        route.details = Details {
            metric: self.metric,
            table: self.table,
            kind: Type::parse(self.r#type)?,
            protocol: protocol(self.protocol)?,
            scope: Scope::parse(self.scope)?,
            mtu: route::parse_mtu(self.mtu)?,
            onlink,
        };
        Ok((route, partial))
    }
}

/// Adds a route through the device, which must be up.
///
/// The route is removed when the device goes down.
///
/// When the device already has the route with everything that is requested, nothing changes. A
/// protocol or scope of 0 requests nothing; all other members must be equal. A route with attributes
/// that a tuntap_route does not have, such as a type of service, several next hops or an
/// encapsulation, is never equal.
///
/// A destination, metric and table can have only one route. When another route has them, the call
/// fails with -EEXIST. With TUNTAP_REPLACE the new route replaces that route instead, but never one
/// through another interface. Linux replaces it in one step. On Darwin the library deletes the old
/// route first and restores it when the new one cannot be added.
///
/// Linux: RTM_NEWROUTE. A route with an IPv4 destination and an IPv6 gateway needs Linux 5.2.
///
/// Darwin: RTM_ADD. A route consists of a destination and a gateway. Any other attribute is
/// -EOPNOTSUPP. A destination can have only one route, even if that leads through another
/// interface. The device needs an address of the route's family.
///
/// @param dev    The device.
/// @param route  The route.
/// @param size   sizeof(tuntap_route).
/// @param flags  0, or TUNTAP_REPLACE.
/// @param err    May be NULL.
/// @return 0, even if the device already has this route; or
///         -EINVAL       destination has bits set after its prefix, an address is not valid, or the
///                       families or prefix lengths contradict each other (_ADDRESS);
///         -EINVAL       unknown flags, or flags of the route that cannot be requested
///                       (_FLAGS);
///         -EINVAL       an unknown type, scope or family, or Linux: table is 255, the local table,
///                       which the kernel maintains (_ARGUMENT);
///         -EINVAL       protocol is above 255, or mtu above 65520 (_RANGE);
///         -EINVAL       dev or route is NULL, or size is too small (_ARGUMENT);
///         -EINVAL       the MTU is below 1280 and the route is IPv6 (_RANGE);
///         -ENETDOWN     the device is down (_DOWN);
///         -EEXIST       another route has this destination, metric and table (_BUSY);
///         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENETUNREACH  or another errno: the kernel refuses the gateway or the source
///                       (_SYSTEM). A gateway that is in no network of the device needs
///                       TUNTAP_ROUTE_ONLINK;
///         -ENETUNREACH  Darwin: the device has no address of the family (_ARGUMENT);
///         -EOPNOTSUPP   an IPv4 route with an IPv6 gateway, before Linux 5.2 (_KERNEL);
///         -EOPNOTSUPP   Darwin does not have what is requested (_PLATFORM);
///         -ENODEV       the device is gone (_REMOVED).
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
        let route = read_growing(route, size, "the route")?.route_to_add()?;
        device.add_route(&route, is_replace(flags)?)
    })
}

/// Deletes a route through the device.
///
/// It need not have been added by this library.
///
/// @param dev    The device.
/// @param route  The route, as for tuntap_add_route: all members must be equal. A route that the
///               kernel added for an address also matches without its source. With
///               TUNTAP_ROUTE_PARTIAL only a route that is listed with that flag matches.
/// @param size   sizeof(tuntap_route).
/// @param err    May be NULL.
/// @return 0, or
///         -ENOENT  the device does not have the route (_UNSET);
///         -EBUSY   Linux would delete another route, which has the same destination and metric and
///                  comes first (_BUSY);
///         -EINVAL  the route is not valid, as for tuntap_add_route;
///         -EINVAL  dev or route is NULL, or size is too small (_ARGUMENT);
///         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_route(
    dev: *mut Device,
    route: *const CRoute,
    size: usize,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let (route, partial) = read_growing(route, size, "the route")?.route()?;
        device.del_route(&route, partial)
    })
}

/// Lists the routes through the device, IPv4 before IPv6.
///
/// Routes that the kernel added for the addresses are listed too. Routes of the local table, which
/// lead to the host itself, and routes with several next hops are not listed. A route with attributes
/// that a tuntap_route does not have (see tuntap_add_route) is listed without them, with
/// TUNTAP_ROUTE_PARTIAL.
///
/// @param dev     The device.
/// @param routes  Receives the first `count` routes. NULL with a count of 0: only the number is
///                returned.
/// @param count   Elements of routes.
/// @param size    sizeof(tuntap_route): the distance between two elements.
/// @param err     May be NULL.
/// @return The number of routes, which may be larger than count; or
///         -EINVAL  dev is NULL, routes is NULL and count is not 0, or size is too small
///                  (_ARGUMENT);
///         -ENODEV  the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list_routes(
    dev: *const Device,
    routes: *mut CRoute,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    with(dev, err, |device| Ok(list_out(routes, count, size)?.fill(device.routes()?)))
}

/// Finds the route that the system selects for a packet.
///
/// It can lead through any interface. The kernel does the lookup, with all of its rules and tables.
/// Needs no privilege.
///
/// The route has the destination, the metric and the other attributes with which it was added. gateway
/// and source are those of this packet. mtu is the MTU for this destination in bytes, even if the
/// route itself has none: of the path, if the kernel has learned it, or else of the interface.
/// TUNTAP_ROUTE_PARTIAL also shows that the route has several next hops; one of them is reported.
///
/// Linux: RTM_GETROUTE.
///
/// Darwin: RTM_GET, which knows neither the source nor a mark of a packet. source is reported for IPv4
/// only: for IPv6 the kernel selects it when it sends.
///
/// @param dev          A device: the route is looked up in its network namespace. NULL: in that of the
///                     calling thread.
/// @param destination  An address without a prefix length, such as "192.0.2.1". A link-local IPv6
///                     address needs an interface, and has no route here.
/// @param source       The source address of the packet. NULL: the system chooses it, and reports it.
/// @param mark         The mark of the packet (SO_MARK). 0: none.
/// @param route        Receives the route, with the index of its interface.
/// @param size         sizeof(tuntap_route).
/// @param err          May be NULL.
/// @return 0, or
///         -ENETUNREACH  no route leads to the destination, the route discards the packet (a blackhole
///                       route, for example), or, for IPv4, the host does not have source
///                       (_UNSET);
///         -EMSGSIZE     Linux: the route has about 100 next hops or more, too many for an answer of the
///                       kernel (_SYSTEM);
///         -EINVAL       destination or source is not an address, or their families differ
///                       (_ADDRESS);
///         -EINVAL       destination or route is NULL, or size is too small (_ARGUMENT);
///         -ENODEV       the device is gone (_REMOVED);
///         -ETIMEDOUT    Darwin: the kernel did not answer within a second, because other messages filled
///                       the socket (_SYSTEM);
///         -EOPNOTSUPP   Darwin: source or mark is given (_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_find_route(
    dev: *const Device,
    destination: *const c_char,
    source: *const c_char,
    mark: u32,
    route: *mut CRoute,
    size: usize,
    err: *mut CError,
) -> c_int {
    call(err, || {
        let out = sized_out(route, size, "route")?;
        let destination = c_str(destination, "the destination")?;
        let lookup = Lookup::parse(destination, optional_text(source, "the source")?, mark)?;
        out.fill(Device::find_route(dev.as_ref(), &lookup))
    })
}
