// SPDX-License-Identifier: MIT
//! The way to the interface of a queue: rtnetlink in the network namespace where the interface is.
//!
//! A device is known to its driver by descriptor and to rtnetlink by name and index, which another device can have too,
//! there or in another namespace. So each call shows first that rtnetlink and the driver mean the same one.

use std::os::fd::OwnedFd;
use std::result::Result;

use super::ids::is_net_admin;
use super::message::Refusal;
use super::namespace::{Identity, Namespace};
use super::netlink::{Socket, unopened};
use super::node::{Granted, Node};
use super::refusal::{elsewhere, gone, restless, unasked, unreached, unwatched};
use super::socket::KernelSocket;
use super::{departure, link};
use crate::model::error::{Errno, Error, Reason};
use crate::model::link::Link;
use crate::model::name::Name;

/// A step is tried again when the device was renamed or moved in between, this many times.
const TRIES: usize = 64;

/// What rtnetlink says to a request.
pub(super) type Answer = Result<(), Refusal>;
/// A request about the interface. It keeps what it was answered.
pub(super) type Question<'a> = &'a mut dyn FnMut(&mut Socket, Interface) -> Answer;

/// The namespace where the device was last seen, and its index there.
pub(super) struct Control {
    /// In that namespace. Present while something needs it: see [`Control::rest`].
    netlink: Option<Socket>,
    namespace: Option<Identity>,
    /// 0, which no interface has, before it was found.
    index: u32,
    trace: Trace,
    /// The driver has said where the device is, the last time that it was asked.
    answered: bool,
    /// The socket is of another namespace than its opener's, who may not be able to open a second one.
    apart: bool,
}

/// The way to the interface, as the first step of a call has found it. The other steps go it without asking again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Way {
    namespace: Option<Identity>,
    interface: Option<Interface>,
}

