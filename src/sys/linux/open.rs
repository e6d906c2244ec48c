// SPDX-License-Identifier: MIT
//! Opens a queue, or takes over a descriptor that was opened elsewhere.

use std::fmt::Display;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::control::{self, Control, Located};
use super::file;
use super::filter::Filter;
use super::join::explain_join;
use super::namespace::Identity;
use super::netlink::Socket;
use super::node::{Granted, Node, USUAL_NODE};
use super::refusal::refusal;
use super::undo::Former;
use super::{Queue, link, offload};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::{Flags, Kind, Mode};
use crate::model::link::Link;
use crate::model::memory;
use crate::model::name::{Name, NameRequest};
use crate::model::offload::TUNNEL_OFFLOADS;
use crate::model::packet::PI_HEADER;
use crate::model::text::text;
use crate::model::vnet_hdr::{Layout, Wanted};
use crate::sys::Backend;
use crate::sys::wait::Waker;

/// The largest packet: the maximum MTU of a TUN. The MTU of a TAP is at most 14 less, for the Ethernet header.
const LARGEST_PACKET: usize = 65_535;
/// A frame of a TAP can have two VLAN tags in addition to its MTU.
const VLAN_TAGS: usize = 8;
/// The action in messages about taking over a descriptor.
pub(super) const TAKE_OVER: &str = "take over a descriptor";
/// Limit of the attempts at an open, which is repeated if the device was deleted or renamed in the meantime.
pub(super) const TRIES: usize = 64;

/// The parts of a queue besides its node.
struct Parts {
    path: PathBuf,
    control: Control,
    filter: Option<Filter>,
    mode: Mode,
    layout: Layout,
}

impl Parts {
    fn new(path: &Path, control: Control, mode: Mode) -> Result<Self> {
        let several = mode.kind == Kind::Tap && mode.multi_queue;
        let filter = several.then(Filter::new).transpose()?;
        Ok(Self { path: memory::path(path)?, control, filter, mode, layout: Layout::default() })
    }

    fn with(self, node: Node) -> Queue {
        let Self { path, control, filter, mode, layout } = self;
        let (control, waker, read_size) = (Mutex::new(control), Waker::new(), read_size(mode));
        Queue {
            node,
            path,
            control,
            policy: Mutex::new(None),
            waker,
            waited: AtomicBool::new(false),
            filter,
            mode,
            layout,
            read_size,
            turned_on: None,
            former: None,
        }
    }
}

/// A device to open.
struct Opening<'a> {
    /// The device node, which does not depend on the working directory.
    path: &'a Path,
    name: &'a NameRequest,
    flags: &'a Flags,
    wanted: Wanted,
}

