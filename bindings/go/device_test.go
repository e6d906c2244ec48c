// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"tuntap"
)

func TestOpen(t *testing.T) {
	mac := must(net.ParseMAC("02:00:00:00:00:07"))
	route := tuntap.Route{
		Destination: netip.MustParsePrefix("10.21.0.0/16"), Gateway: netip.MustParseAddr("10.20.0.2"),
		Metric: 5, MTU: 1300,
	}
	device := open(t, "open%d", tuntap.TAP|tuntap.MultiQueue,
		tuntap.WithMTU(1400), tuntap.WithMAC(mac), tuntap.WithAlias("of a test"), tuntap.WithTxQueueLen(77),
		tuntap.WithOwner(0), tuntap.WithGroup(0), tuntap.WithUp(),
		tuntap.WithPrefix(netip.MustParsePrefix("10.20.0.1/24")),
		tuntap.WithAddr(tuntap.Addr{Prefix: netip.MustParsePrefix("fd00::1/64"), Flags: tuntap.AddrNoDAD}),
		tuntap.WithRoute(route))
	name := must(device.Name())
	equal(t, "name", name, "open0")
	shown := showLink(t, name)
	equal(t, "index", must(device.Index()), shown.Index)
	equal(t, "MTU", shown.MTU, 1400)
	equal(t, "MAC", shown.Address, mac.String())
	equal(t, "alias", shown.Alias, "of a test")
	equal(t, "queue length", shown.Queue, 77)
	equal(t, "kind", shown.Info.Data.Type, "tap")
	equal(t, "multi-queue", shown.Info.Data.MultiQueue, true)
	equal(t, "user", fmt.Sprint(shown.Info.Data.User), "root")
	equal(t, "group", fmt.Sprint(shown.Info.Data.Group), "root")
	equal(t, "up", shown.is("UP"), true)
	equal(t, "addresses", strings.Join(shown.prefixes(), " "), "10.20.0.1/24 fd00::1/64")
	routes := showRoutes(t, name)
	i := slices.IndexFunc(routes, func(r shownRoute) bool { return r.Destination == "10.21.0.0/16" })
	if i < 0 || routes[i].Gateway != "10.20.0.2" || routes[i].Metric != 5 || routes[i].Metrics[0].MTU != 1300 {
		t.Error("routes:", routes)
	}
	equal(t, "flags", must(device.Flags()), tuntap.TAP|tuntap.MultiQueue)
	equal(t, "flags as text", must(device.Flags()).String(), "TAP|MultiQueue")
	equal(t, "owner", must(device.Owner()), 0)
	equal(t, "group", must(device.Group()), 0)
}

func TestOpenFails(t *testing.T) {
	_, err := tuntap.Open("fails0", tuntap.TUN, tuntap.WithAlias("x"), tuntap.WithMTU(70000))
	if !errors.Is(err, syscall.EINVAL) || !errors.Is(err, tuntap.ReasonRange) {
		t.Error("an MTU of 70000:", err)
	}
	equal(t, "the device exists", exists("fails0"), false)
	var failure *tuntap.Error
	if !errors.As(err, &failure) || !strings.Contains(failure.Message, "68 to 65535") {
		t.Error("message:", err)
	}
}

