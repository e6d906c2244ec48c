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

/// What a handle has added. Dropping it removes that, in the process that has added it: a child of fork() must not
/// remove what its parent has added.
pub(super) struct Policy {
    /// A separate socket, because the rules must be removed even if the device is gone or in another namespace.
    netlink: Socket,
    namespace: Option<Identity>,
    index: u32,
    added: Vec<Addition>,
    process: usize,
}

/// A default route, or a bypass. Its rules can change: another handle may set another flag of the same default route.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Addition {
    family: Family,
    /// None: the default route.
    bypass: Option<Bypass>,
}

impl Addition {
    fn has(&self, rule: &Rule) -> bool {
        let is_step = match self.bypass {
            None => is_of_default(rule.step),
            Some(bypass) => rule.step == Step::Bypass(bypass),
        };
        rule.family == self.family && is_step
    }
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

    /// Adds the rules for the default routes of these families, or none. A default route that exists stays as long as
    /// before, unless it is kept from now on.
    pub(super) fn add_default(
        &mut self,
        families: &[Family],
        overriding: bool,
        keep: bool,
    ) -> Result<bool, Refusal> {
        // The rule for the table comes last: until then all packets take their former routes.
        let steps: &[Step] = if overriding {
            &[Step::End, Step::Overriding]
        } else {
            &[Step::End, Step::Specific, Step::Default]
        };
        let others = |step| step != Step::End && is_of_default(step) && !steps.contains(&step);
        let mut plan = Plan::default();
        for family in families {
            let rules = self.rules(*family)?;
            let mut existing = rules.iter().filter(|it| selects_table(it.step)).peekable();
            let is_new = existing.peek().is_none();
            let kept = keep || existing.any(|it| it.kept);
            plan.add(Addition { family: *family, bypass: None }, is_new, kept)?;
            for step in steps {
                plan.add_rule(&rules, Rule { family: *family, step: *step, index: self.index, kept })?;
            }
            for rule in rules.iter().filter(|it| others(it.step)) {
                plan.edit(Edit::Remove(*rule))?;
            }
        }
        self.apply(&plan)
    }

    /// Removes the rules of the default routes of these families, of any handle. Returns whether there were any.
    pub(super) fn remove_default(&mut self, families: &[Family]) -> Result<bool, Refusal> {
        self.remove(families, None)
    }

    /// Adds the rules of a bypass for these families, or none.
    pub(super) fn add_bypass(
        &mut self,
        families: &[Family],
        bypass: &Bypass,
        keep: bool,
    ) -> Result<bool, Refusal> {
        let step = Step::Bypass(*bypass);
        let mut plan = Plan::default();
        for family in families {
            let rules = self.rules(*family)?;
            let is_new = !rules.iter().any(|it| it.step == step);
            plan.add(Addition { family: *family, bypass: Some(*bypass) }, is_new, keep)?;
            plan.add_rule(&rules, Rule { family: *family, step, index: self.index, kept: keep })?;
        }
        self.apply(&plan)
    }

    /// Removes the rules of a bypass, of any handle. Returns whether there were any.
    pub(super) fn remove_bypass(&mut self, families: &[Family], bypass: &Bypass) -> Result<bool, Refusal> {
        self.remove(families, Some(*bypass))
    }

    /// The rules of this device.
    fn rules(&mut self, family: Family) -> Result<Vec<Rule>, Refusal> {
        let mut rules = rule::list_family(&mut self.netlink, family)?;
        rules.retain(|it| it.index == self.index);
        Ok(rules)
    }

    fn remove(&mut self, families: &[Family], bypass: Option<Bypass>) -> Result<bool, Refusal> {
        let mut plan = Plan::default();
        for family in families {
            let removed = Addition { family: *family, bypass };
            let rules = self.rules(*family)?;
            for rule in in_order_of_removal(&rules).filter(|it| removed.has(it)) {
                plan.edit(Edit::Remove(*rule))?;
            }
            memory::push(&mut plan.not_owned, removed)?;
        }
        self.apply(&plan)
    }

    /// Makes all changes, or none. Returns whether there were any.
    fn apply(&mut self, plan: &Plan) -> Result<bool, Refusal> {
        self.added.try_reserve(plan.owned.len()).map_err(|_| Errno::ENOMEM)?;
        for (number, edit) in plan.edits.iter().enumerate() {
            if let Err(refusal) = edit.make(&mut self.netlink) {
                // Includes this change: it was made if only its answer was lost.
                for edit in plan.edits.iter().take(number.saturating_add(1)).rev() {
                    let _ = edit.inverse().make(&mut self.netlink);
                }
                return Err(refusal);
            }
        }
        self.added.retain(|it| !plan.not_owned.contains(it));
        self.added.extend_from_slice(&plan.owned);
        Ok(!plan.edits.is_empty())
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

/// First the rules that select the table: then all packets take their former routes again.
fn in_order_of_removal(rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    let which = |first| move |it: &&Rule| selects_table(it.step) == first;
    rules.iter().filter(which(true)).chain(rules.iter().filter(which(false)))
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.process == process() {
            let added = std::mem::take(&mut self.added);
            remove_unless_kept(&mut self.netlink, self.index, |rule| added.iter().any(|it| it.has(rule)));
        }
    }
}

/// Removes rules of a device that are not kept, and the default routes in its table that no other rule selects.
fn remove_unless_kept(netlink: &mut Socket, index: u32, is_meant: impl Fn(&Rule) -> bool) {
    for family in [Family::V4, Family::V6] {
        let mut rules = rule::list_family(netlink, family).unwrap_or_default();
        rules.retain(|it| it.index == index);
        let is_meant = |rule: &Rule| !rule.kept && is_meant(rule);
        for rule in in_order_of_removal(&rules).filter(|it| is_meant(it)) {
            let _ = rule::remove(netlink, rule);
        }
        let mut selecting = rules.iter().filter(|it| selects_table(it.step)).peekable();
        if selecting.peek().is_some() && selecting.all(is_meant) {
            let _ = remove_route(netlink, index, family);
        }
    }
}

/// Changes of the rules, and of what the handle has added.
#[derive(Default)]
struct Plan {
    edits: Vec<Edit>,
    owned: Vec<Addition>,
    not_owned: Vec<Addition>,
}

impl Plan {
    fn edit(&mut self, edit: Edit) -> Result<(), NoMemory> {
        memory::push(&mut self.edits, edit)
    }

    /// What is new belongs to this handle, unless it is kept. What exists belongs to the handle that added it.
    fn add(&mut self, addition: Addition, is_new: bool, kept: bool) -> Result<(), NoMemory> {
        if is_new || kept {
            memory::push(&mut self.not_owned, addition)?;
        }
        if is_new && !kept {
            memory::push(&mut self.owned, addition)?;
        }
        Ok(())
    }

    /// Adds a rule that is not present. A kept rule replaces one that is not kept.
    fn add_rule(&mut self, rules: &[Rule], wanted: Rule) -> Result<(), NoMemory> {
        match rules.iter().find(|it| it.step == wanted.step) {
            None => self.edit(Edit::Add(wanted)),
            Some(found) if wanted.kept && !found.kept => {
                self.edit(Edit::Add(wanted))?;
                self.edit(Edit::Remove(*found))
            }
            Some(_) => Ok(()),
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

/// Removes what a process has left at a device that it did not close. Only for a device that no other handle has open.
pub(super) fn remove_stale(netlink: &mut Socket, index: u32) {
    remove_unless_kept(netlink, index, |_| true);
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