impl Opening<'_> {
    /// Tries to create the device first: a new device has no previous state to query.
    fn open_once(&self) -> Result<Queue> {
        let node = Node::open(self.path)?;
        if self.flags.existing {
            return self.open_existing(node);
        }
        match node.join(self.name.as_bytes(), self.flags.mode, true) {
            Ok(made) => self.begin_new(node, &made),
            Err(Errno::EBUSY) if !self.flags.exclusive => self.open_existing(node),
            Err(errno) => Err(self.explain(Socket::open().ok().as_mut(), errno)),
        }
    }

    /// The queue of a node that has created the device.
    fn begin_new(&self, node: Node, made: &Name) -> Result<Queue> {
        let mode = self.flags.mode;
        let (control, granted) = Control::find_named(&node, made)?;
        let mut queue = Parts::new(self.path, control, mode)?.with(node);
        queue.check(&granted, mode.pi)?;
        // A persistent device outlives its handles: programs that open it later may expect the shortest header.
        let lengthen = self.wanted.size.is_none() && !self.flags.persist;
        queue.begin_offload(self.name, self.wanted, lengthen)?;
        Ok(queue)
    }

    /// Opens a device that may exist. Queries its state first, so that a failure can restore it.
    fn open_existing(&self, node: Node) -> Result<Queue> {
        let mut netlink = control::prepare()?;
        let before = existing(&mut netlink, self.name, self.flags.existing)?;
        node.join(self.name.as_bytes(), self.flags.mode, self.flags.exclusive)
            .map_err(|errno| self.explain(Some(&mut netlink), errno))?;
        let opened = self.begin_existing(node, netlink, before.as_ref());
        opened.inspect_err(|_| {
            if let Some((former, link)) = before.as_ref().and_then(Former::of).zip(before.as_ref()) {
                let _ = former.restore_mode(self.path, &link.name);
            }
        })
    }

    /// The queue of a node that has attached to a device that may have existed.
    fn begin_existing(&self, node: Node, netlink: Socket, before: Option<&Link>) -> Result<Queue> {
        let only = before.filter(|_| self.flags.existing).map(|link| link.index);
        let mut queue = Queue::joined(node, netlink, self.path, self.name, self.flags.mode, only)?;
        queue.remember(before.and_then(Former::of));
        let persistent = before.is_some_and(|link| link.tuntap.is_some_and(|tuntap| tuntap.persist));
        let result = if persistent && !queue.mode.offload {
            queue.end_offload(self.name)
        } else {
            queue.begin_offload(self.name, self.wanted, false)
        };
        match result {
            Ok(()) => {
                if persistent && before.is_some_and(is_unused) {
                    queue.remove_stale_policy();
                }
                Ok(queue)
            }
            Err(error) => {
                queue.restore_offload();
                Err(error)
            }
        }
    }

    fn explain(&self, netlink: Option<&mut Socket>, errno: Errno) -> Error {
        explain_join(netlink, self.name, self.flags.mode, self.flags.exclusive, errno)
    }
}

impl Queue {
    /// Opens or creates the device with this name, in the network namespace of the calling thread. If it is deleted
    /// during the open, tries again.
    pub(super) fn open_in_own_namespace(
        path: &Path,
        name: &NameRequest,
        flags: &Flags,
        wanted: Wanted,
    ) -> Result<Self> {
        let path = &file::absolute(path).map_err(|errno| unknown_directory(path, errno))?;
        let opening = Opening { path, name, flags, wanted };
        let mut tries = 1..TRIES;
        loop {
            match opening.open_once() {
                Err(error) if error.reason() == Reason::Removed && tries.next().is_some() => {}
                opened => return opened,
            }
        }
    }

    /// Opens another queue of the device, in its network namespace.
    pub(super) fn open_another(&self) -> Result<Self> {
        let mut tries = 1..TRIES;
        loop {
            let link = self.link(&mut self.begin_call())?;
            match self.open_another_inside(&link) {
                // Tries again with the new name. If the device is gone, the next attempt fails.
                Err(error) if self.is_renamed(&link.name, &error) && tries.next().is_some() => {}
                opened => return opened,
            }
        }
    }

    /// Whether the device that had this name was renamed or removed, which this error may be due to.
    fn is_renamed(&self, name: &Name, error: &Error) -> bool {
        let now = || self.link(&mut self.begin_call());
        error.reason() == Reason::Removed || now().is_ok_and(|now| now.name != *name)
    }

    /// Enters the network namespace of the device, if the calling thread is in another one.
    fn open_another_inside(&self, link: &Link) -> Result<Self> {
        if self.control().namespace() == Identity::own() {
            return self.open_another_once(link, false);
        }
        let open = || Ok(self.open_another_once(link, true));
        let entered = self.namespace().and_then(|namespace| namespace.inside(open));
        entered.unwrap_or_else(|error| Err(self.not_entered("open another queue of", error)))
    }

