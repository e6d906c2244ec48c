// SPDX-License-Identifier: MIT
//! The state of an interface, as the operating system reports it.

use std::fmt;

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::Mode;
use crate::model::ipv6::Settings;
use crate::model::memory;
use crate::model::name::Name;
use crate::model::text::text;

/// The hardware address of a TAP device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Checks an address. A group address and all zeros are not valid for a device.
    pub fn new(bytes: [u8; 6]) -> Result<Self> {
        let mac = Self(bytes);
        let fault = if mac.is_group() {
            "it is a group address (the lowest bit of the first byte is set)"
        } else if bytes == [0; 6] {
            "it is all zeros"
        } else {
            return Ok(mac);
        };
        Err(Error::new(Errno::EINVAL, Reason::Address, text!("MAC address {mac}: {fault}")))
    }

    /// An address that the operating system reported.
    pub fn reported(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// Whether it is a group address.
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

/// The properties that only a TUN or TAP device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuntap {
    /// How packets pass through it.
    pub mode: Mode,
    /// It stays after its last handle is closed.
    pub persist: bool,
    /// The number of open queues, attached or detached, if it can have several.
    pub queues: u32,
    /// The user that may open it without privilege.
    pub owner: Option<u32>,
    /// The group whose members may open it without privilege.
    pub group: Option<u32>,
}

/// A text that an administrator assigns to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias(Vec<u8>);

impl Alias {
    /// The maximum length of an alias in bytes: IFALIASZ without the NUL.
    pub const MAX_LEN: usize = 255;

    /// Checks an alias. An empty one removes the alias.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() <= Self::MAX_LEN {
            return Ok(Self(memory::copy(bytes)?));
        }
        let text = text!("the alias has {} bytes: the limit is {}", bytes.len(), Self::MAX_LEN);
        Err(Error::new(Errno::EINVAL, Reason::Range, text))
    }

    /// Its bytes, without a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Counters of a device, from the view of the system: it receives the packets that are written to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the kernel")]
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

/// The current state of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index in its network namespace. A rename does not change it.
    pub index: u32,
    /// Its name.
    pub name: Name,
    /// It is administratively up.
    pub up: bool,
    /// It has a carrier, as set by `set_carrier`.
    pub carrier: bool,
    /// The size of the largest packet in bytes, without the Ethernet header.
    pub mtu: u32,
    /// The range of the MTU, if the system reports it.
    pub mtu_range: Option<(u32, u32)>,
    /// Its hardware address, if it has one.
    pub mac: Option<Mac>,
    /// Its alias. Empty if it has none.
    pub alias: Vec<u8>,
    /// The maximum number of packets that wait for a reader.
    pub tx_queue_length: u32,
    /// Its counters.
    pub stats: Stats,
    /// The index of the interface that it is a port of, such as a bridge.
    pub master: Option<u32>,
    /// The settings of IPv6, if the system has them, and the interface has IPv6.
    pub ipv6: Option<Settings>,
    /// Only for TUN and TAP devices.
    pub tuntap: Option<Tuntap>,
}

impl Link {
    /// The properties of a TUN or TAP device, for an interface that is known to be one.
    pub fn needs_tuntap(&self) -> Result<Tuntap> {
        self.tuntap.ok_or_else(|| {
            Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                text!(
                    "{}: this kernel does not report the modes of a device, which needs Linux 4.17",
                    self.name
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_alias_is_limited() {
        assert_eq!(Alias::new(&[b'x'; 255]).unwrap().as_bytes().len(), 255);
        assert_eq!(Alias::new(&[b'x'; 256]).unwrap_err().reason(), Reason::Range);
    }

    #[test]
    fn group_and_zero_mac_addresses_are_refused() {
        assert!(Mac::new([0x02, 0, 0, 0, 0, 1]).is_ok());
        for bytes in [[0; 6], [1, 0, 0x5e, 0, 0, 1], [0xff; 6]] {
            let error = Mac::new(bytes).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Address));
        }
    }

    #[test]
    fn a_mac_address_is_formatted_with_colons() {
        assert_eq!(Mac::reported([0, 0x11, 0x22, 0xaa, 0xbb, 0xff]).to_string(), "00:11:22:aa:bb:ff");
    }
}
