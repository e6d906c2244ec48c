// SPDX-License-Identifier: MIT
//! The library's version, and what it offers on this operating system.

/// The version, as C text because that is what it is asked for.
pub const VERSION: &std::ffi::CStr =
    match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };

/// Something that a caller can ask for. The numbers are the ABI's `TUNTAP_FEATURE_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Feature {
    /// Devices for IP packets.
    Tun = 1,
    /// Devices for Ethernet frames.
    Tap = 2,
    /// The packet-information header.
    Pi = 3,
    /// Several queues a device.
    MultiQueue = 4,
    /// Devices that outlive their last handle.
    Persist = 5,
    /// Devices that a user or group may open without privilege.
    Owner = 6,
    /// IPv4 addresses.
    Ipv4 = 7,
    /// IPv6 addresses.
    Ipv6 = 8,
    /// Routes through the device.
    Route = 9,
    /// Renaming, and an alias.
    Rename = 10,
    /// Telling the system whether the other end is there.
    Carrier = 11,
    /// Opening in another network namespace, and moving to one.
    Namespace = 12,
    /// Ending a wait from another thread.
    Wake = 13,
    /// Watching devices.
    Monitor = 14,
    /// Programs and filters in the kernel.
    Steering = 15,
    /// NAPI modes.
    Napi = 16,
    /// Super-packets.
    Offload = 17,
}

impl Feature {
    const ALL: [Self; 17] = [
        Self::Tun,
        Self::Tap,
        Self::Pi,
        Self::MultiQueue,
        Self::Persist,
        Self::Owner,
        Self::Ipv4,
        Self::Ipv6,
        Self::Route,
        Self::Rename,
        Self::Carrier,
        Self::Namespace,
        Self::Wake,
        Self::Monitor,
        Self::Steering,
        Self::Napi,
        Self::Offload,
    ];

    /// The feature that has this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| *feature as u32 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_packages() {
        assert_eq!(VERSION.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn every_feature_has_the_number_of_its_place() {
        for (number, feature) in (1..).zip(Feature::ALL) {
            assert_eq!(Feature::from_number(number), Some(feature));
        }
        assert_eq!(Feature::from_number(0), None);
        assert_eq!(Feature::from_number(18), None);
    }
}
