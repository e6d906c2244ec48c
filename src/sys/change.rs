// SPDX-License-Identifier: MIT
//! Changes of an interface.

use std::fmt;

use super::Namespace;
use crate::model::link::{Alias, Mac};
use crate::model::name::Name;
use crate::model::text::{Text, text};

/// A change of one property of an interface.
#[allow(dead_code, reason = "a system without a backend does not use it")]
pub(crate) enum Change<'a> {
    Up(bool),
    Mtu(u32),
    Mac(Mac),
    Name(Name),
    Alias(&'a Alias),
    TxQueueLength(u32),
    /// The index and the name of an interface.
    Master(Option<(u32, Name)>),
    Namespace(&'a Namespace),
}

#[allow(dead_code, reason = "as above")]
impl Change<'_> {
    /// The action in a message.
    pub(crate) fn of(&self, device: impl fmt::Display) -> Text {
        match self {
            Self::Up(true) => text!("bring {device} up"),
            Self::Up(false) => text!("take {device} down"),
            Self::Mtu(mtu) => text!("set the MTU of {device} to {mtu}"),
            Self::Mac(mac) => text!("set the MAC address of {device} to {mac}"),
            // The device can already have the name, if only the answer was lost.
            Self::Name(name) if text!("{device}") == text!("{name}") => text!("rename the device to {name}"),
            Self::Name(name) => text!("rename {device} to {name}"),
            Self::Alias(_) => text!("set the alias of {device}"),
            Self::TxQueueLength(packets) => text!("set the transmit queue length of {device} to {packets}"),
            Self::Master(None) => text!("remove {device} from its master"),
            Self::Master(Some((_, name))) => text!("add {device} to {name}"),
            Self::Namespace(_) => text!("move {device} to another network namespace"),
        }
    }
}
