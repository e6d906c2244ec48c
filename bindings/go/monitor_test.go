// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"tuntap"
)

// waitForEvent takes events until an event of this kind, and returns that event.
func waitForEvent(t *testing.T, monitor *tuntap.Monitor, kind tuntap.EventKind) tuntap.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for event, err := range monitor.Events(ctx) {
		if err != nil {
			t.Fatalf("waiting for %q: %v", kind, err)
		}
		if event.Kind == kind {
			return event
		}
	}
	panic("the events ended without an error")
}

func TestMonitor(t *testing.T) {
	device := open(t, "mon0", tuntap.TUN)
	quiet(t, "mon0")
	monitor := must(device.NewMonitor(tuntap.MonitorRoutes))
	defer monitor.Close()
	all := must(tuntap.NewMonitor(0))
	defer all.Close()
	waitForEvent(t, all, tuntap.EventComplete)
	equal(t, "present", waitForEvent(t, monitor, tuntap.EventDevice).Name, "mon0")
	waitForEvent(t, monitor, tuntap.EventComplete)

	mustIP("link", "set", "mon0", "mtu", "1333", "up")
	equal(t, "MTU", waitForEvent(t, monitor, tuntap.EventMTU).MTU, 1333)
	mustIP("address", "add", "10.60.0.1/24", "dev", "mon0")
	equal(t, "address", waitForEvent(t, monitor, tuntap.EventAddrAdded).Addr.Prefix, netip.MustParsePrefix("10.60.0.1/24"))
	mustIP("route", "add", "10.61.0.0/16", "via", "10.60.0.2", "metric", "9")
	for {
		route := waitForEvent(t, monitor, tuntap.EventRouteAdded).Route
		if route.Metric == 9 {
			equal(t, "destination", route.Destination, netip.MustParsePrefix("10.61.0.0/16"))
			equal(t, "gateway", route.Gateway, netip.MustParseAddr("10.60.0.2"))
			break
		}
	}
	open(t, "mon1", tuntap.TAP)
	equal(t, "another device", waitForEvent(t, all, tuntap.EventDevice).Name, "mon1")
	equal(t, "kind", tuntap.EventAddrAdded.String(), "address added")

	mustIP("link", "delete", "mon0")
	waitForEvent(t, monitor, tuntap.EventRemoved)
	if _, err := monitor.Next(context.Background()); !errors.Is(err, tuntap.ReasonRemoved) {
		t.Error("after the last event:", err)
	}
}

func TestMonitorWaits(t *testing.T) {
	monitor := must(open(t, "mon2", tuntap.TUN).NewMonitor(0))
	waitForEvent(t, monitor, tuntap.EventComplete)
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		_, err := monitor.Next(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("after the end of the context:", err)
		}
	}
	result := make(chan error)
	go func() {
		_, err := monitor.Next(context.Background())
		result <- err
	}()
	waitFor(t, "it waits", func() bool { return waiting("tuntap.(*Monitor).Next(") == 1 })
	check(t, monitor.Close())
	if err := <-result; !errors.Is(err, os.ErrClosed) {
		t.Error("closed:", err)
	}
}
