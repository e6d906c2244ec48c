// SPDX-License-Identifier: MIT

package tuntap

// #include <errno.h>
// #include <tuntap.h>
import "C"

import (
	"context"
	"iter"
	"net"
	"os"
	"runtime"
	"sync"
	"time"
)

// Monitor reports changes of devices. The first events report the current state and end with EventComplete.
type Monitor struct {
	mu      sync.Mutex
	monitor *C.tuntap_monitor // nil: closed
	poll    *poller
	cleanup runtime.Cleanup
}

// MonitorFlags select what a Monitor reports.
type MonitorFlags uint64

const (
	MonitorRoutes       MonitorFlags = C.TUNTAP_MONITOR_ROUTES        // also reports routes
	MonitorDefaultRoute MonitorFlags = C.TUNTAP_MONITOR_DEFAULT_ROUTE // also reports the default route of the system
)

// EventKind is what has happened.
type EventKind uint32

const (
	EventDevice       EventKind = C.TUNTAP_EVENT_DEVICE        // the device exists
	EventUp           EventKind = C.TUNTAP_EVENT_UP            // the device went up
	EventDown         EventKind = C.TUNTAP_EVENT_DOWN          // the device went down
	EventCarrierOn    EventKind = C.TUNTAP_EVENT_CARRIER_ON    // the device has a carrier now
	EventCarrierOff   EventKind = C.TUNTAP_EVENT_CARRIER_OFF   // the device lost its carrier
	EventMTU          EventKind = C.TUNTAP_EVENT_MTU           // the MTU changed
	EventMAC          EventKind = C.TUNTAP_EVENT_MAC           // the MAC address changed
	EventName         EventKind = C.TUNTAP_EVENT_NAME          // the device was renamed
	EventAddrAdded    EventKind = C.TUNTAP_EVENT_ADDR_ADDED    // an address was added
	EventAddrRemoved  EventKind = C.TUNTAP_EVENT_ADDR_REMOVED  // an address was removed
	EventRemoved      EventKind = C.TUNTAP_EVENT_REMOVED       // the device is gone
	EventOverrun      EventKind = C.TUNTAP_EVENT_OVERRUN       // events were lost: the current state follows
	EventComplete     EventKind = C.TUNTAP_EVENT_COMPLETE      // the current state is complete
	EventRouteAdded   EventKind = C.TUNTAP_EVENT_ROUTE_ADDED   // a route was added
	EventRouteRemoved EventKind = C.TUNTAP_EVENT_ROUTE_REMOVED // a route was removed or replaced
	EventMoved        EventKind = C.TUNTAP_EVENT_MOVED         // the device was moved to another network namespace
	EventDefaultRoute EventKind = C.TUNTAP_EVENT_DEFAULT_ROUTE // the system has another default route, or none
)

// String describes the kind in a few words, such as "address added".
func (k EventKind) String() string { return C.GoString(C.tuntap_strevent(C.uint32_t(k))) }

// Event is an event, with the state of the device after it. EventDefaultRoute has the state of the interface that the
// default route leads through; if Route has no Destination, the family has no default route.
type Event struct {
	Kind        EventKind
	Name        string
	Index       int
	Flags       Flags
	MTU         int
	Up, Carrier bool
	MAC         net.HardwareAddr // zeros for a TUN
	Family      Family           // events of addresses and routes
	Addr        Addr             // events of addresses
	Route       Route            // events of routes
}

// NewMonitor opens a monitor of all TUN and TAP devices of the calling thread's network namespace.
func NewMonitor(flags MonitorFlags) (*Monitor, error) {
	var monitor *C.tuntap_monitor
	err := call(func(e *C.tuntap_error) C.int { return C.tuntap_monitor_open(nil, C.uint64_t(flags), &monitor, e) })
	if err != nil {
		return nil, err
	}
	return newMonitor(monitor)
}

// NewMonitor opens a monitor of this device, which may be closed before it.
func (d *Device) NewMonitor(flags MonitorFlags) (*Monitor, error) {
	var monitor *C.tuntap_monitor
	err := d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_monitor_open(dev, C.uint64_t(flags), &monitor, e)
	})
	if err != nil {
		return nil, err
	}
	return newMonitor(monitor)
}

func newMonitor(monitor *C.tuntap_monitor) (*Monitor, error) {
	poll, err := newPoller(C.tuntap_monitor_get_fd(monitor, nil), "tuntap monitor")
	if err != nil {
		C.tuntap_monitor_close(monitor)
		return nil, err
	}
	m := &Monitor{monitor: monitor, poll: poll}
	m.cleanup = runtime.AddCleanup(m, func(monitor *C.tuntap_monitor) { C.tuntap_monitor_close(monitor) }, monitor)
	return m, nil
}

// Close closes the monitor. A call that waits returns os.ErrClosed.
func (m *Monitor) Close() error {
	if err := m.poll.close(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cleanup.Stop()
	C.tuntap_monitor_close(m.monitor)
	m.monitor = nil
	return nil
}

// Next takes the next event, and waits until there is one or the context ends. The error has ReasonRemoved when the
// only device of the monitor is gone.
func (m *Monitor) Next(ctx context.Context) (Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.monitor == nil {
		return Event{}, os.ErrClosed
	}
	var event C.tuntap_event
	var e C.tuntap_error
	var result C.int
	err := m.wait(ctx, func(uintptr) bool {
		result = C.tuntap_monitor_next(m.monitor, &event, C.sizeof_tuntap_event, 0, &e)
		return result != -C.ETIMEDOUT
	})
	if err != nil {
		return Event{}, err
	}
	if result < 0 {
		return Event{}, newError(&e)
	}
	return newEvent(&event), nil
}

// Events returns the events until the context ends or an error occurs, which is in the last pair.
func (m *Monitor) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := m.Next(ctx)
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// wait calls try until it returns true. The end of the context ends the wait through a deadline in the past.
func (m *Monitor) wait(ctx context.Context, try func(fd uintptr) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		m.poll.file.SetReadDeadline(time.Unix(1, 0))
		close(ended)
	})
	err := m.poll.read(try)
	if !stop() {
		<-ended
		m.poll.file.SetReadDeadline(time.Time{})
	}
	if err == os.ErrDeadlineExceeded {
		return ctx.Err()
	}
	return err
}

func newEvent(c *C.tuntap_event) Event {
	return Event{
		Kind: EventKind(c.kind), Name: text(c.name[:]), Index: int(c.index), Flags: Flags(c.flags), MTU: int(c.mtu),
		Up: c.up != 0, Carrier: c.carrier != 0, MAC: macOf(&c.mac),
		Family: Family(c.family),
		Addr: Addr{
			Prefix: prefixOf(c.addr[:]), Peer: addrOf(c.peer[:]), Scope: Scope(c.scope), Flags: AddrFlags(c.addr_flags),
			Protocol: uint32(c.protocol),
		},
		Route: Route{
			Destination: prefixOf(c.destination[:]), Gateway: addrOf(c.gateway[:]), Source: addrOf(c.source[:]),
			Metric: uint32(c.metric), Table: uint32(c.table), MTU: int(c.route_mtu), Type: RouteType(c.route_type),
			Scope: Scope(c.scope), Protocol: uint32(c.protocol), Flags: RouteFlags(c.route_flags),
		},
	}
}
