// SPDX-License-Identifier: MIT
//! The way to the interface of a queue: rtnetlink in the network namespace where the interface is.
//!
//! A device is known to its driver by descriptor and to rtnetlink by name and index, which another device can have too,
//! there or in another namespace. So each call shows first that rtnetlink and the driver mean the same one.

use std::fmt::Display;
use std::result::Result;

use super::ids::is_net_admin;
use super::message::Refusal;
use super::namespace::{Identity, Namespace};
use super::netlink::Socket;
use super::node::Node;
use super::refusal::refusal;
use super::{departure, link};
use crate::model::error::{Errno, Error, Reason};
use crate::model::link::Link;
use crate::model::name::Name;
use crate::model::text::text;

/// A step is tried again when the device was renamed or moved in between, this many times.
const TRIES: usize = 64;

/// The namespace where the device was last seen, and its index there.
pub(super) struct Control {
    netlink: Socket,
    namespace: Option<Identity>,
    /// 0, which no interface has, before it was found.
    index: u32,
    trace: Trace,
}

/// What shows where the device is, when the driver does not: TUNGETDEVNETNS came with Linux 5.4 and needs CAP_NET_ADMIN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// Nothing: its descriptor came from elsewhere, or it has left the namespace where it was.
    Lost,
    /// It was here when it was last looked at.
    Seen,
    /// It was seen here, and the socket receives what tells that it leaves.
    Watched,
}

/// A socket for [`Control::find`], before the device is opened.
pub(super) fn prepare() -> Result<Socket, Error> {
    let mut netlink = Socket::open()?;
    if !is_net_admin() {
        netlink.listen().map_err(unwatched)?;
    }
    Ok(netlink)
}

impl Control {
    /// Finds a device that has just been opened here, in the calling thread's namespace.
    pub(super) fn find(netlink: Socket, node: &Node) -> Result<Self, Error> {
        let mut control = Self { netlink, namespace: Identity::own(), index: 0, trace: Trace::Seen };
        control.link(node)?;
        Ok(control)
    }

    /// For a device that was opened elsewhere: only the driver can tell where it is.
    pub(super) fn adopt(netlink: Socket) -> Self {
        Self { netlink, namespace: Identity::own(), index: 0, trace: Trace::Lost }
    }

