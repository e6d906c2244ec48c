// SPDX-License-Identifier: MIT
//! A device, through one of its queues: opening it, and what it is.

mod address;
pub mod config;
mod link;
pub mod monitor;
mod packet;
pub mod presence;
mod queue;
pub mod reader;
mod route;
mod steering;
pub(crate) mod stream;
mod wait;
pub mod writer;

use std::fmt::Display;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::device::config::Config;
use crate::device::stream::Stream;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::flags::{self, FdFlags, Flags};
use crate::model::link::{Link, Tuntap};
use crate::model::name::{Name, NameRequest};
use crate::model::offload;
use crate::model::text::{Text, text};
use crate::sys::{Backend, Outcome, PerProcess, Queue};
pub(crate) use crate::sys::{CancelDisabled, Namespace};

/// An open device. Dropping it closes it.
pub struct Device {
    pub(crate) backend: Queue,
    nonblock: AtomicBool,
    changing: Mutex<()>,
    /// On a device with offload, what a super-packet still has for the next reads.
    rest: Option<Rest>,
    /// The offloads that packets to write are joined for.
    joins: AtomicU64,
}

type Rest = PerProcess<Mutex<Stream>>;

/// What one step of a call finds, for its other steps. It ends with the call.
type Way<'a> = <Queue as Backend>::Way<'a>;

impl Device {
    /// Opens a device: attaches to it when it exists, makes it when it does not.
    pub fn open(name: &NameRequest, flags: &Flags, config: &Config) -> Result<Self> {
        config.check(flags)?;
        check_ids(name, config)?;
        let undo = |backend: Queue, error| {
            backend.undo_open(&config.place());
            Err(error)
        };
        let backend = Queue::open(name, flags, config.vnet, &config.place())?;
        let device = match rest_of(&backend) {
            Ok(rest) => Self::with(backend, rest, flags.nonblock),
            Err(error) => return undo(backend, error),
        };
        match device.apply(flags, config) {
            Ok(()) => Ok(device),
            Err(error) => undo(device.backend, error),
        }
    }

    /// Takes over the descriptor of a device that was opened elsewhere.
    pub fn open_fd(fd: RawFd, flags: FdFlags) -> Result<Self> {
        let backend = Queue::open_fd(fd, flags.borrow)?;
        match rest_of(&backend).and_then(|rest| backend.keep_fd().map(|()| rest)) {
            Ok(rest) => Ok(Self::with(backend, rest, flags.nonblock)),
            Err(error) => {
                backend.undo_open_fd(flags.borrow);
                Err(error)
            }
        }
    }

    /// Whether devices have it on this operating system.
    pub fn has(feature: Feature) -> bool {
        Queue::has(feature)
    }

    pub(crate) fn of(backend: Queue, nonblock: bool) -> Result<Self> {
        let rest = rest_of(&backend)?;
        Ok(Self::with(backend, rest, nonblock))
    }

    fn with(backend: Queue, rest: Option<Rest>, nonblock: bool) -> Self {
        let joins = if rest.is_some() { backend.offloads().unwrap_or(offload::TCP_OFFLOADS) } else { 0 };
        Self {
            backend,
            nonblock: AtomicBool::new(nonblock),
            changing: Mutex::new(()),
            rest,
            joins: AtomicU64::new(joins),
        }
    }

    /// What a super-packet still has for the next reads, on a device with offload. Nobody waits while holding it. A child
    /// of fork begins with nothing: the rest is its parent's.
    #[inline]
    pub(crate) fn rest(&self) -> Option<Outcome<&Mutex<Stream>>> {
        self.rest.as_ref().map(|rest| rest.get(|| new_rest(&self.backend)))
    }

    /// The name at this moment: somebody else may rename the device.
    pub fn name(&self) -> Result<Name> {
        self.backend.name()
    }

    /// The interface index.
    pub fn index(&self) -> Result<u32> {
        Ok(self.link()?.index)
    }