    /// Opens another queue of this device, in the network namespace of the calling thread. The device can be renamed or
    /// removed after its name was queried: the index shows whether the queue belongs to the same device.
    fn open_another_once(&self, link: &Link, foreign: bool) -> Result<Self> {
        let name = NameRequest::Exact(link.name);
        let node = Node::open(&self.path)?;
        // Without TUNGETDEVNETNS the socket must be open before the queue, to receive notifications.
        let reported = self.control().driver_reports();
        let netlink = if reported { None } else { Some(control::prepare()?) };
        let bytes = name.as_bytes();
        let joined = match &self.filter {
            Some(filter) => filter.join(&node, bytes, self.mode),
            None => node.join(bytes, self.mode, false).map(drop),
        };
        if let Err(errno) = joined {
            let mut netlink = netlink.or_else(|| Socket::open().ok());
            return Err(explain_join(netlink.as_mut(), &name, self.mode, false, errno));
        }
        let mut queue = match netlink {
            Some(netlink) => Self::joined(node, netlink, &self.path, &name, self.mode, Some(link.index))?,
            None => self.joined_another(node, link)?,
        };
        if self.mode.offload {
            queue.layout = queue.node.layout(text!("open {name}").as_str())?;
            if self.layout.has_tunnels() && !queue.layout.has_tunnels() {
                queue.turn_off_tunnels()?;
            }
        }
        queue.filter = self.filter.clone();
        if foreign {
            queue.control().keep_socket()?
        } else {
            queue.control().close()
        }
        Ok(queue)
    }

    /// For a header that another program has shortened: while offloads of tunnels are on, it passes no packet.
    fn turn_off_tunnels(&self) -> Result<()> {
        let on = self.offloads()?;
        if on & TUNNEL_OFFLOADS == 0 { Ok(()) } else { self.set_offloads(on & !TUNNEL_OFFLOADS) }
    }

    /// Another queue of this device, of a node that has attached to its name.
    fn joined_another(&self, node: Node, link: &Link) -> Result<Self> {
        let (control, granted) = Control::find_named(&node, &link.name)?;
        check_index(&control, Some(link.index), link.name)?;
        let queue = Parts::new(&self.path, control, self.mode)?.with(node);
        queue.check(&granted, self.mode.pi)?;
        Ok(queue)
    }

    /// The queue of a node that has attached to a device. Fails if `only` is set and the device has another index.
    fn joined(
        node: Node,
        netlink: Socket,
        path: &Path,
        name: &NameRequest,
        mode: Mode,
        only: Option<u32>,
    ) -> Result<Self> {
        let failed = |errno| refusal(errno, None, format_args!("open {name}"));
        let granted = node.granted().map_err(|errno| failed(node.translate(errno)))?;
        let (control, link) = Control::find(netlink, &node)?;
        check_index(&control, only, name)?;
        let queue = Parts::new(path, control, mode)?.with(node);
        queue.check(&granted, link.needs_tuntap()?.mode.pi)?;
        Ok(queue)
    }

    /// Takes over a descriptor, or with `borrow` a copy of it. After an error the descriptor still belongs to the
    /// caller.
    pub(super) fn take_over(fd: RawFd, borrow: bool) -> Result<Self> {
        let node = Node::from_fd(fd, borrow)?;
        match Self::adopt(&node) {
            Ok(parts) => Ok(parts.with(node)),
            Err(error) => {
                if !borrow {
                    node.release();
                }
                Err(error)
            }
        }
    }

    /// A queue that attaches to an open device gets the modes of the device, which can differ from the request.
    fn check(&self, granted: &Granted, pi: bool) -> Result<()> {
        match self.mode.difference(granted.mode(pi)) {
            None => Ok(()),
            Some(difference) => Err(Error::new(
                Errno::EINVAL,
                Reason::Mismatch,
                text!("open {}: the device exists and {difference}", granted.name),
            )),
        }
    }

    /// Queries the state of a node that was opened elsewhere.
    fn adopt(node: &Node) -> Result<Parts> {
        let action = TAKE_OVER;
        let failed = |errno| refusal(node.translate(errno), None, action);
        let granted = node.granted().map_err(failed)?;
        let mut control = Control::adopt();
        let known = control.link(node, &mut Located::default()).ok().and_then(|link| link.tuntap);
        control.close();
        let pi = known.map_or_else(|| node.has_pi().map_err(failed), |tuntap| Ok(tuntap.mode.pi))?;
        let mode = granted.mode(pi);
        if mode.offload && mode.pi {
            let text = text!("{action}: {} has packet information before the virtio header", granted.name);
            return Err(Error::new(Errno::EINVAL, Reason::Mismatch, text));
        }
        let parts = Parts::new(Path::new(USUAL_NODE), control, mode)?;
        let layout = if mode.offload { node.layout(action)? } else { parts.layout };
        Ok(Parts { layout, ..parts })
    }

