// SPDX-License-Identifier: MIT
//! The way to the interface of a queue: rtnetlink in the network namespace where the interface is.
//!
//! A device is known to its driver by descriptor and to rtnetlink by index. Both must tell of the same one: Linux
//! gives the index of a device that went, or went to another namespace, to the next that asks for it.

use std::os::fd::BorrowedFd;
use std::result::Result;

use super::link;
use super::namespace::{Identity, Namespace};
use super::netlink::{Refusal, Socket};
use super::node::Node;
use super::refusal::refusal;
use crate::error::{Errno, Error, Reason};
use crate::link::Link;
use crate::name::Name;

/// The namespace where the device was last seen, and its index there.
pub(super) struct Control {
    netlink: Socket,
    namespace: Option<Identity>,
    index: u32,
    /// Found by its name alone: it can be another device of that name.
    guessed: bool,
}

impl Control {
    /// Finds a device that was opened here, in the calling thread's namespace.
    pub(super) fn find(mut netlink: Socket, name: &Name) -> Result<Self, Error> {
        let index = link::by_name(&mut netlink, name)?.index;
        Ok(Self { netlink, namespace: Identity::own(), index, guessed: false })
    }

    /// Finds a device that was opened elsewhere, if it can be found: no interface has the index 0.
    pub(super) fn guess(mut netlink: Socket, node: &Node, name: &Name) -> Self {
        let namespace = Identity::own();
        let index = link::by_name(&mut netlink, name).ok().filter(|link| node.may_be(link));
        let index = index.map_or(0, |link| link.index);
        let mut control = Self { netlink, namespace, index, guessed: true };
        if control.confirm(node) == Err(Errno::ENODEV) {
            control.index = 0;
        }
        control
    }

    pub(super) fn namespace(&self) -> Option<Identity> {
        self.namespace
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn is_guessed(&self) -> bool {
        self.guessed
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.fd()
    }

    /// Asks rtnetlink about the interface.
    pub(super) fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Socket, u32) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        question(&mut self.netlink, self.index)
    }

    /// Has rtnetlink change the interface.
    pub(super) fn change(
        &mut self,
        node: &Node,
        change: impl FnOnce(&mut Socket, u32) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.confirm(node)?;
        change(&mut self.netlink, self.index)
    }

    /// Makes sure that what was guessed is right, before anything is changed. Who may not ask the driver for the
    /// namespace may not change the device either; before Linux 5.4 nobody can ask.
    fn confirm(&mut self, node: &Node) -> Result<(), Errno> {
        if !self.guessed {
            return Ok(());
        }
        match self.has_left(node) {
            Ok(true) => return Err(Errno::ENODEV),
            Ok(false) | Err(Errno::EINVAL | Errno::ENOTTY) => {}
            Err(errno) => return Err(errno),
        }
        self.guessed = false;
        Ok(())
    }

    /// Whether the device is in another namespace now, as far as both can be told.
    fn has_left(&self, node: &Node) -> Result<bool, Errno> {
        let now = Namespace::of(node.namespace()?).identity();
        Ok(now.zip(self.namespace).is_some_and(|(now, then)| now != then))
    }

    /// The present state, of this device and of no other. When it is not where it was, it is looked for: first once
    /// more, as it can have been renamed in between, then elsewhere.
    pub(super) fn link(&mut self, node: &Node) -> Result<Link, Error> {
        for follow in [false, true, true, false] {
            let granted = node.granted().map_err(|errno| gone(node.settle(errno)))?;
            match self.present(node, &granted.name)? {
                Some(link) => return Ok(link),
                None if follow => self.follow(node, &granted.name)?,
                None => {}
            }
        }
        Err(elsewhere("it moves from one to the next"))
    }

    /// Name and index can be those of another device too, where this one has been. Who may ask, knows.
    fn present(&mut self, node: &Node, name: &Name) -> Result<Option<Link>, Error> {
        if self.index == 0 || self.has_left(node) == Ok(true) {
            return Ok(None);
        }
        match link::by_index(&mut self.netlink, self.index) {
            Ok(link) if link.name == *name => Ok(Some(link)),
            Err(error) if error.reason() != Reason::Removed => Err(error),
            _ => Ok(None),
        }
    }

    /// Goes to where the device is. The driver tells since Linux 5.4, and only those who may configure it there.
    fn follow(&mut self, node: &Node, name: &Name) -> Result<(), Error> {
        let namespace = node.namespace().map_err(|errno| match errno {
            Errno::EBADFD => gone(Errno::ENODEV),
            Errno::EPERM => elsewhere("to configure it there needs CAP_NET_ADMIN in that one"),
            Errno::EINVAL | Errno::ENOTTY => elsewhere("to follow it there needs Linux 5.4"),
            _ => elsewhere(errno.desc()),
        })?;
        let namespace = Namespace::of(namespace);
        let mut netlink = namespace.inside(Socket::open).map_err(|error| elsewhere(error.message()))?;
        if let Ok(link) = link::by_name(&mut netlink, name) {
            *self = Self { netlink, namespace: namespace.identity(), index: link.index, guessed: false };
        }
        Ok(())
    }
}

fn gone(errno: Errno) -> Error {
    refusal(errno, None, "ask for the state of the device")
}

fn elsewhere(why: impl std::fmt::Display) -> Error {
    let text = format!("ask for the state of the device: it is in another network namespace: {why}");
    Error::new(Errno::EXDEV, Reason::Namespace, text)
}
