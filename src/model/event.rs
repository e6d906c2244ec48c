// SPDX-License-Identifier: MIT
//! What the system announces of interfaces, and what a watch tells of it.

use crate::model::address::Assigned;
use crate::model::link::Link;

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

/// What happened. The numbers are the ABI's `TUNTAP_EVENT_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "src/capi/monitor.rs is the reference")]
pub enum Kind {
    Device = 1,
    Up = 2,
    Down = 3,
    CarrierOn = 4,
    CarrierOff = 5,
    Mtu = 6,
    Mac = 7,
    Name = 8,
    AddrAdded = 9,
    AddrRemoved = 10,
    Removed = 11,
    Overrun = 12,
    Complete = 13,
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
