// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"tuntap"
)

// addUplink creates an interface with a default route, like an interface to the Internet.
func addUplink(t *testing.T, name, network string, metric string) {
	t.Helper()
	mustIP("link", "add", name, "type", "veth", "peer", "name", "far-"+name)
	t.Cleanup(func() { mustIP("link", "delete", name) })
	mustIP("link", "set", "far-"+name, "up")
	mustIP("link", "set", name, "up")
	mustIP("address", "add", network+".2/24", "dev", name)
	mustIP("route", "add", "default", "via", network+".1", "metric", metric)
}

// expectInterface checks that the kernel sends a packet with these properties through an interface.
func expectInterface(t *testing.T, name string, properties ...string) {
	t.Helper()
	words := append([]string{"-j", "route", "get"}, properties...)
	equal(t, strings.Join(properties, " "), show[shownRoute](t, words...)[0].Interface, name)
}

func TestDefaultRoute(t *testing.T) {
	addUplink(t, "up0", "192.0.2", "10")
	device := open(t, "default0", tuntap.TUN, tuntap.WithPrefix(netip.MustParsePrefix("10.70.0.2/24")))
	if err := device.AddDefaultRoute(tuntap.DefaultRoute{}); !errors.Is(err, tuntap.ReasonDown) {
		t.Error("a device that is down:", err)
	}
	check(t, device.Up())
	server := tuntap.Bypass{Destination: netip.MustParsePrefix("198.51.100.7/32")}
	marked := tuntap.Bypass{Mark: 0x30, Mask: 0xf0}
	check(t, device.AddBypass(server))
	check(t, device.AddBypass(marked))
	check(t, device.AddDefaultRoute(tuntap.DefaultRoute{}))
	expectInterface(t, "default0", "203.0.113.1")
	expectInterface(t, "default0", "2001:db8::1")
	expectInterface(t, "up0", "198.51.100.7")
	expectInterface(t, "up0", "203.0.113.1", "mark", "0x35")
	expectInterface(t, "up0", "192.0.2.9")

	gateway := netip.MustParseAddr("10.70.0.1")
	check(t, device.AddDefaultRoute(tuntap.DefaultRoute{Family: tuntap.IPv4, Gateway: gateway, Override: true}))
	equal(t, "gateway", show[shownRoute](t, "-j", "route", "get", "203.0.113.1")[0].Gateway, "10.70.0.1")
	expectInterface(t, "default0", "192.0.2.9")

	check(t, device.DelBypass(server))
	expectInterface(t, "default0", "198.51.100.7")
	if err := device.DelBypass(server); !errors.Is(err, tuntap.ReasonUnset) {
		t.Error("a bypass that is gone:", err)
	}
	if err := device.AddBypass(tuntap.Bypass{}); !errors.Is(err, tuntap.ReasonArgument) {
		t.Error("a bypass of nothing:", err)
	}
	check(t, device.DelDefaultRoute(tuntap.IPv4))
	expectInterface(t, "up0", "203.0.113.1")
	expectInterface(t, "default0", "2001:db8::1")

	check(t, device.SetPersist(true))
	check(t, device.AddDefaultRoute(tuntap.DefaultRoute{Family: tuntap.IPv4, Keep: true}))
	server.Keep = true
	check(t, device.AddBypass(server))
	check(t, device.Close())
	expectInterface(t, "default0", "203.0.113.1")
	expectInterface(t, "up0", "198.51.100.7")
	check(t, tuntap.Delete("default0"))
	expectInterface(t, "up0", "203.0.113.1")
}

