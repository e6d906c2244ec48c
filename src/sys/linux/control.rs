// SPDX-License-Identifier: MIT
//! Configures the interface of a queue: by rtnetlink, in the network namespace of the interface.
//!
//! The driver identifies a device by its descriptor, rtnetlink by name and index. Another device can get this name or
//! index, in this namespace or in another one. So each call first verifies that rtnetlink and the driver mean the same
//! device.

use std::os::fd::OwnedFd;
use std::result::Result;

use super::ids::is_net_admin;
use super::message::Refusal;
use super::namespace::{Identity, Namespace};
use super::netlink::{Socket, open_error};
use super::node::{Granted, Node};
use super::refusal::{
    enter_error, namespace_error, state_error, unreachable_error, unstable_error, watch_error,
};
use super::socket::KernelSocket;
use super::{departure, link};
use crate::model::error::{Errno, Error, Reason};
use crate::model::link::Link;
use crate::model::name::Name;

/// Limit of the attempts at a step, which is repeated if the device was renamed or moved in the meantime.
pub(super) const TRIES: usize = 64;

/// The result of a request to rtnetlink.
pub(super) type Answer = Result<(), Refusal>;
/// A query about the interface. It stores its own result.
pub(super) type Query<'a> = &'a mut dyn FnMut(&mut Socket, Interface) -> Answer;

/// The access to the interface: the namespace where it was last seen, and its index there.
pub(super) struct Control {
    /// A socket in that namespace. Open while a call needs it: see [`Control::close`].
    netlink: Option<Socket>,
    namespace: Option<Identity>,
    /// 0, which is never an index, until the interface is found.
    index: u32,
    trace: Trace,
    /// The last TUNGETDEVNETNS succeeded.
    driver_reports: bool,
    /// The socket is in another namespace than its opener, which may be unable to open a second one there.
    foreign: bool,
}

/// The interface as the first step of a call found it. The other steps of the call use it without a new query.
#[derive(Clone, Copy, Default)]
pub(crate) struct Located {
    namespace: Option<Identity>,
    interface: Option<Interface>,
}

/// An interface as rtnetlink knows it.
#[derive(Clone, Copy)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: Name,
}

/// Evidence of where the device is, for when the driver does not report it: TUNGETDEVNETNS needs Linux 5.4 and
/// CAP_NET_ADMIN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// None: its descriptor was opened elsewhere, or the device left the namespace.
    Lost,
    /// It was in the namespace at the last check.
    Seen,
    /// It was in the namespace, and the socket receives a notification if it leaves.
    Watched,
}

/// Opens the socket for [`Control::find`], before the device is opened. Without CAP_NET_ADMIN it must receive
/// notifications from then on.
pub(super) fn prepare() -> Result<Socket, Error> {
    let mut netlink = Socket::open()?;
    if !is_net_admin() {
        netlink.listen().map_err(watch_error)?;
    }
    Ok(netlink)
}

impl Control {
    fn new(netlink: Option<Socket>, namespace: Option<Identity>, trace: Trace) -> Self {
        Self { netlink, namespace, index: 0, trace, driver_reports: false, foreign: false }
    }

    /// Finds a device that was just opened in the namespace of the calling thread.
    pub(super) fn find(netlink: Socket, node: &Node) -> Result<(Self, Link), Error> {
        let mut control = Self::new(Some(netlink), Identity::own(), Trace::Seen);
        let link = control.link(node, &mut Located::default())?;
        Ok((control, link))
    }

