// SPDX-License-Identifier: MIT
//! Linux: packets and modes through the device node's descriptor, everything else by rtnetlink.
//!
//! The netlink socket is opened with the device, so that both stay in one network namespace wherever the
//! calling thread goes later, and follows a device that is moved.

mod address;
mod cancel;
mod control;
mod ids;
mod link;
mod namespace;
mod netlink;
mod node;
mod offload;
mod refusal;
mod route;
mod wait;
mod watch;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Backend, Direction, Frame, Outcome, Place, Watching};
use crate::address::{Address, Assigned, Options};
use crate::error::{Errno, Error, Reason, Result};
use crate::feature::Feature;
use crate::flags::{Flags, Kind, Mode};
use crate::link::{Change, Link, Mac};
use crate::name::{Name, NameRequest};
use crate::offload::Offload;
use crate::prefix::Family;
use crate::route::{Installed, Route};
use crate::steering::{Instruction, Program};
pub(crate) use cancel::Uncancelled;
use control::Control;
use namespace::Identity;
pub(crate) use namespace::Namespace;
use netlink::{Refusal, Socket};
use node::{Granted, MAX_PARTS, Node, PI_HEADER, USUAL_NODE};
use refusal::{explain_join, refusal};
use wait::Waker;
pub(crate) use watch::Watch;

/// The MTU of a TUN goes to 65,535, and that of a TAP to 14 less, for the Ethernet header.
const LARGEST_PACKET: usize = 65_535;
/// An inner and an outer VLAN tag come on top of a TAP's MTU.
const VLAN_TAGS: usize = 8;
/// How long a writer waits before it tries again: a device that goes down wakes nobody up.
const WRITE_AGAIN: Duration = Duration::from_millis(100);

/// A queue of a TUN or TAP device.
pub(crate) struct Queue {
    node: Node,
    path: PathBuf,
    /// Held over a request to rtnetlink and its answer, which threads take in turn.
    control: Mutex<Control>,
    waker: Waker,
    mode: Mode,
    read_size: usize,
}

