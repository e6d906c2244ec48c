// SPDX-License-Identifier: MIT
//! The interface: up and down, MTU, MAC address.

use std::ffi::c_int;

use super::error::CError;
use super::{act, null, tell};
use crate::device::Device;
use crate::link::Mac;

/// Takes the device up. Linux: RTM_SETLINK.
///
/// @return 0, also when it is up already, or -EINVAL (dev is NULL), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_up(dev: *mut Device, err: *mut CError) -> c_int {
    act(dev, err, |device| device.set_up(true))
}

/// Takes the device down. Its addresses stay; packets that wait to be read can still be read.
///
/// @return 0, also when it is down already, or -EINVAL (dev is NULL), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_down(dev: *mut Device, err: *mut CError) -> c_int {
    act(dev, err, |device| device.set_up(false))
}

/// Whether the device is up (IFF_UP).
///
/// @return 1 if it is, 0 if not, or, which is true in C too, -EINVAL (dev is NULL), -ENODEV
///         (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_is_up(dev: *const Device, err: *mut CError) -> c_int {
    let mut up = false;
    match tell(dev, &raw mut up, err, Device::is_up) {
        0 => up.into(),
        failure => failure,
    }
}

/// The MTU in bytes: of an IP packet, so a TAP's frame is 14 longer, and a VLAN tag's 4 come on
/// top. For the size of a buffer see tuntap_read_size.
///
/// @param mtu  Receives the MTU.
/// @return 0, or -EINVAL (dev or mtu is NULL), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mtu(dev: *const Device, mtu: *mut u32, err: *mut CError) -> c_int {
    tell(dev, mtu, err, Device::mtu)
}

/// Sets the MTU.
///
/// @param mtu  In bytes. Linux takes 68 to 65535, and to 65521 for a TAP; under 1280 a device
///             has no IPv6.
/// @return 0, or -EINVAL (dev is NULL; mtu is out of range, TUNTAP_REASON_RANGE), -EPERM (needs
///         CAP_NET_ADMIN), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mtu(dev: *mut Device, mtu: u32, err: *mut CError) -> c_int {
    act(dev, err, |device| device.set_mtu(mtu))
}

/// The MAC address of a TAP.
///
/// @param mac  Receives TUNTAP_MAC_SIZE (6) bytes.
/// @return 0, or -EINVAL (dev or mac is NULL), -EOPNOTSUPP (a TUN has none,
///         TUNTAP_REASON_KIND), -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_get_mac(dev: *const Device, mac: *mut u8, err: *mut CError) -> c_int {
    tell(dev, mac.cast(), err, |device| Ok(device.mac()?.octets()))
}

/// Sets the MAC address of a TAP, up or down.
///
/// @param mac  TUNTAP_MAC_SIZE (6) bytes; not a group's (an odd first byte) and not all zeros.
/// @return 0, or -EINVAL (dev or mac is NULL; no usable address, TUNTAP_REASON_ADDRESS),
///         -EOPNOTSUPP (a TUN has none, TUNTAP_REASON_KIND), -EPERM (needs CAP_NET_ADMIN),
///         -ENODEV (the device is gone).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_set_mac(dev: *mut Device, mac: *const u8, err: *mut CError) -> c_int {
    act(dev, err, |device| {
        let octets: *const [u8; 6] = mac.cast();
        device.set_mac(Mac::new(*octets.as_ref().ok_or_else(|| null("the MAC address"))?)?)
    })
}
