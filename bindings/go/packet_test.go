// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"tuntap"
)

// protocol is an IP protocol number for experiments: no host answers.
const protocol = 253

func sum(data []byte) uint16 {
	total := uint32(0)
	for i := 0; i+1 < len(data); i += 2 {
		total += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for total>>16 != 0 {
		total = total&0xffff + total>>16
	}
	return ^uint16(total)
}

func ipv4(source, destination string, kind byte, payload []byte) []byte {
	packet := make([]byte, 20, 20+len(payload))
	packet[0], packet[8], packet[9] = 0x45, 64, kind
	binary.BigEndian.PutUint16(packet[2:], uint16(20+len(payload)))
	copy(packet[12:], netip.MustParseAddr(source).AsSlice())
	copy(packet[16:], netip.MustParseAddr(destination).AsSlice())
	binary.BigEndian.PutUint16(packet[10:], sum(packet))
	return append(packet, payload...)
}

// sender returns a socket that sends UDP to a host behind a device.
func sender(t testing.TB, to string) *net.UDPConn {
	t.Helper()
	conn := must(net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// quiet turns off IPv6 on a device, so that the kernel sends no packets through it by itself.
func quiet(t testing.TB, name string) {
	t.Helper()
	check(t, os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0))
}

// tun opens a quiet device that has 10.N.0.1/24.
func tun(t testing.TB, name string, n int, flags tuntap.Flags, options ...tuntap.Option) *tuntap.Device {
	t.Helper()
	device := open(t, name, tuntap.TUN|flags, options...)
	quiet(t, name)
	check(t, device.SetAddr(netip.MustParsePrefix(fmt.Sprintf("10.%d.0.1/24", n))))
	check(t, device.Up())
	return device
}

func TestRead(t *testing.T) {
	for _, flags := range []tuntap.Flags{0, tuntap.Offload} {
		t.Run(flags.String(), func(t *testing.T) {
			device := tun(t, "read0", 1, flags)
			conn := sender(t, "10.1.0.2:9")
			segment(t, conn, 6)
			must(conn.Write([]byte("first second")))
			packet := make([]byte, device.ReadSize())
			for _, payload := range []string{"first ", "second"} {
				n := must(device.Read(packet))
				equal(t, "payload", string(packet[28:n]), payload)
			}
			segment(t, conn, 0)
			must(conn.Write(make([]byte, 100)))
			if _, err := device.Read(packet[:50]); !errors.Is(err, syscall.EMSGSIZE) {
				t.Error("a small buffer:", err)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	device := tun(t, "write0", 2, 0)
	receiver := must(net.ListenPacket("ip4:253", "10.2.0.1"))
	defer receiver.Close()
	packet := ipv4("10.2.0.2", "10.2.0.1", protocol, []byte("to a raw socket"))
	equal(t, "length", must(device.Write(packet)), len(packet))
	check(t, receiver.SetReadDeadline(time.Now().Add(5*time.Second)))
	buffer := make([]byte, 100)
	n, from, err := receiver.ReadFrom(buffer)
	check(t, err)
	equal(t, "payload", string(buffer[:n]), "to a raw socket")
	equal(t, "source", from.String(), "10.2.0.2")
	equal(t, "packets", must(device.Stats()).RxPackets, showLink(t, "write0").Stats.Rx.Packets)
	equal(t, "bytes", must(device.Stats()).RxBytes, uint64(len(packet)))
}

// The rules of cgo allow a buffer in a struct that also has pointers.
func TestBufferInStructWithPointers(t *testing.T) {
	device := tun(t, "among0", 3, 0)
	holder := &struct {
		before *int
		buffer [100]byte
		after  *int
	}{before: new(int), after: new(int)}
	must(sender(t, "10.3.0.2:9").Write([]byte("x")))
	equal(t, "length", must(device.Read(holder.buffer[:])), 29)
	copy(holder.buffer[12:], ipv4("10.3.0.2", "10.3.0.1", protocol, nil)[12:20])
	must(device.Write(holder.buffer[:29]))
	w := must(device.NewWriter(0))
	defer w.Close()
	check(t, w.Put(holder.buffer[:29]))
}

func TestDeadline(t *testing.T) {
	device := tun(t, "dead0", 4, 0)
	packet := make([]byte, device.ReadSize())
	for _, buffer := range [][]byte{packet, packet[:1500]} {
		check(t, device.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		if _, err := device.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("after the deadline:", err)
		}
	}
	check(t, device.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	begin := time.Now()
	_, err := device.Read(packet)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("after the deadline:", err)
	}
	if time.Since(begin) < 50*time.Millisecond {
		t.Error("the wait ended early")
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error("not a timeout:", err)
	}
	check(t, device.SetReadDeadline(time.Time{}))
	must(sender(t, "10.4.0.2:9").Write([]byte("later")))
	equal(t, "length", must(device.Read(packet)), 33)
}

func TestContext(t *testing.T) {
	device := tun(t, "ctx0", 5, 0)
	ctx, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() { device.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	result := make(chan error)
	go func() {
		_, err := device.Read(make([]byte, 2000))
		result <- err
	}()
	select {
	case err := <-result:
		t.Fatal("before the end of the context:", err)
	case <-time.After(20 * time.Millisecond):
	}
	cancel()
	if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestRemovedWhileReading(t *testing.T) {
	for name, size := range map[string]int{"any packet": 70000, "small packets": 2000} {
		t.Run(name, func(t *testing.T) {
			device := tun(t, "gone0", 6, 0)
			result := make(chan error)
			read := func() { result <- failure(device.Read(make([]byte, size))) }
			go read()
			waitFor(t, "it waits", func() bool { return waiting("tuntap.(*Device).Read(") == 1 })
			mustIP("link", "delete", "gone0")
			for range 3 {
				if err := <-result; !errors.Is(err, syscall.ENODEV) || !errors.Is(err, tuntap.ReasonRemoved) {
					t.Error("removed:", err)
				}
				go read()
			}
			<-result
			_, err := device.Write(ipv4("10.6.0.2", "10.6.0.1", protocol, nil))
			if !errors.Is(err, tuntap.ReasonRemoved) {
				t.Error("write:", err)
			}
			check(t, device.Close())
		})
	}
}

// A TAP has a small send buffer, and its frames leave through a very slow link: a write waits for free space.
func TestWriteWaits(t *testing.T) {
	tap := open(t, "full0", tuntap.TAP, tuntap.WithUp())
	quiet(t, "full0")
	mustIP("link", "add", "bridge0", "type", "bridge", "mcast_snooping", "0")
	defer mustIP("link", "delete", "bridge0")
	mustIP("link", "add", "slow0", "type", "veth", "peer", "name", "far0")
	defer mustIP("link", "delete", "slow0")
	for _, name := range []string{"full0", "slow0"} {
		mustIP("link", "set", name, "master", "bridge0")
	}
	for _, name := range []string{"far0", "slow0", "bridge0"} {
		mustIP("link", "set", name, "up")
	}
	for _, name := range []string{"full0", "slow0"} {
		waitFor(t, name+" forwards", func() bool { return showLink(t, name).Info.Port.State == "forwarding" })
	}
	tc := func(words ...string) { check(t, exec.Command("tc", words...).Run()) }
	tc("qdisc", "add", "dev", "slow0", "root", "tbf", "rate", "64bit", "burst", "1600", "limit", "1000000")
	check(t, tap.SetSndBuf(10000))
	frame := append([]byte{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2, 0x88, 0xb5}, make([]byte, 986)...)

	check(t, tap.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	var err error
	written := 0
	for ; err == nil && written < 1000; written++ {
		_, err = tap.Write(frame)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("after %d frames: %v", written, err)
	}
	check(t, tap.SetWriteDeadline(time.Time{}))
	w := must(tap.NewWriter(0))
	defer w.Close()
	result := make(chan error)
	go func() {
		_, err := tap.Write(frame)
		result <- err
	}()
	go func() {
		taken, err := w.WritePackets([][]byte{frame, frame, frame})
		equal(t, "frames taken", taken, 3)
		result <- err
	}()
	select {
	case err := <-result:
		t.Error("a write did not wait:", err)
	case <-time.After(50 * time.Millisecond):
	}
	tc("qdisc", "del", "dev", "slow0", "root")
	check(t, <-result)
	check(t, <-result)
}

func TestSuper(t *testing.T) {
	device := tun(t, "super0", 7, tuntap.Offload)
	conn := sender(t, "10.7.0.2:9")
	segment(t, conn, 100)
	payload := bytes.Repeat([]byte("0123456789"), 40)
	must(conn.Write(payload))
	var header tuntap.VnetHdr
	packet := make([]byte, device.ReadSize())
	n := must(device.ReadSuper(&header, packet))
	equal(t, "length", n, 428)
	equal(t, "type", header.GSOType, tuntap.GSOUDPL4)
	equal(t, "size", header.GSOSize, 100)

	splitter := must(tuntap.NewSplitter(tuntap.TUN))
	defer splitter.Close()
	joiner := must(tuntap.NewJoiner(tuntap.TUN))
	defer joiner.Close()
	super := bytes.Clone(packet[:n])
	count := 0
	for segment, err := range splitter.Split(&header, packet[:n]) {
		check(t, err)
		equal(t, "segment", string(segment[28:]), string(payload[count*100:count*100+100]))
		check(t, joiner.Put(segment))
		count++
	}
	equal(t, "segments", count, 4)
	joined, again, err := joiner.Next()
	check(t, err)
	equal(t, "size of a joined packet", joined.GSOSize, 100)
	if !bytes.Equal(again[28:], super[28:]) {
		t.Error("the joined payload is another one")
	}
	swapEnds(again)
	must(device.WriteSuper(joined, again))
	received := make([]byte, 1000)
	for at := 0; at < len(payload); {
		check(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		n := must(conn.Read(received))
		equal(t, "echo", string(received[:n]), string(payload[at:at+n]))
		at += n
	}
	_, rest, err := joiner.Next()
	check(t, err)
	equal(t, "packets left", len(rest), 0)
}

// segment makes a socket send its datagrams as one super-packet of UDP.
func segment(t testing.TB, conn *net.UDPConn, size int) {
	t.Helper()
	const udpSegment = 103
	check(t, must(conn.SyscallConn()).Control(func(fd uintptr) {
		check(t, syscall.SetsockoptInt(int(fd), syscall.IPPROTO_UDP, udpSegment, size))
	}))
}

// swapEnds exchanges the source and the destination of a UDP packet. The checksums stay correct.
func swapEnds(packet []byte) {
	for i := range 4 {
		packet[12+i], packet[16+i] = packet[16+i], packet[12+i]
	}
	packet[20], packet[21], packet[22], packet[23] = packet[22], packet[23], packet[20], packet[21]
}