func TestLink(t *testing.T) {
	device := open(t, "link0", tuntap.TAP)
	check(t, device.SetMTU(1300))
	check(t, device.SetName("link1"))
	check(t, device.SetAlias("another"))
	check(t, device.SetMAC(net.HardwareAddr{2, 0, 0, 0, 0, 1}))
	check(t, device.SetTxQueueLen(9))
	check(t, device.SetSndBuf(50000))
	check(t, device.SetOwner(0))
	check(t, device.SetGroup(0))
	check(t, device.SetPersist(true))
	check(t, device.Up())
	check(t, device.SetCarrier(false))
	shown := showLink(t, "link1")
	equal(t, "MTU", shown.MTU, must(device.MTU()))
	equal(t, "MTU", shown.MTU, 1300)
	equal(t, "alias", shown.Alias, must(device.Alias()))
	equal(t, "MAC", shown.Address, must(device.MAC()).String())
	equal(t, "MAC", shown.Address, "02:00:00:00:00:01")
	equal(t, "queue length", shown.Queue, must(device.TxQueueLen()))
	equal(t, "queue length", shown.Queue, 9)
	equal(t, "send buffer", must(device.SndBuf()), 50000)
	equal(t, "persist", shown.Info.Data.Persist, true)
	equal(t, "user", fmt.Sprint(shown.Info.Data.User), "root")
	equal(t, "up", shown.is("UP"), must(device.IsUp()))
	equal(t, "no carrier", shown.is("NO-CARRIER"), true)
	equal(t, "carrier", must(device.Carrier()), false)
	lowest, highest, err := device.MTURange()
	check(t, err)
	equal(t, "lowest MTU", lowest, 68)
	equal(t, "highest MTU", highest, 65521)
	check(t, device.SetAlias(""))
	equal(t, "no alias", showLink(t, "link1").Alias, "")
	check(t, device.Down())
	equal(t, "down", showLink(t, "link1").is("UP"), false)

	infos := must(tuntap.List())
	i := slices.IndexFunc(infos, func(info tuntap.Info) bool { return info.Name == "link1" })
	if i < 0 {
		t.Fatal("list:", infos)
	}
	info := infos[i]
	if info.MTU != 1300 || info.Owner != 0 || info.Group != 0 || info.Flags != tuntap.TAP|tuntap.Persist || info.Up {
		t.Error("list:", info)
	}
	if err := tuntap.Delete("link1"); !errors.Is(err, syscall.EBUSY) {
		t.Error("delete an open device:", err)
	}
	other := open(t, "link2", tuntap.TUN)
	infos = must(tuntap.List())
	i = slices.IndexFunc(infos, func(info tuntap.Info) bool { return info.Name == must(other.Name()) })
	equal(t, "no owner", infos[i].Owner, tuntap.NoID)
	check(t, device.Close())
	equal(t, "it stays", exists("link1"), true)
	check(t, tuntap.Delete("link1"))
	equal(t, "it stays after that", exists("link1"), false)
}

func TestAddrs(t *testing.T) {
	device := open(t, "addr0", tuntap.TUN, tuntap.WithUp())
	quiet(t, "addr0")
	check(t, os.WriteFile("/proc/sys/net/ipv6/conf/addr0/disable_ipv6", []byte("0"), 0))
	peer := tuntap.Addr{
		Prefix: netip.MustParsePrefix("10.22.0.1/32"), Peer: netip.MustParseAddr("10.22.0.2"), Label: "addr0:1",
	}
	expiring := tuntap.Addr{Prefix: netip.MustParsePrefix("fd01::1/64"), Valid: time.Hour, Preferred: time.Minute}
	check(t, device.AddAddr(peer))
	check(t, device.AddAddr(expiring))
	check(t, device.AddAddr(tuntap.Addr{Prefix: netip.MustParsePrefix("10.23.0.1/24")}))
	shown := showLink(t, "addr0")
	equal(t, "peer", shown.Addrs[0].Peer, "10.22.0.2")
	equal(t, "label", shown.Addrs[0].Label, "addr0:1")
	equal(t, "addresses", strings.Join(shown.prefixes(), " "), "10.22.0.1/32 10.23.0.1/24 fd01::1/64")
	for _, addr := range shown.Addrs {
		if addr.Local == "fd01::1" && (addr.Valid > 3600 || addr.Valid < 3500 || !addr.Dynamic) {
			t.Error("lifetime:", addr)
		}
	}
	addrs := must(device.Addrs())
	equal(t, "first", addrs[0].Prefix, peer.Prefix)
	equal(t, "its peer", addrs[0].Peer, peer.Peer)
	equal(t, "its label", addrs[0].Label, peer.Label)

	changed := peer
	changed.Label = ""
	changed.Metric = 77
	if err := device.AddAddr(changed); !errors.Is(err, fs.ErrExist) {
		t.Error("another metric:", err)
	}
	check(t, device.ReplaceAddr(changed))
	check(t, device.DelAddr(addrs[0]))
	if err := device.DelAddr(addrs[0]); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, tuntap.ReasonUnset) {
		t.Error("an address that is gone:", err)
	}
	check(t, device.SetAddr(netip.MustParsePrefix("10.24.0.1/16")))
	equal(t, "addresses", strings.Join(showLink(t, "addr0").prefixes(), " "), "10.24.0.1/16 fd01::1/64")
	if err := device.SetAddr(netip.Prefix{}); !errors.Is(err, tuntap.ReasonAddress) {
		t.Error("no address:", err)
	}
	if err := device.AddAddr(tuntap.Addr{}); !errors.Is(err, tuntap.ReasonAddress) {
		t.Error("no address:", err)
	}
	long := tuntap.Addr{Prefix: peer.Prefix, Label: strings.Repeat("x", 70)}
	if err := device.AddAddr(long); !errors.Is(err, tuntap.ReasonRange) {
		t.Error("a long label:", err)
	}

	// Listed addresses can be deleted and added again.
	before := must(device.Addrs())
	for _, addr := range before {
		if addr.Valid == 0 {
			check(t, device.DelAddr(addr))
			check(t, device.AddAddr(addr))
		}
	}
	after := must(device.Addrs())
	equal(t, "addresses", len(after), len(before))
}

