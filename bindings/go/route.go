// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"net/netip"
	"os"
)

// Route is a route through a device. A request needs only Destination.
type Route struct {
	Destination netip.Prefix // 0.0.0.0/0 and ::/0 are the default routes
	Gateway     netip.Addr   // the next hop on the link
	Source      netip.Addr   // the source address of packets whose sender has not chosen one
	Metric      uint32       // zero in a request: the default
	Table       uint32       // zero in a request: the main table
	MTU         int          // 0: the MTU of the device
	Type        RouteType    // what the system does with a packet
	Scope       Scope        // zero in a request: the default
	Protocol    uint32       // the origin of the route
	Flags       RouteFlags   // properties
	Index       int          // the interface, as net.InterfaceByIndex takes it; only FindRoute reports it
}

// RouteType is what the system does with a packet.
type RouteType uint32

const (
	RouteUnicast   RouteType = C.TUNTAP_ROUTE_TYPE_UNICAST
	RouteLocal     RouteType = C.TUNTAP_ROUTE_TYPE_LOCAL
	RouteBroadcast RouteType = C.TUNTAP_ROUTE_TYPE_BROADCAST
	RouteAnycast   RouteType = C.TUNTAP_ROUTE_TYPE_ANYCAST
	RouteMulticast RouteType = C.TUNTAP_ROUTE_TYPE_MULTICAST
)

// RouteFlags are properties of a route.
type RouteFlags uint64

const (
	RouteOnLink  RouteFlags = C.TUNTAP_ROUTE_ONLINK  // the gateway is on the link, whatever the addresses say
	RoutePartial RouteFlags = C.TUNTAP_ROUTE_PARTIAL // reported only: it has attributes that a Route has not
)

// Routes returns the routes through the device, IPv4 before IPv6.
func (d *Device) Routes() ([]Route, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return nil, os.ErrClosed
	}
	routes, err := list(func(items *C.tuntap_route, count C.size_t, e *C.tuntap_error) C.ssize_t {
		return C.tuntap_list_routes(d.dev, items, count, C.sizeof_tuntap_route, e)
	})
	return convert(routes, newRoute), err
}

// AddRoute adds a route through the device, which must be up. It succeeds without a change if the device has it
// already.
func (d *Device) AddRoute(route Route) error { return d.addRoute(route, 0) }

// ReplaceRoute adds a route, or replaces the one with the same destination, metric and table.
func (d *Device) ReplaceRoute(route Route) error { return d.addRoute(route, C.TUNTAP_REPLACE) }

func (d *Device) addRoute(route Route, flags C.uint64_t) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_add_route(dev, route.c(), C.sizeof_tuntap_route, flags, e)
	})
}

// DelRoute deletes a route through the device.
func (d *Device) DelRoute(route Route) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_del_route(dev, route.c(), C.sizeof_tuntap_route, e)
	})
}

// FindRoute returns the route that the system selects for a packet, in the network namespace of the device. It can lead
// through any interface. Without a source address the system chooses one. Mark is the SO_MARK of the packet. The error
// is syscall.ENETUNREACH if no route leads there.
func (d *Device) FindRoute(destination, source netip.Addr, mark uint32) (Route, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return Route{}, os.ErrClosed
	}
	return findRoute(d.dev, destination, source, mark)
}

// FindRoute returns the route that the system selects for a packet, in the network namespace of the calling thread: see
// Device.FindRoute.
func FindRoute(destination, source netip.Addr, mark uint32) (Route, error) {
	return findRoute(nil, destination, source, mark)
}

func findRoute(dev *C.tuntap, destination, source netip.Addr, mark uint32) (Route, error) {
	var c C.tuntap_route
	err := withText(addrText(destination), func(destination *C.char) error {
		return withText(addrText(source), func(source *C.char) error {
			return call(func(e *C.tuntap_error) C.int {
				return C.tuntap_find_route(dev, orEmpty(destination), source, C.uint32_t(mark), &c,
					C.sizeof_tuntap_route, e)
			})
		})
	})
	if err != nil {
		return Route{}, err
	}
	return newRoute(&c), nil
}

func newRoute(c *C.tuntap_route) Route {
	return Route{
		Destination: prefixOf(c.destination[:]),
		Gateway:     addrOf(c.gateway[:]),
		Source:      addrOf(c.source[:]),
		Metric:      uint32(c.metric),
		Table:       uint32(c.table),
		MTU:         int(c.mtu),
		Type:        RouteType(c._type),
		Scope:       Scope(c.scope),
		Protocol:    uint32(c.protocol),
		Flags:       RouteFlags(c.flags),
		Index:       int(c.index),
	}
}

func (r *Route) c() *C.tuntap_route {
	c := &C.tuntap_route{
		metric:   C.uint32_t(r.Metric),
		table:    C.uint32_t(r.Table),
		mtu:      number(r.MTU),
		_type:    C.uint32_t(r.Type),
		scope:    C.uint32_t(r.Scope),
		protocol: C.uint32_t(r.Protocol),
		flags:    C.uint64_t(r.Flags),
		index:    number(r.Index),
	}
	setPrefix(c.destination[:], r.Destination)
	setAddr(c.gateway[:], r.Gateway)
	setAddr(c.source[:], r.Source)
	return c
}
