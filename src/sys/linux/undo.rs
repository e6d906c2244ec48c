// SPDX-License-Identifier: MIT
//! What opening a device that exists changes of it, and how that is given back when a later step fails.

use std::path::Path;

use super::netlink::Socket;
use super::node::Node;
use super::vnet_hdr::Settings;
use super::{Queue, link};
use crate::model::error::Result;
use crate::model::flags::Mode;
use crate::model::link::Link;
use crate::model::name::Name;
use crate::sys::{Backend, Place};

/// What such a device had before.
#[derive(Clone, Copy)]
pub(super) struct Former {
    index: u32,
    mode: Mode,
    vnet: Option<Settings>,
    offloads: Option<u64>,
}

impl Former {
    /// None when it is no TUN or TAP, which cannot be opened.
    pub(super) fn of(link: &Link) -> Option<Self> {
        Some(Self { index: link.index, mode: link.tuntap?.mode, vnet: None, offloads: None })
    }

    /// TUNSETIFF gives a device that nobody has open the modes that it asks for: another one gives them back, where they
    /// are still others.
    pub(super) fn give_back_mode(&self, path: &Path, name: &Name) -> Result<()> {
        let link = link::by_name(&mut Socket::open()?, name)?;
        let changed = link.tuntap.is_some_and(|tuntap| tuntap.mode != self.mode);
        if link.index == self.index && changed {
            let _ = Node::open(path)?.join(name.as_bytes(), self.mode, false);
        }
        Ok(())
    }
}

impl Queue {
    /// Remembers what opening the device changes through this queue, if this is the device that was there before.
    pub(super) fn remember(&mut self, former: Option<Former>) {
        let index = self.control().index();
        self.former = former.filter(|former| former.index == index).map(|former| Former {
            vnet: self.node.vnet_settings().ok(),
            offloads: self.offloads().ok(),
            ..former
        });
    }

    /// Gives back what opening the device changed through this queue.
    pub(super) fn give_back_offload(&self) {
        let Some(former) = self.former else { return };
        if let Some(vnet) = former.vnet {
            self.node.restore_vnet(vnet);
        }
        if let Some(offloads) = former.offloads.filter(|offloads| self.offloads() != Ok(*offloads)) {
            let _ = self.node.set_offload(offloads);
        }
    }

    /// Closes the queue, and gives back all that opening the device changed.
    pub(super) fn give_back(self, place: &Place<'_>) {
        self.give_back_offload();
        let (former, name) = (self.former, self.name());
        let Self { path, node, control, waker, .. } = self;
        drop((node, control, waker));
        if let (Some(former), Ok(name)) = (former, name) {
            let _ = super::inside(place, || former.give_back_mode(&path, &name));
        }
    }
}
