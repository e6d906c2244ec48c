// SPDX-License-Identifier: MIT
//! The default route through a device, and what bypasses it.

use std::ffi::{c_char, c_int};

use super::address::family_of;
use super::argument::optional_text;
use super::entry::with;
use super::error::CError;
use crate::device::Device;
use crate::model::default_route::{Bypass, DefaultRoute, parse_bypass_flags};

/// Routes everything through the device, which must be up: as a VPN does.
///
/// Packets to the host itself, packets that bypass the device (see tuntap_add_bypass), and, without
/// TUNTAP_OVERRIDE, packets with a more specific route in the main table are routed as before. Add a
/// bypass for the server of the VPN first: otherwise the packets of the tunnel enter the tunnel.
///
/// The default routes of the system stay where they are. The route ends when the handle that added it
/// is closed or released, unless TUNTAP_KEEP is set, or when the device goes down, is moved to another
/// network namespace, or is removed; for IPv6 also when its MTU falls below 1280 or IPv6 is disabled on
/// it. Packets are then again routed as before. After a crash of the process the kernel removes the
/// device, unless it is persistent. The next handle with CAP_NET_ADMIN that opens a persistent device
/// removes what was left.
///
/// Only the process that added the route removes it, when it closes the handle. A child of fork()
/// removes nothing, even if it still uses the device. Call this function after daemon(3). The close
/// needs CAP_NET_ADMIN: without it the rules stay. They have no effect once the device is gone, but a
/// persistent device still gets the packets. Before the process drops its privileges, choose:
/// TUNTAP_KEEP, or a device that is not persistent.
///
/// If the device already has exactly this default route, nothing changes. If only TUNTAP_OVERRIDE or the
/// gateway differs, the call updates it. TUNTAP_KEEP makes it stay. Missing parts are added: call this
/// function again after the device was down (TUNTAP_EVENT_UP). A route that another handle added still
/// ends with that handle. If several devices have a default route, the first one with TUNTAP_OVERRIDE is
/// used, otherwise the first one.
///
/// Without IPv6 addresses on the device, the route for IPv6 still keeps IPv6 packets from leaving the
/// host through another interface. Strict source validation (sysctl rp_filter) of other interfaces
/// refuses packets that would be answered through the device, such as new connections from the Internet
/// to this host. DNS is not changed: use resolvectl or resolvconf.
///
/// Cost: until the handle is closed or the route is deleted, the handle has one more descriptor.
///
/// Linux: the route is in a table of its own, 2000000000 + the index of the device. Rules of policy
/// routing with the priorities 30003 to 30006 select it. `ip rule` shows them: with protocol 117 they
/// end with the handle, and with protocol static they stay; suppress_ifgroup only shows the device.
/// The kernel evaluates rules of other programs with lower numbers first: verify the result with
/// tuntap_find_route. Rules of devices that are gone have no effect, but their bypasses apply to other
/// devices; the next call that adds or deletes a default route or a bypass removes them.
/// Other programs can remove the rules: systemd-networkd does so with ManageForeignRoutingPolicyRules=.
///
/// Darwin: routes to 0.0.0.0/1 and 128.0.0.0/1, ::/1 and 8000::/1, which precede the default route.
///
/// @param dev      The device.
/// @param family   TUNTAP_IPV4, TUNTAP_IPV6, or 0: each family that the kernel supports. If one fails,
///                 neither is added.
/// @param gateway  The next hop on the link, such as "10.8.0.1"; only with one family. NULL: none. On a
///                 TAP without a gateway, the kernel resolves each destination on the link (ARP, NDP).
/// @param flags    0, or TUNTAP_KEEP and TUNTAP_OVERRIDE.
/// @param err      May be NULL.
/// @return 0, even if the device already has this default route; or
///         -EINVAL       gateway is not valid (_ADDRESS);
///         -EINVAL       unknown flags (_FLAGS);
///         -EINVAL       dev is NULL, the family is unknown, or a gateway is given with family 0
///                       (_ARGUMENT);
///         -EINVAL       the MTU is below 1280, for IPv6 (_RANGE);
///         -ENETDOWN     the device is down (_DOWN);
///         -ENETUNREACH, -EHOSTUNREACH  the gateway is in no network of the device
///                       (_SYSTEM);
///         -EACCES       IPv6 is disabled on the device, for IPv6 (_SYSTEM): see
///                       TUNTAP_IPV6_DISABLE, or request TUNTAP_IPV4: then IPv6 packets leave the
///                       host through another interface;
///         -EEXIST       another interface has a default route in the table (_BUSY);
///         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EOPNOTSUPP   the kernel has no policy routing, or no IPv6 for TUNTAP_IPV6
///                       (_KERNEL);
///         -EOPNOTSUPP   Darwin: TUNTAP_KEEP or TUNTAP_OVERRIDE (_PLATFORM);
///         -ENODEV       the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_default_route(
    dev: *mut Device,
    family: u32,
    gateway: *const c_char,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let gateway = optional_text(gateway, "the gateway")?;
        device.add_default_route(&DefaultRoute::parse(family_of(family)?, gateway, flags)?)
    })
}

