// SPDX-License-Identifier: MIT
//! The devices of the system, the features of the kernel, and the release of a descriptor.

use std::os::fd::OwnedFd;

use crate::device::Device;
use crate::model::error::Result;
use crate::model::feature::Feature;
use crate::model::flags;
use crate::model::link::Link;
use crate::model::name::Name;
use crate::sys::{Backend, Queue};

/// The TUN and TAP devices of the calling thread's network namespace.
pub fn list() -> Result<Vec<Link>> {
    Queue::list()
}

/// Deletes a device that is not open, in the calling thread's network namespace.
pub fn delete(name: &Name, bits: u64) -> Result<()> {
    flags::parse_delete(bits)?;
    Queue::delete(name)
}

/// Whether this kernel supports a feature. With a device: whether the feature is available on it.
pub fn probe(device: Option<&Device>, feature: Feature) -> Result<bool> {
    match device {
        _ if !Queue::has(feature) => Ok(false),
        None => Queue::kernel_has(feature),
        Some(device) => device.backend.device_has(feature),
    }
}

impl Device {
    /// Fails if [`Self::release`] is not possible.
    pub fn check_release(&self) -> Result<()> {
        self.backend.check_into_fd()
    }

    /// Closes the device, and returns the descriptor of its queue, which stays open.
    pub fn release(self) -> OwnedFd {
        self.backend.into_fd()
    }
}
