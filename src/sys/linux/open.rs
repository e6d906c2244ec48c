// SPDX-License-Identifier: MIT
//! How a queue comes to be: with a node of its own, or with one that was opened elsewhere.

use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Mutex;

use super::control::{self, Control};
use super::netlink::Socket;
use super::node::{Granted, Node, USUAL_NODE};
use super::refusal::{explain_join, refusal};
use super::{Queue, link, offload};
use crate::error::{Errno, Error, Reason, Result};
use crate::flags::{Flags, Kind, Mode};
use crate::name::NameRequest;
use crate::offload::Offload;
use crate::packet::PI_HEADER;
use crate::sys::Backend;
use crate::sys::wait::Waker;

/// The MTU of a TUN goes to 65,535, and that of a TAP to 14 less, for the Ethernet header.
const LARGEST_PACKET: usize = 65_535;
/// An inner and an outer VLAN tag come on top of a TAP's MTU.
const VLAN_TAGS: usize = 8;
impl Queue {
    /// Joins the device of this name through a node of its own, in the calling thread's network namespace; with an
    /// index, that one and no other. TUNSETIFF makes a device where there is none.
    pub(super) fn join(path: &Path, name: &NameRequest, flags: &Flags, only: Option<u32>) -> Result<Self> {
        let node = Node::open(path)?;
        let mut netlink = control::prepare()?;
        let waker = Waker::new()?;
        let only = match only {
            None if flags.existing => Some(present_index(&mut netlink, name)?),
            only => only,
        };
        let mode = flags.mode;
        node.join(name.as_bytes(), mode, flags.exclusive)
            .map_err(|errno| explain_join(&mut netlink, name, flags, errno))?;
        let granted = node.granted().map_err(|errno| refusal(errno, None, &format!("open {name}")))?;
        let control = Control::find(netlink, &node)?;
        if only.is_some_and(|only| only != control.index()) {
            return Err(refusal(Errno::ENODEV, None, &format!("open {name}")));
        }
        let (path, read_size) = (path.to_owned(), read_size(mode));
        let queue = Self { node, path, control: Mutex::new(control), waker, mode, read_size };
        queue.check(&granted)?;
        Ok(queue)
    }

    /// Takes over a descriptor, or with `borrow` a copy of it. One that cannot be a queue stays the caller's.
    pub(super) fn take_over(fd: RawFd, borrow: bool) -> Result<Self> {
        let node = Node::from_fd(fd, borrow)?;
        match Self::adopt(&node) {
            Ok((control, waker, mode)) => {
                let (path, read_size) = (USUAL_NODE.into(), read_size(mode));
                Ok(Self { node, path, control: Mutex::new(control), waker, mode, read_size })
            }
            Err(error) => {
                if !borrow {
                    node.release();
                }
                Err(error)
            }
        }
    }

    /// A queue that joins a living device gets the modes of that, whatever it asked for.
    fn check(&self, granted: &Granted) -> Result<()> {
        let link = self.link()?;
        match self.mode.difference(granted.mode(link.needs_tuntap()?.mode.pi)) {
            None => Ok(()),
            Some(difference) => Err(Error::new(
                Errno::EINVAL,
                Reason::Mismatch,
                format!("open {}: the device exists and {difference}", link.name),
            )),
        }
    }

    /// What a node that was opened elsewhere needs to become a queue.
    fn adopt(node: &Node) -> Result<(Control, Waker, Mode)> {
        let action = "take over a descriptor";
        let failed = |errno| refusal(node.settle(errno), None, action);
        let waker = Waker::new()?;
        let granted = node.granted().map_err(failed)?;
        let mut control = Control::adopt(Socket::open()?);
        let known = control.link(node).ok().and_then(|link| link.tuntap);
        let pi = known.map_or_else(|| node.has_pi().map_err(failed), |tuntap| Ok(tuntap.mode.pi))?;
        let mode = granted.mode(pi);
        if mode.offload {
            check_frame(node, action)?;
        }
        if mode.offload && mode.pi {
            let text = format!("{action}: {} has packet information before the offload header", granted.name);
            return Err(Error::new(Errno::EINVAL, Reason::Mismatch, text));
        }
        node.keep().map_err(failed)?;
        Ok((control, waker, mode))
    }

    /// Turns on all offloads that the kernel has. A persistent device keeps what others asked for: it is taken over,
    /// or turned off where this handle could not read it.
    pub(super) fn begin_offload(&self) -> Result<()> {
        let failed = |errno| self.refused("turn on the offloads of", errno);
        if !self.mode.offload {
            let kept = self.node.granted().map_err(failed)?.persist;
            return if kept { self.node.set_offload(0).map_err(failed) } else { Ok(()) };
        }
        if !self.mode.multi_queue {
            self.node.set_frame_size(Offload::SIZE).map_err(failed)?;
        }
        check_frame(&self.node, "open")?;
        let mut granted = Err(Errno::EINVAL);
        for best in offload::BEST {
            granted = self.node.set_offload(offload::features(best));
            if granted != Err(Errno::EINVAL) {
                break;
            }
        }
        granted.map_err(failed)
    }
}

/// The offload header is as this library knows it.
fn check_frame(node: &Node, action: &str) -> Result<()> {
    match node.frame_size() {
        Ok(Offload::SIZE) => Ok(()),
        Ok(size) => {
            let text = format!("{action}: the offload header has {size} bytes, not {}", Offload::SIZE);
            Err(Error::new(Errno::EINVAL, Reason::Mismatch, text))
        }
        Err(errno) => Err(refusal(node.settle(errno), None, action)),
    }
}

/// The index of a device that is there.
fn present_index(netlink: &mut Socket, name: &NameRequest) -> Result<u32> {
    let NameRequest::Exact(exact) = name else {
        let text = "TUNTAP_EXISTING needs the name of a device";
        return Err(Error::new(Errno::EINVAL, Reason::Name, text));
    };
    match link::by_name(netlink, exact) {
        Err(error) if error.reason() == Reason::Removed => {
            let text = format!("open {name}: there is no such device");
            Err(Error::new(Errno::ENODEV, Reason::Absent, text))
        }
        found => found.map(|link| link.index),
    }
}

fn read_size(mode: Mode) -> usize {
    let pi = if mode.pi { PI_HEADER } else { 0 };
    let tags = match mode.kind {
        Kind::Tun => 0,
        Kind::Tap => VLAN_TAGS,
    };
    LARGEST_PACKET.saturating_add(tags).saturating_add(pi)
}
