// SPDX-License-Identifier: MIT
//! What Darwin, and a device, can do of what this library offers.

use super::Queue;
use crate::model::error::Result;
use crate::model::feature::Feature;
use crate::model::flags::Kind;
use crate::sys::Backend;

/// Whether the library has it on Darwin.
pub(super) fn has(feature: Feature) -> bool {
    match feature {
        Feature::Tun
        | Feature::Tap
        | Feature::Pi
        | Feature::Ipv4
        | Feature::Ipv6
        | Feature::Route
        | Feature::Wake
        | Feature::Monitor => true,
        Feature::MultiQueue
        | Feature::Persist
        | Feature::Owner
        | Feature::Rename
        | Feature::Carrier
        | Feature::Namespace
        | Feature::Steering
        | Feature::Napi
        | Feature::Offload
        | Feature::Uso
        | Feature::Follow => false,
    }
}

impl Queue {
    /// Whether it is so of this device.
    pub(super) fn has_capability(&self, feature: Feature) -> Result<bool> {
        self.present()?;
        Ok(match feature {
            Feature::Tun => self.kind() == Kind::Tun,
            Feature::Tap => self.kind() == Kind::Tap,
            Feature::Pi => self.mode().pi,
            _ => has(feature),
        })
    }
}
