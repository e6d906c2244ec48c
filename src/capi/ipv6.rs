// SPDX-License-Identifier: MIT
//! How the kernel configures IPv6 on the device by itself.

use std::ffi::c_int;

use super::argument::out;
use super::entry::with;
use super::error::CError;
use crate::device::Device;
use crate::model::ipv6::Setting;

/// Gets a setting of IPv6 on the device.
///
/// Needs no privilege. Linux: RTM_GETLINK.
///
/// @param dev      The device.
/// @param setting  A TUNTAP_IPV6_*.
/// @param value    Receives the value.
/// @param err      May be NULL.
/// @return 0, or
///         -EINVAL      dev or value is NULL, or the setting is unknown (_ARGUMENT);
///         -EOPNOTSUPP  the kernel has no IPv6, or the MTU of the device is below 1280
///                      (_KERNEL);
///         -EOPNOTSUPP  Darwin (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_ipv6(
    dev: *const Device,
    setting: u32,
    value: *mut u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| out(value, "value")?.fill(device.ipv6(Setting::parse(setting)?)))
}

/// Sets a setting of IPv6 on the device.
///
/// The settings return to the defaults of the system when the device is moved to another network
/// namespace, or when its MTU falls below 1280.
///
/// To set TUNTAP_IPV6_ADDR_GEN_MODE and TUNTAP_IPV6_ACCEPT_RA before they have an effect, do so before
/// tuntap_up.
///
/// Linux: RTM_SETLINK for TUNTAP_IPV6_ADDR_GEN_MODE. For the others, writes to
/// /proc/sys/net/ipv6/conf/NAME, which must be mounted and writable: many containers have it
/// read-only.
///
/// @param dev      The device.
/// @param setting  A TUNTAP_IPV6_*.
/// @param value    The value.
/// @param err      May be NULL.
/// @return 0, even if the device already has the value; or
///         -EINVAL      the value is not valid for this setting (_RANGE);
///         -EINVAL      dev is NULL, or the setting is unknown (_ARGUMENT);
///         -EINVAL      the kernel refuses the value: 2 without a stable_secret, for example
///                      (_SYSTEM);
///         -EACCES, -EPERM  CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENOENT      /proc is not mounted (_SYSTEM);
///         -EROFS       /proc/sys is read-only (_SYSTEM);
///         -EBUSY       the device was renamed during the call (_BUSY);
///         -EOPNOTSUPP  the kernel has no IPv6, or the MTU of the device is below 1280
///                      (_KERNEL);
///         -EOPNOTSUPP  Darwin (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_ipv6(
    dev: *mut Device,
    setting: u32,
    value: u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| device.set_ipv6(Setting::parse(setting)?, value))
}
