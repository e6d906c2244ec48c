// SPDX-License-Identifier: MIT
//! Watching devices: what the system announces becomes one event for each thing that changed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::os::fd::BorrowedFd;
use std::time::Instant;

use crate::device::Device;
use crate::model::address::{Address, Assigned};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::event::{Event, Kind, Notice};
use crate::model::limit::Limit;
use crate::model::link::Link;
use crate::model::memory::NoMemory;
use crate::sys::{Backend, Watch, Watching};

/// Memory may be missing for what is noted.
type Noted = std::result::Result<(), NoMemory>;

struct Known {
    link: Link,
    addresses: HashSet<Address>,
}

/// A watch over one device, or over all TUN and TAP devices of a network namespace.
pub struct Monitor {
    watch: Watch,
    only: Option<u32>,
    /// The one device as it was last seen, while what is present comes anew.
    before: Option<Link>,
    known: HashMap<u32, Known>,
    events: VecDeque<Event>,
    /// Events were lost for want of memory: to be said before the next.
    overrun: bool,
    ended: bool,
}

impl Monitor {
    /// Watches one device where it is, or all devices of the calling thread's namespace.
    pub fn open(device: Option<&Device>) -> Result<Self> {
        let (watch, before) = match device {
            Some(device) => (device.backend.watch()?, Some(device.backend.link()?)),
            None => (Watch::open()?, None),
        };
        let only = before.as_ref().map(|link| link.index);
        let (known, events) = (HashMap::new(), VecDeque::new());
        let mut monitor = Self { watch, only, before, known, events, overrun: false, ended: false };
        monitor.take()?;
        Ok(monitor)
    }

    /// The descriptor to wait on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.watch.fd()
    }

    /// The next event, waited for as long as the limit allows.
    pub fn next(&mut self, limit: Limit) -> Result<Event> {
        let deadline = limit.deadline();
        loop {
            if std::mem::take(&mut self.overrun) {
                return Ok(Event { kind: Kind::Overrun, link: None, address: None });
            }
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if self.ended {
                let text = "watch a device: it is gone, or in another network namespace: close the monitor";
                return Err(Error::new(Errno::ENODEV, Reason::Removed, text));
            }
            match self.take() {
                Err(error) if error.errno() == Errno::EAGAIN => self.wait(deadline)?,
                taken => taken?,
            }
        }
    }

    /// Takes what was announced, without waiting.
    fn take(&mut self) -> Result<()> {
        let mut notices = Vec::new();
        let taken = self.watch.take(&mut notices);
        let noted = notices.into_iter().try_for_each(|notice| self.note(notice)).map_err(Error::from);
        noted.and(taken).inspect_err(|error| {
            if error.errno() == Errno::ENOMEM {
                self.start_over();
            }
        })
    }

    fn start_over(&mut self) {
        self.forget();
        self.events = VecDeque::new();
        self.overrun = true;
        self.watch.restart();
    }

    fn forget(&mut self) {
        let one = self.only.and_then(|only| self.known.remove(&only));
        self.before = one.map(|known| known.link).or(self.before.take());
        self.known = HashMap::new();
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<()> {
        match self.watch.wait(deadline) {
            Ok(()) | Err(Errno::EINTR) => Ok(()),
            Err(Errno::ETIMEDOUT) => {
                let text = "watch: nothing happened within the time limit";
                Err(Error::new(Errno::ETIMEDOUT, Reason::Timeout, text))
            }
            Err(errno) => Err(Error::system(errno, "wait for what happens")),
        }
    }

    fn note(&mut self, notice: Notice) -> Noted {
        if self.ended {
            return Ok(());
        }
        match notice {
            Notice::Link(link) => self.note_link(link),
            Notice::LinkGone(index) => self.note_gone(index),
            Notice::Address(index, assigned) => self.note_address(index, assigned),
            Notice::AddressGone(index, assigned) => self.note_address_gone(index, assigned),
            Notice::Overrun => {
                self.forget();
                self.push(Kind::Overrun, None, None)
            }
            Notice::Complete => self.note_complete(),
        }
    }

    fn note_link(&mut self, link: Link) -> Noted {
        let watched = self.only.map_or(link.tuntap.is_some(), |only| only == link.index);
        let Some(known) = self.known.get_mut(&link.index) else {
            if !watched {
                return Ok(());
            }
            self.known.try_reserve(1).map_err(|_| NoMemory)?;
            self.known.insert(link.index, Known { link: link.clone(), addresses: HashSet::new() });
            return self.push(Kind::Device, Some(link), None);
        };
        let before = std::mem::replace(&mut known.link, link.clone());
        // The carrier alone is announced later than it changes: what else is new came after it.
        let changes = [
            (before.carrier != link.carrier, if link.carrier { Kind::CarrierOn } else { Kind::CarrierOff }),
            (before.name != link.name, Kind::Name),
            (before.mtu != link.mtu, Kind::Mtu),
            (before.mac != link.mac, Kind::Mac),
            (before.up != link.up, if link.up { Kind::Up } else { Kind::Down }),
        ];
        let mut changed = changes.into_iter().filter(|(changed, _)| *changed);
        changed.try_for_each(|(_, kind)| self.push(kind, Some(link.clone()), None))
    }

    fn note_gone(&mut self, index: u32) -> Noted {
        self.reserve(1)?;
        let Some(known) = self.known.remove(&index) else { return Ok(()) };
        self.ended = self.only.is_some();
        self.push(Kind::Removed, Some(known.link), None)
    }

    /// An address also comes anew when only its flags or its lifetime changed.
    fn note_address(&mut self, index: u32, assigned: Assigned) -> Noted {
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        known.addresses.try_reserve(1).map_err(|_| NoMemory)?;
        if !known.addresses.insert(assigned.address) {
            return Ok(());
        }
        let link = known.link.clone();
        self.push(Kind::AddrAdded, Some(link), Some(assigned))
    }

    fn note_address_gone(&mut self, index: u32, assigned: Assigned) -> Noted {
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        if !known.addresses.remove(&assigned.address) {
            return Ok(());
        }
        let link = known.link.clone();
        self.push(Kind::AddrRemoved, Some(link), Some(assigned))
    }

    /// A device that went while something was lost is missing now.
    fn note_complete(&mut self) -> Noted {
        self.reserve(2)?;
        self.push(Kind::Complete, None, None)?;
        if self.only.is_none() || !self.known.is_empty() {
            return Ok(());
        }
        self.ended = true;
        let gone = self.before.take();
        self.push(Kind::Removed, gone, None)
    }

    /// Room for so many events, before anything is forgotten that they tell.
    fn reserve(&mut self, events: usize) -> Noted {
        self.events.try_reserve(events).map_err(|_| NoMemory)
    }

    fn push(&mut self, kind: Kind, link: Option<Link>, address: Option<Assigned>) -> Noted {
        self.reserve(1)?;
        self.events.push_back(Event { kind, link, address });
        Ok(())
    }
}
