// SPDX-License-Identifier: MIT
//! A handle: one queue of a device. Opening, and the properties of the device.

mod address;
pub mod config;
mod default_route;
mod known;
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
    configuring: Mutex<()>,
    /// Reads super-packets, on a device with offload.
    stream: Option<OwnStream>,
    /// The offloads for which written packets are coalesced.
    coalesced: AtomicU64,
}

type OwnStream = PerProcess<Mutex<Stream>>;

/// The state of a call, which its steps share.
type Call<'a> = <Queue as Backend>::Call<'a>;

impl Device {
    /// Opens a device: attaches to an existing one, or creates it.
    pub fn open(name: &NameRequest, flags: &Flags, config: &Config) -> Result<Self> {
        config.check(flags)?;
        check_ids(name, config)?;
        let undo = |backend: Queue, error| {
            backend.undo_open(&config.location());
            Err(error)
        };
        let backend = Queue::open(name, flags, config.vnet, &config.location())?;
        let device = match stream_of(&backend) {
            Ok(stream) => Self::with(backend, stream, flags.nonblock),
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
        match stream_of(&backend).and_then(|stream| backend.keep_fd().map(|()| stream)) {
            Ok(stream) => Ok(Self::with(backend, stream, flags.nonblock)),
            Err(error) => {
                backend.undo_open_fd(flags.borrow);
                Err(error)
            }
        }
    }

    /// Whether devices have the feature on this operating system.
    pub fn has(feature: Feature) -> bool {
        Queue::has(feature)
    }

    pub(crate) fn of(backend: Queue, nonblock: bool) -> Result<Self> {
        let stream = stream_of(&backend)?;
        Ok(Self::with(backend, stream, nonblock))
    }

    fn with(backend: Queue, stream: Option<OwnStream>, nonblock: bool) -> Self {
        let coalesced =
            if stream.is_some() { backend.offloads_at_open().unwrap_or(offload::TCP_OFFLOADS) } else { 0 };
        Self {
            backend,
            nonblock: AtomicBool::new(nonblock),
            configuring: Mutex::new(()),
            stream,
            coalesced: AtomicU64::new(coalesced),
        }
    }

    /// The packets that are read one by one, on a device with offload. No thread waits while it holds the lock. A child
    /// of fork() starts with a new stream: the unread rest of a super-packet stays with the parent.
    #[inline]
    pub(crate) fn stream(&self) -> Option<Outcome<&Mutex<Stream>>> {
        self.stream.as_ref().map(|stream| stream.get(|| new_stream(&self.backend)))
    }

    /// The current name. Other processes can rename the device.
    pub fn name(&self) -> Result<Name> {
        self.backend.name()
    }

    /// The interface index.
    pub fn index(&self) -> Result<u32> {
        Ok(self.link()?.index)
    }

    /// The descriptor to wait on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.backend.fd()
    }

    /// The current flags as granted by the kernel, as bits of the ABI.
    pub fn flags(&self) -> Result<u64> {
        let nonblock = flags::bit(self.nonblock(), flags::NONBLOCK);
        let persist = flags::bit(self.backend.persist()?, flags::PERSIST);
        Ok(self.backend.mode().bits() | nonblock | persist)
    }

    /// Sets whether the device stays after its last handle is closed.
    pub fn set_persist(&self, on: bool) -> Result<()> {
        if self.backend.persist()? == on {
            return Ok(());
        }
        self.backend.set_persist(on)
    }

    /// The user that may open the device without privilege.
    pub fn owner(&self) -> Result<u32> {
        self.needs(Feature::Owner, "query the owner of")?;
        self.tuntap()?.owner.ok_or_else(|| self.unset("owner", "tuntap_set_owner"))
    }

    /// Sets the owner. Makes the call even if the id is unchanged: it needs no privilege, and the kernel reports the
    /// overflow id for each user that this user namespace does not have.
    pub fn set_owner(&self, uid: u32) -> Result<()> {
        check_user(self.label(), uid)?;
        self.backend.set_owner(uid)
    }

    /// The group whose members may open the device without privilege.
    pub fn group(&self) -> Result<u32> {
        self.needs(Feature::Owner, "query the group of")?;
        self.tuntap()?.group.ok_or_else(|| self.unset("group", "tuntap_set_group"))
    }

    /// Sets the group.
    pub fn set_group(&self, gid: u32) -> Result<()> {
        check_group(self.label(), gid)?;
        self.backend.set_group(gid)
    }

    /// Whether reads and writes return EAGAIN instead of waiting.
    pub fn nonblock(&self) -> bool {
        self.nonblock.load(Ordering::Relaxed)
    }

