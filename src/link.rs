// SPDX-License-Identifier: MIT
//! What an interface is at the moment, as the operating system tells it.

use std::fmt;

use crate::device::Device;
use crate::error::{Errno, Error, Reason, Result};
use crate::flags::{Kind, Mode};
use crate::name::Name;
use crate::sys::Backend;

/// The hardware address of a TAP device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Checks an address: one station's, so neither a group's nor all zeros.
    pub fn new(bytes: [u8; 6]) -> Result<Self> {
        let mac = Self(bytes);
        let [first, ..] = bytes;
        let fault = if first & 1 != 0 {
            "a group address (the lowest bit of its first byte is set) belongs to no device"
        } else if bytes == [0; 6] {
            "all zeros are no address"
        } else {
            return Ok(mac);
        };
        Err(Error::new(Errno::EINVAL, Reason::Address, format!("MAC address {mac}: {fault}")))
    }

    /// An address that the operating system reported.
    pub fn reported(bytes: [u8; 6]) -> Self {
        Self(bytes)
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

/// The present state of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in its network namespace, which a rename does not change.
    pub index: u32,
    /// Its name.
    pub name: Name,
    /// It is administratively up.
    pub up: bool,
    /// Bytes of the largest packet, without the Ethernet header.
    pub mtu: u32,
    /// What the MTU can be, where the system says so.
    pub mtu_range: Option<(u32, u32)>,
    /// Its hardware address, where it has one.
    pub mac: Option<Mac>,
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
                format!(
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
        self.backend.set_up(up)
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
                format!("set the MTU of {} to {mtu}: it takes {least} to {most}", link.name),
            )),
            _ => self.backend.set_mtu(mtu),
        }
    }

    /// The hardware address of a TAP device.
    pub fn mac(&self) -> Result<Mac> {
        self.needs_tap()?;
        let mac = self.backend.link()?.mac;
        mac.ok_or_else(|| self.unset(Errno::EADDRNOTAVAIL, "MAC address", "tuntap_set_mac"))
    }

    /// Sets the hardware address of a TAP device.
    pub fn set_mac(&self, mac: Mac) -> Result<()> {
        if self.mac()? == mac {
            return Ok(());
        }
        self.backend.set_mac(mac)
    }

    fn needs_tap(&self) -> Result<()> {
        match self.backend.mode().kind {
            Kind::Tap => Ok(()),
            Kind::Tun => Err(Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kind,
                format!("{} is a TUN and has no MAC address: open a device with TUNTAP_TAP", self.label()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
