// SPDX-License-Identifier: MIT
//! Version and features.

use std::ffi::{c_char, c_int};

use crate::device::Device;
use crate::model::feature::{Feature, VERSION};

/// The version of the header that a program is compiled with; tuntap_version tells which
/// library runs.
pub const TUNTAP_VERSION_MAJOR: u32 = 0;
/// Goes up with every addition to the ABI.
pub const TUNTAP_VERSION_MINOR: u32 = 1;
/// Goes up with every other release.
pub const TUNTAP_VERSION_PATCH: u32 = 0;

/// TUN devices: they carry IP packets.
pub const TUNTAP_FEATURE_TUN: u32 = 1;
/// TAP devices: they carry Ethernet frames.
pub const TUNTAP_FEATURE_TAP: u32 = 2;
/// The packet-information header, TUNTAP_PI.
pub const TUNTAP_FEATURE_PI: u32 = 3;
/// Several queues a device, TUNTAP_MULTI_QUEUE.
pub const TUNTAP_FEATURE_MULTI_QUEUE: u32 = 4;
/// Devices that outlive their last handle, TUNTAP_PERSIST.
pub const TUNTAP_FEATURE_PERSIST: u32 = 5;
/// Devices that a user or a group may open without privilege.
pub const TUNTAP_FEATURE_OWNER: u32 = 6;
/// IPv4 addresses.
pub const TUNTAP_FEATURE_IPV4: u32 = 7;
/// IPv6 addresses.
pub const TUNTAP_FEATURE_IPV6: u32 = 8;
/// Routes through the device.
pub const TUNTAP_FEATURE_ROUTE: u32 = 9;
/// tuntap_set_name and tuntap_set_alias.
pub const TUNTAP_FEATURE_RENAME: u32 = 10;
/// tuntap_set_carrier.
pub const TUNTAP_FEATURE_CARRIER: u32 = 11;
/// Network namespaces: opening in one, and tuntap_set_netns.
pub const TUNTAP_FEATURE_NETNS: u32 = 12;
/// tuntap_wake.
pub const TUNTAP_FEATURE_WAKE: u32 = 13;
/// tuntap_monitor.
pub const TUNTAP_FEATURE_MONITOR: u32 = 14;
/// Steering and filter programs.
pub const TUNTAP_FEATURE_STEERING: u32 = 15;
/// TUNTAP_NAPI and TUNTAP_NAPI_FRAGS.
pub const TUNTAP_FEATURE_NAPI: u32 = 16;
/// TUNTAP_OFFLOAD: super-packets, and what splits and joins them.
pub const TUNTAP_FEATURE_OFFLOAD: u32 = 17;

const _: () = {
    assert!(TUNTAP_FEATURE_TUN == Feature::Tun as u32);
    assert!(TUNTAP_FEATURE_TAP == Feature::Tap as u32);
    assert!(TUNTAP_FEATURE_PI == Feature::Pi as u32);
    assert!(TUNTAP_FEATURE_MULTI_QUEUE == Feature::MultiQueue as u32);
    assert!(TUNTAP_FEATURE_PERSIST == Feature::Persist as u32);
    assert!(TUNTAP_FEATURE_OWNER == Feature::Owner as u32);
    assert!(TUNTAP_FEATURE_IPV4 == Feature::Ipv4 as u32);
    assert!(TUNTAP_FEATURE_IPV6 == Feature::Ipv6 as u32);
    assert!(TUNTAP_FEATURE_ROUTE == Feature::Route as u32);
    assert!(TUNTAP_FEATURE_RENAME == Feature::Rename as u32);
    assert!(TUNTAP_FEATURE_CARRIER == Feature::Carrier as u32);
    assert!(TUNTAP_FEATURE_NETNS == Feature::Namespace as u32);
    assert!(TUNTAP_FEATURE_WAKE == Feature::Wake as u32);
    assert!(TUNTAP_FEATURE_MONITOR == Feature::Monitor as u32);
    assert!(TUNTAP_FEATURE_STEERING == Feature::Steering as u32);
    assert!(TUNTAP_FEATURE_NAPI == Feature::Napi as u32);
    assert!(TUNTAP_FEATURE_OFFLOAD == Feature::Offload as u32);
};

/// The version of the library that is running, such as "0.1.0".
///
/// @return A constant. Cannot fail. Safe in a signal handler.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Whether this library offers something on this operating system. It asks nobody: the
/// kernel may be too old, or the process not permitted, all the same; then the call that
/// needs it says so.
///
/// @param feature  A TUNTAP_FEATURE_*.
/// @return 1 if it does; 0 if it does not, or does not know the number. Cannot fail.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_has(feature: u32) -> c_int {
    Feature::from_number(feature).is_some_and(Device::has).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_library_have_one_version() {
        let header = format!("{TUNTAP_VERSION_MAJOR}.{TUNTAP_VERSION_MINOR}.{TUNTAP_VERSION_PATCH}");
        assert_eq!(header, VERSION.to_str().unwrap());
    }
}