func TestFindRoute(t *testing.T) {
	addUplink(t, "up1", "192.0.2", "10")
	device := open(t, "find0", tuntap.TUN, tuntap.WithUp(), tuntap.WithPrefix(netip.MustParsePrefix("10.71.0.2/24")))
	check(t, device.AddBypass(tuntap.Bypass{Mark: 7}))
	check(t, device.AddDefaultRoute(tuntap.DefaultRoute{Family: tuntap.IPv4}))
	destination, none := netip.MustParseAddr("203.0.113.1"), netip.Addr{}
	equal(t, "interface", must(device.FindRoute(destination, none, 0)).Index, must(device.Index()))
	marked := must(tuntap.FindRoute(destination, none, 7))
	equal(t, "interface", marked.Index, must(net.InterfaceByName("up1")).Index)
	equal(t, "gateway", marked.Gateway, netip.MustParseAddr("192.0.2.1"))
	equal(t, "source", marked.Source, netip.MustParseAddr("192.0.2.2"))
	equal(t, "MTU", marked.MTU, showLink(t, "up1").MTU)
	if _, err := tuntap.FindRoute(destination, netip.IPv6Loopback(), 0); !errors.Is(err, tuntap.ReasonAddress) {
		t.Error("a source of another family:", err)
	}
	if _, err := tuntap.FindRoute(none, none, 0); !errors.Is(err, tuntap.ReasonAddress) {
		t.Error("no destination:", err)
	}
	mustIP("route", "add", "unreachable", "203.0.113.0/24")
	defer mustIP("route", "delete", "unreachable", "203.0.113.0/24")
	if _, err := device.FindRoute(destination, none, 7); !errors.Is(err, syscall.ENETUNREACH) {
		t.Error("no route:", err)
	}
	check(t, device.Close())
	if _, err := device.FindRoute(destination, none, 0); !errors.Is(err, os.ErrClosed) {
		t.Error("closed:", err)
	}
}

func TestMonitorDefaultRoute(t *testing.T) {
	device := open(t, "mon3", tuntap.TUN)
	addUplink(t, "up2", "192.0.2", "10")
	monitor := must(device.NewMonitor(tuntap.MonitorDefaultRoute))
	defer monitor.Close()
	event := waitForEvent(t, monitor, tuntap.EventDefaultRoute)
	equal(t, "present", event.Name, "up2")
	equal(t, "gateway", event.Route.Gateway, netip.MustParseAddr("192.0.2.1"))
	addUplink(t, "up3", "198.51.100", "5")
	event = waitForEvent(t, monitor, tuntap.EventDefaultRoute)
	equal(t, "a lower metric", event.Name, "up3")
	equal(t, "index", event.Index, must(net.InterfaceByName("up3")).Index)
	mustIP("route", "delete", "default", "metric", "5")
	equal(t, "back", waitForEvent(t, monitor, tuntap.EventDefaultRoute).Name, "up2")
	mustIP("route", "delete", "default")
	event = waitForEvent(t, monitor, tuntap.EventDefaultRoute)
	if event.Family != tuntap.IPv4 || event.Route.Destination.IsValid() {
		t.Errorf("none: %+v", event)
	}
}

func TestMaster(t *testing.T) {
	mustIP("link", "add", "bridge1", "type", "bridge")
	defer mustIP("link", "delete", "bridge1")
	device := open(t, "port0", tuntap.TAP)
	if _, err := device.Master(); !errors.Is(err, tuntap.ReasonUnset) {
		t.Error("no master:", err)
	}
	check(t, device.SetMaster("bridge1"))
	equal(t, "master", showLink(t, "port0").Master, "bridge1")
	equal(t, "master", must(device.Master()), "bridge1")
	check(t, device.SetMaster(""))
	equal(t, "no master", showLink(t, "port0").Master, "")
	if err := device.SetMaster("nothing"); !errors.Is(err, tuntap.ReasonAbsent) {
		t.Error("no such bridge:", err)
	}
}

func TestIPv6(t *testing.T) {
	device := open(t, "six0", tuntap.TUN)
	for _, test := range []struct {
		setting tuntap.IPv6Setting
		name    string
		value   int
	}{
		{tuntap.IPv6AcceptRA, "accept_ra", 2},
		{tuntap.IPv6AddrGenMode, "addr_gen_mode", 1},
		{tuntap.IPv6Disable, "disable_ipv6", 1},
	} {
		check(t, device.SetIPv6(test.setting, test.value))
		shown := must(os.ReadFile("/proc/sys/net/ipv6/conf/six0/" + test.name))
		equal(t, test.name, strings.TrimSpace(string(shown)), string(rune('0'+test.value)))
		equal(t, test.name, must(device.IPv6(test.setting)), test.value)
		if err := device.SetIPv6(test.setting, -1); !errors.Is(err, tuntap.ReasonRange) {
			t.Error(test.name, "of -1:", err)
		}
	}
}
