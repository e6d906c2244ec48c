// SPDX-License-Identifier: MIT
//! What an interface is at the moment, as the operating system tells it.

use std::fmt;

use crate::device::Device;
use crate::error::{Errno, Error, Reason, Result};
use crate::flags::{Kind, Mode};
use crate::memory;
use crate::name::Name;
use crate::sys::{Backend, Namespace};
use crate::text::{Text, text};

/// The hardware address of a TAP device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Checks an address: one station's, so neither a group's nor all zeros.
    pub fn new(bytes: [u8; 6]) -> Result<Self> {
        let mac = Self(bytes);
        let fault = if mac.is_group() {
            "a group address (the lowest bit of its first byte is set) belongs to no device"
        } else if bytes == [0; 6] {
            "all zeros are no address"
        } else {
            return Ok(mac);
        };
        Err(Error::new(Errno::EINVAL, Reason::Address, text!("MAC address {mac}: {fault}")))
    }

    /// An address that the operating system reported.
    pub fn reported(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// Whether it is that of a group of stations.
    pub fn is_group(self) -> bool {
        let [first, ..] = self.0;
        first & 1 != 0
    }

    /// Its six bytes.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What makes an interface a TUN or TAP device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuntap {
    /// How packets pass through it.
    pub mode: Mode,
    /// It outlives its last handle.
    pub persist: bool,
    /// The user that may open it without privilege.
    pub owner: Option<u32>,
    /// The group whose members may open it without privilege.
    pub group: Option<u32>,
}

/// A text that an administrator gives a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias(Vec<u8>);

impl Alias {
    /// Bytes of an alias, at the most: IFALIASZ less the NUL.
    pub const MAX_LEN: usize = 255;

    /// Checks an alias. An empty one takes the alias away.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() <= Self::MAX_LEN {
            return Ok(Self(memory::copy(bytes)?));
        }
        let text = text!("an alias of {} bytes: it can have {}", bytes.len(), Self::MAX_LEN);
        Err(Error::new(Errno::EINVAL, Reason::Range, text))
    }

    /// Its bytes, without a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What passed through a device, as the system sees it: received is what was written to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kernel's and say it all")]
pub struct Stats {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
}

/// One thing to change about an interface.
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) enum Change<'a> {
    Up(bool),
    Mtu(u32),
    Mac(Mac),
    Name(Name),
    Alias(&'a Alias),
    TxQueueLength(u32),
    Namespace(&'a Namespace),
}

#[allow(dead_code, reason = "as above")]
impl Change<'_> {
    /// What a message says of an attempt at it.
    pub(crate) fn of(&self, device: impl fmt::Display) -> Text {
        match self {
            Self::Up(true) => text!("take {device} up"),
            Self::Up(false) => text!("take {device} down"),
            Self::Mtu(mtu) => text!("set the MTU of {device} to {mtu}"),
            Self::Mac(mac) => text!("set the MAC address of {device} to {mac}"),
            // It can have the name already, when only the answer was lost.
            Self::Name(name) if text!("{device}") == text!("{name}") => text!("rename the device to {name}"),
            Self::Name(name) => text!("rename {device} to {name}"),
            Self::Alias(_) => text!("set the alias of {device}"),
            Self::TxQueueLength(packets) => text!("set the transmit queue length of {device} to {packets}"),
            Self::Namespace(_) => text!("move {device} to another network namespace"),
        }
    }
}

/// The present state of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in its network namespace, which a rename does not change.
    pub index: u32,
    /// Its name.
    pub name: Name,
    /// It is administratively up.
    pub up: bool,
    /// The other end is there, as far as the device was told.
    pub carrier: bool,
    /// Bytes of the largest packet, without the Ethernet header.
    pub mtu: u32,
    /// What the MTU can be, where the system says so.
    pub mtu_range: Option<(u32, u32)>,
    /// Its hardware address, where it has one.
    pub mac: Option<Mac>,
    /// A text that somebody gave it; empty where nobody did.
    pub alias: Vec<u8>,
    /// Packets that wait for a reader, at most.
    pub tx_queue_length: u32,
    /// What passed through it.
    pub stats: Stats,
    /// Present for TUN and TAP devices only.
    pub tuntap: Option<Tuntap>,
}

impl Link {
    /// What makes it a TUN or TAP device, for one that is known to be one.
    pub fn needs_tuntap(&self) -> Result<Tuntap> {
        self.tuntap.ok_or_else(|| {
            Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                text!(
                    "{}: this kernel does not tell the modes of a device: Linux 4.17 and newer do",
                    self.name
                ),
            )
        })
    }
}

impl Device {
    /// Whether it is administratively up.
    pub fn is_up(&self) -> Result<bool> {
        Ok(self.backend.link()?.up)
    }

    /// Takes it up or down.
    pub fn set_up(&self, up: bool) -> Result<()> {
        if self.is_up()? == up {
            return Ok(());
        }
        self.backend.change_link(&Change::Up(up))
    }

