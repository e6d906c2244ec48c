// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"net/netip"
	"os"
	"time"
)

// Addr is an address of a device. A request needs only Prefix.
type Addr struct {
	Prefix    netip.Prefix  // the address with its prefix length; with a Peer, that of the peer's network
	Peer      netip.Addr    // the other end of a point-to-point link
	Broadcast netip.Addr    // IPv4; zero in a request: the default
	Label     string        // IPv4: the interface name that old programs show for the address
	Scope     Scope         // zero in a request: the default
	Flags     AddrFlags     // properties
	Metric    uint32        // the metric of the route to the network of the address
	Valid     time.Duration // the time until the address is removed, in seconds; 0: it does not expire
	Preferred time.Duration // the time until new connections do not use it, in seconds; 0: as Valid
	Protocol  uint32        // the origin of the address
}

// AddrFlags are properties of an address.
type AddrFlags uint64

const (
	AddrNoDAD         AddrFlags = C.TUNTAP_ADDR_NODAD         // IPv6: without duplicate address detection
	AddrNoPrefixRoute AddrFlags = C.TUNTAP_ADDR_NOPREFIXROUTE // without a route to the network of the address
	AddrTentative     AddrFlags = C.TUNTAP_ADDR_TENTATIVE     // reported only: duplicates are being detected
	AddrDADFailed     AddrFlags = C.TUNTAP_ADDR_DADFAILED     // reported only: another host has the address
	AddrDeprecated    AddrFlags = C.TUNTAP_ADDR_DEPRECATED    // new connections do not use the address
	AddrSecondary     AddrFlags = C.TUNTAP_ADDR_SECONDARY     // reported only: not the first one of its network
	AddrDynamic       AddrFlags = C.TUNTAP_ADDR_DYNAMIC       // reported only: made by the kernel, or with a lifetime
	AddrNoBroadcast   AddrFlags = C.TUNTAP_ADDR_NOBROADCAST   // IPv4, on a TAP: without a broadcast address
)

// Family is IPv4 or IPv6. Zero is both, where a function takes both.
type Family uint32

const (
	IPv4 Family = C.TUNTAP_IPV4
	IPv6 Family = C.TUNTAP_IPV6
)

// Scope is the distance of an address or of a destination.
type Scope uint32

const (
	ScopeGlobal Scope = C.TUNTAP_SCOPE_GLOBAL
	ScopeLink   Scope = C.TUNTAP_SCOPE_LINK
	ScopeHost   Scope = C.TUNTAP_SCOPE_HOST
	ScopeSite   Scope = C.TUNTAP_SCOPE_SITE
)

// Addrs returns the addresses of the device, IPv4 before IPv6.
func (d *Device) Addrs() ([]Addr, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return nil, os.ErrClosed
	}
	addrs, err := list(func(items *C.tuntap_addr, count C.size_t, e *C.tuntap_error) C.ssize_t {
		return C.tuntap_list_addrs(d.dev, items, count, C.sizeof_tuntap_addr, e)
	})
	return convert(addrs, newAddr), err
}

// AddAddr adds an address. It succeeds without a change if the device has it already, and fails with syscall.EEXIST if
// the device has it with other properties.
func (d *Device) AddAddr(addr Addr) error { return d.addAddr(addr, 0) }

// ReplaceAddr adds an address, or changes the properties of the existing one with the same key: see TUNTAP_REPLACE.
func (d *Device) ReplaceAddr(addr Addr) error { return d.addAddr(addr, C.TUNTAP_REPLACE) }

func (d *Device) addAddr(addr Addr, flags C.uint64_t) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_add_addr(dev, addr.c(), C.sizeof_tuntap_addr, flags, e)
	})
}

// DelAddr removes an address. Only Prefix and Peer count.
func (d *Device) DelAddr(addr Addr) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_del_addr(dev, addr.c(), C.sizeof_tuntap_addr, e)
	})
}

// SetAddr makes an address the only one of its family. IPv6 link-local addresses are a family by themselves here.
func (d *Device) SetAddr(prefix netip.Prefix) error {
	return d.set(prefix.String(), func(dev *C.tuntap, addr *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_set_addr(dev, addr, e)
	})
}

func newAddr(c *C.tuntap_addr) Addr {
	return Addr{
		Prefix:    prefixOf(c.addr[:]),
		Peer:      addrOf(c.peer[:]),
		Broadcast: addrOf(c.broadcast[:]),
		Label:     text(c.label[:]),
		Scope:     Scope(c.scope),
		Flags:     AddrFlags(c.flags),
		Metric:    uint32(c.metric),
		Valid:     duration(c.valid),
		Preferred: duration(c.preferred),
		Protocol:  uint32(c.protocol),
	}
}

func (a *Addr) c() *C.tuntap_addr {
	c := &C.tuntap_addr{
		scope:     C.uint32_t(a.Scope),
		flags:     C.uint64_t(a.Flags),
		metric:    C.uint32_t(a.Metric),
		valid:     seconds(a.Valid),
		preferred: seconds(a.Preferred),
		protocol:  C.uint32_t(a.Protocol),
	}
	setPrefix(c.addr[:], a.Prefix)
	setAddr(c.peer[:], a.Peer)
	setAddr(c.broadcast[:], a.Broadcast)
	setText(c.label[:], a.Label)
	return c
}