func TestManyAddrs(t *testing.T) {
	device := open(t, "many0", tuntap.TUN)
	var expected []netip.Prefix
	for i := range 50 {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 30, byte(i), 1}), 24)
		check(t, device.AddAddr(tuntap.Addr{Prefix: prefix}))
		expected = append(expected, prefix)
	}
	var found []netip.Prefix
	for _, addr := range must(device.Addrs()) {
		found = append(found, addr.Prefix)
	}
	if !slices.Equal(found, expected) {
		t.Error("addresses:", found)
	}
}

func TestRoutes(t *testing.T) {
	device := open(t, "route0", tuntap.TUN, tuntap.WithUp(), tuntap.WithPrefix(netip.MustParsePrefix("10.25.0.1/24")))
	quiet(t, "route0")
	route := tuntap.Route{
		Destination: netip.MustParsePrefix("10.26.0.0/16"), Gateway: netip.MustParseAddr("10.25.0.9"),
		Source: netip.MustParseAddr("10.25.0.1"), Metric: 7,
	}
	check(t, device.AddRoute(route))
	check(t, device.AddRoute(route))
	shown := showRoutes(t, "route0")
	i := slices.IndexFunc(shown, func(r shownRoute) bool { return r.Destination == "10.26.0.0/16" })
	if i < 0 || shown[i].Gateway != "10.25.0.9" || shown[i].Metric != 7 || shown[i].Source != "10.25.0.1" {
		t.Error("ip shows", shown)
	}
	routes := must(device.Routes())
	equal(t, "number of routes", len(routes), len(shown))
	i = slices.IndexFunc(routes, func(r tuntap.Route) bool { return r.Destination == route.Destination })
	listed := routes[i]
	if listed.Gateway != route.Gateway || listed.Source != route.Source || listed.Metric != 7 || listed.Table != 254 {
		t.Errorf("listed: %+v", listed)
	}
	route.MTU = 1200
	if err := device.AddRoute(route); !errors.Is(err, syscall.EEXIST) {
		t.Error("another MTU:", err)
	}
	check(t, device.ReplaceRoute(route))
	equal(t, "MTU", showRoutes(t, "route0")[1].Metrics[0].MTU, 1200)
	listed.MTU = 1200
	check(t, device.DelRoute(listed))
	equal(t, "routes left", len(showRoutes(t, "route0")), 1)
	if err := device.DelRoute(listed); !errors.Is(err, tuntap.ReasonUnset) {
		t.Error("a route that is gone:", err)
	}
	outside := tuntap.Route{
		Destination: netip.MustParsePrefix("10.27.0.0/16"), Gateway: netip.MustParseAddr("192.0.2.1"),
	}
	if err := device.AddRoute(outside); !errors.Is(err, syscall.ENETUNREACH) {
		t.Error("a gateway elsewhere:", err)
	}
	outside.Flags = tuntap.RouteOnLink
	check(t, device.AddRoute(outside))
}

