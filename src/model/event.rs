// SPDX-License-Identifier: MIT
//! The notices of the system about interfaces, and the events that a monitor reports.

use std::net::IpAddr;

use crate::model::address::Assigned;
use crate::model::link::Link;
use crate::model::prefix::Prefix;
use crate::model::route::Installed;
use crate::model::table::enumeration;

/// A notice of the system.
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) enum Notice {
    /// An interface is in this state.
    Link(Link),
    /// The interface of this index is gone.
    LinkGone(u32),
    /// The interface of this index is in another network namespace now.
    LinkMoved(u32),
    /// The interface of this index has an address.
    Address(u32, Assigned),
    /// The interface of this index no longer has the address.
    AddressGone(u32, Assigned),
    /// There is a route through the interface of this index. Its details distinguish it from all others.
    Route(u32, Installed),
    /// The route through the interface of this index is gone.
    RouteGone(u32, Installed),
    /// A route through any interface took this place: the previous routes there may be gone.
    RouteReplaced(Place),
    /// Routes may be gone without a notice.
    RoutesDoubtful,
    /// A list of all routes begins.
    RoutesBegin,
    /// The list ends: routes that it does not contain are gone.
    RoutesEnd,
    /// Notices were lost. The present state follows again.
    Overrun,
    /// The present state is complete.
    Complete,
}

/// Only one route can have these values, except for appended routes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) struct Place {
    pub(crate) network: IpAddr,
    pub(crate) prefix: Prefix,
    pub(crate) metric: u32,
    pub(crate) table: u32,
}

impl Place {
    /// The place of a route.
    pub(crate) fn of(Installed { route, .. }: &Installed) -> Self {
        Self {
            network: route.network(),
            prefix: route.prefix(),
            metric: route.details.metric,
            table: route.details.table,
        }
    }
}

enumeration! {
    /// The kind of an event. The numbers are the `TUNTAP_EVENT_*` of the ABI.
    pub enum Kind {
        /// A device is present: a new one, or one that existed when the monitor was opened or after
        /// an overrun.
        Device = 1, "TUNTAP_EVENT_DEVICE", c"device present";
        /// The device went up.
        Up = 2, "TUNTAP_EVENT_UP", c"device up";
        /// The device went down. Its routes are removed.
        Down = 3, "TUNTAP_EVENT_DOWN", c"device down";
        /// The device has a carrier now.
        CarrierOn = 4, "TUNTAP_EVENT_CARRIER_ON", c"carrier on";
        /// The device lost its carrier.
        CarrierOff = 5, "TUNTAP_EVENT_CARRIER_OFF", c"carrier off";
        /// The MTU of the device changed.
        Mtu = 6, "TUNTAP_EVENT_MTU", c"MTU changed";
        /// The MAC address of the device changed.
        Mac = 7, "TUNTAP_EVENT_MAC", c"MAC address changed";
        /// The name of the device changed.
        Name = 8, "TUNTAP_EVENT_NAME", c"device renamed";
        /// An address was added. Linux reports an IPv6 address when it becomes usable, shortly after
        /// it was added.
        AddrAdded = 9, "TUNTAP_EVENT_ADDR_ADDED", c"address added";
        /// An address was removed.
        AddrRemoved = 10, "TUNTAP_EVENT_ADDR_REMOVED", c"address removed";
        /// The device is gone, with its remaining addresses and routes: no events for them follow.
        /// TUNTAP_EVENT_DOWN, TUNTAP_EVENT_ADDR_REMOVED and TUNTAP_EVENT_ROUTE_REMOVED can come
        /// before it, because the kernel takes a device down first.
        Removed = 11, "TUNTAP_EVENT_REMOVED", c"device removed";
        /// Events were lost, because the buffer of the kernel was full or there was no memory.
        /// Discard the known state: the present state follows, as after the monitor was opened. A
        /// device that is not reported again before TUNTAP_EVENT_COMPLETE is gone, without a
        /// TUNTAP_EVENT_REMOVED. Only a monitor of one device reports TUNTAP_EVENT_REMOVED for it,
        /// directly after TUNTAP_EVENT_COMPLETE.
        Overrun = 12, "TUNTAP_EVENT_OVERRUN", c"events lost";
        /// The present state has been reported: all devices, their addresses and, with
        /// TUNTAP_MONITOR_ROUTES, their routes. Later events are changes.
        Complete = 13, "TUNTAP_EVENT_COMPLETE", c"present state complete";
        /// A route through the device was added. Only with TUNTAP_MONITOR_ROUTES.
        RouteAdded = 14, "TUNTAP_EVENT_ROUTE_ADDED", c"route added";
        /// A route through the device was removed or replaced. Only with TUNTAP_MONITOR_ROUTES.
        RouteRemoved = 15, "TUNTAP_EVENT_ROUTE_REMOVED", c"route removed";
        /// The device was moved to another network namespace. The monitor does not watch it any more;
        /// otherwise as TUNTAP_EVENT_REMOVED. If the kernel does not report where a device went, the
        /// event is TUNTAP_EVENT_REMOVED.
        Moved = 16, "TUNTAP_EVENT_MOVED", c"device moved to another network namespace";
    }
}

/// An event, with the state of the device after it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The kind of event.
    pub kind: Kind,
    /// The device. None for [`Kind::Overrun`] and [`Kind::Complete`].
    pub link: Option<Link>,
    /// The address that was added or removed.
    pub address: Option<Assigned>,
    /// The route that was added or removed.
    pub route: Option<Installed>,
}

impl Event {
    /// An event without a device.
    pub(crate) fn bare(kind: Kind) -> Self {
        Self { kind, link: None, address: None, route: None }
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
    fn every_kind_has_the_number_of_its_place() {
        for (number, constant) in (1..).zip(Kind::TABLE.constants) {
            assert_eq!(constant.number, number);
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(17), None);
    }
}
