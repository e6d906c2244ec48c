// SPDX-License-Identifier: MIT
//! The devices that there are, whoever made them; what the kernel can do; and a device without its handle.

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

/// Deletes a device that nobody has open, in the calling thread's network namespace.
pub fn delete(name: &Name, bits: u64) -> Result<()> {
    flags::parse_delete(bits)?;
    Queue::delete(name)
}

/// Whether this kernel has a feature and, where one is given, this device.
pub fn probe(device: Option<&Device>, feature: Feature) -> Result<bool> {
    match device {
        _ if !Queue::has(feature) => Ok(false),
        None => Queue::kernel_has(feature),
        Some(device) => device.backend.device_has(feature),
    }
}

impl Device {
    /// Whether [`Self::release`] can give the descriptor of the queue away.
    pub fn check_release(&self) -> Result<()> {
        self.backend.check_into_fd()
    }

    /// Closes the device but for the descriptor of its queue.
    pub fn release(self) -> OwnedFd {
        self.backend.into_fd()
    }
}
