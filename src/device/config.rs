// SPDX-License-Identifier: MIT
//! The options of an open that are not flags. Either all of them are applied, or none.

use std::path::PathBuf;

use crate::device::Device;
use crate::model::address::{AddressRequest, IPV6_MTU, too_small_for_ipv6};
use crate::model::assigned::{Assigned, Options};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::Flags;
use crate::model::ipv6::Setting;
use crate::model::link::{Alias, Link, Mac};
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::model::text::text;
use crate::model::vnet_hdr::Wanted;
use crate::sys::Change;
use crate::sys::{Backend, Location, Namespace};

/// An item to add to a device.
pub struct Addition<T> {
    /// The item.
    pub item: T,
    /// It replaces another item that occupies its place.
    pub replace: bool,
}

/// The options of an open. The default has none.
#[derive(Default)]
pub struct Config {
    /// The user that may open the device without privilege.
    pub owner: Option<u32>,
    /// The group whose members may open the device without privilege.
    pub group: Option<u32>,
    /// The device node, if it is not the usual one.
    pub node: Option<PathBuf>,
    /// The network namespace, if it is not the one of the calling thread.
    pub(crate) namespace: Option<Namespace>,
    /// The MTU.
    pub mtu: Option<u32>,
    /// The hardware address of a TAP.
    pub mac: Option<Mac>,
    /// The alias.
    pub alias: Option<Alias>,
    /// The transmit queue length in packets.
    pub tx_queue_length: Option<u32>,
    /// The send buffer in bytes.
    pub send_buffer: Option<u32>,
    /// Addresses to add.
    pub addresses: Vec<Addition<(AddressRequest, Options)>>,
    /// Routes to add when the device is up.
    pub routes: Vec<Addition<Route>>,
    /// The layout of the virtio header, for a device with offload.
    pub vnet: Wanted,
    /// Whether to bring the device up or take it down.
    pub up: Option<bool>,
}

impl Config {
    /// Where to open the device.
    pub(crate) fn location(&self) -> Location<'_> {
        Location { node: self.node.as_deref(), namespace: self.namespace.as_ref() }
    }

    /// Refuses options that contradict each other, before anything is changed: a device that is down cannot have
    /// routes, and a small MTU cannot have IPv6 addresses.
    pub(crate) fn check(&self, flags: &Flags) -> Result<()> {
        if let Some(option) = self.vnet.option().filter(|_| !flags.mode.offload) {
            let text = "only a device with TUNTAP_OFFLOAD has a virtio header";
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text).of_option(option));
        }
        if self.up == Some(false) && !self.routes.is_empty() {
            let text = "option route: routes need a device that is up, and option up takes it down";
            return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
        }
        let mut addresses = self.addresses.iter().map(|added| added.item.0.address());
        let ipv6 = addresses.find(|address| address.family() == Family::V6);
        match self.mtu.filter(|mtu| *mtu < IPV6_MTU).zip(ipv6) {
            Some((mtu, address)) => {
                Err(too_small_for_ipv6(text!("add the address {address} to the device"), mtu)
                    .of_option("addr"))
            }
            None => Ok(()),
        }
    }

    /// Whether an option changes the state of an existing device, which a failure must restore.
    fn changes_link(&self) -> bool {
        let numbers = [self.mtu, self.tx_queue_length, self.send_buffer];
        numbers.iter().any(Option::is_some)
            || self.mac.is_some()
            || self.alias.is_some()
            || self.up.is_some()
            || self.owner.is_some()
            || self.group.is_some()
            || !self.addresses.is_empty()
            || !self.routes.is_empty()
    }
}

/// Applies an option to each value. The message of a failure begins with the name of the option.
fn option<T>(name: &str, asked: impl IntoIterator<Item = T>, apply: impl Fn(T) -> Result<()>) -> Result<()> {
    asked.into_iter().try_for_each(apply).map_err(|error| error.of_option(name))
}

