// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tuntap"
)

func threads() int { return len(must(os.ReadDir("/proc/self/task"))) }

// Each of 1,000 goroutines waits in a read of its own queue. The waits occupy no threads.
func TestThousandReaders(t *testing.T) {
	const devices, queues = 4, 250
	var all []*tuntap.Device
	for i := range devices {
		device := tun(t, fmt.Sprint("thousand", i), 40+i, tuntap.MultiQueue)
		all = append(all, device)
		for range queues - 1 {
			queue := must(device.OpenQueue())
			defer queue.Close()
			all = append(all, queue)
		}
	}
	before := threads()
	results := make(chan error, len(all))
	for _, device := range all {
		go func() {
			_, err := device.Read(make([]byte, 100))
			results <- err
		}()
	}
	waitFor(t, "all wait", func() bool { return waiting("tuntap.(*Device).Read(") == len(all) })
	after := threads()
	t.Logf("%d goroutines wait in a read: %d threads, %d before", len(all), after, before)
	if after-before > runtime.GOMAXPROCS(0)+4 {
		t.Errorf("%d threads more", after-before)
	}
	must(sender(t, "10.40.0.2:9").Write([]byte("one")))
	check(t, <-results)
	for _, device := range all {
		check(t, device.Close())
	}
	for range len(all) - 1 {
		if err := <-results; !errors.Is(err, os.ErrClosed) {
			t.Fatal("closed:", err)
		}
	}
}

// 1,000 goroutines that read the same device occupy no threads either.
func TestThousandReadersOfOneDevice(t *testing.T) {
	device := tun(t, "thousand9", 49, 0)
	before := threads()
	results := make(chan error, 1000)
	for range cap(results) {
		go func() {
			_, err := device.Read(make([]byte, 100))
			results <- err
		}()
	}
	waitFor(t, "all wait", func() bool { return waiting("tuntap.(*Device).Read(") == cap(results) })
	if after := threads(); after-before > runtime.GOMAXPROCS(0)+4 {
		t.Errorf("%d threads, %d before", after, before)
	}
	conn := sender(t, "10.49.0.2:9")
	for range 10 {
		must(conn.Write([]byte("x")))
		check(t, <-results)
	}
	check(t, device.Close())
	for range cap(results) - 10 {
		if err := <-results; !errors.Is(err, os.ErrClosed) {
			t.Fatal("closed:", err)
		}
	}
}

var waitState = regexp.MustCompile(`\[(IO wait|sync|semacquire)`)

// waiting returns the number of goroutines that wait in a function, as the runtime reports them.
func waiting(function string) int {
	stacks := make([]byte, 16<<20)
	count := 0
	for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(stack, function) && waitState.MatchString(head) {
			count++
		}
	}
	return count
}