/// An interface as rtnetlink knows it.
#[derive(Clone, Copy)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: Name,
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
    fn new(netlink: Option<Socket>, namespace: Option<Identity>, trace: Trace) -> Self {
        Self { netlink, namespace, index: 0, trace, answered: false, apart: false }
    }

    /// Finds a device that has just been opened here, in the calling thread's namespace.
    pub(super) fn find(netlink: Socket, node: &Node) -> Result<(Self, Link), Error> {
        let mut control = Self::new(Some(netlink), Identity::own(), Trace::Seen);
        let link = control.link(node, &mut Way::default())?;
        Ok((control, link))
    }

    /// The same where the driver can be asked, with fewer system calls: the device had this name a moment ago.
    pub(super) fn find_named(node: &Node, name: &Name) -> Result<(Self, Granted), Error> {
        let socket = KernelSocket::new().map_err(unopened)?;
        let mut control = Self { answered: true, ..Self::new(None, None, Trace::Seen) };
        let index = link::index_of(socket.fd(), name);
        let namespace = control.ask_driver(node);
        let granted = node.granted().map_err(|errno| gone(node.translate(errno)))?;
        match (index, namespace) {
            (Ok(index), Ok(namespace)) if granted.name == *name => {
                (control.index, control.namespace) = (index, Namespace::of(namespace).identity());
                Ok((control, granted))
            }
            _ => {
                let (control, _) = Self::find(Socket::connect(socket)?, node)?;
                Ok((control, granted))
            }
        }
    }

    /// For a device that was opened elsewhere: only the driver can tell where it is.
    pub(super) fn adopt() -> Self {
        Self::new(None, None, Trace::Lost)
    }

    pub(super) fn namespace(&self) -> Option<Identity> {
        self.namespace
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn is_open(&self) -> bool {
        self.netlink.is_some()
    }

    /// Whether the driver says where the device is.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// The opener goes back to another namespace than the device's, and the socket stays.
    pub(super) fn stay_apart(&mut self) -> Result<(), Error> {
        if self.netlink.is_none() {
            self.netlink = Some(Socket::open()?);
        }
        self.apart = true;
        Ok(())
    }

    /// Closes the socket, unless it shows where the device is, or no other could be opened.
    pub(super) fn close(&mut self) {
        if self.trace == Trace::Lost || (self.trace == Trace::Seen && !self.apart) {
            self.netlink = None;
        }
    }

    /// Asks rtnetlink about the interface: what has been shown after an answer holds for it too.
    pub(super) fn ask(
        &mut self,
        node: &Node,
        way: &mut Way,
        question: Question<'_>,
    ) -> Result<Answer, Error> {
        if let Some(answer) = self.ask_at_once(node, way, question)? {
            return Ok(answer);
        }
        for _ in 0..TRIES {
            let Link { index, name, .. } = self.link(node, way)?;
            let asked = way.namespace;
            let Some(netlink) = self.here()? else { continue };
            let answer = question(netlink, Interface { index, name });
            if self.is_shown(node, &name)? {
                return Ok(answer);
            }
            let after = self.link(node, way)?;
            if (after.index, after.name, way.namespace) == (index, name, asked) {
                return Ok(answer);
            }
        }
        Err(restless())
    }

    /// Has rtnetlink change the interface. That there is none of its index can mean that it has just moved.
    pub(super) fn change(
        &mut self,
        node: &Node,
        way: &mut Way,
        change: &dyn Fn(&mut Socket, u32) -> Answer,
    ) -> Result<Answer, Error> {
        let mut index = None;
        let shown = self.ask_at_once(node, way, &mut |_, interface| {
            index = Some(interface.index);
            Ok(())
        })?;
        let mut index = shown.and(index);
        for _ in 0..TRIES {
            let index = match index.take() {
                Some(index) => index,
                None => self.link(node, way)?.index,
            };
            let Some(netlink) = self.here()? else { continue };
            match change(netlink, index) {
                Err(refusal) if refusal.errno == Errno::ENODEV => {}
                changed => return Ok(changed),
            }
        }
        Err(restless())
    }

    /// The usual case, with the fewest system calls: the device is where this call, or the last one, has found it.
    fn ask_at_once(
        &mut self,
        node: &Node,
        way: &mut Way,
        question: Question<'_>,
    ) -> Result<Option<Answer>, Error> {
        let (found, index) = (way.interface.filter(|_| way.namespace == self.namespace), self.index);
        if self.trace != Trace::Seen || index == 0 {
            return Ok(None);
        }
        let Some(netlink) = self.here()? else { return Ok(None) };
        if let Some(interface) = found {
            let answer = question(netlink, interface);
            let moved = answer.as_ref().is_err_and(|refusal| refusal.errno == Errno::ENODEV);
            return Ok((!moved).then_some(answer));
        }
        let Ok(name) = link::name_of(netlink.fd(), index) else { return Ok(None) };
        let interface = Interface { index, name };
        let answer = question(netlink, interface);
        if !self.is_shown(node, &name)? {
            return Ok(None);
        }
        *way = Way { namespace: self.namespace, interface: Some(interface) };
        Ok(Some(answer))
    }

    /// The socket in the namespace where the device was last seen; None where the calling thread cannot open one.
    fn here(&mut self) -> Result<Option<&mut Socket>, Error> {
        if self.netlink.is_none() && self.namespace.is_some() && self.namespace == Identity::own() {
            (self.netlink, self.apart) = (Some(Socket::open()?), false);
        }
        Ok(self.netlink.as_mut())
    }

    /// The present state, of this device and of no other. Only the driver says that it is gone.
    pub(super) fn link(&mut self, node: &Node, way: &mut Way) -> Result<Link, Error> {
        let link = self.look(node)?;
        let interface = Interface { index: link.index, name: link.name };
        *way = Way { namespace: self.namespace, interface: Some(interface) };
        Ok(link)
    }

    fn look(&mut self, node: &Node) -> Result<Link, Error> {
        if let Some(link) = self.still_here(node)? {
            return Ok(link);
        }
        for _ in 0..TRIES {
            let name = node.granted().map_err(|errno| gone(node.translate(errno)))?.name;
            let found = match self.ask_driver(node) {
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

    /// Where the device is, as the driver says it. Who may not ask is spared the refusal, unless he has just lost the right.
    pub(super) fn ask_driver(&mut self, node: &Node) -> Result<OwnedFd, Errno> {
        if !self.answered && !is_net_admin() {
            return Err(Errno::EPERM);
        }
        let namespace = node.namespace();
        self.answered = namespace.is_ok();
        namespace
    }

    /// The usual case, with the fewest system calls: the device is where and what it was.
    fn still_here(&mut self, node: &Node) -> Result<Option<Link>, Error> {
        if self.trace != Trace::Seen || self.index == 0 {
            return Ok(None);
        }
        let index = self.index;
        let Some(netlink) = self.here()? else { return Ok(None) };
        let Some(link) = present(link::by_index(netlink, index))? else { return Ok(None) };
        Ok(self.is_shown(node, &link.name)?.then_some(link))
    }

    /// Whether the driver shows that what has this name here is the device: it is here, and has this name.
    fn is_shown(&mut self, node: &Node, name: &Name) -> Result<bool, Error> {
        Ok(self.is_here(node)? && is_called(node, name))
    }

    /// Whether the driver says that the device is in the namespace where it was last seen.
    fn is_here(&mut self, node: &Node) -> Result<bool, Error> {
        match self.ask_driver(node) {
            Ok(namespace) => Ok(Namespace::of(namespace).identity() == self.namespace),
            Err(Errno::EBADFD | Errno::EPERM | Errno::EINVAL | Errno::ENOTTY) => Ok(false),
            Err(errno) => Err(unasked(errno)),
        }
    }

    /// Finds the device by its name where the driver says that it is; None when it was renamed or moved meanwhile.
    fn follow(&mut self, node: &Node, there: &Namespace, name: &Name) -> Result<Option<Link>, Error> {
        let identity = there.identity();
        if identity != self.namespace || self.netlink.is_none() {
            let answered = self.answered;
            let netlink = there.inside(Socket::open).map_err(unreached)?;
            let apart = identity != Identity::own();
            *self = Self { answered, apart, ..Self::new(Some(netlink), identity, Trace::Lost) };
        }
        let Some(netlink) = &mut self.netlink else { return Ok(None) };
        let Some(link) = present(link::by_name(netlink, name))? else { return Ok(None) };
        if !self.is_shown(node, &link.name)? {
            return Ok(None);
        }
        (self.index, self.trace) = (link.index, Trace::Seen);
        Ok(Some(link))
    }

    /// Finds the device where it was, as long as nothing tells that it has left.
    fn watch(&mut self, node: &Node, name: &Name) -> Result<Option<Link>, Error> {
        if self.trace == Trace::Lost {
            return Err(elsewhere("nothing proves that it is in this one"));
        }
        let index = self.index;
        let Some(netlink) = self.here()? else {
            return Err(elsewhere(
                "the calling thread is not in the namespace where the device was last seen",
            ));
        };
        netlink.listen().map_err(unwatched)?;
        let found = match index {
            0 => link::by_name(netlink, name),
            index => link::by_index(netlink, index),
        };
        let link = present(found)?;
        let index = link.as_ref().map_or(index, |link| link.index);
        if netlink.departures().is_none_or(|departures| departures.may_have(index, name)) {
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
            return Err(elsewhere("another device has its name or index"));
        }
        if let Some(netlink) = &mut self.netlink {
            departure::listen_for(netlink.kernel(), link.index).map_err(unwatched)?;
            if let Some(departures) = netlink.departures() {
                departures.clear();
            }
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
