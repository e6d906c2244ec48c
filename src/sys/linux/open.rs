// SPDX-License-Identifier: MIT
//! How a queue comes to be: with a node of its own, or with one that was opened elsewhere.

use std::fmt::Display;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::control::{self, Control, Way};
use super::file;
use super::filter::Filter;
use super::namespace::Identity;
use super::netlink::Socket;
use super::node::{Granted, Node, USUAL_NODE};
use super::refusal::{explain_join, refusal};
use super::undo::Former;
use super::{Queue, link, offload};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::{Flags, Kind, Mode};
use crate::model::link::Link;
use crate::model::memory;
use crate::model::name::{Name, NameRequest};
use crate::model::packet::PI_HEADER;
use crate::model::text::text;
use crate::model::vnet_hdr::{Layout, Wanted};
use crate::sys::Backend;
use crate::sys::wait::Waker;

/// The MTU of a TUN goes to 65,535, and that of a TAP to 14 less, for the Ethernet header.
const LARGEST_PACKET: usize = 65_535;
/// An inner and an outer VLAN tag come on top of a TAP's MTU.
const VLAN_TAGS: usize = 8;
/// What taking over one is, for a message.
pub(super) const TAKE_OVER: &str = "take over a descriptor";
/// Times that an open is tried while others delete or rename what it opens.
pub(super) const TRIES: usize = 64;

/// What a queue has beside its node.
struct Beside {
    path: PathBuf,
    control: Control,
    filter: Option<Filter>,
    mode: Mode,
    layout: Layout,
}

impl Beside {
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
            waker,
            waited: AtomicBool::new(false),
            filter,
            mode,
            layout,
            read_size,
            former: None,
        }
    }
}

impl Queue {
    /// Opens the device of this name, or makes it, in the calling thread's network namespace. One that is deleted before
    /// all is known of it was not opened: it is made again, or is absent.
    pub(super) fn open_here(path: &Path, name: &NameRequest, flags: &Flags, wanted: Wanted) -> Result<Self> {
        let path = file::absolute(path).map_err(|errno| unknown_directory(path, errno))?;
        let mut tries = 1..TRIES;
        loop {
            match Self::open_once(&path, name, flags, wanted) {
                Err(error) if error.reason() == Reason::Removed && tries.next().is_some() => {}
                opened => return opened,
            }
        }
    }

    /// A new one has nothing that must be found out before: so it comes first.
    fn open_once(path: &Path, name: &NameRequest, flags: &Flags, wanted: Wanted) -> Result<Self> {
        let node = Node::open(path)?;
        if flags.existing {
            return Self::open_existing(node, path, name, flags, wanted);
        }
        match node.join(name.as_bytes(), flags.mode, true) {
            Ok(made) => Self::begin_new(node, path, &made, name, flags, wanted),
            Err(Errno::EBUSY) if !flags.exclusive => Self::open_existing(node, path, name, flags, wanted),
            Err(errno) => Err(explain_join(Socket::open().ok().as_mut(), name, flags, errno)),
        }
    }

    /// The queue of a node that has made its device, by this name.
    fn begin_new(
        node: Node,
        path: &Path,
        made: &Name,
        name: &NameRequest,
        flags: &Flags,
        wanted: Wanted,
    ) -> Result<Self> {
        let (control, granted) = Control::find_named(&node, made)?;
        let mut queue = Beside::new(path, control, flags.mode)?.with(node);
        queue.check(&granted, flags.mode.pi)?;
        queue.begin_offload(name, wanted, false)?;
        Ok(queue)
    }

    /// One that may have been there before is found first, so that what this changes of it can be given back.
    fn open_existing(
        node: Node,
        path: &Path,
        name: &NameRequest,
        flags: &Flags,
        wanted: Wanted,
    ) -> Result<Self> {
        let mut netlink = control::prepare()?;
        let before = present(&mut netlink, name, flags.existing)?;
        node.join(name.as_bytes(), flags.mode, flags.exclusive)
            .map_err(|errno| explain_join(Some(&mut netlink), name, flags, errno))?;
        let opened = Self::begin_existing(node, netlink, path, name, flags, wanted, before.as_ref());
        opened.inspect_err(|_| {
            if let Some((former, link)) = before.as_ref().and_then(Former::of).zip(before.as_ref()) {
                let _ = former.give_back_mode(path, &link.name);
            }
        })
    }

    /// The queue of a node that has joined its device.
    fn begin_existing(
        node: Node,
        netlink: Socket,
        path: &Path,
        name: &NameRequest,
        flags: &Flags,
        wanted: Wanted,
        before: Option<&Link>,
    ) -> Result<Self> {
        let only = before.filter(|_| flags.existing).map(|link| link.index);
        let mut queue = Self::joined(node, netlink, path, name, flags.mode, only)?;
        queue.remember(before.and_then(Former::of));
        let persistent = before.is_some_and(|link| link.tuntap.is_some_and(|tuntap| tuntap.persist));
        match queue.begin_offload(name, wanted, persistent) {
            Ok(()) => Ok(queue),
            Err(error) => {
                queue.give_back_offload();
                Err(error)
            }
        }
    }

    /// Opens another queue of the device, wherever that is.
    pub(super) fn open_another(&self) -> Result<Self> {
        let mut tries = 1..TRIES;
        loop {
            let link = self.link(&mut self.way())?;
            let here = self.control().namespace() == Identity::own();
            let open = |apart| self.open_beside(&link, apart);
            let entered = || self.namespace()?.inside(|| Ok(open(true)));
            let not_entered = |error| Err(self.not_entered("open another queue of", error));
            let opened = if here { open(false) } else { entered().unwrap_or_else(not_entered) };
            // What has another name now was not found; what is gone says so itself, the next time.
            let renamed = |error: &Error| {
                let now = || self.link(&mut self.way());
                error.reason() == Reason::Removed || now().is_ok_and(|now| now.name != link.name)
            };
            match opened {
                Err(error) if renamed(&error) && tries.next().is_some() => {}
                opened => return opened,
            }
        }
    }

