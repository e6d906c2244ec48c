// SPDX-License-Identifier: MIT
//! Options of an open that have no flag, and their application: all of them or none.

use std::path::PathBuf;

use crate::device::Device;
use crate::model::address::{AddressRequest, Assigned, IPV6_MTU, Options, too_small_for_ipv6};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::Flags;
use crate::model::link::{Alias, Link, Mac};
use crate::model::prefix::Family;
use crate::model::route::{Installed, Route};
use crate::model::vnet_hdr::Wanted;
use crate::sys::Change;
use crate::sys::{Backend, Namespace, Place};

/// What is added to a device.
pub struct Added<T> {
    /// That.
    pub item: T,
    /// What has its place is replaced.
    pub replace: bool,
}

/// What an open does beyond its flags. A new one changes nothing.
#[derive(Default)]
pub struct Config {
    /// The user that may open the device without privilege.
    pub owner: Option<u32>,
    /// The group whose members may open the device without privilege.
    pub group: Option<u32>,
    /// The device node, where it is not the usual one.
    pub node: Option<PathBuf>,
    /// The network namespace, where it is not the calling thread's.
    pub(crate) namespace: Option<Namespace>,
    /// Bytes of the largest packet.
    pub mtu: Option<u32>,
    /// The hardware address of a TAP.
    pub mac: Option<Mac>,
    /// A text for whoever looks at the device.
    pub alias: Option<Alias>,
    /// Packets that wait for a reader, at most.
    pub tx_queue_length: Option<u32>,
    /// Bytes of written packets that are on their way, at most.
    pub send_buffer: Option<u32>,
    /// Addresses that are added.
    pub addresses: Vec<Added<(AddressRequest, Options)>>,
    /// Routes that are added, once it is up.
    pub routes: Vec<Added<Route>>,
    /// The layout of the virtio header, with offload.
    pub vnet: Wanted,
    /// Up or down.
    pub up: Option<bool>,
}

impl Config {
    /// Where to open the device.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { node: self.node.as_deref(), namespace: self.namespace.as_ref() }
    }

    /// What cannot be, found out before anything is touched: being down takes routes away, and a small MTU the IPv6
    /// addresses.
    pub(crate) fn check(&self, flags: &Flags) -> Result<()> {
        if let Some(option) = self.vnet.option().filter(|_| !flags.mode.offload) {
            let text = "a device has a virtio header with TUNTAP_OFFLOAD only";
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text).of_option(option));
        }
        if self.up == Some(false) && !self.routes.is_empty() {
            let text = "option route: the device would be down, and routes need it up";
            return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
        }
        let mut addresses = self.addresses.iter().map(|added| added.item.0.address());
        let ipv6 = addresses.find(|address| address.family() == Family::V6);
        match self.mtu.filter(|mtu| *mtu < IPV6_MTU).zip(ipv6) {
            Some((mtu, address)) => Err(too_small_for_ipv6(&address, "the device", mtu).of_option("addr")),
            None => Ok(()),
        }
    }

    /// Some of it changes what may be there before, and would have to be undone.
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

/// Applies what is asked for of an option, whose name a failure begins with.
fn option<T>(name: &str, asked: impl IntoIterator<Item = T>, apply: impl Fn(T) -> Result<()>) -> Result<()> {
    asked.into_iter().try_for_each(apply).map_err(|error| error.of_option(name))
}

/// What of a device the options may change.
struct Before {
    link: Link,
    send_buffer: u32,
    addresses: Vec<Assigned>,
    routes: Vec<Installed>,
}

impl Device {
    /// Applies all options, or when one fails none: then what was there before is there again, as far as the device
    /// does not go away anyway. Persist comes last: until then, a new device goes away when a step fails. The ids, which
    /// are checked already, come just before it: a first owner cannot be unset again.
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

    /// The MTU before the addresses, as IPv6 needs it; up before the routes, as all of them need that.
    fn apply_to_link(&self, config: &Config) -> Result<()> {
        option("mtu", config.mtu, |mtu| self.set_mtu(mtu))?;
        option("mac", config.mac, |mac| self.set_mac(mac))?;
        option("alias", config.alias.as_ref(), |alias| self.set_alias(alias))?;
        option("txqueuelen", config.tx_queue_length, |packets| self.set_tx_queue_length(packets))?;
        option("sndbuf", config.send_buffer, |bytes| self.set_send_buffer(bytes))?;
        option("addr", &config.addresses, |Added { item: (request, options), replace }| {
            self.add_addr(request, options, *replace)
        })?;
        option("up", config.up, |up| self.set_up(up))?;
        option("route", &config.routes, |Added { item, replace }| self.add_route(item, *replace))
    }

    fn before(&self) -> Result<Before> {
        let way = &mut self.backend.way();
        Ok(Before {
            link: self.backend.link(way)?,
            send_buffer: self.backend.send_buffer()?,
            addresses: self.backend.addresses(way, None)?,
            routes: self.backend.routes(way)?,
        })
    }

    /// The MTU first, as IPv6 needs it, and the routes last, as they need all the rest. What was not changed is left
    /// alone, and one failure does not keep from the rest.
    fn restore(&self, before: &Before, config: &Config) {
        let link = &before.link;
        let _ = self.set_mtu(link.mtu);
        if let Some(mac) = link.mac.filter(|_| config.mac.is_some()) {
            let _ = self.backend.change_link(&mut self.backend.way(), &Change::Mac(mac));
        }
        if let Ok(alias) = Alias::new(&link.alias) {
            let _ = self.set_alias(&alias);
        }
        let _ = self.set_tx_queue_length(link.tx_queue_length);
        let _ = self.set_send_buffer(before.send_buffer);
        self.restore_addresses(&mut self.backend.way(), &before.addresses);
        let _ = self.set_up(link.up);
        self.restore_routes(
            &mut self.backend.way(),
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
