// SPDX-License-Identifier: MIT
//! Policy routing for a device: the rules that select its default route, and those of the packets that bypass it.
//!
//! It uses rules instead of routes in the main table, for three reasons. Bypassing packets use the current routes of
//! the system, also after the gateway changes. No route of another program is replaced. After a crash the rules of a
//! default route have no effect, because the kernel removes the route in the device's table with the device.

use std::result::Result;

use super::message::{Refusal, Request};
use super::namespace::Identity;
use super::netlink::Socket;
use super::rtmsg::rtmsg;
use super::rule::{self, Rule, Step, table_of};
use super::{ids, link};
use crate::model::default_route::Bypass;
use crate::model::error::{Errno, Error};
use crate::model::memory::{self, NoMemory};
use crate::model::prefix::Family;
use crate::sys::fork::process;

/// The rules that a handle has added. Dropping it removes them, in the process that has added them: a child of fork()
/// must not remove those of its parent.
pub(super) struct Policy {
    /// A separate socket, because the rules must be removed even if the device is gone or in another namespace.
    netlink: Socket,
    namespace: Option<Identity>,
    index: u32,
    added: Vec<Rule>,
    process: usize,
}

impl Policy {
    /// In the network namespace of the calling thread.
    pub(super) fn open(namespace: Option<Identity>, index: u32) -> Result<Self, Error> {
        let netlink = Socket::open()?;
        Ok(Self { netlink, namespace, index, added: Vec::new(), process: process() })
    }

    /// Whether it is for this device, in this process.
    pub(super) fn is_of(&self, namespace: Option<Identity>, index: u32) -> bool {
        (self.namespace, self.index, self.process) == (namespace, index, process())
    }

    /// Whether it has nothing to remove.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// Adds the rules for the default routes of these families, or none.
    pub(super) fn add_default(
        &mut self,
        families: &[Family],
        overriding: bool,
        permanent: bool,
    ) -> Result<bool, Refusal> {
        let mut edits = Vec::new();
        for family in families {
            let present = self.present(*family)?;
            // The rule for the table comes last: until then all packets take their former routes.
            let steps: &[Step] = if overriding {
                &[Step::End, Step::Overriding]
            } else {
                &[Step::End, Step::Specific, Step::Default]
            };
            for step in steps {
                self.plan(&mut edits, &present, *family, *step, permanent)?;
            }
            let others = |step| step != Step::End && is_of_default(step) && !steps.contains(&step);
            for rule in present.iter().filter(|it| others(it.step)) {
                memory::push(&mut edits, Edit::Remove(*rule))?;
            }
        }
        self.apply(&edits)
    }

    /// Removes the rules of the default routes of these families, of any handle. Returns whether there were any.
    pub(super) fn remove_default(&mut self, families: &[Family]) -> Result<bool, Refusal> {
        self.remove(families, is_of_default)
    }

    /// Adds the rules of a bypass for these families, or none.
    pub(super) fn add_bypass(
        &mut self,
        families: &[Family],
        bypass: &Bypass,
        permanent: bool,
    ) -> Result<bool, Refusal> {
        let mut edits = Vec::new();
        for family in families {
            let present = self.present(*family)?;
            self.plan(&mut edits, &present, *family, Step::Bypass(*bypass), permanent)?;
        }
        self.apply(&edits)
    }

    /// Removes the rules of a bypass, of any handle. Returns whether there were any.
    pub(super) fn remove_bypass(&mut self, families: &[Family], bypass: &Bypass) -> Result<bool, Refusal> {
        self.remove(families, |step| step == Step::Bypass(*bypass))
    }

    /// The rules of this device.
    fn present(&mut self, family: Family) -> Result<Vec<Rule>, Refusal> {
        let mut rules = rule::list_family(&mut self.netlink, family)?;
        rules.retain(|it| it.index == self.index);
        Ok(rules)
    }

    /// Plans to add a rule that is not present. A rule that is to stay replaces a temporary one.
    fn plan(
        &self,
        edits: &mut Vec<Edit>,
        present: &[Rule],
        family: Family,
        step: Step,
        permanent: bool,
    ) -> Result<(), NoMemory> {
        let wanted = Rule { family, step, index: self.index, permanent };
        match present.iter().find(|it| it.step == step) {
            None => memory::push(edits, Edit::Add(wanted)),
            Some(found) if permanent && !found.permanent => {
                memory::push(edits, Edit::Add(wanted))?;
                memory::push(edits, Edit::Remove(*found))
            }
            Some(_) => Ok(()),
        }
    }