func waitFor(t testing.TB, what string, reached func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !reached(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

func TestCloseEndsReads(t *testing.T) {
	for name, read := range map[string]func(d *tuntap.Device) error{
		"Read":       func(d *tuntap.Device) error { return failure(d.Read(make([]byte, d.ReadSize()))) },
		"Read small": func(d *tuntap.Device) error { return failure(d.Read(make([]byte, 100))) },
		"ReadBatch": func(d *tuntap.Device) error {
			r := must(d.NewReader(0))
			defer r.Close()
			return failure(r.ReadBatch())
		},
		"ReadPackets": func(d *tuntap.Device) error {
			r := must(d.NewReader(0))
			defer r.Close()
			return failure(r.ReadPackets([][]byte{make([]byte, 100)}, make([]int, 1)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			device := tun(t, "close0", 50, 0)
			result := make(chan error)
			go func() { result <- read(device) }()
			waitFor(t, "it waits", func() bool {
				return waiting("tuntap.(*Device).Read(")+waiting("tuntap.(*Reader).next(") == 1
			})
			check(t, device.Close())
			if err := <-result; !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
			waitFor(t, "the device is gone", func() bool { return !exists("close0") })
		})
	}
}

func TestClosed(t *testing.T) {
	device := tun(t, "closed0", 51, tuntap.Offload)
	r, w := must(device.NewReader(0)), must(device.NewWriter(0))
	monitor := must(device.NewMonitor(0))
	check(t, device.Close())
	check(t, monitor.Close())
	for name, err := range map[string]error{
		"Close":           device.Close(),
		"Read":            failure(device.Read(make([]byte, 10))),
		"Write":           failure(device.Write(make([]byte, 10))),
		"Up":              device.Up(),
		"Addrs":           failure(device.Addrs()),
		"Routes":          failure(device.Routes()),
		"Name":            failure(device.Name()),
		"SetName":         device.SetName("x"),
		"SetReadDeadline": device.SetReadDeadline(time.Time{}),
		"File":            failure(device.File()),
		"NewReader":       failure(device.NewReader(0)),
		"NewWriter":       failure(device.NewWriter(0)),
		"NewMonitor":      failure(device.NewMonitor(0)),
		"OpenQueue":       failure(device.OpenQueue()),
		"ReadBatch":       failure(r.ReadBatch()),
		"Put":             w.Put(make([]byte, 10)),
		"Flush":           w.Flush(),
		"Monitor.Next":    failure(monitor.Next(context.Background())),
		"Monitor.Close":   monitor.Close(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, r.Close())
	check(t, w.Close())
	equal(t, "the device is there", exists("closed0"), false)
	for name, err := range map[string]error{
		"Reader.Close": r.Close(), "Writer.Close": w.Close(), "SetRoom": r.SetRoom(1, 1), "Lost": failure(w.Lost()),
		"Reserve": failure(w.Reserve(1)), "Commit": w.Commit(1), "WritePackets": failure(w.WritePackets(nil)),
		"WriteBatch": failure(w.WriteBatch(tuntap.Batch{})), "ReadBatch": failure(r.ReadBatch()),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The handles are closed while other goroutines call their methods: no call uses freed memory.
func TestCloseDuringCalls(t *testing.T) {
	for range 20 {
		device := tun(t, "during0", 52, tuntap.Offload)
		monitor := must(device.NewMonitor(tuntap.MonitorRoutes))
		var calls sync.WaitGroup
		for _, call := range []func() error{
			func() error { return failure(device.Read(make([]byte, 100))) },
			func() error { return failure(device.Write(ipv4("10.52.0.2", "10.52.0.1", protocol, nil))) },
			func() error { return failure(device.MTU()) },
			func() error { return failure(device.Addrs()) },
			func() error { return device.SetAddr(netip.MustParsePrefix("10.52.0.1/24")) },
			func() error { return device.SetReadDeadline(time.Now().Add(time.Hour)) },
			func() error { return failure(monitor.Next(context.Background())) },
		} {
			calls.Add(1)
			go func() {
				defer calls.Done()
				for {
					if err := call(); errors.Is(err, os.ErrClosed) {
						return
					}
				}
			}()
		}
		time.Sleep(2 * time.Millisecond)
		check(t, device.Close())
		check(t, monitor.Close())
		calls.Wait()
	}
}

// The garbage collector closes an unreachable device, with its reader and its writer.
func TestUnreachableDeviceIsClosed(t *testing.T) {
	func() {
		device := must(tuntap.Open("forgotten0", tuntap.TUN|tuntap.Offload))
		must(device.NewReader(0))
		must(device.NewWriter(0))
		must(device.NewMonitor(0))
		must(tuntap.NewSplitter(tuntap.TUN))
		must(tuntap.NewJoiner(tuntap.TUN))
		equal(t, "there", exists("forgotten0"), true)
		runtime.KeepAlive(device)
	}()
	waitFor(t, "the device is gone", func() bool {
		runtime.GC()
		return !exists("forgotten0")
	})
}
