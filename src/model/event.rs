// SPDX-License-Identifier: MIT
//! The notifications of the system about interfaces, and the events that a monitor reports.

use std::net::IpAddr;

use crate::model::assigned::Assigned;
use crate::model::link::Link;
use crate::model::prefix::{Family, Prefix};
use crate::model::route::Installed;
use crate::model::table::enumeration;

/// A notification of the system.
#[allow(dead_code, reason = "a system without a backend does not use it")]
pub(crate) enum Notice {
    /// An interface is in this state.
    Link(Link),
    /// The interface of this index is gone.
    LinkGone(u32),
    /// The interface of this index is in another network namespace now.
    LinkMoved(u32),
    /// The interface of this index has an address.
    Address(u32, Assigned),
    /// The interface of this index does not have this address any more.
    AddressGone(u32, Assigned),
    /// A route leads through the interface of this index, or [`NOWHERE`]. The bytes identify it.
    Route(u32, Installed, Vec<u8>),
    /// The same, in a list: of the routes with one key, the system prefers the first.
    RouteListed(u32, Installed, Vec<u8>),
    /// The route is gone.
    RouteGone(u32, Installed, Vec<u8>),
    /// A route through any interface has this key now. Routes that had it before may be gone, or have another order.
    RouteReplaced(RouteKey),
    /// The route of this key has several next hops, one of them through the interface of this index.
    Multipath(u32, RouteKey),
    /// A route of this key is gone, or a next hop of one: with only one left it is a [`Notice::Route`].
    NextHopGone(RouteKey),
    /// Routes may be gone without a notification.
    RoutesUncertain,
    /// A list of all routes begins.
    RoutesBegin,
    /// The list of all routes ends. Routes that it did not contain are gone.
    RoutesEnd,
    /// Notifications were lost. The current state follows.
    Overrun,
    /// The current state is complete.
    Complete,
}

/// Stands for the index of an interface if a route discards packets.
pub(crate) const NOWHERE: u32 = 0;

/// The key of a route. Only appended routes share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "a system without a backend does not use it")]
pub(crate) struct RouteKey {
    pub(crate) network: IpAddr,
    pub(crate) prefix: Prefix,
    pub(crate) metric: u32,
    pub(crate) table: u32,
}

impl RouteKey {
    /// The key of a route.
    pub(crate) fn of(Installed { route, .. }: &Installed) -> Self {
        Self {
            network: route.network(),
            prefix: route.prefix(),
            metric: route.details.metric,
            table: route.details.table,
        }
    }

    /// Whether it is the key of default routes, in the table that the system uses for that.
    pub(crate) fn is_default(&self, main_table: u32) -> bool {
        self.prefix == Prefix::ALL && self.table == main_table
    }
}