    /// Opens another queue of this device, in the calling thread's network namespace. The device can be renamed or removed
    /// between asking for its name and using it: only the index tells that this is still the same one.
    fn open_beside(&self, link: &Link, apart: bool) -> Result<Self> {
        let name = NameRequest::Exact(link.name);
        let node = Node::open(&self.path)?;
        // Where the driver does not say where a device is, the socket is there before it.
        let answered = self.control().is_answered();
        let netlink = if answered { None } else { Some(control::prepare()?) };
        let flags =
            Flags { mode: self.mode, exclusive: false, existing: true, nonblock: false, persist: false };
        let bytes = name.as_bytes();
        let joined = match &self.filter {
            Some(filter) => filter.join(&node, bytes, self.mode),
            None => node.join(bytes, self.mode, false).map(drop),
        };
        if let Err(errno) = joined {
            let mut netlink = netlink.or_else(|| Socket::open().ok());
            return Err(explain_join(netlink.as_mut(), &name, &flags, errno));
        }
        let mut queue = match netlink {
            Some(netlink) => Self::joined(node, netlink, &self.path, &name, self.mode, Some(link.index))?,
            None => self.joined_beside(node, link)?,
        };
        if self.mode.offload {
            queue.layout = queue.node.layout(text!("open {name}").as_str())?;
        }
        queue.filter = self.filter.clone();
        if apart {
            queue.control().stay_apart()?
        } else {
            queue.control().close()
        }
        Ok(queue)
    }

    /// Another queue of this device, of a node that has joined what has its name.
    fn joined_beside(&self, node: Node, link: &Link) -> Result<Self> {
        let (control, granted) = Control::find_named(&node, &link.name)?;
        is_only(&control, Some(link.index), link.name)?;
        let queue = Beside::new(&self.path, control, self.mode)?.with(node);
        queue.check(&granted, self.mode.pi)?;
        Ok(queue)
    }

    /// A queue of what the node has joined: of any device, or of that with this index.
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
        is_only(&control, only, name)?;
        let queue = Beside::new(path, control, mode)?.with(node);
        queue.check(&granted, link.needs_tuntap()?.mode.pi)?;
        Ok(queue)
    }

    /// Takes over a descriptor, or with `borrow` a copy of it. One that cannot be a queue stays the caller's.
    pub(super) fn take_over(fd: RawFd, borrow: bool) -> Result<Self> {
        let node = Node::from_fd(fd, borrow)?;
        match Self::adopt(&node) {
            Ok(beside) => Ok(beside.with(node)),
            Err(error) => {
                if !borrow {
                    node.release();
                }
                Err(error)
            }
        }
    }

    /// A queue that joins a living device gets the modes of that, whatever it asked for.
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

    /// What a node that was opened elsewhere needs to become a queue.
    fn adopt(node: &Node) -> Result<Beside> {
        let action = TAKE_OVER;
        let failed = |errno| refusal(node.translate(errno), None, action);
        let granted = node.granted().map_err(failed)?;
        let mut control = Control::adopt();
        let known = control.link(node, &mut Way::default()).ok().and_then(|link| link.tuntap);
        control.close();
        let pi = known.map_or_else(|| node.has_pi().map_err(failed), |tuntap| Ok(tuntap.mode.pi))?;
        let mode = granted.mode(pi);
        if mode.offload && mode.pi {
            let text = text!("{action}: {} has packet information before the virtio header", granted.name);
            return Err(Error::new(Errno::EINVAL, Reason::Mismatch, text));
        }
        let beside = Beside::new(Path::new(USUAL_NODE), control, mode)?;
        let layout = if mode.offload { node.layout(action)? } else { beside.layout };
        Ok(Beside { layout, ..beside })
    }

    /// Turns on all offloads that the kernel has. A persistent device keeps what others asked for: it is taken over,
    /// or turned off where this handle could not read it.
    fn begin_offload(&mut self, name: &NameRequest, wanted: Wanted, persistent: bool) -> Result<()> {
        let failed =
            |errno| refusal(self.node.translate(errno), None, format_args!("open {name}: set its offloads"));
        if !self.mode.offload {
            return if persistent { self.node.set_offload(0).map_err(failed) } else { Ok(()) };
        }
        let action = text!("open {name}");
        self.set_layout(wanted, action.as_str())?;
        self.layout = self.node.layout(action.as_str())?;
        let mut granted = Err(Errno::EINVAL);
        for best in offload::BEST {
            granted = self.node.set_offload(best);
            if granted != Err(Errno::EINVAL) {
                break;
            }
        }
        granted.map_err(failed)
    }
}

/// What was found is what was meant.
fn is_only(control: &Control, only: Option<u32>, name: impl Display) -> Result<()> {
    match only {
        Some(index) if index != control.index() => {
            Err(refusal(Errno::ENODEV, None, format_args!("open {name}")))
        }
        _ => Ok(()),
    }
}

/// The device of this name, which may be missing only where it may be made.
fn present(netlink: &mut Socket, name: &NameRequest, existing: bool) -> Result<Option<Link>> {
    let NameRequest::Exact(exact) = name else {
        let text = "TUNTAP_EXISTING needs the name of a device";
        return if existing { Err(Error::new(Errno::EINVAL, Reason::Name, text)) } else { Ok(None) };
    };
    match link::by_name(netlink, exact) {
        Err(error) if error.reason() == Reason::Removed && existing => {
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