impl Queue {
    /// Joins the device of this name through a node of its own, in the calling thread's network namespace; with an
    /// index, that one and no other. TUNSETIFF makes a device where there is none.
    fn join(path: &Path, name: &NameRequest, flags: &Flags, only: Option<u32>) -> Result<Self> {
        let node = Node::open(path)?;
        let mut netlink = Socket::open()?;
        let waker = Waker::new()?;
        let only = match only {
            None if flags.existing => Some(present_index(&mut netlink, name)?),
            only => only,
        };
        let mode = flags.mode;
        node.join(name.as_bytes(), mode, flags.exclusive)
            .map_err(|errno| explain_join(&mut netlink, name, flags, errno))?;
        let granted = node.granted().map_err(|errno| refusal(errno, None, &format!("open {name}")))?;
        let control = Control::find(netlink, &granted.name)?;
        if only.is_some_and(|only| only != control.index()) {
            return Err(refusal(Errno::ENODEV, None, &format!("open {name}")));
        }
        let (path, read_size) = (path.to_owned(), read_size(mode));
        let queue = Self { node, path, control: Mutex::new(control), waker, mode, read_size };
        queue.check(&granted)?;
        Ok(queue)
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
        let mut control = Control::guess(Socket::open()?, node, &granted.name);
        // Of two TUNs that have one name in two namespaces nothing else may tell which this is; a TAP has its MAC.
        let told = control.link(node).ok().and_then(|link| link.tuntap);
        let pi = match told {
            Some(tuntap) if granted.kind == Kind::Tap || !control.is_guessed() => tuntap.mode.pi,
            _ => node.has_pi().map_err(failed)?,
        };
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
    fn begin_offload(&self) -> Result<()> {
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

    /// The network namespace where the device is.
    fn namespace(&self) -> Result<Namespace> {
        let namespace = self.node.namespace();
        namespace
            .map(Namespace::of)
            .map_err(|errno| self.refused_new("ask for the namespace of", errno, "5.4"))
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kernel's no to a change of this device.
    fn refused(&self, action: &str, errno: Errno) -> Error {
        refusal(self.node.settle(errno), None, &format!("{action} {}", self.label()))
    }

    /// An ioctl that this kernel may not know yet.
    fn refused_new(&self, action: &str, errno: Errno, since: &str) -> Error {
        match errno {
            Errno::EINVAL | Errno::ENOTTY => Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                format!("{action} {}: this needs Linux {since}", self.label()),
            ),
            _ => self.refused(action, errno),
        }
    }

    /// Has rtnetlink change the interface.
    fn change(
        &self,
        words: impl FnOnce(&mut Socket, u32) -> std::result::Result<(), Refusal>,
        action: impl FnOnce(&str) -> String,
    ) -> Result<()> {
        let changed = self.control().change(&self.node, words);
        changed.map_err(|no| no.error(&action(&self.label())))
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

impl Backend for Queue {
    fn has(feature: Feature) -> bool {
        match feature {
            Feature::Tun
            | Feature::Tap
            | Feature::Pi
            | Feature::MultiQueue
            | Feature::Persist
            | Feature::Owner
            | Feature::Ipv4
            | Feature::Ipv6
            | Feature::Route
            | Feature::Rename
            | Feature::Carrier
            | Feature::Namespace
            | Feature::Wake
            | Feature::Monitor
            | Feature::Steering
            | Feature::Napi
            | Feature::Offload => true,
        }
    }

    fn open(name: &NameRequest, flags: &Flags, place: &Place<'_>) -> Result<Self> {
        let path = place.node.unwrap_or(Path::new(USUAL_NODE));
        let queue = match place.namespace {
            None => Self::join(path, name, flags, None),
            Some(namespace) => namespace.inside(|| Self::join(path, name, flags, None)),
        }?;
        queue.begin_offload()?;
        Ok(queue)
    }

    fn open_fd(fd: RawFd, borrow: bool) -> Result<Self> {
        let node = Node::from_fd(fd, borrow)?;
        let adopted = Self::adopt(&node).map(|(control, waker, mode)| (Mutex::new(control), waker, mode));
        match adopted {
            Ok((control, waker, mode)) => {
                let (path, read_size) = (USUAL_NODE.into(), read_size(mode));
                Ok(Self { node, path, control, waker, mode, read_size })
            }
            Err(error) => {
                if !borrow {
                    node.release();
                }
                Err(error)
            }
        }
    }

    /// The device can be renamed or removed between asking for its name and using it: only the index tells that
    /// this is still the same one.
    fn open_queue(&self) -> Result<Self> {
        let link = self.link()?;
        let name = NameRequest::Exact(link.name);
        let flags =
            Flags { mode: self.mode, exclusive: false, existing: true, nonblock: false, persist: false };
        let join = || Self::join(&self.path, &name, &flags, Some(link.index));
        let here = self.control().namespace() == Identity::own();
        if here { join() } else { self.namespace()?.inside(join) }
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.node.fd()
    }

    fn read_size(&self) -> usize {
        self.read_size
    }

    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        let length = if buf.len() >= self.read_size {
            self.node.read(buf)
        } else if self.mode.pi && buf.len() < PI_HEADER {
            Err(Errno::EINVAL)
        } else {
            self.node.read_short(buf)
        };
        length.map_err(|errno| self.node.settle(errno))
    }

    fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let room = bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
        if bufs.len() >= MAX_PARTS || (self.mode.pi && room < PI_HEADER) {
            return Err(Errno::EINVAL);
        }
        self.node.readv(bufs, room >= self.read_size).map_err(|errno| self.node.settle(errno))
    }

    fn write(&self, packet: &[u8]) -> Outcome<usize> {
        self.node.write(packet).map_err(|errno| self.node.settle(errno))
    }

    fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        self.node.writev(parts).map_err(|errno| self.node.settle(errno))
    }

    fn read_framed(&self, header: &mut Frame, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        let enough = buf.len() >= self.read_size;
        self.node.read_framed(header, buf, enough).map_err(|errno| self.node.settle(errno))
    }

    fn writev_framed(&self, header: &Frame, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        self.node.writev_framed(header, parts).map_err(|errno| self.node.settle(errno))
    }

    fn wait(&self, direction: Direction, deadline: Option<Instant>) -> Outcome<()> {
        let again = match direction {
            Direction::Read => None,
            Direction::Write => Instant::now().checked_add(WRITE_AGAIN),
        };
        let earlier = |again| deadline.is_none_or(|deadline| again < deadline);
        match again.filter(|again| earlier(*again)) {
            None => self.waker.wait(self.fd(), direction, deadline),
            again => match self.waker.wait(self.fd(), direction, again) {
                Err(Errno::ETIMEDOUT) => Ok(()),
                waited => waited,
            },
        }
    }

    fn wake(&self) {
        self.waker.wake();
    }

    fn label(&self) -> String {
        self.node.granted().map_or_else(|_| "the device".to_owned(), |granted| granted.name.to_string())
    }

    fn name(&self) -> Result<Name> {
        self.node
            .granted()
            .map(|granted| granted.name)
            .map_err(|errno| self.refused("ask for the name of", errno))
    }

    fn link(&self) -> Result<Link> {
        self.control().link(&self.node)
    }

    fn change_link(&self, change: &Change<'_>) -> Result<()> {
        self.change(|netlink, index| link::change(netlink, index, change), |device| change.of(device))
    }

    fn is_in(&self, namespace: &Namespace) -> bool {
        let seen = self.control().namespace();
        seen.is_some() && seen == namespace.identity()
    }

    fn set_carrier(&self, on: bool) -> Result<()> {
        let action = if on { "turn on the carrier of" } else { "turn off the carrier of" };
        self.node.set_carrier(on).map_err(|errno| self.refused_new(action, errno, "5.0"))
    }

    fn send_buffer(&self) -> Result<u32> {
        self.node.send_buffer().map_err(|errno| self.refused("ask for the send buffer of", errno))
    }

    fn set_send_buffer(&self, bytes: u32) -> Result<()> {
        self.node.set_send_buffer(bytes).map_err(|errno| self.refused("set the send buffer of", errno))
    }

    fn offloads(&self) -> Result<u64> {
        let name = self.link()?.name;
        offload::list(self.control().fd(), &name)
            .map_err(|errno| self.refused("ask for the offloads of", errno))
    }

    fn set_offloads(&self, offloads: u64) -> Result<()> {
        self.node.set_offload(offload::features(offloads)).map_err(|errno| match errno {
            Errno::EINVAL => Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                format!(
                    "set the offloads of {} to {offloads:#x}: this kernel has no such set: all need \
                     TUNTAP_OFFLOAD_CHECKSUM, ECN needs TSO4 or TSO6, and USO4 and USO6 go together, since Linux 6.2",
                    self.label()
                ),
            ),
            _ => self.refused("set the offloads of", errno),
        })
    }

