// SPDX-License-Identifier: MIT
//! Adding and deleting routes through a device.

use super::{Call, Device};
use crate::model::address::{IPV6_MTU, too_small_for_ipv6};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::memory;
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::model::text::text;
use crate::sys::Backend;

impl Device {
    /// The routes through the device, of both families and all tables except the local one.
    pub fn routes(&self) -> Result<Vec<Installed>> {
        self.backend.routes(&mut self.backend.begin_call())
    }

    /// Adds a route, unless the device has it. Replaces a conflicting route of this device if `replace` is set. A
    /// replacement lists the routes first, because for the system an equal and a conflicting route both exist.
    /// Otherwise the list is read only after a failure where the system allows that: it takes longer the more routes
    /// there are.
    pub fn add_route(&self, route: &Route, replace: bool) -> Result<()> {
        let _configuring = self.lock_configuration();
        let remedy = "add an address whose network has the gateway, or use TUNTAP_ROUTE_ONLINK";
        self.add_route_on(&mut self.backend.begin_call(), route, replace, remedy)
    }

    /// `remedy`: what to do if the gateway is unreachable.
    pub(super) fn add_route_on(
        &self,
        call: &mut Call<'_>,
        route: &Route,
        replace: bool,
        remedy: &str,
    ) -> Result<()> {
        if (replace || !self.backend.adds_without_listing()) && self.installed(call, route)?.is_some() {
            return Ok(());
        }
        if replace {
            return self
                .backend
                .replace_route(call, route)
                .map_err(|error| self.explain_route(call, route, error, remedy));
        }
        self.backend.add_route(call, route).or_else(|error| match self.installed(call, route) {
            Ok(Some(_)) => Ok(()),
            _ => Err(self.explain_route(call, route, error, remedy)),
        })
    }

    /// What the kernel reports without a cause. It looks for the network of the gateway first, and a device that is
    /// down has none. Where IPv6 is off because of the MTU, Linux returns ENODEV.
    fn explain_route(&self, call: &mut Call<'_>, route: &Route, error: Error, remedy: &str) -> Error {
        let unreachable = matches!(error.errno(), Errno::ENETUNREACH | Errno::EHOSTUNREACH)
            && error.reason() == Reason::System
            && route.gateway().is_some();
        let v6 = route.family() == Family::V6;
        if !unreachable && error.errno() != Errno::ENODEV && !(v6 && error.errno() == Errno::EACCES) {
            return error;
        }
        let Ok(link) = self.backend.link(call) else { return error };
        let action = text!("add the route {route} through {}", link.name);
        if unreachable && !link.up {
            Error::new(Errno::ENETDOWN, Reason::Down, text!("{action}: the device is down: use tuntap_up"))
        } else if unreachable {
            Error::new(error.errno(), error.reason(), text!("{}: {remedy}", error.message()))
        } else if v6 && link.ipv6.is_some_and(|settings| settings.disable != 0) {
            let remedy = "IPv6 is disabled on the device: use tuntap_set_ipv6 with TUNTAP_IPV6_DISABLE";
            Error::new(error.errno(), Reason::System, text!("{action}: {remedy}"))
        } else if v6 && link.mtu < IPV6_MTU {
            too_small_for_ipv6(action, link.mtu)
        } else {
            error
        }
    }

    /// Deletes a route. If `partial` is set, the route has attributes that are not represented here.
    pub fn del_route(&self, route: &Route, partial: bool) -> Result<()> {
        let _configuring = self.lock_configuration();
        let usual = self.backend.usual_route(route.family());
        let is_meant =
            |installed: &Installed| installed.partial == partial && installed.route.meets(route, usual);
        let missing = || {
            let text = text!("{} does not have the route {route}", self.label());
            Error::new(Errno::ENOENT, Reason::Unset, text)
        };
        let call = &mut self.backend.begin_call();
        let installed = self.backend.routes(call)?.into_iter().find(is_meant).ok_or_else(missing)?;
        self.backend.remove_route(call, &installed).map_err(|error| match error.errno() {
            Errno::ESRCH => missing(),
            _ => error,
        })
    }

    /// Restores the routes of before, and deletes those of `added` that were not among them.
    pub(super) fn restore_routes(
        &self,
        call: &mut Call<'_>,
        before: &[Installed],
        added: impl IntoIterator<Item = Route>,
    ) {
        let is_new = |route: &Route| !before.iter().any(|installed| self.is_meant(route, installed));
        for route in added.into_iter().filter(is_new) {
            if let Ok(Some(installed)) = self.installed(call, &route) {
                let _ = self.backend.remove_route(call, &installed);
            }
        }
        let present = self.backend.routes(call).unwrap_or_default();
        // The system adds a route after those with its key: the ones that were behind it are moved there again.
        let mut keys = Vec::new();
        for installed in before {
            let (key, lost) = (installed.route.key(), !present.contains(installed));
            let moves = !lost && keys.contains(&key);
            if moves {
                let _ = self.backend.remove_route(call, installed);
            }
            if moves || lost {
                let _ = self.backend.restore_route(call, installed);
                let _ = memory::push(&mut keys, key);
            }
        }
    }

    fn installed(&self, call: &mut Call<'_>, route: &Route) -> Result<Option<Installed>> {
        Ok(self.backend.routes(call)?.into_iter().find(|installed| self.is_meant(route, installed)))
    }

    /// A route that cannot be requested never matches.
    fn is_meant(&self, route: &Route, installed: &Installed) -> bool {
        let usual = self.backend.usual_route(route.family());
        !installed.partial && installed.route.meets(route, usual)
    }
}
