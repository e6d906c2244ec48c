// SPDX-License-Identifier: MIT
//! The default route through a device, and what bypasses it. Looking up the route to a destination.

use super::{Device, Way};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::lookup::{Found, Lookup};
use crate::model::memory;
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::model::text::text;
use crate::sys::{Backend, Queue};

impl Device {
    /// The route that the system selects for a packet, in the network namespace of a device or of the calling thread.
    pub fn find_route(device: Option<&Self>, lookup: &Lookup) -> Result<Found> {
        Queue::find_route(device.map(|device| &device.backend), lookup)
    }

    /// Routes all packets of a family or of both through the device, or none if one family fails.
    pub fn add_default_route(&self, wanted: &DefaultRoute) -> Result<()> {
        let _configuring = self.lock_configuration();
        let way = &mut self.backend.way();
        let mut added = Vec::new();
        for family in families(wanted.family)? {
            match self.add_default_of(way, family, wanted) {
                Ok(true) => memory::push(&mut added, family)?,
                Ok(false) => {}
                Err(error) => {
                    for family in added {
                        let _ = self.del_default_of(way, family);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Returns whether the device had no default route of this family.
    fn add_default_of(&self, way: &mut Way<'_>, family: Family, wanted: &DefaultRoute) -> Result<bool> {
        let routes = self.backend.default_routes(way, family, wanted.gateway)?;
        let before = self.backend.routes(way)?;
        let added = routes.iter().try_for_each(|route| self.add_route_on(way, route, true));
        added.and_then(|()| self.backend.add_policy(way, family, wanted)).inspect_err(|_| {
            self.restore_routes(way, &before, routes);
        })
    }

    /// Undoes [`Self::add_default_route`], of any handle.
    pub fn del_default_route(&self, family: Option<Family>) -> Result<()> {
        let _configuring = self.lock_configuration();
        let way = &mut self.backend.way();
        let mut deleted = false;
        for family in families(family)? {
            deleted |= self.del_default_of(way, family)?;
        }
        if deleted {
            return Ok(());
        }
        let text =
            text!("{} has no default route: none was added with tuntap_add_default_route", self.label());
        Err(Error::new(Errno::ENOENT, Reason::Unset, text))
    }

    /// Returns whether there was one. The system goes back to its own default route first.
    fn del_default_of(&self, way: &mut Way<'_>, family: Family) -> Result<bool> {
        let mut deleted = self.backend.remove_policy(way, family)?;
        let ours = self.backend.default_routes(way, family, None)?;
        let place = |route: &Route| (route.network(), route.prefix(), route.details.table);
        let is_ours = |it: &Installed| ours.iter().any(|route| place(route) == place(&it.route));
        for installed in self.backend.routes(way)?.iter().filter(|it| is_ours(it)) {
            self.backend.remove_route(way, installed)?;
            deleted = true;
        }
        Ok(deleted)
    }

    /// Excludes packets from the default route through the device.
    pub fn add_bypass(&self, bypass: &Bypass, keep: bool) -> Result<()> {
        self.needs(Feature::Bypass, "add a bypass of")?;
        let _configuring = self.lock_configuration();
        self.backend.add_bypass(&mut self.backend.way(), &families(bypass.family())?, bypass, keep)
    }

    /// Undoes [`Self::add_bypass`], of any handle.
    pub fn del_bypass(&self, bypass: &Bypass) -> Result<()> {
        self.needs(Feature::Bypass, "delete a bypass of")?;
        let _configuring = self.lock_configuration();
        if self.backend.remove_bypass(&mut self.backend.way(), &families(bypass.family())?, bypass)? {
            return Ok(());
        }
        let text = text!("{} has no bypass for {bypass}", self.label());
        Err(Error::new(Errno::ENOENT, Reason::Unset, text))
    }
}

/// The families that a request is for: the one that it names, or all that the system has.
fn families(requested: Option<Family>) -> Result<Vec<Family>> {
    if let Some(family) = requested {
        return Ok(memory::copy(&[family])?);
    }
    let has_ipv6 = Queue::kernel_has(Feature::Ipv6)?;
    let all: &[Family] = if has_ipv6 { &[Family::V4, Family::V6] } else { &[Family::V4] };
    Ok(memory::copy(all)?)
}
