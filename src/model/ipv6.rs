// SPDX-License-Identifier: MIT
//! How the system configures IPv6 on a device by itself.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::enumeration;
use crate::model::text::text;

enumeration! {
    /// A setting of IPv6 on a device. The names are those of the sysctls of Linux.
    pub enum Setting {
        /// Router advertisements: 0 ignores them, 1 accepts them unless the host forwards packets, and 2
        /// accepts them always.
        AcceptRa = 1, "TUNTAP_IPV6_ACCEPT_RA";
        /// How the addresses are generated that the system adds by itself: 0 from the MAC address
        /// (EUI-64), 1 none, not even a link-local one, 2 stable and opaque (RFC 7217, needs the sysctl
        /// stable_secret), 3 as 2, from a secret of the kernel.
        AddrGenMode = 2, "TUNTAP_IPV6_ADDR_GEN_MODE";
        /// 1 disables IPv6 on the device and removes its IPv6 addresses and routes. 0 enables it.
        Disable = 3, "TUNTAP_IPV6_DISABLE";
    }
}

impl Setting {
    /// Every setting. Disabling comes last, because it removes what the others configure.
    pub const ALL: [Self; 3] = [Self::AcceptRa, Self::AddrGenMode, Self::Disable];

    /// Checks a caller's number.
    pub fn parse(number: u32) -> Result<Self> {
        let unknown = || {
            let text = text!("IPv6 setting {number}: not a TUNTAP_IPV6_*");
            Error::new(Errno::EINVAL, Reason::Argument, text)
        };
        Self::from_number(number).ok_or_else(unknown)
    }

    /// The name of the sysctl.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcceptRa => "accept_ra",
            Self::AddrGenMode => "addr_gen_mode",
            Self::Disable => "disable_ipv6",
        }
    }

    /// Checks a value.
    pub fn check(self, value: u32) -> Result<()> {
        let most = match self {
            Self::AcceptRa => 2,
            Self::AddrGenMode => 3,
            Self::Disable => 1,
        };
        if value <= most {
            return Ok(());
        }
        let text = text!("the IPv6 setting {} of {value}: the limit is {most}", self.name());
        Err(Error::new(Errno::EINVAL, Reason::Range, text))
    }
}

/// The settings of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// [`Setting::AcceptRa`].
    pub accept_ra: u32,
    /// [`Setting::AddrGenMode`].
    pub addr_gen_mode: u32,
    /// [`Setting::Disable`].
    pub disable: u32,
}

impl Settings {
    /// The value of one setting.
    pub fn get(&self, setting: Setting) -> u32 {
        match setting {
            Setting::AcceptRa => self.accept_ra,
            Setting::AddrGenMode => self.addr_gen_mode,
            Setting::Disable => self.disable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_settings_and_values_are_refused() {
        assert_eq!(Setting::parse(4).unwrap_err().reason(), Reason::Argument);
        for (number, most) in [(1, 2), (2, 3), (3, 1)] {
            let setting = Setting::parse(number).unwrap();
            assert!(setting.check(most).is_ok());
            assert_eq!(setting.check(most + 1).unwrap_err().reason(), Reason::Range);
        }
    }
}
