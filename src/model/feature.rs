// SPDX-License-Identifier: MIT
//! The version of the library, and the features of this operating system.

use crate::model::table::enumeration;

/// The version, as C text for tuntap_version.
pub const VERSION: &std::ffi::CStr =
    match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };

enumeration! {
    /// A feature that a caller can query. The numbers are the `TUNTAP_FEATURE_*` of the ABI.
    pub enum Feature {
        /// TUN devices, which carry IP packets.
        Tun = 1, "TUNTAP_FEATURE_TUN";
        /// TAP devices, which carry Ethernet frames.
        Tap = 2, "TUNTAP_FEATURE_TAP";
        /// The packet-information header, TUNTAP_PI.
        Pi = 3, "TUNTAP_FEATURE_PI";
        /// Several queues for one device, TUNTAP_MULTI_QUEUE.
        MultiQueue = 4, "TUNTAP_FEATURE_MULTI_QUEUE";
        /// Devices that stay after their last handle is closed, TUNTAP_PERSIST.
        Persist = 5, "TUNTAP_FEATURE_PERSIST";
        /// Devices that a user or the members of a group may open without privilege.
        Owner = 6, "TUNTAP_FEATURE_OWNER";
        /// IPv4 addresses.
        Ipv4 = 7, "TUNTAP_FEATURE_IPV4";
        /// IPv6 addresses.
        Ipv6 = 8, "TUNTAP_FEATURE_IPV6";
        /// Routes through the device.
        Route = 9, "TUNTAP_FEATURE_ROUTE";
        /// tuntap_set_name and tuntap_set_alias.
        Rename = 10, "TUNTAP_FEATURE_RENAME";
        /// tuntap_set_carrier.
        Carrier = 11, "TUNTAP_FEATURE_CARRIER";
        /// Network namespaces: tuntap_config_set_netns and tuntap_set_netns.
        Namespace = 12, "TUNTAP_FEATURE_NETNS";
        /// tuntap_wake, tuntap_shutdown and tuntap_wait.
        Wake = 13, "TUNTAP_FEATURE_WAKE";
        /// Monitors.
        Monitor = 14, "TUNTAP_FEATURE_MONITOR";
        /// Steering and filter programs.
        Steering = 15, "TUNTAP_FEATURE_STEERING";
        /// TUNTAP_NAPI and TUNTAP_NAPI_FRAGS.
        Napi = 16, "TUNTAP_FEATURE_NAPI";
        /// Super-packets, TUNTAP_OFFLOAD.
        Offload = 17, "TUNTAP_FEATURE_OFFLOAD";
        /// Super-packets of UDP.
        Uso = 18, "TUNTAP_FEATURE_USO";
        /// Configuring a device that was moved to another network namespace.
        Follow = 19, "TUNTAP_FEATURE_FOLLOW";
        /// tuntap_find_route.
        FindRoute = 20, "TUNTAP_FEATURE_FIND_ROUTE";
        /// tuntap_add_default_route.
        DefaultRoute = 21, "TUNTAP_FEATURE_DEFAULT_ROUTE";
        /// tuntap_add_bypass.
        Bypass = 22, "TUNTAP_FEATURE_BYPASS";
        /// tuntap_set_master.
        Master = 23, "TUNTAP_FEATURE_MASTER";
        /// tuntap_set_ipv6.
        Ipv6Settings = 24, "TUNTAP_FEATURE_IPV6_SETTINGS";
        /// Super-packets of TCP and UDP inside UDP tunnels.
        TunnelGso = 25, "TUNTAP_FEATURE_TUNNEL_GSO";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        assert_eq!(VERSION.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn feature_numbers_are_consecutive() {
        for (number, constant) in (1..).zip(Feature::TABLE.constants) {
            assert_eq!(constant.number, number);
        }
        assert_eq!(Feature::from_number(0), None);
        assert_eq!(Feature::from_number(26), None);
    }
}