    /// The descriptor, to wait on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.backend.fd()
    }

    /// The flags as they are granted, as the ABI's bits.
    pub fn flags(&self) -> Result<u64> {
        let nonblock = flags::bit(self.nonblock(), flags::NONBLOCK);
        let persist = flags::bit(self.backend.persist()?, flags::PERSIST);
        Ok(self.backend.mode().bits() | nonblock | persist)
    }

    /// Makes the device outlive its last handle, or not.
    pub fn set_persist(&self, on: bool) -> Result<()> {
        if self.backend.persist()? == on {
            return Ok(());
        }
        self.backend.set_persist(on)
    }

    /// The user that may open the device without privilege.
    pub fn owner(&self) -> Result<u32> {
        self.needs(Feature::Owner, "ask for the owner of")?;
        self.tuntap()?.owner.ok_or_else(|| self.unset("owner", "tuntap_set_owner"))
    }

    /// Gives the device to a user. Done also when it is so already: it needs no privilege, and what is reported as
    /// the overflow id may be somebody whom this user namespace does not have.
    pub fn set_owner(&self, uid: u32) -> Result<()> {
        check_user(self.label(), uid)?;
        self.backend.set_owner(uid)
    }

    /// The group whose members may open the device without privilege.
    pub fn group(&self) -> Result<u32> {
        self.needs(Feature::Owner, "ask for the group of")?;
        self.tuntap()?.group.ok_or_else(|| self.unset("group", "tuntap_set_group"))
    }

    /// Gives the device to a group.
    pub fn set_group(&self, gid: u32) -> Result<()> {
        check_group(self.label(), gid)?;
        self.backend.set_group(gid)
    }

    /// Whether reads and writes do not wait.
    pub fn nonblock(&self) -> bool {
        self.nonblock.load(Ordering::Relaxed)
    }

    /// Makes reads and writes wait, or not.
    pub fn set_nonblock(&self, on: bool) -> Result<()> {
        self.nonblock.store(on, Ordering::Relaxed);
        Ok(())
    }

    /// Bytes of written packets that are on their way, at most.
    pub fn send_buffer(&self) -> Result<u32> {
        self.backend.send_buffer()
    }

    /// Sets how many bytes of written packets are on their way, at most.
    pub fn set_send_buffer(&self, bytes: u32) -> Result<()> {
        if self.send_buffer()? == bytes {
            return Ok(());
        }
        if bytes == 0 || i32::try_from(bytes).is_err() {
            let text = text!("set the send buffer of {} to {bytes}: it takes 1 to 2147483647", self.label());
            return Err(Error::new(Errno::EINVAL, Reason::Range, text));
        }
        self.backend.set_send_buffer(bytes)
    }

    /// Bytes of the virtio header before each packet, on a device with offload.
    pub fn vnet_hdr_size(&self) -> Result<usize> {
        self.needs_offload("ask for the virtio header of")?;
        Ok(self.backend.layout().size())
    }

    /// The offloads that packets to write are joined for, as the ABI's bits.
    pub(crate) fn joins(&self) -> u64 {
        self.joins.load(Ordering::Relaxed)
    }

    /// Turns on these offloads of the device and no others, for what it hands over and for what this handle joins.
    pub fn set_offloads(&self, offloads: u64) -> Result<()> {
        self.needs_offload("set the offloads of")?;
        if offloads & !offload::ALL_OFFLOADS != 0 {
            let text = text!("offloads {offloads:#x}: this version does not know all of them");
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text));
        }
        self.backend.set_offloads(offloads)?;
        self.joins.store(offloads, Ordering::Relaxed);
        Ok(())
    }

    /// That devices have it on this operating system.
    fn needs(&self, feature: Feature, action: &str) -> Result<()> {
        if Self::has(feature) {
            return Ok(());
        }
        Err(Error::platform(format_args!("{action} {}", self.label())))
    }

    /// The same for what a device must be opened for, by this flag.
    pub(crate) fn needs_flag(&self, feature: Feature, granted: bool, flag: &str, action: &str) -> Result<()> {
        self.needs(feature, action)?;
        if granted {
            return Ok(());
        }
        let text = text!("{action} {}: it was not opened with {flag}", self.label());
        Err(Error::new(Errno::EINVAL, Reason::Mismatch, text))
    }

    fn tuntap(&self) -> Result<Tuntap> {
        self.link()?.needs_tuntap()
    }

    pub(crate) fn unset(&self, what: &str, setter: &str) -> Error {
        let name = self.label();
        Error::new(Errno::ENOENT, Reason::Unset, text!("{name} has no {what}: {setter} gives it one"))
    }

    /// The interface as it is.
    fn link(&self) -> Result<Link> {
        self.backend.link(&mut self.backend.way())
    }

    /// The name for a message.
    pub(crate) fn label(&self) -> Text {
        self.backend.label()
    }

    /// To be held over a change of several steps. A thread cannot panic with it, so there is no broken state to
    /// find.
    pub(crate) fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rest_of(backend: &Queue) -> Result<Option<Rest>> {
    let rest = || PerProcess::new(new_rest(backend)?);
    let rest = backend.mode().offload.then(rest).transpose();
    rest.map_err(|errno| Error::system(errno, "make room for super-packets"))
}

fn new_rest(backend: &Queue) -> Outcome<Mutex<Stream>> {
    Ok(Mutex::new(Stream::of(backend, false)?))
}

/// Before anything is touched: an owner or a group that was set cannot be unset again.
fn check_ids(name: &NameRequest, config: &Config) -> Result<()> {
    config.owner.map_or(Ok(()), |uid| check_user(name, uid))?;
    config.group.map_or(Ok(()), |gid| check_group(name, gid))
}

fn check_user(device: impl Display, uid: u32) -> Result<()> {
    check_id(Queue::knows_user(uid), device, "user", uid)
}

fn check_group(device: impl Display, gid: u32) -> Result<()> {
    check_id(Queue::knows_group(gid), device, "group", gid)
}

fn check_id(known: bool, device: impl Display, whose: &str, id: u32) -> Result<()> {
    if known {
        return Ok(());
    }
    Err(Error::new(
        Errno::EINVAL,
        Reason::Range,
        text!("give {device} to {whose} {id}: this user namespace has no such {whose}"),
    ))
}