    /// Sets whether reads and writes return EAGAIN instead of waiting.
    pub fn set_nonblock(&self, on: bool) -> Result<()> {
        self.nonblock.store(on, Ordering::Relaxed);
        Ok(())
    }

    /// The limit of bytes of written packets that the kernel may still be processing.
    pub fn send_buffer(&self) -> Result<u32> {
        self.backend.send_buffer()
    }

    /// Sets the limit of bytes of written packets that the kernel may still be processing.
    pub fn set_send_buffer(&self, bytes: u32) -> Result<()> {
        if self.send_buffer()? == bytes {
            return Ok(());
        }
        if bytes == 0 || i32::try_from(bytes).is_err() {
            let text =
                text!("set the send buffer of {} to {bytes}: the range is 1 to 2147483647", self.label());
            return Err(Error::new(Errno::EINVAL, Reason::Range, text));
        }
        self.backend.set_send_buffer(bytes)
    }

    /// The size of the virtio header before each packet, on a device with offload.
    pub fn vnet_hdr_size(&self) -> Result<usize> {
        self.needs_offload("query the virtio header of")?;
        Ok(self.backend.layout().size())
    }

    /// The offloads for which written packets are coalesced, as bits of the ABI.
    pub(crate) fn coalesced(&self) -> u64 {
        self.coalesced.load(Ordering::Relaxed)
    }

    /// Turns on exactly these offloads of the device, for packets that are read and for those that this handle
    /// coalesces.
    pub fn set_offloads(&self, offloads: u64) -> Result<()> {
        self.needs_offload("set the offloads of")?;
        if offloads & !offload::ALL_OFFLOADS != 0 {
            let text = text!("offloads {offloads:#x}: this version does not know all of them");
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text));
        }
        if offloads & offload::TUNNEL_OFFLOADS != 0 && !self.backend.layout().has_tunnels() {
            let why =
                "tunnels need a little-endian virtio header of 24 bytes: use tuntap_config_set_vnet_hdr_size";
            let text = text!("set the offloads of {}: {why}", self.label());
            return Err(Error::new(Errno::EINVAL, Reason::Mismatch, text));
        }
        self.backend.set_offloads(offloads)?;
        self.coalesced.store(offloads, Ordering::Relaxed);
        Ok(())
    }

    /// Fails if devices do not have the feature on this operating system.
    fn needs(&self, feature: Feature, action: &str) -> Result<()> {
        if Self::has(feature) {
            return Ok(());
        }
        Err(Error::platform(format_args!("{action} {}", self.label())))
    }

    /// Fails also if the device was not opened with the flag that the feature needs.
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
        Error::new(Errno::ENOENT, Reason::Unset, text!("{name} has no {what}: set one with {setter}"))
    }

    /// The interface as it is.
    fn link(&self) -> Result<Link> {
        self.backend.link(&mut self.backend.begin_call())
    }

    /// The name, for messages.
    pub(crate) fn label(&self) -> Text {
        self.backend.label()
    }

    /// A lock to hold during a change of several steps. No thread panics while it holds it, so a poisoned lock has no
    /// inconsistent state.
    pub(crate) fn lock_configuration(&self) -> MutexGuard<'_, ()> {
        self.configuring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stream_of(backend: &Queue) -> Result<Option<OwnStream>> {
    let stream = || PerProcess::new(new_stream(backend)?);
    let stream = backend.mode().offload.then(stream).transpose();
    stream.map_err(|errno| Error::system(errno, "allocate memory for super-packets"))
}

fn new_stream(backend: &Queue) -> Outcome<Mutex<Stream>> {
    Ok(Mutex::new(Stream::of(backend, false)?))
}

/// Checks the ids before anything is changed, because an owner or a group cannot be unset.
fn check_ids(name: &NameRequest, config: &Config) -> Result<()> {
    config.owner.map_or(Ok(()), |uid| check_user(name, uid))?;
    config.group.map_or(Ok(()), |gid| check_group(name, gid))
}

fn check_user(device: impl Display, uid: u32) -> Result<()> {
    check_id(Queue::knows_user(uid), device, "owner", "user", uid)
}

fn check_group(device: impl Display, gid: u32) -> Result<()> {
    check_id(Queue::knows_group(gid), device, "group", "group", gid)
}

fn check_id(known: bool, device: impl Display, what: &str, kind: &str, id: u32) -> Result<()> {
    if known {
        return Ok(());
    }
    Err(Error::new(
        Errno::EINVAL,
        Reason::Range,
        text!("set the {what} of {device} to {id}: this user namespace has no such {kind}"),
    ))
}
