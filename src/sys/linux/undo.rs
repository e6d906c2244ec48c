// SPDX-License-Identifier: MIT
//! Restores an existing device if a step after its open fails.

use std::mem;
use std::path::Path;

use super::netlink::Socket;
use super::node::Node;
use super::vnet_hdr::Settings;
use super::{Queue, link};
use crate::model::error::Result;
use crate::model::flags::Mode;
use crate::model::link::Link;
use crate::model::name::Name;
use crate::sys::{Backend, Location};

/// The state of an existing device before the open.
#[derive(Clone, Copy)]
pub(super) struct Former {
    index: u32,
    mode: Mode,
    vnet: Option<Settings>,
    offloads: Option<u64>,
}

impl Former {
    /// None if it is not a TUN or TAP.
    pub(super) fn of(link: &Link) -> Option<Self> {
        Some(Self { index: link.index, mode: link.tuntap?.mode, vnet: None, offloads: None })
    }

    /// Restores the modes. TUNSETIFF changes the modes of a device that no process has open to those of the request:
    /// another TUNSETIFF restores them.
    pub(super) fn restore_mode(&self, path: &Path, name: &Name) -> Result<()> {
        let link = link::by_name(&mut Socket::open()?, name)?;
        let changed = link.tuntap.is_some_and(|tuntap| tuntap.mode != self.mode);
        if link.index == self.index && changed {
            let _ = Node::open(path)?.join(name.as_bytes(), self.mode, false);
        }
        Ok(())
    }
}

impl Queue {
    /// Records the settings that the open will change through this queue, if it is the same device as before.
    pub(super) fn remember(&mut self, former: Option<Former>) {
        let index = self.control().index();
        self.former = former.filter(|former| former.index == index).map(|former| Former {
            vnet: self.node.vnet_settings().ok(),
            offloads: self.offloads().ok(),
            ..former
        });
    }

    /// Restores the settings that the open changed through this queue.
    pub(super) fn restore_offload(&self) {
        let Some(former) = self.former else { return };
        if let Some(vnet) = former.vnet {
            self.node.restore_vnet(vnet);
        }
        if let Some(offloads) = former.offloads.filter(|offloads| self.offloads() != Ok(*offloads)) {
            let _ = self.node.set_offload(offloads);
        }
    }

    /// Closes the queue, and restores everything that the open changed.
    pub(super) fn close_and_restore(mut self, location: &Location<'_>) {
        self.restore_offload();
        let (former, name, path) = (self.former, self.name(), mem::take(&mut self.path));
        drop(self);
        if let (Some(former), Ok(name)) = (former, name) {
            let _ = super::inside(location, || former.restore_mode(&path, &name));
        }
    }
}