    fn persist(&self) -> Result<bool> {
        let granted = self.node.granted().map_err(|errno| self.refused("ask for the modes of", errno))?;
        Ok(granted.persist)
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

    fn addresses(&self, family: Option<Family>) -> Result<Vec<Assigned>> {
        self.link()?;
        let family = family.map_or(0, address::number);
        let listed = self.control().ask(|netlink, index| address::list(netlink, index, family));
        listed.map_err(|no| no.error(&format!("list the addresses of {}", self.label())))
    }

    fn add_address(&self, address: &Address, options: Options) -> Result<()> {
        let kind = self.mode.kind;
        self.change(
            |netlink, index| address::add(netlink, index, kind, address, options),
            |device| format!("give {device} the address {address}"),
        )
    }

    fn restore_address(&self, assigned: &Assigned) -> Result<()> {
        self.change(
            |netlink, _| address::restore(netlink, assigned),
            |device| format!("give {device} back the address {}", assigned.address),
        )
    }

    fn remove_address(&self, address: &Address) -> Result<()> {
        self.change(
            |netlink, index| address::remove(netlink, index, address),
            |device| format!("take from {device} the address {address}"),
        )
    }

    fn routes(&self) -> Result<Vec<Installed>> {
        self.link()?;
        let mut control = self.control();
        let mut list = |family| control.ask(|netlink, index| route::list(netlink, index, family));
        let listed = list(Family::V4).and_then(|ipv4| Ok([ipv4, list(Family::V6)?].concat()));
        drop(control);
        listed.map_err(|no| no.error(&format!("list the routes through {}", self.label())))
    }

    /// IPv6 has no metric 0.
    fn usual_route(&self, family: Family) -> (u32, u32) {
        match family {
            Family::V4 => (0, route::MAIN_TABLE),
            Family::V6 => (1024, route::MAIN_TABLE),
        }
    }

    fn add_route(&self, route: &Route) -> Result<()> {
        self.change(
            |netlink, index| route::add(netlink, index, route),
            |device| format!("add the route {route} through {device}"),
        )
    }

    fn restore_route(&self, installed: &Installed) -> Result<()> {
        self.change(
            |netlink, _| route::restore(netlink, installed),
            |device| format!("give {device} back the route {}", installed.route),
        )
    }

    fn remove_route(&self, route: &Route) -> Result<()> {
        self.change(
            |netlink, index| route::remove(netlink, index, route),
            |device| format!("delete the route {route} through {device}"),
        )
    }

    fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()> {
        self.node.set_program(program, fd).map_err(|errno| {
            let action = format!("set the {} of", program.noun());
            match errno {
                Errno::EBADF => Error::new(
                    errno,
                    Reason::Argument,
                    format!("{action} {}: the descriptor is not open", self.label()),
                ),
                Errno::EINVAL => Error::new(
                    errno,
                    Reason::Argument,
                    format!(
                        "{action} {}: the descriptor is not that of a program of BPF_PROG_TYPE_SOCKET_FILTER, or this \
                         kernel has no such programs",
                        self.label()
                    ),
                ),
                _ => self.refused(&action, errno),
            }
        })
    }

    fn set_filter(&self, instructions: &[Instruction]) -> Result<()> {
        self.node.set_filter(instructions).map_err(|errno| match errno {
            Errno::EINVAL => Error::new(
                errno,
                Reason::Argument,
                format!("set the classic filter of {}: the kernel takes no such program", self.label()),
            ),
            _ => self.refused("set the classic filter of", errno),
        })
    }

    fn set_tx_filter(&self, macs: &[Mac], all_groups: bool) -> Result<()> {
        self.node
            .set_tx_filter(macs, all_groups)
            .map_err(|errno| self.refused("set the address filter of", errno))
    }

    fn watch(&self) -> Result<Watch> {
        self.link()?;
        let here = self.control().namespace() == Identity::own();
        let open = || if here { Watch::open() } else { self.namespace()?.inside(Watch::open) };
        // Only what is elsewhere needs anything of this.
        open().map_err(|error| match error.reason() {
            Reason::Privilege | Reason::Kernel => {
                let text = format!(
                    "watch {}: it is in another network namespace: {}",
                    self.label(),
                    error.message()
                );
                Error::new(Errno::EXDEV, Reason::Namespace, text)
            }
            _ => error,
        })
    }
}
