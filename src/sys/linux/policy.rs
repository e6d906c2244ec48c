// SPDX-License-Identifier: MIT
//! Policy routing for a device: the rules that select its default route, and those of the packets that bypass it.
//!
//! Rules and not routes in the main table, for three reasons: the way past the device is whatever the system has at the
//! moment, so that it follows a new gateway by itself; no route of anybody else is replaced; and after a crash the rules
//! lead nowhere, because the kernel removes the route of the device's table with the device.

use std::result::Result;

use super::message::{Refusal, Request};
use super::namespace::Identity;
use super::netlink::Socket;
use super::rtmsg::rtmsg;
use super::rule::{self, Rule, Step, table_of};
use super::{ids, link};
use crate::model::default_route::Bypass;
use crate::model::error::{Errno, Error};
use crate::model::memory;
use crate::model::prefix::Family;
use crate::sys::fork::process;

/// The rules that a handle has added. Dropping it removes them, in the process that has added them: a child of fork()
/// must not take them from its parent.
pub(super) struct Policy {
    /// A socket of its own, because the rules must go even if the device is gone, or in another namespace.
    netlink: Socket,
    namespace: Option<Identity>,
    index: u32,
    added: Vec<Rule>,
    process: usize,
}

impl Policy {
    /// In the network namespace of the calling thread. Removes the rules of devices that are gone.
    pub(super) fn open(namespace: Option<Identity>, index: u32) -> Result<Self, Error> {
        let netlink = Socket::open()?;
        let mut policy = Self { netlink, namespace, index, added: Vec::new(), process: process() };
        if ids::is_net_admin() {
            policy.remove_leftovers();
        }
        Ok(policy)
    }

    /// Whether it is for this device, in this process.
    pub(super) fn is_of(&self, namespace: Option<Identity>, index: u32) -> bool {
        (self.namespace, self.index, self.process) == (namespace, index, process())
    }

    /// Whether it has nothing to remove.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// Adds the rules for a default route. Returns whether the device had none. After a failure there are those of before.
    pub(super) fn add_default(
        &mut self,
        family: Family,
        overriding: bool,
        permanent: bool,
    ) -> Result<bool, Refusal> {
        let present = rule::list_family(&mut self.netlink, family)?;
        let is_new = !present.iter().any(|it| it.index == self.index && it.step == Step::Default);
        // The rule for the table comes last: until then everything takes its former way.
        let steps = [Step::End, Step::Specific, Step::Default];
        let wanted = steps.into_iter().filter(|step| !overriding || *step != Step::Specific);
        self.add(family, wanted, &present, permanent)?;
        if overriding {
            self.remove(&present, |it| it.family == family && it.step == Step::Specific)?;
        }
        Ok(is_new)
    }

    /// Removes the rules of a default route. Returns whether there were any.
    pub(super) fn remove_default(&mut self, family: Family) -> Result<bool, Refusal> {
        let present = rule::list_family(&mut self.netlink, family)?;
        // The rule for the table goes first.
        let removed = self.remove(&present, |it| it.step == Step::Default)?;
        self.remove(&present, |it| matches!(it.step, Step::Specific | Step::End))?;
        Ok(removed)
    }

    /// Adds the rules of a bypass, for each of these families.
    pub(super) fn add_bypass(
        &mut self,
        families: &[Family],
        bypass: &Bypass,
        permanent: bool,
    ) -> Result<(), Refusal> {
        let before = self.added.len();
        families.iter().try_for_each(|family| {
            let present = rule::list_family(&mut self.netlink, *family)?;
            let steps = [Step::Bypass(*bypass)];
            self.add(*family, steps, &present, permanent).inspect_err(|_| self.undo(before))
        })
    }

    /// Removes the rules of a bypass. Returns whether there were any.
    pub(super) fn remove_bypass(&mut self, families: &[Family], bypass: &Bypass) -> Result<bool, Refusal> {
        let step = Step::Bypass(*bypass);
        let mut removed = false;
        for family in families {
            let present = rule::list_family(&mut self.netlink, *family)?;
            removed |= self.remove(&present, |it| it.step == step)?;
        }
        Ok(removed)
    }