    /// Turns off the offloads that a persistent device has kept, for a handle that could not read super-packets.
    fn end_offload(&self, name: &NameRequest) -> Result<()> {
        self.node.set_offload(0).map_err(|errno| self.offload_refusal(name, errno))
    }

    /// Turns on all offloads that the kernel and the virtio header support, if the handle has offload. `lengthen`: the
    /// header may be lengthened for them.
    fn begin_offload(&mut self, name: &NameRequest, wanted: Wanted, lengthen: bool) -> Result<()> {
        if !self.mode.offload {
            return Ok(());
        }
        let action = text!("open {name}");
        self.set_layout(wanted, action.as_str())?;
        self.layout = self.node.layout(action.as_str())?;
        let longer = if lengthen { self.layout.for_tunnels() } else { self.layout };
        let mut granted = Err(Errno::EINVAL);
        for best in offload::BEST {
            if best & TUNNEL_OFFLOADS != 0 && !longer.has_tunnels() {
                continue;
            }
            granted = self.node.set_offload(best).map(|()| best);
            if granted != Err(Errno::EINVAL) {
                break;
            }
        }
        let granted = granted.map_err(|errno| self.offload_refusal(name, errno))?;
        // Afterwards, so that the header of a kernel without tunnels stays as it is. The device is new: no packet
        // comes.
        if granted & TUNNEL_OFFLOADS != 0 && longer != self.layout {
            let lengthened = self.node.set_vnet_hdr_size(longer.size());
            lengthened.map_err(|errno| self.offload_refusal(name, errno))?;
            self.layout = longer;
        }
        self.turned_on = Some(granted);
        Ok(())
    }

    fn offload_refusal(&self, name: &NameRequest, errno: Errno) -> Error {
        refusal(self.node.translate(errno), None, format_args!("open {name}: set its offloads"))
    }
}

/// Whether no other handle has the device open. A device with a single queue cannot be opened twice.
fn is_unused(link: &Link) -> bool {
    link.tuntap.is_some_and(|tuntap| tuntap.queues == 0)
}

/// Fails if the device that was found has another index than the one that was meant.
fn check_index(control: &Control, only: Option<u32>, name: impl Display) -> Result<()> {
    match only {
        Some(index) if index != control.index() => {
            Err(refusal(Errno::ENODEV, None, format_args!("open {name}")))
        }
        _ => Ok(()),
    }
}

/// The device with this name, if it exists. It must exist if `required` is set.
fn existing(netlink: &mut Socket, name: &NameRequest, required: bool) -> Result<Option<Link>> {
    let NameRequest::Exact(exact) = name else {
        let text = "TUNTAP_EXISTING needs the name of a device";
        return if required { Err(Error::new(Errno::EINVAL, Reason::Name, text)) } else { Ok(None) };
    };
    match link::by_name(netlink, exact) {
        Err(error) if error.reason() == Reason::Removed && required => {
            let text = text!("open {name}: there is no such device");
            Err(Error::new(Errno::ENODEV, Reason::Absent, text))
        }
        Err(error) if error.reason() == Reason::Removed => Ok(None),
        found => found.map(Some),
    }
}

fn unknown_directory(path: &Path, errno: Errno) -> Error {
    let path = file::shown(path);
    Error::system(errno, format_args!("find the working directory, for the device node {path}"))
}

fn read_size(mode: Mode) -> usize {
    let pi = if mode.pi { PI_HEADER } else { 0 };
    let tags = match mode.kind {
        Kind::Tun => 0,
        Kind::Tap => VLAN_TAGS,
    };
    LARGEST_PACKET.saturating_add(tags).saturating_add(pi)
}