func TestErrors(t *testing.T) {
	device := open(t, "err0", tuntap.TUN)
	for _, test := range []struct {
		name   string
		err    error
		errno  syscall.Errno
		also   error
		reason tuntap.Reason
	}{
		{"name", failure(tuntap.Open("a/b", tuntap.TUN)), syscall.EINVAL, nil, tuntap.ReasonName},
		{"NUL", failure(tuntap.Open("a\x00b", tuntap.TUN)), syscall.EINVAL, nil, tuntap.ReasonArgument},
		{"flags", failure(tuntap.Open("x", tuntap.TUN|tuntap.TAP)), syscall.EINVAL, nil, tuntap.ReasonFlags},
		{"kind", failure(tuntap.Open("err0", tuntap.TAP)), syscall.EINVAL, nil, tuntap.ReasonKind},
		{"busy", failure(tuntap.Open("err0", tuntap.TUN)), syscall.EBUSY, nil, tuntap.ReasonBusy},
		{"absent", failure(tuntap.Open("x", tuntap.TUN|tuntap.Existing)), syscall.ENODEV, nil, tuntap.ReasonAbsent},
		{"node", failure(tuntap.Open("x", tuntap.TUN, tuntap.WithNode("/none"))), syscall.ENOENT, fs.ErrNotExist,
			tuntap.ReasonNoDriver},
		{"netns", failure(tuntap.Open("x", tuntap.TUN, tuntap.WithNetns("/proc/self/stat"))), syscall.EINVAL, nil,
			tuntap.ReasonNamespace},
		{"MAC of a TUN", device.SetMAC(net.HardwareAddr{2, 0, 0, 0, 0, 1}), syscall.EOPNOTSUPP, errors.ErrUnsupported,
			tuntap.ReasonKind},
		{"a short MAC", device.SetMAC(net.HardwareAddr{2, 0}), syscall.EINVAL, nil, tuntap.ReasonArgument},
		{"MTU", device.SetMTU(-1), syscall.EINVAL, nil, tuntap.ReasonRange},
		{"owner", failure(device.Owner()), syscall.ENOENT, fs.ErrNotExist, tuntap.ReasonUnset},
		{"down", device.AddRoute(tuntap.Route{Destination: netip.MustParsePrefix("10.0.0.0/8")}), syscall.ENETDOWN,
			nil, tuntap.ReasonDown},
		{"packet", failure(device.Write([]byte{1, 2, 3})), syscall.EINVAL, nil, tuntap.ReasonPacket},
		{"empty packet", failure(device.Write(nil)), syscall.EINVAL, nil, tuntap.ReasonPacket},
		{"super-packet", failure(device.ReadSuper(new(tuntap.VnetHdr), make([]byte, 100))), syscall.EINVAL, nil,
			tuntap.ReasonMismatch},
		{"detach", device.Detach(), syscall.EINVAL, nil, tuntap.ReasonMismatch},
		{"OpenFD", failure(tuntap.OpenFD(os.Stderr.Fd(), tuntap.Borrow)), syscall.EINVAL, nil, tuntap.ReasonKind},
		{"delete", tuntap.Delete("nothing0"), syscall.ENODEV, nil, tuntap.ReasonAbsent},
		{"without privilege", withoutPrivilege(func() error { return failure(tuntap.Open("x", tuntap.TUN)) }),
			syscall.EPERM, fs.ErrPermission, tuntap.ReasonPrivilege},
	} {
		var e *tuntap.Error
		if !errors.As(test.err, &e) || !errors.Is(test.err, test.errno) || !errors.Is(test.err, test.reason) ||
			test.also != nil && !errors.Is(test.err, test.also) || errors.Is(test.err, tuntap.ReasonFull) {
			t.Errorf("%s: %#v", test.name, test.err)
		}
	}
	equal(t, "phrase", tuntap.ReasonBusy.Error() != tuntap.Reason(999).Error(), true)
}

func failure[T any](_ T, err error) error { return err }

// withoutPrivilege calls f in a thread without capabilities. The thread ends after the call.
func withoutPrivilege(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		header := struct{ version, pid uint32 }{version: 0x20080522}
		var data [6]uint32
		_, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET,
			uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0)
		if errno != 0 {
			panic(errno)
		}
		result <- f()
	}()
	return <-result
}

