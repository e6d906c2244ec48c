// SPDX-License-Identifier: MIT
//! What the backend's calls have in common.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::Queue;
use super::address::{self, If};
use super::control::{Control, Interface, Way};
use super::message::Refusal;
use super::namespace::{Identity, Namespace};
use super::netlink::Socket;
use super::refusal::refusal;
use crate::model::address::{Address, Options};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::{Text, text};
use crate::sys::{Backend, CancelDisabled, Outcome, Routes, Watch, Watching};

/// A call, from its first step to its last: what one finds, the others use, and one socket serves them all.
pub(crate) struct Call<'a> {
    queue: &'a Queue,
    pub(super) found: Way,
}

impl<'a> Call<'a> {
    pub(super) fn new(queue: &'a Queue) -> Self {
        Self { queue, found: Way::default() }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // A handle has its node, and one descriptor more.
        let mut control = self.queue.control();
        if self.queue.waited.load(Ordering::SeqCst) {
            control.close();
        }
    }
}

impl Queue {
    /// The network namespace where the device is.
    pub(super) fn namespace(&self) -> Result<Namespace> {
        let namespace = self.control().ask_driver(&self.node);
        namespace.map(Namespace::of).map_err(|errno| self.refused_new("query the namespace of", errno, "5.4"))
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the first wait: the descriptor that it takes is in place of the socket's. A wake that was left over is for it,
    /// and then there is none.
    #[cold]
    pub(super) fn begin_wait(&self) -> Outcome<()> {
        if self.waker.take_pending() || self.waker.is_shut_down() {
            return Err(Errno::ECANCELED);
        }
        let _cancel_disabled = CancelDisabled::new();
        self.waited.store(true, Ordering::SeqCst);
        // A call that holds it closes the socket at its end. A child of fork() would wait for a thread that it does not have.
        if let Ok(mut control) = self.control.try_lock() {
            control.close();
        }
        Ok(())
    }

    /// Does something that configures nothing, and leaves no socket behind that was not there before.
    pub(super) fn in_passing<T>(&self, action: impl FnOnce() -> T) -> T {
        let open = self.control().is_open();
        let done = action();
        if !open {
            self.control().close();
        }
        done
    }

    /// The kernel's no to a change of this device.
    pub(super) fn refused(&self, action: &str, errno: Errno) -> Error {
        refusal(self.node.translate(errno), None, format_args!("{action} {}", self.label()))
    }

    /// An ioctl that this kernel may not know yet.
    pub(super) fn refused_new(&self, action: &str, errno: Errno, since: &str) -> Error {
        match errno {
            Errno::EINVAL | Errno::ENOTTY => Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                text!("{action} {}: this needs Linux {since}", self.label()),
            ),
            _ => self.refused(action, errno),
        }
    }

    /// The device is in another network namespace, which this caller or this kernel cannot enter.
    pub(super) fn not_entered(&self, action: &str, error: Error) -> Error {
        match error.reason() {
            Reason::Privilege | Reason::Kernel => {
                let why = error.message();
                let text = text!("{action} {}: it is in another network namespace: {why}", self.label());
                Error::new(Errno::EXDEV, Reason::Namespace, text)
            }
            _ => error,
        }
    }

    /// Watches the namespace where the device is.
    pub(super) fn watch_there(&self, routes: bool) -> Result<Watch> {
        let index = self.link(&mut self.way())?.index;
        let open = || Watch::open(if routes { Routes::Of(index) } else { Routes::None });
        if self.control().namespace() == Identity::own() {
            return open();
        }
        let entered = self.namespace().and_then(|namespace| namespace.inside(|| Ok(open())));
        entered.unwrap_or_else(|error| Err(self.not_entered("monitor", error)))
    }

    pub(super) fn give_address(
        &self,
        way: &mut Call<'_>,
        address: &Address,
        options: &Options,
        present: If,
    ) -> Result<()> {
        let kind = self.mode.kind;
        self.change(
            way,
            |netlink, index| address::add(netlink, index, kind, address, options, present),
            |device| text!("add the address {address} to {device}"),
        )
    }

    /// Has rtnetlink change the interface.
    pub(super) fn change(
        &self,
        way: &mut Call<'_>,
        change: impl Fn(&mut Socket, u32) -> std::result::Result<(), Refusal>,
        action: impl FnOnce(Text) -> Text,
    ) -> Result<()> {
        let changed = self.control().change(&self.node, &mut way.found, &change)?;
        changed.map_err(|refusal| refusal.error(action(self.label())))
    }

    /// Has rtnetlink tell about the interface.
    pub(super) fn ask<T>(
        &self,
        way: &mut Call<'_>,
        question: impl Fn(&mut Socket, Interface) -> std::result::Result<T, Refusal>,
        action: &str,
    ) -> Result<T> {
        let mut answered = None;
        let mut asked = |netlink: &mut Socket, interface| {
            answered = Some(question(netlink, interface)?);
            Ok(())
        };
        let answer = self.control().ask(&self.node, &mut way.found, &mut asked)?;
        let refused = |refusal: Refusal| refusal.error(format_args!("{action} {}", self.label()));
        answer.map_err(refused)?;
        answered.ok_or_else(|| self.refused(action, Errno::EPROTO))
    }
}
