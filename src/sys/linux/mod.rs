// SPDX-License-Identifier: MIT
//! Linux: packets and modes through the device node's descriptor, everything else by rtnetlink.
//!
//! The netlink socket is opened with the device, so that both stay in one network namespace wherever the
//! calling thread goes later. It addresses the interface by its index: a rename does not matter.

mod address;
mod cancel;
mod ids;
mod link;
mod netlink;
mod node;
mod refusal;

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Backend;
use crate::address::Address;
use crate::error::{Errno, Error, Reason, Result};
use crate::feature::Feature;
use crate::flags::{Flags, Kind, Mode};
use crate::link::{Link, Mac};
use crate::name::NameRequest;
pub(crate) use cancel::Uncancelled;
use node::{Node, USUAL_NODE};
use refusal::{explain_join, refusal};

/// The MTU of a TUN goes to 65,535, and that of a TAP to 14 less, for the Ethernet header.
const LARGEST_PACKET: usize = 65_535;
/// An inner and an outer VLAN tag come on top of a TAP's MTU.
const VLAN_TAGS: usize = 8;
const PI_HEADER: usize = 4;

/// A queue of a TUN or TAP device.
pub(crate) struct Queue {
    node: Node,
    path: PathBuf,
    netlink: netlink::Socket,
    namespace: Option<Namespace>,
    index: u32,
    mode: Mode,
    read_size: usize,
}

impl Queue {
    /// Joins the device of this name through a node of its own.
    fn join(path: &Path, name: &NameRequest, flags: &Flags) -> Result<Self> {
        let node = Node::open(path, flags.nonblock)?;
        let netlink = netlink::Socket::open()?;
        let mode = flags.mode;
        node.join(name.as_bytes(), mode, flags.exclusive)
            .map_err(|errno| explain_join(&netlink, name, flags, errno))?;
        let granted = node.granted().map_err(|errno| refusal(errno, None, &format!("open {name}")))?;
        let index = link::by_name(&netlink, &granted.name)?.index;
        let (path, namespace, read_size) = (path.to_owned(), own_namespace(), read_size(mode));
        let queue = Self { node, path, netlink, namespace, index, mode, read_size };
        // A queue that joins a living device gets the modes of that, whatever it asked for.
        let link = queue.link()?;
        match mode.difference(link.needs_tuntap()?.mode) {
            None => Ok(queue),
            Some(difference) => Err(Error::new(
                Errno::EINVAL,
                Reason::Mismatch,
                format!("open {}: the device exists and {difference}", link.name),
            )),
        }
    }

    /// EIO is a device that is down, EBADFD one that is gone; EFAULT is what a reader gets that waited when it
    /// went, and one whose buffer is none of the process's memory.
    fn settle(&self, errno: Errno) -> Errno {
        match errno {
            Errno::EIO => Errno::ENETDOWN,
            Errno::EBADFD => Errno::ENODEV,
            Errno::EFAULT if self.node.granted().err() == Some(Errno::EBADFD) => Errno::ENODEV,
            _ => errno,
        }
    }

    /// The kernel's no to a change of this device.
    fn refused(&self, action: &str, errno: Errno) -> Error {
        refusal(self.settle(errno), None, &format!("{action} {}", self.label()))
    }
}

/// A network namespace: the device and the inode of its file. None where /proc is missing.
type Namespace = (u64, u64);

fn own_namespace() -> Option<Namespace> {
    let file = fs::metadata("/proc/thread-self/ns/net").ok()?;
    Some((file.dev(), file.ino()))
}

fn read_size(mode: Mode) -> usize {
    let pi = if mode.pi { PI_HEADER } else { 0 };
    let tags = match mode.kind {
        Kind::Tun => 0,
        Kind::Tap => VLAN_TAGS,
    };
    LARGEST_PACKET.saturating_add(tags).saturating_add(pi)
}

impl Backend for Queue {
    fn has(feature: Feature) -> bool {
        match feature {
            Feature::Tun
            | Feature::Tap
            | Feature::Pi
            | Feature::MultiQueue
            | Feature::Persist
            | Feature::Owner
            | Feature::Ipv4 => true,
        }
    }

    fn open(name: &NameRequest, flags: &Flags, node: Option<&Path>) -> Result<Self> {
        Self::join(node.unwrap_or(Path::new(USUAL_NODE)), name, flags)
    }

