// SPDX-License-Identifier: MIT
//! The features that the library supports on Darwin, and those of a device.

use super::Queue;
use crate::model::error::Result;
use crate::model::feature::Feature;
use crate::model::flags::Kind;
use crate::sys::Backend;

/// Whether the library supports the feature on Darwin.
pub(super) fn has(feature: Feature) -> bool {
    match feature {
        Feature::Tun
        | Feature::Tap
        | Feature::Pi
        | Feature::Ipv4
        | Feature::Ipv6
        | Feature::Route
        | Feature::FindRoute
        | Feature::DefaultRoute
        | Feature::Bypass
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
        | Feature::TunnelGso
        | Feature::Master
        | Feature::Ipv6Settings
        | Feature::Follow => false,
    }
}

impl Queue {
    /// Whether this device has the feature.
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
