// SPDX-License-Identifier: MIT
//! Reads and changes the state of an interface.

use super::{Call, Device};
use crate::model::address::IPV6_MTU;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::flags::Kind;
use crate::model::ipv6::Setting;
use crate::model::link::{Alias, Mac, Stats};
use crate::model::name::Name;
use crate::model::text::text;
use crate::sys::{Backend, Change, Namespace};

impl Device {
    /// Whether it is administratively up.
    pub fn is_up(&self) -> Result<bool> {
        Ok(self.link()?.up)
    }

    /// Brings the interface up, or takes it down.
    pub fn set_up(&self, up: bool) -> Result<()> {
        let call = &mut self.backend.begin_call();
        if self.backend.link(call)?.up == up {
            return Ok(());
        }
        self.backend.change_link(call, &Change::Up(up))
    }

    /// The MTU: the size of the largest packet in bytes, without the Ethernet header.
    pub fn mtu(&self) -> Result<u32> {
        Ok(self.link()?.mtu)
    }

    /// Sets the MTU.
    pub fn set_mtu(&self, mtu: u32) -> Result<()> {
        let call = &mut self.backend.begin_call();
        let link = self.backend.link(call)?;
        match link.mtu_range {
            _ if link.mtu == mtu => Ok(()),
            Some((least, most)) if mtu < least || mtu > most => Err(Error::new(
                Errno::EINVAL,
                Reason::Range,
                text!("set the MTU of {} to {mtu}: the range is {least} to {most}", link.name),
            )),
            _ => self.backend.change_link(call, &Change::Mtu(mtu)),
        }
    }

    /// The range of the MTU.
    pub fn mtu_range(&self) -> Result<(u32, u32)> {
        let link = self.link()?;
        link.mtu_range.ok_or_else(|| {
            let text = text!("query the MTU range of {}: this kernel does not report it", link.name);
            Error::new(Errno::EOPNOTSUPP, Reason::Kernel, text)
        })
    }

    /// The hardware address of a TAP device.
    pub fn mac(&self) -> Result<Mac> {
        self.mac_on(&mut self.backend.begin_call())
    }

    fn mac_on(&self, call: &mut Call<'_>) -> Result<Mac> {
        self.needs_tap("MAC address")?;
        let mac = self.backend.link(call)?.mac;
        mac.ok_or_else(|| self.unset("MAC address", "tuntap_set_mac"))
    }

    /// Sets the hardware address of a TAP device.
    pub fn set_mac(&self, mac: Mac) -> Result<()> {
        let call = &mut self.backend.begin_call();
        if self.mac_on(call)? == mac {
            return Ok(());
        }
        self.backend.change_link(call, &Change::Mac(mac))
    }

    /// Renames the interface.
    pub fn set_name(&self, name: Name) -> Result<()> {
        let call = &mut self.backend.begin_call();
        if self.backend.link(call)?.name == name {
            return Ok(());
        }
        self.backend.change_link(call, &Change::Name(name))
    }

    /// The alias. Empty if there is none.
    pub fn alias(&self) -> Result<Vec<u8>> {
        Ok(self.link()?.alias)
    }

    /// Sets the alias. An empty one removes it.
    pub fn set_alias(&self, alias: &Alias) -> Result<()> {
        let call = &mut self.backend.begin_call();
        if self.backend.link(call)?.alias == alias.as_bytes() {
            return Ok(());
        }
        self.backend.change_link(call, &Change::Alias(alias))
    }

    /// Whether the interface has a carrier.
    pub fn carrier(&self) -> Result<bool> {
        Ok(self.link()?.carrier)
    }

    /// Turns the carrier on or off.
    pub fn set_carrier(&self, on: bool) -> Result<()> {
        self.backend.set_carrier(on)
    }

    /// The transmit queue length: the limit of packets that wait for a reader.
    pub fn tx_queue_length(&self) -> Result<u32> {
        Ok(self.link()?.tx_queue_length)
    }

    /// Sets the transmit queue length.
    pub fn set_tx_queue_length(&self, packets: u32) -> Result<()> {
        let call = &mut self.backend.begin_call();
        if self.backend.link(call)?.tx_queue_length == packets {
            return Ok(());
        }
        self.backend.change_link(call, &Change::TxQueueLength(packets))
    }