enumeration! {
    /// The kind of an event. The numbers are the ABI's `TUNTAP_EVENT_*`.
    pub enum Kind {
        /// A device exists: it was created or moved here, or it existed when the monitor was opened or
        /// after an overrun.
        Device = 1, "TUNTAP_EVENT_DEVICE", c"device present";
        /// The device went up.
        Up = 2, "TUNTAP_EVENT_UP", c"device up";
        /// The device went down. Its routes are removed with that, and on Linux its IPv6 addresses.
        Down = 3, "TUNTAP_EVENT_DOWN", c"device down";
        /// The device has a carrier now.
        CarrierOn = 4, "TUNTAP_EVENT_CARRIER_ON", c"carrier on";
        /// The device lost its carrier.
        CarrierOff = 5, "TUNTAP_EVENT_CARRIER_OFF", c"carrier off";
        /// The MTU of the device changed.
        Mtu = 6, "TUNTAP_EVENT_MTU", c"MTU changed";
        /// The MAC address of the device changed.
        Mac = 7, "TUNTAP_EVENT_MAC", c"MAC address changed";
        /// The device was renamed.
        Name = 8, "TUNTAP_EVENT_NAME", c"device renamed";
        /// An address was added. Linux announces an IPv6 address a moment after it was added. It can
        /// still have TUNTAP_ADDR_TENTATIVE, and no event reports the end of duplicate address
        /// detection: use tuntap_list_addrs.
        AddrAdded = 9, "TUNTAP_EVENT_ADDR_ADDED", c"address added";
        /// An address was removed.
        AddrRemoved = 10, "TUNTAP_EVENT_ADDR_REMOVED", c"address removed";
        /// The device is gone, with its remaining addresses and routes, for which no events follow.
        /// TUNTAP_EVENT_DOWN, TUNTAP_EVENT_ADDR_REMOVED and TUNTAP_EVENT_ROUTE_REMOVED may precede
        /// it, because the kernel takes a device down first.
        Removed = 11, "TUNTAP_EVENT_REMOVED", c"device removed";
        /// Events were lost: the kernel's buffer for the monitor was full, or memory was missing.
        /// Discard the known state: the current state follows, as after tuntap_monitor_open. A device
        /// that is not reported again before TUNTAP_EVENT_COMPLETE is gone, without a
        /// TUNTAP_EVENT_REMOVED. Only a monitor of one device reports TUNTAP_EVENT_REMOVED then,
        /// directly after TUNTAP_EVENT_COMPLETE.
        Overrun = 12, "TUNTAP_EVENT_OVERRUN", c"events lost";
        /// The current state is complete: each device, each of its addresses and, with
        /// TUNTAP_MONITOR_ROUTES, each of its routes has been reported. Later events are changes.
        Complete = 13, "TUNTAP_EVENT_COMPLETE", c"current state complete";
        /// A route through the device was added. Only with TUNTAP_MONITOR_ROUTES.
        RouteAdded = 14, "TUNTAP_EVENT_ROUTE_ADDED", c"route added";
        /// A route through the device was removed or replaced. Only with TUNTAP_MONITOR_ROUTES. For a
        /// replaced route this event follows the TUNTAP_EVENT_ROUTE_ADDED of the new one.
        RouteRemoved = 15, "TUNTAP_EVENT_ROUTE_REMOVED", c"route removed";
        /// The device was moved to another network namespace, and the monitor does not follow it.
        /// Otherwise as TUNTAP_EVENT_REMOVED, which replaces it on a kernel that does not report
        /// where the device went.
        Moved = 16, "TUNTAP_EVENT_MOVED", c"device moved to another network namespace";
        /// The default route of the system changed, or the name, the MTU or the carrier of its interface.
        /// If destination is empty, the family has no default route. Only with
        /// TUNTAP_MONITOR_DEFAULT_ROUTE. The event has the route, and the state of its interface, which
        /// can be of any kind. It is the default route of the main table with the lowest metric, even one
        /// through a TUN; of several with this metric, the one that the system prefers while all their
        /// gateways can be reached. If it discards packets, there is none. Routes of
        /// tuntap_add_default_route, routes with several next hops, routes for a type of service or a
        /// source network, and more specific routes are not taken into account: call tuntap_find_route
        /// for a destination. Before TUNTAP_EVENT_COMPLETE there is one event for each family that has a
        /// default route.
        DefaultRoute = 17, "TUNTAP_EVENT_DEFAULT_ROUTE", c"default route changed";
    }
}

/// An event, with the state of the device after it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The kind of the event.
    pub kind: Kind,
    /// The device. None for [`Kind::Overrun`] and [`Kind::Complete`].
    pub link: Option<Link>,
    /// The address that was added or removed.
    pub address: Option<Assigned>,
    /// The route that was added or removed, or the default route.
    pub route: Option<Installed>,
    /// The family of the default route, which can be absent.
    pub family: Option<Family>,
}

impl Event {
    /// An event without a device.
    pub(crate) fn bare(kind: Kind) -> Self {
        Self { kind, link: None, address: None, route: None, family: None }
    }

    /// An event of this device.
    pub(crate) fn of(kind: Kind, link: Link) -> Self {
        Self { link: Some(link), ..Self::bare(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_numbers_are_consecutive() {
        for (number, constant) in (1..).zip(Kind::TABLE.constants) {
            assert_eq!(constant.number, number);
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(18), None);
    }
}
