// SPDX-License-Identifier: MIT

package wgtun_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
	"tuntap"
	"tuntap/internal/private"
	"tuntap/wgtun"
)

func TestMain(m *testing.M) { os.Exit(private.Namespace(m.Run)) }

// The ways to create a device: with the original package, and with tuntap.
var creates = map[string]func(name string, mtu int) (tun.Device, error){
	"original": tun.CreateTUN,
	"tuntap":   wgtun.CreateTUN,
}

const mtu = 1420

// far is a thread in another network namespace. It runs functions there.
type far struct {
	calls chan func()
	path  string
}

func newFar(t testing.TB) *far {
	f := &far{calls: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with this goroutine, and the namespace with it
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		f.path = fmt.Sprintf("/proc/self/task/%d/ns/net", syscall.Gettid())
		ready <- err
		for call := range f.calls {
			call()
		}
	}()
	check(t, <-ready)
	t.Cleanup(func() { close(f.calls) })
	return f
}

// do runs a function in the namespace. A nil far is the namespace of the process.
func (f *far) do(call func()) {
	if f == nil {
		call()
		return
	}
	done := make(chan struct{})
	f.calls <- func() { call(); close(done) }
	<-done
}

func (f *far) ip(t testing.TB, words ...string) {
	t.Helper()
	f.do(func() {
		if shown, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			t.Errorf("ip %v: %s", words, shown)
		}
	})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type peer struct {
	key  *ecdh.PrivateKey
	port int
	wg   *device.Device
	tun  tun.Device
}

// tunnel connects 10.N.0.1 here and 10.N.0.2 in another namespace by wireguard-go, and returns a listener there.
func tunnel(t testing.TB, create func(string, int) (tun.Device, error), n int) (net.Listener, [2]peer) {
	t.Helper()
	other := newFar(t)
	var peers [2]peer
	for i := range peers {
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		check(t, err)
		namespace := [2]*far{nil, other}[i]
		name := fmt.Sprintf("wg%d%d", n, i)
		namespace.do(func() { peers[i].tun, err = create(name, mtu) })
		check(t, err)
		peers[i].key, peers[i].port = key, 20000+2*n+i
		// The UDP sockets of both devices are in this namespace.
		log := device.NewLogger(device.LogLevelError, name+" ")
		peers[i].wg = device.NewDevice(peers[i].tun, conn.NewDefaultBind(), log)
		t.Cleanup(peers[i].wg.Close)
		namespace.ip(t, "address", "add", fmt.Sprintf("10.%d.0.%d/24", n, i+1), "dev", name)
		namespace.ip(t, "link", "set", name, "up")
	}
	for i := range peers {
		to := peers[1-i]
		check(t, peers[i].wg.IpcSet(fmt.Sprintf("private_key=%x\nlisten_port=%d\n"+
			"public_key=%x\nallowed_ip=10.%d.0.%d/32\nendpoint=127.0.0.1:%d\n",
			peers[i].key.Bytes(), peers[i].port, to.key.PublicKey().Bytes(), n, 2-i, to.port)))
		check(t, peers[i].wg.Up())
	}
	var listener net.Listener
	var err error
	other.do(func() { listener, err = net.Listen("tcp4", fmt.Sprintf("10.%d.0.2:7", n)) })
	check(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener, peers
}

// transfer sends bytes through a tunnel, and returns the time until the other end has answered with their hash.
func transfer(t testing.TB, listener net.Listener, data []byte, times int) time.Duration {
	t.Helper()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		hash := sha256.New()
		buffer := make([]byte, 256<<10)
		for left := len(data) * times; left > 0; {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if left > len(data)*(times-1) {
				hash.Write(buffer[:min(n, left-len(data)*(times-1))])
			}
			left -= n
		}
		conn.Write(hash.Sum(nil))
	}()
	conn, err := net.DialTimeout("tcp4", listener.Addr().String(), 10*time.Second)
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(60*time.Second)))
	begin := time.Now()
	for range times {
		_, err := conn.Write(data)
		check(t, err)
	}
	answer, err := io.ReadAll(conn)
	check(t, err)
	taken := time.Since(begin)
	expected := sha256.Sum256(data)
	if !bytes.Equal(answer, expected[:]) {
		t.Fatalf("the other end received other bytes: %s", hex.EncodeToString(answer))
	}
	return taken
}

func random(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	return data
}

func TestTunnel(t *testing.T) {
	n := 100
	for name, create := range creates {
		t.Run(name, func(t *testing.T) {
			n++
			listener, _ := tunnel(t, create, n)
			transfer(t, listener, random(16<<20), 1)
		})
	}
}

