// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import "net/netip"

// DefaultRoute routes everything through a device. The zero value is for each family that the kernel supports.
type DefaultRoute struct {
	Family   Family
	Gateway  netip.Addr // the next hop on the link, which a TAP needs; only with one family
	Keep     bool       // it stays when the Device is closed; without a persistent device it ends with the device
	Override bool       // it precedes all other routes, also more specific ones
}

// AddDefaultRoute routes everything through the device, which must be up, until the Device is closed. Add a bypass for
// the server of a VPN first. The default routes of the system stay where they are.
func (d *Device) AddDefaultRoute(route DefaultRoute) error {
	var flags C.uint64_t
	if route.Keep {
		flags |= C.TUNTAP_KEEP
	}
	if route.Override {
		flags |= C.TUNTAP_OVERRIDE
	}
	return d.set(addrText(route.Gateway), func(dev *C.tuntap, gateway *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_add_default_route(dev, C.uint32_t(route.Family), gateway, flags, e)
	})
}

// DelDefaultRoute deletes the default route through the device, whichever Device has added it. Bypasses stay.
func (d *Device) DelDefaultRoute(family Family) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_del_default_route(dev, C.uint32_t(family), e)
	})
}

// Bypass are packets that the default route through a device does not apply to: those to a destination, those with a
// mark, or those with both.
type Bypass struct {
	Destination netip.Prefix // zero: any
	Mark, Mask  uint32       // a zero Mask compares all bits of a Mark that is not zero
	Keep        bool         // it stays when the Device is closed
}

// AddBypass excludes packets from the default route through the device, until the Device is closed.
func (d *Device) AddBypass(bypass Bypass) error {
	var flags C.uint64_t
	if bypass.Keep {
		flags = C.TUNTAP_KEEP
	}
	return d.set(prefixText(bypass.Destination), func(dev *C.tuntap, destination *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_add_bypass(dev, destination, C.uint32_t(bypass.Mark), C.uint32_t(bypass.Mask), flags, e)
	})
}

// DelBypass deletes a bypass of the device, whichever Device has added it. Keep does not count.
func (d *Device) DelBypass(bypass Bypass) error {
	return d.set(prefixText(bypass.Destination), func(dev *C.tuntap, destination *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_del_bypass(dev, destination, C.uint32_t(bypass.Mark), C.uint32_t(bypass.Mask), e)
	})
}