func TestFile(t *testing.T) {
	device := tun(t, "file0", 28, 0)
	file := must(device.File())
	defer file.Close()
	check(t, device.Close())
	again := must(tuntap.OpenFD(file.Fd(), tuntap.Borrow))
	defer again.Close()
	check(t, file.Close())
	must(sender(t, "10.28.0.2:9").Write([]byte("passed on")))
	packet := make([]byte, 100)
	n := must(again.Read(packet))
	equal(t, "payload", string(packet[28:n]), "passed on")
	equal(t, "the device is there", exists("file0"), true)
	fd := must(syscall.Dup(int(must(again.File()).Fd())))
	taken := must(tuntap.OpenFD(uintptr(fd), 0))
	if _, err := syscall.Seek(fd, 0, 0); err != syscall.EBADF {
		t.Error("the descriptor that was taken:", err)
	}
	check(t, again.Close())
	check(t, taken.Close())
	waitFor(t, "the device is gone", func() bool {
		runtime.GC()
		return !exists("file0")
	})
}

func TestQueues(t *testing.T) {
	device := tun(t, "queue0", 29, tuntap.MultiQueue)
	queue := must(device.OpenQueue())
	defer queue.Close()
	check(t, device.Detach())
	for range 10 {
		must(sender(t, "10.29.0.2:9").Write([]byte("x")))
	}
	for range 10 {
		must(queue.Read(make([]byte, 100)))
	}
	// A goroutine can wait while its queue is detached. It gets packets after the queue is attached.
	check(t, queue.Detach())
	result := make(chan error)
	go func() {
		_, err := queue.Read(make([]byte, 100))
		result <- err
	}()
	time.Sleep(10 * time.Millisecond)
	check(t, queue.Attach())
	must(sender(t, "10.29.0.2:9").Write([]byte("x")))
	check(t, <-result)
	check(t, device.SetSteeringEBPF(-1))
	check(t, device.SetFilterEBPF(-1))
	if err := device.SetSteeringEBPF(int(os.Stderr.Fd())); !errors.Is(err, syscall.EINVAL) {
		t.Error("not a program:", err)
	}
}

func TestFilters(t *testing.T) {
	device := open(t, "filter0", tuntap.TAP, tuntap.WithUp())
	quiet(t, "filter0")
	check(t, device.SetAddr(netip.MustParsePrefix("10.31.0.1/24")))
	mac := "02:00:00:00:00:09"
	mustIP("neigh", "add", "10.31.0.2", "lladdr", mac, "dev", "filter0")
	conn := sender(t, "10.31.0.2:9")
	arrives := func() bool {
		must(conn.Write([]byte("x")))
		check(t, device.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		_, err := device.Read(make([]byte, 100))
		return err == nil
	}
	check(t, device.SetFilterMAC([]net.HardwareAddr{{2, 0, 0, 0, 0, 8}}, false))
	equal(t, "another MAC", arrives(), false)
	check(t, device.SetFilterMAC([]net.HardwareAddr{must(net.ParseMAC(mac))}, true))
	equal(t, "this MAC", arrives(), true)
	check(t, device.SetFilterMAC(nil, false))
	none := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0}}
	check(t, device.SetFilterBPF(none))
	equal(t, "a filter", arrives(), false)
	check(t, device.SetFilterBPF(nil))
	equal(t, "no filter", arrives(), true)
}

func TestOffloads(t *testing.T) {
	device := open(t, "off0", tuntap.TUN|tuntap.Offload,
		tuntap.WithVnetHdrSize(12), tuntap.WithVnetEndian(tuntap.LittleEndian))
	equal(t, "size of the header", must(device.VnetHdrSize()), 12)
	equal(t, "header", showLink(t, "off0").Info.Data.VnetHdr, true)
	check(t, device.SetOffloads(tuntap.OffloadCsum|tuntap.OffloadTSO4))
	equal(t, "offloads", must(device.Offloads()).String(), "CSUM|TSO4")
}