func TestDevice(t *testing.T) {
	device, err := wgtun.CreateTUN("wg0", mtu)
	check(t, err)
	defer device.Close()
	if found, err := device.MTU(); err != nil || found != mtu {
		t.Error("MTU:", found, err)
	}
	if found, err := device.Name(); err != nil || found != "wg0" {
		t.Error("name:", found, err)
	}
	if device.File() == nil {
		t.Error("no file")
	}
	ip := (*far)(nil).ip
	ip(t, "link", "set", "wg0", "up")
	expectEvent(t, device, tun.EventUp)
	ip(t, "link", "set", "wg0", "mtu", "1300")
	expectEvent(t, device, tun.EventMTUUpdate)
	ip(t, "link", "set", "wg0", "down")
	expectEvent(t, device, tun.EventDown)
	if count, err := device.Write([][]byte{{0, 0, 1, 2, 3}}, 2); count != 0 || err == nil {
		t.Error("a bad packet:", count, err)
	}
	result := make(chan error)
	go func() {
		buffers, sizes := [][]byte{make([]byte, 2000)}, []int{0}
		var err error
		for err == nil {
			_, err = device.Read(buffers, sizes, 16)
		}
		result <- err
	}()
	time.Sleep(10 * time.Millisecond)
	check(t, device.Close())
	if err := <-result; !errors.Is(err, os.ErrClosed) {
		t.Error("closed:", err)
	}
	for range device.Events() {
	}
}

// Two goroutines close a device while all other methods run and the device goes up and down.
func TestClose(t *testing.T) {
	before := descriptors(t)
	for round := range 20 {
		device, err := wgtun.CreateTUN("close0", mtu)
		check(t, err)
		(*far)(nil).ip(t, "link", "set", "close0", "up")
		uses := []func() error{
			func() error { _, err := device.Read([][]byte{make([]byte, 2000)}, []int{0}, 16); return err },
			func() error { _, err := device.Write([][]byte{packet}, 0); return err },
			func() error { _, err := device.MTU(); return err },
			func() error { _, err := device.Name(); return err },
		}
		results := make(chan error, 2*len(uses))
		for range 2 {
			for _, use := range uses {
				go func() {
					var err error
					for err == nil || errors.Is(err, tuntap.ReasonDown) {
						err = use()
					}
					results <- err
				}()
			}
		}
		if round%2 == 0 {
			(*far)(nil).ip(t, "link", "set", "close0", "down")
		}
		closes := make(chan error, 2)
		for range 2 {
			go func() { closes <- device.Close() }()
		}
		if first, second := <-closes, <-closes; (first == nil) == (second == nil) {
			t.Error("close, twice:", first, second)
		}
		for range cap(results) {
			if err := <-results; !errors.Is(err, os.ErrClosed) {
				t.Error("after close:", err)
			}
		}
		for range device.Events() {
		}
		if _, err := net.InterfaceByName("close0"); err == nil {
			t.Error("the device is still there")
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// packet is an IPv4 header without data. Its protocol, 253, is for experiments.
var packet = []byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0x66, 0xd2, 10, 0, 0, 1, 10, 0, 0, 2}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(entries)
}

func expectEvent(t *testing.T, device tun.Device, expected tun.Event) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case event := <-device.Events():
			if event == expected {
				return
			}
		case <-timeout:
			t.Fatal("no event", expected)
		}
	}
}

// Compares TCP through a tunnel with the original package and with tuntap, in turn.
func BenchmarkTunnel(b *testing.B) {
	original, _ := tunnel(b, creates["original"], 111)
	ours, _ := tunnel(b, creates["tuntap"], 112)
	data := random(32 << 20)
	var originals, all, ratios []float64
	for b.Loop() {
		x := float64(len(data)*8) / 1e6 / transfer(b, original, data, 8).Seconds() * 8
		y := float64(len(data)*8) / 1e6 / transfer(b, ours, data, 8).Seconds() * 8
		originals, all, ratios = append(originals, x), append(all, y), append(ratios, y/x)
	}
	for _, values := range [][]float64{originals, all, ratios} {
		slices.Sort(values)
	}
	middle := len(ratios) / 2
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(originals[middle], "Mbit/s-original")
	b.ReportMetric(all[middle], "Mbit/s-tuntap")
	b.ReportMetric(ratios[middle], "ratio")
	b.ReportMetric(ratios[0], "lowest-ratio")
	b.ReportMetric(ratios[len(ratios)-1], "highest-ratio")
}