    /// Bytes of the largest packet, without the Ethernet header.
    pub fn mtu(&self) -> Result<u32> {
        Ok(self.backend.link()?.mtu)
    }

    /// Sets the MTU.
    pub fn set_mtu(&self, mtu: u32) -> Result<()> {
        let link = self.backend.link()?;
        match link.mtu_range {
            _ if link.mtu == mtu => Ok(()),
            Some((least, most)) if mtu < least || mtu > most => Err(Error::new(
                Errno::EINVAL,
                Reason::Range,
                text!("set the MTU of {} to {mtu}: it takes {least} to {most}", link.name),
            )),
            _ => self.backend.change_link(&Change::Mtu(mtu)),
        }
    }

    /// The hardware address of a TAP device.
    pub fn mac(&self) -> Result<Mac> {
        self.needs_tap("MAC address")?;
        let mac = self.backend.link()?.mac;
        mac.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "MAC address", "tuntap_set_mac"))
    }

    /// Sets the hardware address of a TAP device.
    pub fn set_mac(&self, mac: Mac) -> Result<()> {
        if self.mac()? == mac {
            return Ok(());
        }
        self.backend.change_link(&Change::Mac(mac))
    }

    /// Renames it.
    pub fn set_name(&self, name: Name) -> Result<()> {
        if self.backend.link()?.name == name {
            return Ok(());
        }
        self.backend.change_link(&Change::Name(name))
    }

    /// The text that somebody gave it; empty where nobody did.
    pub fn alias(&self) -> Result<Vec<u8>> {
        Ok(self.backend.link()?.alias)
    }

    /// Gives it a text, or with an empty one takes it away.
    pub fn set_alias(&self, alias: &Alias) -> Result<()> {
        if self.alias()? == alias.as_bytes() {
            return Ok(());
        }
        self.backend.change_link(&Change::Alias(alias))
    }

    /// Whether the other end is there, as far as the device was told.
    pub fn carrier(&self) -> Result<bool> {
        Ok(self.backend.link()?.carrier)
    }

    /// Tells the system whether the other end is there.
    pub fn set_carrier(&self, on: bool) -> Result<()> {
        self.backend.set_carrier(on)
    }

    /// Packets that wait for a reader, at most.
    pub fn tx_queue_length(&self) -> Result<u32> {
        Ok(self.backend.link()?.tx_queue_length)
    }

    /// Sets how many packets wait for a reader.
    pub fn set_tx_queue_length(&self, packets: u32) -> Result<()> {
        if self.tx_queue_length()? == packets {
            return Ok(());
        }
        self.backend.change_link(&Change::TxQueueLength(packets))
    }

    /// What passed through it.
    pub fn stats(&self) -> Result<Stats> {
        Ok(self.backend.link()?.stats)
    }

    /// The offloads that are turned on, as the ABI's bits.
    pub fn offloads(&self) -> Result<u64> {
        self.backend.offloads()
    }

    /// Moves it to another network namespace; the handle follows.
    pub(crate) fn set_namespace(&self, namespace: &Namespace) -> Result<()> {
        let _changing = self.change();
        self.backend.link()?;
        if self.backend.is_in(namespace) {
            return Ok(());
        }
        self.backend.change_link(&Change::Namespace(namespace))
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

/// An IP checksum is left to be filled in.
pub const OFFLOAD_CHECKSUM: u64 = 0x1;
/// TCP over IPv4 comes in super-packets.
pub const OFFLOAD_TSO4: u64 = 0x2;
/// TCP over IPv6 comes in super-packets.
pub const OFFLOAD_TSO6: u64 = 0x4;
/// Super-packets of TCP may have the ECN flags.
pub const OFFLOAD_ECN: u64 = 0x8;
/// UDP over IPv4 comes in super-packets.
pub const OFFLOAD_USO4: u64 = 0x10;
/// UDP over IPv6 comes in super-packets.
pub const OFFLOAD_USO6: u64 = 0x20;

/// Those that are as old as the header itself.
pub(crate) const TCP_OFFLOADS: u64 = OFFLOAD_CHECKSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN;
/// All that there are.
pub(crate) const ALL_OFFLOADS: u64 = TCP_OFFLOADS | OFFLOAD_USO4 | OFFLOAD_USO6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_has_its_length() {
        assert_eq!(Alias::new(&[b'x'; 255]).unwrap().as_bytes().len(), 255);
        assert_eq!(Alias::new(&[b'x'; 256]).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn a_mac_is_one_stations() {
        assert!(Mac::new([0x02, 0, 0, 0, 0, 1]).is_ok());
        for bytes in [[0; 6], [1, 0, 0x5e, 0, 0, 1], [0xff; 6]] {
            let error = Mac::new(bytes).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Address));
        }
    }

    #[test]
    fn a_mac_is_written_in_pairs() {
        assert_eq!(Mac::reported([0, 0x11, 0x22, 0xaa, 0xbb, 0xff]).to_string(), "00:11:22:aa:bb:ff");
    }
}
