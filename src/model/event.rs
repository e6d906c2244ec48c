// SPDX-License-Identifier: MIT
//! What the system announces of interfaces, and what a watch tells of it.

use crate::model::address::Assigned;
use crate::model::link::Link;
use crate::model::table::enumeration;

/// What the system announces.
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) enum Notice {
    /// An interface is in this state.
    Link(Link),
    /// The interface of this index is gone.
    LinkGone(u32),
    /// The interface of this index has an address.
    Address(u32, Assigned),
    /// And has it no more.
    AddressGone(u32, Assigned),
    /// Something was lost, and what is present comes anew.
    Overrun,
    /// That was all that is present.
    Complete,
}

enumeration! {
    /// What happened. The numbers are the ABI's `TUNTAP_EVENT_*`.
    pub enum Kind {
        /// There is a device: one that was there when the monitor began or after an overrun, or a
        /// new one.
        Device = 1, "TUNTAP_EVENT_DEVICE";
        /// The device went up.
        Up = 2, "TUNTAP_EVENT_UP";
        /// The device went down.
        Down = 3, "TUNTAP_EVENT_DOWN";
        /// The device got a carrier.
        CarrierOn = 4, "TUNTAP_EVENT_CARRIER_ON";
        /// The device lost its carrier.
        CarrierOff = 5, "TUNTAP_EVENT_CARRIER_OFF";
        /// The device has another MTU.
        Mtu = 6, "TUNTAP_EVENT_MTU";
        /// The device has another MAC address.
        Mac = 7, "TUNTAP_EVENT_MAC";
        /// The device has another name.
        Name = 8, "TUNTAP_EVENT_NAME";
        /// The device has an address more. Linux tells of an IPv6 address once it may be used,
        /// which is a moment after it was added.
        AddrAdded = 9, "TUNTAP_EVENT_ADDR_ADDED";
        /// The device has an address less.
        AddrRemoved = 10, "TUNTAP_EVENT_ADDR_REMOVED";
        /// The device is gone, or was moved to another network namespace. Its addresses went with
        /// it.
        Removed = 11, "TUNTAP_EVENT_REMOVED";
        /// The kernel had more to tell than it kept for the reader, or there was no memory for it, so
        /// that events are missing here. Everything known is to be forgotten: what is present
        /// follows, as at the beginning.
        Overrun = 12, "TUNTAP_EVENT_OVERRUN";
        /// What is present has been told: each device, and each address of it. What comes now is
        /// news.
        Complete = 13, "TUNTAP_EVENT_COMPLETE";
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
}