    /// The interface that it is a port of, such as a bridge.
    pub fn master(&self) -> Result<Name> {
        self.needs(Feature::Master, "query the master of")?;
        let call = &mut self.backend.begin_call();
        let name = match self.backend.link(call)?.master {
            Some(index) => self.backend.name_of(call, index)?,
            None => None,
        };
        name.ok_or_else(|| self.unset("master", "tuntap_set_master"))
    }

    /// Makes it a port of an interface, such as a bridge, or of none.
    pub fn set_master(&self, master: Option<Name>) -> Result<()> {
        self.needs(Feature::Master, "set the master of")?;
        let call = &mut self.backend.begin_call();
        let absent = |name| {
            let text = text!("add {} to {name}: there is no such interface", self.label());
            Error::new(Errno::ENODEV, Reason::Absent, text)
        };
        let master = match master {
            Some(name) => Some((self.backend.index_of(call, &name)?.ok_or_else(|| absent(name))?, name)),
            None => None,
        };
        let before = self.backend.link(call)?.master;
        if before == master.map(|(index, _)| index) {
            return Ok(());
        }
        let changed = self.backend.change_link(call, &Change::Master(master)).map_err(|error| {
            let cause = match (error.errno(), self.backend.mode().kind) {
                (Errno::EINVAL, Kind::Tun) => "a bridge takes only a TAP",
                (Errno::EOPNOTSUPP, _) => "that interface takes no ports",
                _ => return error,
            };
            Error::new(error.errno(), error.reason(), text!("{}: {cause}", error.message()))
        });
        changed.inspect_err(|_| {
            // The kernel removes it from the former one first.
            let former = before.zip(master.map(|(_, name)| name));
            if former.is_some() {
                let _ = self.backend.change_link(call, &Change::Master(former));
            }
        })
    }

    /// A setting of IPv6.
    pub fn ipv6(&self, setting: Setting) -> Result<u32> {
        self.needs(Feature::Ipv6Settings, "query the IPv6 settings of")?;
        let settings = self.link()?.ipv6.ok_or_else(|| self.no_ipv6())?;
        Ok(settings.get(setting))
    }

    /// Sets a setting of IPv6.
    pub fn set_ipv6(&self, setting: Setting, value: u32) -> Result<()> {
        self.needs(Feature::Ipv6Settings, "set the IPv6 settings of")?;
        setting.check(value)?;
        let call = &mut self.backend.begin_call();
        let settings = self.backend.link(call)?.ipv6.ok_or_else(|| self.no_ipv6())?;
        if settings.get(setting) == value {
            return Ok(());
        }
        self.backend.set_ipv6(call, setting, value).map_err(|error| match (setting, error.errno()) {
            (Setting::AddrGenMode, Errno::EINVAL) => {
                let text = text!("{}: mode 2 needs the sysctl stable_secret", error.message());
                Error::new(Errno::EINVAL, error.reason(), text)
            }
            _ => error,
        })
    }

    fn no_ipv6(&self) -> Error {
        let text = text!(
            "{} has no IPv6: that needs a kernel with IPv6, and an MTU of {IPV6_MTU} or more",
            self.label()
        );
        Error::new(Errno::EOPNOTSUPP, Reason::Kernel, text)
    }

    /// The counters.
    pub fn stats(&self) -> Result<Stats> {
        Ok(self.link()?.stats)
    }

    /// The offloads that are turned on, as bits of the ABI.
    pub fn offloads(&self) -> Result<u64> {
        self.backend.offloads()
    }

    /// Moves the interface to another network namespace. The handle follows it.
    pub(crate) fn set_namespace(&self, namespace: &Namespace) -> Result<()> {
        let _configuring = self.lock_configuration();
        let call = &mut self.backend.begin_call();
        self.backend.link(call)?;
        if self.backend.is_in(namespace) {
            return Ok(());
        }
        self.backend.change_link(call, &Change::Namespace(namespace))
    }

    pub(crate) fn needs_tap(&self, what: &str) -> Result<()> {
        match self.backend.mode().kind {
            Kind::Tap => Ok(()),
            Kind::Tun => Err(Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kind,
                text!("{} is a TUN and has no {what}: open a device with TUNTAP_TAP", self.label()),
            )),
        }
    }
}