/// Deletes the default route through the device, whichever handle has added it.
///
/// Bypasses stay.
///
/// @param dev     The device.
/// @param family  TUNTAP_IPV4, TUNTAP_IPV6, or 0 for both.
/// @param err     May be NULL.
/// @return 0, or
///         -ENOENT      the device has no default route of the family, or of any family
///                      (_UNSET);
///         -EINVAL      dev is NULL, or the family is unknown (_ARGUMENT);
///         -EBUSY       the kernel would delete another route (_BUSY): see
///                      tuntap_del_route;
///         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EOPNOTSUPP  the kernel has no policy routing (_KERNEL);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_default_route(dev: *mut Device, family: u32, err: *mut CError) -> c_int {
    with(dev, err, |device| device.del_default_route(family_of(family)?))
}

/// Excludes packets from the default route through the device: they are routed as if it did not exist.
///
/// For the server of a VPN, and for networks that should stay reachable with TUNTAP_OVERRIDE. A bypass
/// has no effect without a default route of tuntap_add_default_route, and can be added before it. It
/// excludes the packets from the default routes of all devices, but not from routes of
/// tuntap_add_route.
///
/// On Linux the kernel looks up the route of each packet: when a gateway or an interface changes,
/// packets follow it without a further call. TUNTAP_MONITOR_DEFAULT_ROUTE reports changes of the
/// default route.
///
/// The bypass ends when the handle that added it is closed, unless TUNTAP_KEEP is set, or with the
/// device, as described in tuntap_add_default_route.
///
/// A mark selects packets of programs that set SO_MARK, which needs CAP_NET_ADMIN: for servers whose
/// addresses are not known in advance. Answers to them do not have the mark. Where the source validation
/// of the interface is strict (sysctl rp_filter 1), set it to 2, or set src_valid_mark and let
/// netfilter restore the mark.
///
/// Cost: as tuntap_add_default_route.
///
/// Linux: a rule of policy routing with a priority of 30000 to 30002.
///
/// Darwin: a route to the destination, because there are no rules. It has the gateway and the interface
/// that packets take at the time of the call without the default route of this device, and keeps them:
/// when TUNTAP_EVENT_DEFAULT_ROUTE reports another gateway, call this function again. It then replaces
/// the route that this handle has added; for a moment there is none. A destination that has a more
/// specific route than 0.0.0.0/1 or ::/1 already bypasses the device: nothing is added, and routes of
/// other programs are never replaced or deleted. Only the handle that added a bypass can delete it. It
/// needs root only to add the first one, because it keeps the socket for that. After a crash of the
/// process the route stays until the interface loses its IPv4 address, as a route with TUNTAP_KEEP
/// does, and later calls take it for a route of another program: delete it with route(8).
///
/// @param dev          The device.
/// @param destination  An address or a network, such as "192.0.2.1" or "192.168.0.0/16", but not all
///                     addresses. NULL: any destination; then a mark is needed.
/// @param mark         The mark of the packets. 0: any.
/// @param mask         The bits of the mark to compare. 0: all.
/// @param flags        0, or TUNTAP_KEEP.
/// @param err          May be NULL.
/// @return 0, even if the device already has this bypass; or
///         -EINVAL       destination is not valid (_ADDRESS);
///         -EINVAL       unknown flags (_FLAGS);
///         -EINVAL       dev is NULL, neither a destination nor a mark is given, the mark has bits
///                       outside the mask, or a mask is given without a mark (_ARGUMENT);
///         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -ENETUNREACH  Darwin: no route leads to the destination without the device
///                       (_UNSET);
///         -EEXIST       Darwin: there is another route to this destination (_BUSY);
///         -EOPNOTSUPP   the kernel has no policy routing (_KERNEL);
///         -EOPNOTSUPP   Darwin: a mark is given (_PLATFORM);
///         -ENODEV       the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_add_bypass(
    dev: *mut Device,
    destination: *const c_char,
    mark: u32,
    mask: u32,
    flags: u64,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        let bypass = Bypass::parse(optional_text(destination, "the destination")?, mark, mask)?;
        device.add_bypass(&bypass, parse_bypass_flags(flags)?)
    })
}

/// Deletes a bypass of the device, whichever handle has added it; on Darwin only one of this handle.
///
/// @param dev          The device.
/// @param destination  As for tuntap_add_bypass.
/// @param mark         As for tuntap_add_bypass.
/// @param mask         As for tuntap_add_bypass.
/// @param err          May be NULL.
/// @return 0, or
///         -ENOENT      the device does not have this bypass (_UNSET);
///         -EINVAL      as for tuntap_add_bypass;
///         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
///         -EOPNOTSUPP  the kernel has no policy routing (_KERNEL);
///         -EOPNOTSUPP  Darwin: a mark is given (_PLATFORM);
///         -ENODEV      the device is gone (_REMOVED).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_del_bypass(
    dev: *mut Device,
    destination: *const c_char,
    mark: u32,
    mask: u32,
    err: *mut CError,
) -> c_int {
    with(dev, err, |device| {
        device.del_bypass(&Bypass::parse(optional_text(destination, "the destination")?, mark, mask)?)
    })
}
