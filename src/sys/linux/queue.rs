// SPDX-License-Identifier: MIT
//! What the backend's calls have in common.

use std::sync::{MutexGuard, PoisonError};

use super::Queue;
use super::address::{self, If};
use super::control::Control;
use super::message::Refusal;
use super::namespace::Namespace;
use super::netlink::Socket;
use super::refusal::refusal;
use crate::model::address::{Address, Options};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::Link;
use crate::model::text::{Text, text};
use crate::sys::Backend;

impl Queue {
    /// The network namespace where the device is.
    pub(super) fn namespace(&self) -> Result<Namespace> {
        let namespace = self.node.namespace();
        namespace
            .map(Namespace::of)
            .map_err(|errno| self.refused_new("ask for the namespace of", errno, "5.4"))
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub(super) fn give_address(&self, address: &Address, options: &Options, present: If) -> Result<()> {
        let kind = self.mode.kind;
        self.change(
            |netlink, index| address::add(netlink, index, kind, address, options, present),
            |device| text!("give {device} the address {address}"),
        )
    }

    /// Has rtnetlink change the interface.
    pub(super) fn change(
        &self,
        change: impl Fn(&mut Socket, u32) -> std::result::Result<(), Refusal>,
        action: impl FnOnce(Text) -> Text,
    ) -> Result<()> {
        let changed = self.control().change(&self.node, change)?;
        changed.map_err(|refusal| refusal.error(action(self.label())))
    }

    /// Has rtnetlink tell about the interface.
    pub(super) fn ask<T>(
        &self,
        question: impl Fn(&mut Socket, &Link) -> std::result::Result<T, Refusal>,
        action: &str,
    ) -> Result<T> {
        let answer = self.control().ask(&self.node, question)?;
        answer.map_err(|refusal| refusal.error(format_args!("{action} {}", self.label())))
    }
}