    /// As [`Self::find`], with fewer system calls if TUNGETDEVNETNS works: the device had this name a moment ago.
    pub(super) fn find_named(node: &Node, name: &Name) -> Result<(Self, Granted), Error> {
        let socket = KernelSocket::new().map_err(open_error)?;
        let mut control = Self { driver_reports: true, ..Self::new(None, None, Trace::Seen) };
        let index = link::index_of(socket.fd(), name);
        let namespace = control.namespace_fd(node);
        let granted = node.granted().map_err(|errno| state_error(node.translate(errno)))?;
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

    /// For a device that was opened elsewhere: only the driver knows its namespace.
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

    /// Whether the driver reports the namespace of the device.
    pub(super) fn driver_reports(&self) -> bool {
        self.driver_reports
    }

    /// Keeps the socket open, because the opener returns to another namespace than that of the device. Opens none if
    /// the device has already left the namespace of the calling thread.
    pub(super) fn keep_socket(&mut self) -> Result<(), Error> {
        let moved = self.namespace.zip(Identity::own()).is_some_and(|(namespace, own)| namespace != own);
        if self.netlink.is_none() && !moved {
            self.netlink = Some(Socket::open()?);
        }
        self.foreign = self.netlink.is_some();
        Ok(())
    }

    /// Closes the socket, unless it watches the device, or could not be opened again.
    pub(super) fn close(&mut self) {
        if self.trace == Trace::Lost || (self.trace == Trace::Seen && !self.foreign) {
            self.netlink = None;
        }
    }

    /// Queries rtnetlink about the interface. Verifies the identity of the device after the answer, which is then valid
    /// too.
    pub(super) fn query(
        &mut self,
        node: &Node,
        located: &mut Located,
        query: Query<'_>,
    ) -> Result<Answer, Error> {
        if let Some(answer) = self.query_directly(node, located, query)? {
            return Ok(answer);
        }
        for _ in 0..TRIES {
            let Link { index, name, .. } = self.link(node, located)?;
            let asked = located.namespace;
            let Some(netlink) = self.socket()? else { continue };
            let answer = query(netlink, Interface { index, name });
            if self.is_confirmed(node, &name)? {
                return Ok(answer);
            }
            let after = self.link(node, located)?;
            if (after.index, after.name, located.namespace) == (index, name, asked) {
                return Ok(answer);
            }
        }
        Err(unstable_error())
    }

    /// Changes the interface by rtnetlink. ENODEV can mean that it was moved: then searches it again. If it is where it
    /// was, ENODEV means something else.
    pub(super) fn change(
        &mut self,
        node: &Node,
        located: &mut Located,
        change: &dyn Fn(&mut Socket, u32) -> Answer,
    ) -> Result<Answer, Error> {
        let mut index = None;
        let shown = self.query_directly(node, located, &mut |_, interface| {
            index = Some(interface.index);
            Ok(())
        })?;
        let mut index = shown.and(index);
        let mut refused = None;
        for _ in 0..TRIES {
            let index = match index.take() {
                Some(index) => index,
                None => self.link(node, located)?.index,
            };
            let tried = Some((self.namespace, index));
            let Some(netlink) = self.socket()? else { continue };
            match change(netlink, index) {
                Err(refusal) if refusal.errno == Errno::ENODEV && refused != tried => refused = tried,
                changed => return Ok(changed),
            }
        }
        Err(unstable_error())
    }

    /// The common case, with the fewest system calls: the device is where this call or the last one found it.
    fn query_directly(
        &mut self,
        node: &Node,
        located: &mut Located,
        query: Query<'_>,
    ) -> Result<Option<Answer>, Error> {
        let (found, index) = (located.interface.filter(|_| located.namespace == self.namespace), self.index);
        if self.trace != Trace::Seen || index == 0 {
            return Ok(None);
        }
        let Some(netlink) = self.socket()? else { return Ok(None) };
        if let Some(interface) = found {
            let answer = query(netlink, interface);
            let moved = answer.as_ref().is_err_and(|refusal| refusal.errno == Errno::ENODEV);
            return Ok((!moved).then_some(answer));
        }
        let Ok(name) = link::name_of(netlink.fd(), index) else { return Ok(None) };
        let interface = Interface { index, name };
        let answer = query(netlink, interface);
        if !self.is_confirmed(node, &name)? {
            return Ok(None);
        }
        *located = Located { namespace: self.namespace, interface: Some(interface) };
        Ok(Some(answer))
    }

    /// The socket in the namespace where the device was last seen. None if the calling thread is in another namespace
    /// and no socket is open.
    fn socket(&mut self) -> Result<Option<&mut Socket>, Error> {
        if self.netlink.is_none() && self.namespace.is_some() && self.namespace == Identity::own() {
            (self.netlink, self.foreign) = (Some(Socket::open()?), false);
        }
        Ok(self.netlink.as_mut())
    }

    /// The current state of this device. Only the driver decides that it is gone.
    pub(super) fn link(&mut self, node: &Node, located: &mut Located) -> Result<Link, Error> {
        let link = self.locate(node)?;
        let interface = Interface { index: link.index, name: link.name };
        *located = Located { namespace: self.namespace, interface: Some(interface) };
        Ok(link)
    }

    fn locate(&mut self, node: &Node) -> Result<Link, Error> {
        if let Some(link) = self.find_unmoved(node)? {
            return Ok(link);
        }
        for _ in 0..TRIES {
            let name = node.granted().map_err(|errno| state_error(node.translate(errno)))?.name;
            let found = match self.namespace_fd(node) {
                Ok(namespace) => self.follow(node, &Namespace::of(namespace), &name)?,
                Err(Errno::EBADFD) => None,
                Err(Errno::EPERM | Errno::EINVAL | Errno::ENOTTY) => self.watch(node, &name)?,
                Err(errno) => return Err(namespace_error(errno)),
            };
            if let Some(link) = found {
                return Ok(link);
            }
        }
        Err(unstable_error())
    }

    /// The namespace of the device, from the driver. Without CAP_NET_ADMIN it skips the call, which would fail, unless
    /// the last one succeeded.
    pub(super) fn namespace_fd(&mut self, node: &Node) -> Result<OwnedFd, Errno> {
        if !self.driver_reports && !is_net_admin() {
            return Err(Errno::EPERM);
        }
        let namespace = node.namespace();
        self.driver_reports = namespace.is_ok();
        namespace
    }

    /// The common case, with the fewest system calls: the device has the same namespace and index as before.
    fn find_unmoved(&mut self, node: &Node) -> Result<Option<Link>, Error> {
        if self.trace != Trace::Seen || self.index == 0 {
            return Ok(None);
        }
        let index = self.index;
        let Some(netlink) = self.socket()? else { return Ok(None) };
        let Some(link) = unless_removed(link::by_index(netlink, index))? else { return Ok(None) };
        Ok(self.is_confirmed(node, &link.name)?.then_some(link))
    }

    /// Whether the driver confirms that the interface with this name is the device: same namespace and same name.
    fn is_confirmed(&mut self, node: &Node, name: &Name) -> Result<bool, Error> {
        Ok(self.is_in_same_namespace(node)? && has_name(node, name))
    }

    /// Whether the driver reports that the device is still in the namespace where it was last seen.
    fn is_in_same_namespace(&mut self, node: &Node) -> Result<bool, Error> {
        match self.namespace_fd(node) {
            Ok(namespace) => Ok(Namespace::of(namespace).identity() == self.namespace),
            Err(Errno::EBADFD | Errno::EPERM | Errno::EINVAL | Errno::ENOTTY) => Ok(false),
            Err(errno) => Err(namespace_error(errno)),
        }
    }

    /// Finds the device by its name in the namespace that the driver reported. None if it was renamed or moved
    /// meanwhile.
    fn follow(&mut self, node: &Node, namespace: &Namespace, name: &Name) -> Result<Option<Link>, Error> {
        let identity = namespace.identity();
        if identity != self.namespace || self.netlink.is_none() {
            let driver_reports = self.driver_reports;
            let netlink = namespace.inside(Socket::open).map_err(|error| enter_error(name, &error))?;
            let foreign = identity != Identity::own();
            *self = Self { driver_reports, foreign, ..Self::new(Some(netlink), identity, Trace::Lost) };
        }
        let Some(netlink) = &mut self.netlink else { return Ok(None) };
        let Some(link) = unless_removed(link::by_name(netlink, name))? else { return Ok(None) };
        if !self.is_confirmed(node, &link.name)? {
            return Ok(None);
        }
        (self.index, self.trace) = (link.index, Trace::Seen);
        Ok(Some(link))
    }

    /// Finds the device in the namespace where it was, unless it may have left.
    fn watch(&mut self, node: &Node, name: &Name) -> Result<Option<Link>, Error> {
        if self.trace == Trace::Lost {
            return Err(unreachable_error(name, "nothing proves that it is in this one"));
        }
        let index = self.index;
        let Some(netlink) = self.socket()? else {
            let why = "the calling thread is not in the namespace where the device was last seen";
            return Err(unreachable_error(name, why));
        };
        netlink.listen().map_err(watch_error)?;
        let found = match index {
            0 => link::by_name(netlink, name),
            index => link::by_index(netlink, index),
        };
        let link = unless_removed(found)?;
        let index = link.as_ref().map_or(index, |link| link.index);
        if netlink.departures().is_none_or(|departures| departures.may_have(index, name)) {
            self.trace = Trace::Lost;
            return Ok(None);
        }
        let Some(link) = link.filter(|link| has_name(node, &link.name)) else { return Ok(None) };
        if self.trace == Trace::Seen {
            self.begin_watch(node, &link)?;
        }
        Ok(Some(link))
    }

    /// Limits the notifications to this device. The socket already receives those of all interfaces.
    fn begin_watch(&mut self, node: &Node, link: &Link) -> Result<(), Error> {
        if !node.may_be(link) {
            self.trace = Trace::Lost;
            return Err(unreachable_error(link.name, "another device has its name or index"));
        }
        if let Some(netlink) = &mut self.netlink {
            departure::listen_for(netlink.kernel(), link.index).map_err(watch_error)?;
            if let Some(departures) = netlink.departures() {
                departures.clear();
            }
        }
        (self.index, self.trace) = (link.index, Trace::Watched);
        Ok(())
    }
}

fn has_name(node: &Node, name: &Name) -> bool {
    node.granted().is_ok_and(|granted| granted.name == *name)
}

fn unless_removed(found: Result<Link, Error>) -> Result<Option<Link>, Error> {
    match found {
        Err(error) if error.reason() == Reason::Removed => Ok(None),
        found => found.map(Some),
    }
}
