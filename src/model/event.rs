// SPDX-License-Identifier: MIT
//! What the system announces of interfaces, and what a monitor reports of it.

use std::net::IpAddr;

use crate::model::address::Assigned;
use crate::model::link::Link;
use crate::model::prefix::Prefix;
use crate::model::route::Installed;
use crate::model::table::enumeration;

/// What the system announces.
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
    /// And has it no more.
    AddressGone(u32, Assigned),
    /// A route leads through the interface of this index. Its detail tells it from all others.
    Route(u32, Installed),
    /// And does no more.
    RouteGone(u32, Installed),
    /// A route took this place, through whichever interface: those that had it may be gone.
    RouteReplaced(Place),
    /// Routes may have gone that nothing was said of.
    RoutesDoubtful,
    /// A list of all routes begins.
    RoutesBegin,
    /// It ends: what it did not have is gone.
    RoutesEnd,
    /// Something was lost, and what is present comes again.
    Overrun,
    /// That was all that is present.
    Complete,
}

/// What several routes cannot have in common, but for those that were appended.
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
    /// What happened. The numbers are the ABI's `TUNTAP_EVENT_*`.
    pub enum Kind {
        /// There is a device: one that was there when the monitor began or after an overrun, or a
        /// new one.
        Device = 1, "TUNTAP_EVENT_DEVICE", c"device present";
        /// The device went up.
        Up = 2, "TUNTAP_EVENT_UP", c"device up";
        /// The device went down. Its routes go with that.
        Down = 3, "TUNTAP_EVENT_DOWN", c"device down";
        /// The device got a carrier.
        CarrierOn = 4, "TUNTAP_EVENT_CARRIER_ON", c"carrier on";
        /// The device lost its carrier.
        CarrierOff = 5, "TUNTAP_EVENT_CARRIER_OFF", c"carrier off";
        /// The device has another MTU.
        Mtu = 6, "TUNTAP_EVENT_MTU", c"MTU changed";
        /// The device has another MAC address.
        Mac = 7, "TUNTAP_EVENT_MAC", c"MAC address changed";
        /// The device has another name.
        Name = 8, "TUNTAP_EVENT_NAME", c"device renamed";
        /// An address was added. Linux announces an IPv6 address once it may be used, which is a
        /// moment after it was added.
        AddrAdded = 9, "TUNTAP_EVENT_ADDR_ADDED", c"address added";
        /// An address was removed.
        AddrRemoved = 10, "TUNTAP_EVENT_ADDR_REMOVED", c"address removed";
        /// The device is gone, with the addresses and routes that it still had: no event of them
        /// follows. TUNTAP_EVENT_DOWN, TUNTAP_EVENT_ADDR_REMOVED and TUNTAP_EVENT_ROUTE_REMOVED may
        /// come before it, as the kernel takes a device down first.
        Removed = 11, "TUNTAP_EVENT_REMOVED", c"device removed";
        /// Events are missing here: the kernel had more of them than it kept for the reader, or there
        /// was no memory. Forget everything known: what is present follows, as at the beginning. A
        /// device that is not reported again before TUNTAP_EVENT_COMPLETE is gone, and no
        /// TUNTAP_EVENT_REMOVED comes for it; only of the one device of a monitor it does, right
        /// behind TUNTAP_EVENT_COMPLETE.
        Overrun = 12, "TUNTAP_EVENT_OVERRUN", c"events lost";
        /// What is present has been reported: each device, each address of it and, with
        /// TUNTAP_MONITOR_ROUTES, each route. What comes now is new.
        Complete = 13, "TUNTAP_EVENT_COMPLETE", c"present state complete";
        /// A route through the device was added. Only with TUNTAP_MONITOR_ROUTES.
        RouteAdded = 14, "TUNTAP_EVENT_ROUTE_ADDED", c"route added";
        /// A route through the device was removed, or another one took its place. Only with
        /// TUNTAP_MONITOR_ROUTES.
        RouteRemoved = 15, "TUNTAP_EVENT_ROUTE_REMOVED", c"route removed";
        /// The device was moved to another network namespace. It is not watched any more, and
        /// otherwise this is as TUNTAP_EVENT_REMOVED. A kernel that does not say where a device went
        /// makes it TUNTAP_EVENT_REMOVED.
        Moved = 16, "TUNTAP_EVENT_MOVED", c"device moved to another network namespace";
    }
}

/// One thing that happened, with the state of the device after it.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it is.
    pub kind: Kind,
    /// The device; none for [`Kind::Overrun`] and [`Kind::Complete`].
    pub link: Option<Link>,
    /// The address that was added or removed.
    pub address: Option<Assigned>,
    /// The route that was added or removed.
    pub route: Option<Installed>,
}

impl Event {
    /// About no device.
    pub(crate) fn bare(kind: Kind) -> Self {
        Self { kind, link: None, address: None, route: None }
    }

    /// About this device.
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
