// SPDX-License-Identifier: MIT
//! The default route through a device, and what bypasses it. Looking up the route to a destination.

use std::net::IpAddr;

use super::{Call, Device};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::lookup::{self, Found, Lookup};
use crate::model::memory;
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::model::text::text;
use crate::sys::{Backend, Queue};

impl Device {
    /// The route that the system selects for a packet, in the network namespace of a device or of the calling thread.
    pub fn find_route(device: Option<&Self>, lookup: &Lookup) -> Result<Found> {
        if lookup::needs_interface(lookup.destination()) {
            return Err(lookup.no_route());
        }
        Queue::find_route(device.map(|device| &device.backend), lookup)
    }

    /// Routes all packets of a family or of both through the device, or none if one step fails.
    pub fn add_default_route(&self, wanted: &DefaultRoute) -> Result<()> {
        let _configuring = self.lock_configuration();
        let call = &mut self.backend.begin_call();
        let families = families(wanted.family)?;
        let routes = self.default_routes(call, &families, wanted.gateway)?;
        let before = self.backend.routes(call)?;
        let remedy = "add an address whose network has the gateway";
        let added = routes.iter().try_for_each(|route| self.add_route_on(call, route, true, remedy));
        added.and_then(|()| self.backend.add_policy(call, &families, wanted)).inspect_err(|_| {
            self.restore_routes(call, &before, routes);
        })
    }

    /// Undoes [`Self::add_default_route`], of any handle, or nothing if one step fails.
    pub fn del_default_route(&self, family: Option<Family>) -> Result<()> {
        let _configuring = self.lock_configuration();
        let call = &mut self.backend.begin_call();
        let families = families(family)?;
        let ours = self.default_routes(call, &families, None)?;
        let before = self.backend.routes(call)?;
        let key = |route: &Route| (route.network(), route.prefix(), route.details.table);
        let is_ours = |it: &&Installed| ours.iter().any(|route| key(route) == key(&it.route));
        let mut present = before.iter().filter(is_ours).peekable();
        let had_any = present.peek().is_some();
        let removed = present.try_for_each(|installed| match self.backend.remove_route(call, installed) {
            Err(error) if error.errno() == Errno::ESRCH => Ok(()),
            removed => removed,
        });
        let removed = removed.and_then(|()| self.backend.remove_policy(call, &families));
        match removed.inspect_err(|_| self.restore_routes(call, &before, [])) {
            Ok(false) if !had_any => {
                let action = "delete the default route through";
                let text = text!("{action} {}: tuntap_add_default_route has added none", self.label());
                Err(Error::new(Errno::ENOENT, Reason::Unset, text))
            }
            removed => removed.map(drop),
        }
    }

    fn default_routes(
        &self,
        call: &mut Call<'_>,
        families: &[Family],
        gateway: Option<IpAddr>,
    ) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        for family in families {
            memory::append(&mut routes, &self.backend.default_routes(call, *family, gateway)?)?;
        }
        Ok(routes)
    }

    /// Excludes packets from the default route through the device.
    pub fn add_bypass(&self, bypass: &Bypass, keep: bool) -> Result<()> {
        self.needs(Feature::Bypass, "add a bypass of")?;
        let _configuring = self.lock_configuration();
        self.backend.add_bypass(&mut self.backend.begin_call(), &families(bypass.family())?, bypass, keep)
    }

    /// Undoes [`Self::add_bypass`], of any handle.
    pub fn del_bypass(&self, bypass: &Bypass) -> Result<()> {
        self.needs(Feature::Bypass, "delete a bypass of")?;
        let _configuring = self.lock_configuration();
        if self.backend.remove_bypass(&mut self.backend.begin_call(), &families(bypass.family())?, bypass)? {
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