func TestNamespaces(t *testing.T) {
	other := exec.Command("sleep", "100")
	other.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	check(t, other.Start())
	defer other.Wait()
	defer other.Process.Kill()
	pid := strconv.Itoa(other.Process.Pid)
	path := "/proc/" + pid + "/ns/net"
	inOther := func(name string) bool {
		return exec.Command("nsenter", "-t", pid, "-n", "ip", "link", "show", name).Run() == nil
	}
	device := open(t, "ns0", tuntap.TUN, tuntap.WithNetns(path), tuntap.WithMTU(1234))
	equal(t, "there", inOther("ns0"), true)
	equal(t, "here", exists("ns0"), false)
	equal(t, "MTU", must(device.MTU()), 1234)
	namespace := must(os.Open(path))
	defer namespace.Close()
	moved := open(t, "ns1", tuntap.TUN)
	check(t, moved.SetNetnsFD(namespace.Fd()))
	equal(t, "moved", inOther("ns1"), true)
	check(t, device.SetNetns("/proc/self/ns/net"))
	equal(t, "back", exists("ns0"), true)
	check(t, failure(device.Name()))
	third := open(t, "ns2", tuntap.TUN, tuntap.WithNetnsFD(namespace.Fd()))
	equal(t, "by descriptor", inOther(must(third.Name())), true)
}

func TestFeatures(t *testing.T) {
	equal(t, "TUN", tuntap.Has(tuntap.FeatureTUN), true)
	equal(t, "unknown", tuntap.Has(999), false)
	equal(t, "TUN", must(tuntap.Probe(tuntap.FeatureTUN)), true)
	equal(t, "queues", must(open(t, "feat0", tuntap.TUN).Probe(tuntap.FeatureMultiQueue)), false)
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(tuntap.Version()) {
		t.Error("version:", tuntap.Version())
	}
}

// The package calls each function of the header, or does not need it.
func TestComplete(t *testing.T) {
	unneeded := map[string]string{
		"tuntap_open":             "tuntap_open_config",
		"tuntap_version_number":   "tuntap_version",
		"tuntap_set_nonblock":     "the poller waits",
		"tuntap_read_timeout":     "deadlines",
		"tuntap_write_timeout":    "deadlines",
		"tuntap_wait":             "the poller waits",
		"tuntap_wake":             "deadlines",
		"tuntap_shutdown":         "Close",
		"tuntap_monitor_shutdown": "Close",
		"tuntap_release":          "File",
		"tuntap_readv":            "a reader with room",
		"tuntap_writev":           "a writer",
		"tuntap_reader_next":      "ReadBatch",
		"tuntap_reader_copy":      "ReadPackets: C must not keep a list of pointers to memory of Go",
		"tuntap_writer_flush":     "tuntap_writer_batch of 0 packets",
		"tuntap_splitter_copy":    "append",
		"tuntap_get_addr":         "Addrs",
		"tuntap_get_dstaddr":      "Addrs",
		"tuntap_set_dstaddr":      "ReplaceAddr",
		"tuntap_get_netmask":      "Addrs",
		"tuntap_set_netmask":      "ReplaceAddr",
	}
	folder := strings.TrimSpace(string(must(exec.Command("pkg-config", "--variable=includedir", "tuntap").Output())))
	header := string(must(os.ReadFile(folder + "/tuntap.h")))
	var source strings.Builder
	for _, file := range must(os.ReadDir(".")) {
		if strings.HasSuffix(file.Name(), ".go") && !strings.HasSuffix(file.Name(), "_test.go") {
			source.Write(must(os.ReadFile(file.Name())))
		}
	}
	declared := regexp.MustCompile(`(?m)^[a-z].*?\b(tuntap_[a-z0-9_]+)\(`).FindAllStringSubmatch(header, -1)
	if len(declared) < 100 {
		t.Fatal(len(declared), "functions in the header")
	}
	for _, function := range declared {
		name := function[1]
		called := regexp.MustCompile(`\b` + name + `\(`).MatchString(source.String())
		if _, ok := unneeded[name]; ok == called {
			t.Errorf("%s: called %v, and not needed %v", name, called, ok)
		}
	}
}
