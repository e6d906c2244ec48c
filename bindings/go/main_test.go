// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"tuntap"
	"tuntap/internal/private"
)

func TestMain(m *testing.M) { os.Exit(private.Namespace(m.Run)) }

// The tests compare the state that ip(8) shows.

func ip(words ...string) ([]byte, error) {
	return exec.Command("ip", words...).Output()
}

func mustIP(words ...string) []byte {
	shown, err := ip(words...)
	if err != nil {
		panic(fmt.Sprint("ip ", words, ": ", err))
	}
	return shown
}

// shownLink is the state of a device that ip(8) shows.
type shownLink struct {
	Name    string   `json:"ifname"`
	Index   int      `json:"ifindex"`
	MTU     int      `json:"mtu"`
	Flags   []string `json:"flags"`
	Alias   string   `json:"ifalias"`
	Address string   `json:"address"`
	Master  string   `json:"master"`
	Queue   int      `json:"txqlen"`
	Addrs   []struct {
		Local   string `json:"local"`
		Peer    string `json:"address"`
		Prefix  int    `json:"prefixlen"`
		Label   string `json:"label"`
		Scope   string `json:"scope"`
		Valid   int64  `json:"valid_life_time"`
		Dynamic bool   `json:"dynamic"`
	} `json:"addr_info"`
	Info struct {
		Data struct {
			Type       string `json:"type"`
			PI         bool   `json:"pi"`
			VnetHdr    bool   `json:"vnet_hdr"`
			MultiQueue bool   `json:"multi_queue"`
			Persist    bool   `json:"persist"`
			User       any    `json:"user"`
			Group      any    `json:"group"`
		} `json:"info_data"`
		Port struct {
			State string `json:"state"`
		} `json:"info_slave_data"`
	} `json:"linkinfo"`
	Stats struct {
		Rx struct {
			Packets uint64 `json:"packets"`
			Bytes   uint64 `json:"bytes"`
		} `json:"rx"`
	} `json:"stats64"`
}

func (l shownLink) is(flag string) bool { return slices.Contains(l.Flags, flag) }

func (l shownLink) prefixes() []string {
	var prefixes []string
	for _, addr := range l.Addrs {
		if addr.Scope != "link" {
			prefixes = append(prefixes, fmt.Sprintf("%s/%d", addr.Local, addr.Prefix))
		}
	}
	return prefixes
}

type shownRoute struct {
	Destination string `json:"dst"`
	Gateway     string `json:"gateway"`
	Metric      uint32 `json:"metric"`
	Protocol    string `json:"protocol"`
	Source      string `json:"prefsrc"`
	Interface   string `json:"dev"`
	Metrics     []struct {
		MTU int `json:"mtu"`
	} `json:"metrics"`
}

func showLink(t testing.TB, name string) shownLink {
	t.Helper()
	return show[shownLink](t, "-j", "-d", "-s", "address", "show", "dev", name)[0]
}

func showRoutes(t testing.TB, name string) []shownRoute {
	t.Helper()
	return show[shownRoute](t, "-j", "route", "show", "dev", name)
}

func show[T any](t testing.TB, words ...string) []T {
	t.Helper()
	var items []T
	if err := json.Unmarshal(mustIP(words...), &items); err != nil {
		t.Fatal(err)
	}
	return items
}

func exists(name string) bool {
	_, err := ip("link", "show", "dev", name)
	return err == nil
}

// open opens a device. The end of the test closes it.
func open(t testing.TB, name string, flags tuntap.Flags, options ...tuntap.Option) *tuntap.Device {
	t.Helper()
	device := must(tuntap.Open(name, flags, options...))
	t.Cleanup(func() { device.Close() })
	return device
}

// must returns a value. It panics if there is an error.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, found, expected T) {
	t.Helper()
	if found != expected {
		t.Errorf("%s: %v, not %v", what, found, expected)
	}
}
