// SPDX-License-Identifier: MIT
//! The queues of a multi-queue device. Each has a separate handle.

use crate::device::Device;
use crate::model::error::Result;
use crate::model::feature::Feature;
use crate::sys::Backend;

impl Device {
    /// Opens another queue of the same device.
    pub fn open_queue(&self, nonblock: bool) -> Result<Self> {
        self.needs_queues("open another queue of")?;
        Self::of(self.backend.open_queue()?, nonblock)
    }

    /// Attaches this queue again: the kernel sends packets to it.
    pub fn attach(&self) -> Result<()> {
        self.needs_queues("attach a queue of")?;
        let _configuring = self.lock_configuration();
        self.backend.set_attached(true)
    }

    /// Detaches this queue from the device. The handle stays open.
    pub fn detach(&self) -> Result<()> {
        self.needs_queues("detach a queue of")?;
        let _configuring = self.lock_configuration();
        self.backend.set_attached(false)
    }

    fn needs_queues(&self, action: &str) -> Result<()> {
        self.needs_flag(Feature::MultiQueue, self.backend.mode().multi_queue, "TUNTAP_MULTI_QUEUE", action)
    }
}