    /// The device can be renamed or removed between asking for its name and using it, and TUNSETIFF makes a
    /// device where there is none: only the index tells that this is still the same one, and it tells so in one
    /// network namespace.
    fn open_queue(&self, nonblock: bool) -> Result<Self> {
        let link = self.link()?;
        if self.namespace != own_namespace() {
            return Err(Error::new(
                Errno::EXDEV,
                Reason::Namespace,
                format!("open another queue of {}: it lives in another network namespace", link.name),
            ));
        }
        let flags = Flags { mode: self.mode, exclusive: false, nonblock, persist: false };
        let queue = Self::join(&self.path, &NameRequest::Exact(link.name), &flags)?;
        if queue.index != self.index {
            return Err(self.refused("open another queue of", Errno::ENODEV));
        }
        Ok(queue)
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.node.fd()
    }

    fn nonblock(&self) -> Result<bool> {
        self.node.nonblock().map_err(|errno| self.refused("ask for the modes of", errno))
    }

    fn set_nonblock(&self, on: bool) -> Result<()> {
        self.node.set_nonblock(on).map_err(|errno| self.refused("set whether calls wait on", errno))
    }

    fn read_size(&self) -> usize {
        self.read_size
    }

    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> std::result::Result<usize, Errno> {
        let length = if buf.len() >= self.read_size {
            self.node.read(buf)
        } else if self.mode.pi && buf.len() < PI_HEADER {
            Err(Errno::EINVAL)
        } else {
            self.node.read_short(buf)
        };
        length.map_err(|errno| self.settle(errno))
    }

    fn write(&self, packet: &[u8]) -> std::result::Result<usize, Errno> {
        self.node.write(packet).map_err(|errno| self.settle(errno))
    }

    fn label(&self) -> String {
        self.node.granted().map_or_else(|_| "the device".to_owned(), |granted| granted.name.to_string())
    }

    /// Of this device and of no other: the driver knows the device's name and rtnetlink the index, and
    /// both must tell of the same one. Linux gives the index of a device that went, or went to another namespace,
    /// to the next that asks for it. A rename in between is why they are asked again.
    fn link(&self) -> Result<Link> {
        let failed = |errno| refusal(self.settle(errno), None, "ask for the state of the device");
        for _ in 0..2 {
            let name = self.node.granted().map_err(failed)?.name;
            match link::by_index(&self.netlink, self.index) {
                Ok(link) if link.name == name => return Ok(link),
                Err(error) if error.reason() != Reason::Removed => return Err(error),
                _ => {}
            }
        }
        Err(Error::new(
            Errno::EXDEV,
            Reason::Namespace,
            "ask for the state of the device: it was moved to another network namespace, where this handle cannot \
             configure it",
        ))
    }

    fn set_up(&self, up: bool) -> Result<()> {
        link::set_up(&self.netlink, self.index, up)
            .map_err(|no| no.error(&format!("take {} {}", self.label(), if up { "up" } else { "down" })))
    }

    fn set_mtu(&self, mtu: u32) -> Result<()> {
        link::set_mtu(&self.netlink, self.index, mtu)
            .map_err(|no| no.error(&format!("set the MTU of {} to {mtu}", self.label())))
    }

    fn set_mac(&self, mac: Mac) -> Result<()> {
        link::set_mac(&self.netlink, self.index, mac)
            .map_err(|no| no.error(&format!("set the MAC address of {} to {mac}", self.label())))
    }

    fn set_persist(&self, on: bool) -> Result<()> {
        self.node.set_persist(on).map_err(|errno| self.refused("set the persistence of", errno))
    }

    fn knows_user(uid: u32) -> bool {
        ids::are_mapped("/proc/self/uid_map", uid)
    }

    fn knows_group(gid: u32) -> bool {
        ids::are_mapped("/proc/self/gid_map", gid)
    }

    fn set_owner(&self, uid: u32) -> Result<()> {
        self.node.set_owner(uid).map_err(|errno| self.refused("set the owner of", errno))
    }

    fn set_group(&self, gid: u32) -> Result<()> {
        self.node.set_group(gid).map_err(|errno| self.refused("set the group of", errno))
    }

    fn set_attached(&self, on: bool) -> Result<()> {
        let change = || match self.node.granted()?.attached == on {
            true => Ok(()),
            false => self.node.set_attached(on),
        };
        let action = if on { "attach a queue of" } else { "detach a queue of" };
        change().map_err(|errno| self.refused(action, errno))
    }

    fn addresses(&self) -> Result<Vec<Address>> {
        self.link()?;
        address::list(&self.netlink, self.index)
            .map_err(|no| no.error(&format!("list the addresses of {}", self.label())))
    }

    fn add_address(&self, address: &Address) -> Result<()> {
        address::add(&self.netlink, self.index, self.mode.kind, address)
            .map_err(|no| no.error(&format!("give {} the address {address}", self.label())))
    }

    fn remove_address(&self, address: &Address) -> Result<()> {
        address::remove(&self.netlink, self.index, address)
            .map_err(|no| no.error(&format!("take from {} the address {address}", self.label())))
    }
}