    pub(super) fn namespace(&self) -> Option<Identity> {
        self.namespace
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Asks rtnetlink about the interface, which is the same one before and after.
    pub(super) fn ask<T>(
        &mut self,
        node: &Node,
        question: impl Fn(&mut Socket, &Link) -> Result<T, Refusal>,
    ) -> Result<Result<T, Refusal>, Error> {
        for _ in 0..TRIES {
            let link = self.link(node)?;
            let (answer, asked) = (question(&mut self.netlink, &link), self.namespace);
            if self.is_shown(node, &link)? {
                return Ok(answer);
            }
            let after = self.link(node)?;
            if (after.index, after.name, self.namespace) == (link.index, link.name, asked) {
                return Ok(answer);
            }
        }
        Err(restless())
    }

    /// Has rtnetlink change the interface. That there is none of its index can mean that it has just moved.
    pub(super) fn change(
        &mut self,
        node: &Node,
        change: impl Fn(&mut Socket, u32) -> Result<(), Refusal>,
    ) -> Result<Result<(), Refusal>, Error> {
        for _ in 0..TRIES {
            let index = self.link(node)?.index;
            match change(&mut self.netlink, index) {
                Err(refusal) if refusal.errno == Errno::ENODEV => {}
                changed => return Ok(changed),
            }
        }
        Err(restless())
    }

    /// The present state, of this device and of no other. Only the driver says that it is gone.
    pub(super) fn link(&mut self, node: &Node) -> Result<Link, Error> {
        if let Some(link) = self.still_here(node)? {
            return Ok(link);
        }
        for _ in 0..TRIES {
            let name = node.granted().map_err(|errno| gone(node.translate(errno)))?.name;
            let found = match node.namespace() {
                Ok(namespace) => self.follow(node, &Namespace::of(namespace), &name)?,
                Err(Errno::EBADFD) => None,
                Err(Errno::EPERM | Errno::EINVAL | Errno::ENOTTY) => self.watch(node, &name)?,
                Err(errno) => return Err(unasked(errno)),
            };
            if let Some(link) = found {
                return Ok(link);
            }
        }
        Err(restless())
    }

    /// The usual case, with the fewest system calls: the device is where and what it was.
    fn still_here(&mut self, node: &Node) -> Result<Option<Link>, Error> {
        if self.trace != Trace::Seen || self.index == 0 {
            return Ok(None);
        }
        let found = present(link::by_index(&mut self.netlink, self.index))?;
        let Some(link) = found else { return Ok(None) };
        Ok(self.is_shown(node, &link)?.then_some(link))
    }

    /// Whether the driver shows that this, which was found here, is the device: it is here, and has this name.
    fn is_shown(&self, node: &Node, link: &Link) -> Result<bool, Error> {
        Ok(self.is_here(node)? && is_called(node, &link.name))
    }

    /// Whether the driver says that the device is in the namespace where it was last seen.
    fn is_here(&self, node: &Node) -> Result<bool, Error> {
        match node.namespace() {
            Ok(namespace) => Ok(Namespace::of(namespace).identity() == self.namespace),
            Err(Errno::EBADFD | Errno::EPERM | Errno::EINVAL | Errno::ENOTTY) => Ok(false),
            Err(errno) => Err(unasked(errno)),
        }
    }

    /// Finds the device by its name where the driver says that it is; None when it was renamed or moved meanwhile.
    fn follow(&mut self, node: &Node, there: &Namespace, name: &Name) -> Result<Option<Link>, Error> {
        let identity = there.identity();
        if identity != self.namespace {
            let netlink = there.inside(Socket::open).map_err(|error| match error.reason() {
                Reason::Privilege => elsewhere(error.message()),
                reason => {
                    let text = text!("reach the device where it is now: {}", error.message());
                    Error::new(error.errno(), reason, text)
                }
            })?;
            *self = Self { netlink, namespace: identity, index: 0, trace: Trace::Lost };
        }
        let Some(link) = present(link::by_name(&mut self.netlink, name))? else { return Ok(None) };
        if !self.is_shown(node, &link)? {
            return Ok(None);
        }
        (self.index, self.trace) = (link.index, Trace::Seen);
        Ok(Some(link))
    }

    /// Finds the device where it was, as long as nothing tells that it has left.
    fn watch(&mut self, node: &Node, name: &Name) -> Result<Option<Link>, Error> {
        if self.trace == Trace::Lost {
            return Err(elsewhere("nothing shows that it is here"));
        }
        self.netlink.listen().map_err(unwatched)?;
        let found = match self.index {
            0 => link::by_name(&mut self.netlink, name),
            index => link::by_index(&mut self.netlink, index),
        };
        let link = present(found)?;
        let index = link.as_ref().map_or(self.index, |link| link.index);
        if self.netlink.departures().is_none_or(|departures| departures.may_have(index, name)) {
            self.trace = Trace::Lost;
            return Ok(None);
        }
        let Some(link) = link.filter(|link| is_called(node, &link.name)) else { return Ok(None) };
        if self.trace == Trace::Seen {
            self.begin_watch(node, &link)?;
        }
        Ok(Some(link))
    }

    /// The socket listens already, to all that leave.
    fn begin_watch(&mut self, node: &Node, link: &Link) -> Result<(), Error> {
        if !node.may_be(link) {
            self.trace = Trace::Lost;
            return Err(elsewhere("another device has its place"));
        }
        departure::listen_for(self.netlink.kernel(), link.index).map_err(unwatched)?;
        if let Some(departures) = self.netlink.departures() {
            departures.clear();
        }
        (self.index, self.trace) = (link.index, Trace::Watched);
        Ok(())
    }
}

fn is_called(node: &Node, name: &Name) -> bool {
    node.granted().is_ok_and(|granted| granted.name == *name)
}

fn present(found: Result<Link, Error>) -> Result<Option<Link>, Error> {
    match found {
        Err(error) if error.reason() == Reason::Removed => Ok(None),
        found => found.map(Some),
    }
}

fn unasked(errno: Errno) -> Error {
    Error::system(errno, "ask for the namespace of the device")
}

fn gone(errno: Errno) -> Error {
    refusal(errno, None, "ask for the state of the device")
}

fn unwatched(errno: Errno) -> Error {
    Error::system(errno, "watch whether the device leaves its network namespace")
}

fn restless() -> Error {
    elsewhere("it is renamed or moved again and again")
}

fn elsewhere(why: impl Display) -> Error {
    let text = text!(
        "reach the device by rtnetlink: it may be in another network namespace: {why}; to follow it needs CAP_NET_ADMIN \
         there, and Linux 5.4"
    );
    Error::new(Errno::EXDEV, Reason::Namespace, text)
}
