// SPDX-License-Identifier: MIT
//! Adding routes through a device, and taking them away.

use super::{Device, Way};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::route::{Installed, Route};
use crate::model::text::text;
use crate::sys::Backend;

impl Device {
    /// The routes through the device, of both families and all tables but that of the host's own addresses.
    pub fn routes(&self) -> Result<Vec<Installed>> {
        self.backend.routes(&mut self.backend.way())
    }

    /// Adds a route, unless it is there. Another one of this device that has its place is replaced, if that is asked for.
    /// To look first costs more the more routes there are: a replacement does, as a system may say "it is there" of both.
    pub fn add_route(&self, route: &Route, replace: bool) -> Result<()> {
        let _changing = self.change();
        let way = &mut self.backend.way();
        if (replace || !self.backend.adds_before_it_looks()) && self.installed(way, route)?.is_some() {
            return Ok(());
        }
        if replace {
            return self.backend.replace_route(way, route);
        }
        self.backend.add_route(way, route).or_else(|error| match self.installed(way, route) {
            Ok(Some(_)) => Ok(()),
            _ => Err(error),
        })
    }

    /// Takes a route away, of which the system has more than is said here where that is not exact.
    pub fn del_route(&self, route: &Route, exact: bool) -> Result<()> {
        let _changing = self.change();
        let usual = self.backend.usual_route(route.family());
        let is_meant =
            |installed: &Installed| installed.exact == exact && installed.route.meets(route, usual);
        let missing = || {
            let text = text!("{} does not have the route {route}", self.label());
            Error::new(Errno::ENOENT, Reason::Unset, text)
        };
        let way = &mut self.backend.way();
        let installed = self.backend.routes(way)?.into_iter().find(is_meant).ok_or_else(missing)?;
        self.backend.remove_route(way, &installed).map_err(|error| match error.errno() {
            Errno::ESRCH => missing(),
            _ => error,
        })
    }

    /// Gives back the routes that were there before, and takes away those of the given ones that were not.
    pub(super) fn restore_routes(
        &self,
        way: &mut Way<'_>,
        before: &[Installed],
        added: impl IntoIterator<Item = Route>,
    ) {
        let is_new = |route: &Route| !before.iter().any(|installed| self.is_meant(route, installed));
        for route in added.into_iter().filter(is_new) {
            if let Ok(Some(installed)) = self.installed(way, &route) {
                let _ = self.backend.remove_route(way, &installed);
            }
        }
        let present = self.backend.routes(way).unwrap_or_default();
        for lost in before.iter().filter(|installed| !present.contains(installed)) {
            let _ = self.backend.restore_route(way, lost);
        }
    }

    fn installed(&self, way: &mut Way<'_>, route: &Route) -> Result<Option<Installed>> {
        Ok(self.backend.routes(way)?.into_iter().find(|installed| self.is_meant(route, installed)))
    }

    /// What cannot be asked for is never meant.
    fn is_meant(&self, route: &Route, installed: &Installed) -> bool {
        let usual = self.backend.usual_route(route.family());
        installed.exact && installed.route.meets(route, usual)
    }
}
