// SPDX-License-Identifier: MIT
//! Runs the steps of a call, and makes its errors.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::Queue;
use super::address::{self, Existing};
use super::control::{Control, Interface, Located, TRIES};
use super::ids;
use super::message::Refusal;
use super::namespace::{Identity, Namespace};
use super::netlink::Socket;
use super::policy::{self, Policy};
use super::refusal::{refusal, unstable_error};
use crate::model::address::Address;
use crate::model::assigned::Options;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::Reports;
use crate::model::link::Link;
use crate::model::text::{Text, text};
use crate::sys::{Backend, CancelDisabled, Outcome, Watch, Watching};

/// The state of a call: its steps share the interface that the first one found, and one netlink socket.
pub(crate) struct Call<'a> {
    queue: &'a Queue,
    pub(super) located: Located,
}

impl<'a> Call<'a> {
    pub(super) fn new(queue: &'a Queue) -> Self {
        Self { queue, located: Located::default() }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // The event counter replaces the socket, so that a handle usually has two descriptors.
        let mut control = self.queue.control();
        if self.queue.waited.load(Ordering::SeqCst) {
            control.close();
        }
    }
}

impl Queue {
    /// The network namespace of the device.
    pub(super) fn namespace(&self) -> Result<Namespace> {
        let namespace = self.control().namespace_fd(&self.node);
        namespace.map(Namespace::of).map_err(|errno| self.refused_new("query the namespace of", errno, "5.4"))
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares the first wait: its event counter replaces the netlink socket, so that the handle has no third
    /// descriptor.
    #[cold]
    pub(super) fn begin_wait(&self) -> Outcome<()> {
        // As Waker::wait() does, but before the socket is closed: a wait that ends here creates no counter.
        if self.waker.take_pending() || self.waker.is_shut_down() {
            return Err(Errno::ECANCELED);
        }
        let _cancel_disabled = CancelDisabled::new();
        self.waited.store(true, Ordering::SeqCst);
        // Not lock(): a call that holds the lock closes the socket itself, and in a child of fork() its thread may not
        // exist.
        if let Ok(mut control) = self.control.try_lock() {
            control.close();
        }
        Ok(())
    }

    /// Calls `action`, which does not configure the device. Closes the socket afterwards unless it was open before.
    pub(super) fn close_afterwards<T>(&self, action: impl FnOnce() -> T) -> T {
        let open = self.control().is_open();
        let done = action();
        if !open {
            self.control().close();
        }
        done
    }

    /// The error of a system call on this device.
    pub(super) fn refused(&self, action: &str, errno: Errno) -> Error {
        refusal(self.node.translate(errno), None, format_args!("{action} {}", self.label()))
    }

    /// As [`Self::refused`], for an ioctl that older kernels do not have.
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

    /// The error of an action in the network namespace of the device, if it cannot be entered.
    pub(super) fn not_entered(&self, action: &str, error: Error) -> Error {
        match error.reason() {
            Reason::Privilege | Reason::Kernel => {
                let why = error.message();
                let text = text!("{action} {}: it may be in another network namespace: {why}", self.label());
                Error::new(Errno::EXDEV, Reason::Namespace, text)
            }
            _ => error,
        }
    }

    /// Watches the network namespace of the device.
    pub(super) fn watch_namespace(&self, reports: Reports) -> Result<(Watch, Link)> {
        self.open_inside(&mut self.begin_call(), "monitor", |_, index| Watch::open(Some(index), reports))
    }

    /// Opens something in the network namespace of the device, for its index there. Repeats that if the device was
    /// moved meanwhile: another device can have this index in the other namespace.
    fn open_inside<T: Send>(
        &self,
        call: &mut Call<'_>,
        action: &str,
        open: impl Fn(Option<Identity>, u32) -> Result<T> + Sync,
    ) -> Result<(T, Link)> {
        let mut link = self.link(call)?;
        for _ in 0..TRIES {
            let (namespace, index) = (self.control().namespace(), link.index);
            let opened = self.inside(action, || open(namespace, index));
            link = self.link(call)?;
            if (self.control().namespace(), link.index) == (namespace, index) {
                return Ok((opened?, link));
            }
        }
        Err(unstable_error())
    }

    /// Runs `run` in the network namespace where the device was last seen.
    pub(super) fn inside<T: Send>(&self, action: &str, run: impl Fn() -> Result<T> + Sync) -> Result<T> {
        if self.control().namespace() == Identity::own() {
            return run();
        }
        let entered = self.namespace().and_then(|namespace| namespace.inside(|| Ok(run())));
        entered.unwrap_or_else(|error| Err(self.not_entered(action, error)))
    }

    pub(super) fn policy(&self) -> MutexGuard<'_, Option<Policy>> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the rules for the default route of the device, in its network namespace.
    pub(super) fn change_policy(
        &self,
        call: &mut Call<'_>,
        change: &dyn Fn(&mut Policy) -> std::result::Result<bool, Refusal>,
        action: &str,
    ) -> Result<bool> {
        let index = self.link(call)?.index;
        let namespace = self.control().namespace();
        let mut held = self.policy();
        if !held.as_ref().is_some_and(|policy| policy.is_of(namespace, index)) {
            *held = None;
            *held = Some(self.open_inside(call, action, Policy::open)?.0);
        }
        let Some(policy) = held.as_mut() else { return Err(self.refused(action, Errno::EPROTO)) };
        policy.remove_leftovers();
        let changed = change(policy);
        if policy.is_empty() {
            *held = None;
        }
        changed.map_err(|refusal| self.refused_policy(refusal, action))
    }

    /// The error of a request about rules.
    pub(super) fn refused_policy(&self, refusal: Refusal, action: &str) -> Error {
        if !refusal.lacks_rules() {
            return refusal.error(text!("{action} {}", self.label()));
        }
        let what =
            "this kernel has no policy routing (CONFIG_IP_MULTIPLE_TABLES, CONFIG_IPV6_MULTIPLE_TABLES)";
        let text = text!("{action} {}: {what}: use tuntap_add_route", self.label());
        Error::new(Errno::EOPNOTSUPP, Reason::Kernel, text)
    }

    /// Removes the rules of a former handle of the device that was not closed.
    pub(super) fn remove_stale_policy(&self) {
        if !ids::is_net_admin() {
            return;
        }
        let remove = |netlink: &mut Socket, index| {
            policy::remove_stale(netlink, index);
            Ok(())
        };
        let _ = self.change(&mut self.begin_call(), remove, |device| device);
    }

    pub(super) fn put_address(
        &self,
        call: &mut Call<'_>,
        address: &Address,
        options: &Options,
        existing: Existing,
    ) -> Result<()> {
        let kind = self.mode.kind;
        self.change(
            call,
            |netlink, index| address::add(netlink, index, kind, address, options, existing),
            |device| text!("add the address {address} to {device}"),
        )
    }

    /// Changes the interface by rtnetlink.
    pub(super) fn change(
        &self,
        call: &mut Call<'_>,
        change: impl Fn(&mut Socket, u32) -> std::result::Result<(), Refusal>,
        action: impl FnOnce(Text) -> Text,
    ) -> Result<()> {
        let changed = self.control().change(&self.node, &mut call.located, &change)?;
        changed.map_err(|refusal| refusal.error(action(self.label())))
    }

    /// Queries rtnetlink about the interface.
    pub(super) fn query<T>(
        &self,
        call: &mut Call<'_>,
        query: impl Fn(&mut Socket, Interface) -> std::result::Result<T, Refusal>,
        action: &str,
    ) -> Result<T> {
        let mut answered = None;
        let mut asked = |netlink: &mut Socket, interface| {
            answered = Some(query(netlink, interface)?);
            Ok(())
        };
        let answer = self.control().query(&self.node, &mut call.located, &mut asked)?;
        let refused = |refusal: Refusal| refusal.error(format_args!("{action} {}", self.label()));
        answer.map_err(refused)?;
        answered.ok_or_else(|| self.refused(action, Errno::EPROTO))
    }
}