    /// Adds the rules that are not present. A rule that is to stay replaces a temporary one.
    fn add(
        &mut self,
        family: Family,
        steps: impl IntoIterator<Item = Step>,
        present: &[Rule],
        permanent: bool,
    ) -> Result<(), Refusal> {
        let before = self.added.len();
        for step in steps {
            let wanted = Rule { family, step, index: self.index, permanent };
            let found = present.iter().find(|it| it.index == wanted.index && it.step == step);
            let added = match found {
                Some(found) if permanent && !found.permanent => self.add_rule(&wanted, Some(found)),
                Some(_) => Ok(()),
                None => self.add_rule(&wanted, None),
            };
            added.inspect_err(|_| self.undo(before))?;
        }
        Ok(())
    }

    /// Adds a rule, and then removes the one that it replaces.
    fn add_rule(&mut self, rule: &Rule, replaced: Option<&Rule>) -> Result<(), Refusal> {
        self.added.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let is_new = rule::add(&mut self.netlink, rule, replaced.is_some())?;
        match replaced {
            Some(replaced) => {
                self.added.retain(|it| it != replaced);
                rule::remove(&mut self.netlink, replaced)
            }
            // Another process was first.
            None if !is_new || rule.permanent => Ok(()),
            None => Ok(memory::push(&mut self.added, *rule)?),
        }
    }

    /// Removes rules of this device, whoever has added them. Returns whether there were any.
    fn remove(&mut self, present: &[Rule], is_meant: impl Fn(&Rule) -> bool) -> Result<bool, Refusal> {
        let mut removed = false;
        for rule in present.iter().filter(|it| it.index == self.index && is_meant(it)) {
            rule::remove(&mut self.netlink, rule)?;
            self.added.retain(|it| it != rule);
            removed = true;
        }
        Ok(removed)
    }

    /// Removes the rules that were added after the first `before`, the last one first.
    fn undo(&mut self, before: usize) {
        while self.added.len() > before {
            if let Some(rule) = self.added.pop() {
                let _ = rule::remove(&mut self.netlink, &rule);
            }
        }
    }

    /// Removes the rules of devices that are gone: their process had no time for it.
    fn remove_leftovers(&mut self) {
        let rules = rule::list(&mut self.netlink).unwrap_or_default();
        for rule in rules.iter().filter(|it| it.index != self.index) {
            if link::name_of(self.netlink.fd(), rule.index) == Err(Errno::ENODEV) {
                let _ = rule::remove(&mut self.netlink, rule);
            }
        }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.process != process() {
            return;
        }
        let with_route = |family| self.added.iter().any(|it| it.family == family && it.step == Step::Default);
        let families = [Family::V4, Family::V6].map(|family| Some(family).filter(|it| with_route(*it)));
        self.undo(0);
        for family in families.into_iter().flatten() {
            let _ = remove_route(&mut self.netlink, self.index, family);
        }
    }
}

/// Removes what a process has left at a device that it did not close: its temporary rules, and the default routes that they
/// selected. Only for a device that no other handle has open.
pub(super) fn remove_stale(netlink: &mut Socket, index: u32) {
    let rules = rule::list(netlink).unwrap_or_default();
    for rule in rules.iter().filter(|it| it.index == index && !it.permanent) {
        let _ = rule::remove(netlink, rule);
        if rule.step == Step::Default {
            let _ = remove_route(netlink, index, rule.family);
        }
    }
}

/// Removes the default route from the table of a device.
fn remove_route(netlink: &mut Socket, index: u32, family: Family) -> Result<(), Refusal> {
    let request = Request::new(libc::RTM_DELROUTE, libc::NLM_F_ACK, &rtmsg(family, 0, 0, NOWHERE, 0))
        .attribute(libc::RTA_OIF, &index.to_ne_bytes())
        .attribute(libc::RTA_TABLE, &table_of(index).to_ne_bytes());
    netlink.change(&request)
}

/// RT_SCOPE_NOWHERE: the request matches a route of any scope.
const NOWHERE: u8 = 255;