/// The state of a device that the options can change.
struct Before {
    link: Link,
    send_buffer: u32,
    addresses: Vec<Assigned>,
    routes: Vec<Installed>,
}

impl Device {
    /// Applies all options, or none: if one fails, the previous state of an existing device is restored. Persist comes
    /// last: until then, a new device is removed if a step fails. The ids, which are already checked, come just before
    /// it, because a first owner cannot be unset.
    pub(crate) fn apply(&self, flags: &Flags, config: &Config) -> Result<()> {
        let before = config.changes_link().then(|| self.before()).transpose()?;
        self.apply_each(flags, config).inspect_err(|_| {
            if let Some(before) = before {
                self.restore(&before, config);
            }
        })
    }

    fn apply_each(&self, flags: &Flags, config: &Config) -> Result<()> {
        self.apply_to_link(config)?;
        option("owner", config.owner, |uid| self.backend.set_owner(uid))?;
        option("group", config.group, |gid| self.backend.set_group(gid))?;
        if flags.persist {
            self.set_persist(true)?;
        }
        Ok(())
    }

    /// The MTU comes before the addresses, because IPv6 needs it, and up before the routes, because they need it.
    fn apply_to_link(&self, config: &Config) -> Result<()> {
        option("mtu", config.mtu, |mtu| self.set_mtu(mtu))?;
        option("mac", config.mac, |mac| self.set_mac(mac))?;
        option("alias", config.alias.as_ref(), |alias| self.set_alias(alias))?;
        option("txqueuelen", config.tx_queue_length, |packets| self.set_tx_queue_length(packets))?;
        option("sndbuf", config.send_buffer, |bytes| self.set_send_buffer(bytes))?;
        option("addr", &config.addresses, |Addition { item: (request, options), replace }| {
            self.add_addr(request, options, *replace)
        })?;
        option("up", config.up, |up| self.set_up(up))?;
        option("route", &config.routes, |Addition { item, replace }| self.add_route(item, *replace))
    }

    fn before(&self) -> Result<Before> {
        let call = &mut self.backend.begin_call();
        Ok(Before {
            link: self.backend.link(call)?,
            send_buffer: self.backend.send_buffer()?,
            addresses: self.backend.addresses(call, None)?,
            routes: self.backend.routes(call)?,
        })
    }

    /// The MTU comes first, because IPv6 needs it, and the routes last, because they need everything else. Unchanged
    /// values are not set, and a failure does not stop the next steps.
    fn restore(&self, before: &Before, config: &Config) {
        let link = &before.link;
        let _ = self.set_mtu(link.mtu);
        if let Some(settings) = link.ipv6 {
            // Linux discarded them if the MTU was below 1280.
            Setting::ALL.into_iter().for_each(|setting| drop(self.set_ipv6(setting, settings.get(setting))));
        }
        if let Some(mac) = link.mac.filter(|_| config.mac.is_some()) {
            let _ = self.backend.change_link(&mut self.backend.begin_call(), &Change::Mac(mac));
        }
        if let Ok(alias) = Alias::new(&link.alias) {
            let _ = self.set_alias(&alias);
        }
        let _ = self.set_tx_queue_length(link.tx_queue_length);
        let _ = self.set_send_buffer(before.send_buffer);
        self.restore_addresses(&mut self.backend.begin_call(), &before.addresses);
        let _ = self.set_up(link.up);
        self.restore_routes(
            &mut self.backend.begin_call(),
            &before.routes,
            config.routes.iter().map(|added| added.item),
        );
        if let Some(uid) = config.owner.and(link.tuntap).and_then(|tuntap| tuntap.owner) {
            let _ = self.backend.set_owner(uid);
        }
        if let Some(gid) = config.group.and(link.tuntap).and_then(|tuntap| tuntap.group) {
            let _ = self.backend.set_group(gid);
        }
    }
}