    /// Removes rules of this device: first those that select its table. Returns whether there were any.
    fn remove(&mut self, families: &[Family], is_meant: impl Fn(Step) -> bool) -> Result<bool, Refusal> {
        let mut edits = Vec::new();
        for family in families {
            let present = self.present(*family)?;
            let (mut first, mut then) = (Vec::new(), Vec::new());
            for rule in present.into_iter().filter(|it| is_meant(it.step)) {
                let edits = if selects_table(rule.step) { &mut first } else { &mut then };
                memory::push(edits, Edit::Remove(rule))?;
            }
            memory::append(&mut edits, &first)?;
            memory::append(&mut edits, &then)?;
        }
        self.apply(&edits)
    }

    /// Makes all changes, or none. Returns whether there were any.
    fn apply(&mut self, edits: &[Edit]) -> Result<bool, Refusal> {
        self.added.try_reserve(edits.len()).map_err(|_| Errno::ENOMEM)?;
        for (place, edit) in edits.iter().enumerate() {
            if let Err(refusal) = edit.make(&mut self.netlink) {
                // Includes this change: it was made if only its answer was lost.
                for edit in edits.iter().take(place.saturating_add(1)).rev() {
                    let _ = edit.inverse().make(&mut self.netlink);
                }
                return Err(refusal);
            }
        }
        for edit in edits {
            match edit {
                Edit::Add(rule) if rule.permanent => {}
                Edit::Add(rule) => self.added.push(*rule),
                Edit::Remove(rule) => self.added.retain(|it| it != rule),
            }
        }
        Ok(!edits.is_empty())
    }

    /// Removes the rules of devices that are gone, whose processes ended without removing them.
    pub(super) fn remove_leftovers(&mut self) {
        if !ids::is_net_admin() {
            return;
        }
        let rules = rule::list(&mut self.netlink).unwrap_or_default();
        for rule in rules.iter().filter(|it| it.index != self.index) {
            if is_gone(&mut self.netlink, rule.index) {
                let _ = rule::remove(&mut self.netlink, rule);
            }
        }
    }
}

/// Whether the interface of this index is no device: it is gone, or its index was used again.
fn is_gone(netlink: &mut Socket, index: u32) -> bool {
    match link::query(netlink, index) {
        Ok(link) => link.tuntap.is_none(),
        Err(refusal) => refusal.errno == Errno::ENODEV,
    }
}

/// Whether the rule selects the table of its device.
fn selects_table(step: Step) -> bool {
    matches!(step, Step::Overriding | Step::Default)
}

/// Whether it is a rule of a default route.
fn is_of_default(step: Step) -> bool {
    selects_table(step) || matches!(step, Step::Specific | Step::End)
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.process == process() {
            let added = std::mem::take(&mut self.added);
            remove_with_routes(&mut self.netlink, self.index, added.into_iter().rev());
        }
    }
}

/// Removes rules of a device, and the default routes in its table that no other rule selects.
fn remove_with_routes(netlink: &mut Socket, index: u32, rules: impl Iterator<Item = Rule>) {
    let (mut ipv4, mut ipv6) = (false, false);
    for rule in rules {
        let _ = rule::remove(netlink, &rule);
        ipv4 |= rule.family == Family::V4 && selects_table(rule.step);
        ipv6 |= rule.family == Family::V6 && selects_table(rule.step);
    }
    for family in [(ipv4, Family::V4), (ipv6, Family::V6)].into_iter().filter_map(|(on, it)| on.then_some(it))
    {
        let left = rule::list_family(netlink, family).unwrap_or_default();
        if !left.iter().any(|it| it.index == index && selects_table(it.step)) {
            let _ = remove_route(netlink, index, family);
        }
    }
}

/// A change of the rules.
#[derive(Clone, Copy)]
enum Edit {
    Add(Rule),
    Remove(Rule),
}

impl Edit {
    fn inverse(self) -> Self {
        match self {
            Self::Add(rule) => Self::Remove(rule),
            Self::Remove(rule) => Self::Add(rule),
        }
    }

    fn make(&self, netlink: &mut Socket) -> Result<(), Refusal> {
        match self {
            Self::Add(rule) => rule::add(netlink, rule),
            Self::Remove(rule) => rule::remove(netlink, rule),
        }
    }
}

/// Removes what a process has left at a device that it did not close: its temporary rules, and the default routes that only
/// they selected. Only for a device that no other handle has open.
pub(super) fn remove_stale(netlink: &mut Socket, index: u32) {
    let rules = rule::list(netlink).unwrap_or_default();
    let stale = rules.into_iter().filter(|it| it.index == index && !it.permanent);
    remove_with_routes(netlink, index, stale);
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
