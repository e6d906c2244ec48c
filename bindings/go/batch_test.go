// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"tuntap"
)

// expect receives datagrams and checks that together they are this payload.
func expect(t testing.TB, conn *net.UDPConn, payload []byte) {
	t.Helper()
	buffer := make([]byte, 65536)
	for len(payload) > 0 {
		check(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		n, err := conn.Read(buffer)
		if err != nil || n > len(payload) || !bytes.Equal(buffer[:n], payload[:n]) {
			t.Fatalf("%d bytes of an echo of %d: %v", n, len(payload), err)
		}
		payload = payload[n:]
	}
}

// echoes has a function for each way to echo the packets that a reader reads. A UDP socket of the kernel verifies their
// checksums, and the test verifies their order.
var echoes = map[string]func(r *tuntap.Reader, w *tuntap.Writer) (int, error){
	"WriteBatch": func(r *tuntap.Reader, w *tuntap.Writer) (int, error) {
		batch, err := r.ReadBatch()
		if err != nil {
			return 0, err
		}
		for _, packet := range batch.All() {
			swapEnds(packet)
		}
		return w.WriteBatch(batch)
	},
	"WritePackets": func(r *tuntap.Reader, w *tuntap.Writer) (int, error) {
		buffers, sizes := make([][]byte, 20), make([]int, 20)
		for i := range buffers {
			buffers[i] = make([]byte, 1500)
		}
		count, err := r.ReadPackets(buffers, sizes)
		if err != nil {
			return 0, err
		}
		for i := range count {
			buffers[i] = buffers[i][:sizes[i]]
			swapEnds(buffers[i])
		}
		return w.WritePackets(buffers[:count])
	},
	"Put": func(r *tuntap.Reader, w *tuntap.Writer) (int, error) {
		batch, err := r.ReadBatch()
		for _, packet := range batch.All() {
			swapEnds(packet)
			err = errors.Join(err, w.Put(packet))
		}
		return batch.Len(), errors.Join(err, w.Flush())
	},
	"Commit": func(r *tuntap.Reader, w *tuntap.Writer) (int, error) {
		batch, err := r.ReadBatch()
		for _, packet := range batch.All() {
			memory, failure := w.Reserve(len(packet) + 100)
			err = errors.Join(err, failure)
			swapEnds(memory[:copy(memory, packet)])
			err = errors.Join(err, w.Commit(len(packet)))
		}
		return batch.Len(), errors.Join(err, w.Flush())
	},
}

func TestEcho(t *testing.T) {
	for _, flags := range []tuntap.Flags{0, tuntap.Offload} {
		for name, echo := range echoes {
			t.Run(fmt.Sprint(name, " ", flags), func(t *testing.T) {
				device := tun(t, "echo0", 10, flags)
				r, w := must(device.NewReader(0)), must(device.NewWriter(0))
				defer r.Close()
				defer w.Close()
				conn := sender(t, "10.10.0.2:9")
				segment(t, conn, 500)
				payload := make([]byte, 30*500-13)
				for i := range payload {
					payload[i] = byte(i * 7)
				}
				for range 5 {
					must(conn.Write(payload))
					for count := 0; count < 30; {
						count += must(echo(r, w))
					}
					expect(t, conn, payload)
				}
				equal(t, "lost", must(w.Lost()), 0)
			})
		}
	}
}

func TestRoom(t *testing.T) {
	device := tun(t, "room0", 11, tuntap.Offload)
	r := must(device.NewReader(0))
	defer r.Close()
	check(t, r.SetRoom(16, 8))
	conn := sender(t, "10.11.0.2:9")
	segment(t, conn, 100)
	must(conn.Write(bytes.Repeat([]byte{1}, 950)))
	batch := must(r.ReadBatch())
	equal(t, "packets", batch.Len(), 10)
	equal(t, "run", batch.Run(0), 10)
	equal(t, "room", len(batch.Room(3)), 16+128+8)
	equal(t, "segments", len(batch.Segments(0)), 9*(16+128+8)+16+78+8)
	for i := range batch.Room(3) {
		batch.Room(3)[i] = 9
	}
	for i, packet := range batch.All() {
		equal(t, "first byte", packet[0], map[bool]byte{true: 9, false: 0x45}[i == 3])
	}
	equal(t, "slice", batch.Slice(2, 5).Run(0), 3)
	equal(t, "of the slice", batch.Slice(3, 4).Packet(0)[5], 9)
}

func TestShortBuffer(t *testing.T) {
	device := tun(t, "short0", 12, 0)
	r := must(device.NewReader(0))
	defer r.Close()
	conn := sender(t, "10.12.0.2:9")
	must(conn.Write([]byte("a")))
	must(conn.Write(make([]byte, 200)))
	buffers, sizes := [][]byte{make([]byte, 100), make([]byte, 100)}, make([]int, 2)
	equal(t, "packets", must(r.ReadPackets(buffers, sizes)), 1)
	if _, err := r.ReadPackets(buffers, sizes); !errors.Is(err, io.ErrShortBuffer) {
		t.Error("a small buffer:", err)
	}
	equal(t, "the packet that was left", must(r.ReadBatch()).Len(), 1)
}

func TestWriterErrors(t *testing.T) {
	device := tun(t, "werr0", 13, tuntap.Offload)
	w := must(device.NewWriter(0))
	good := ipv4("10.13.0.2", "10.13.0.1", protocol, []byte("x"))
	taken, err := w.WritePackets([][]byte{good, {1, 2, 3}, good})
	equal(t, "taken before a bad packet", taken, 1)
	if !errors.Is(err, tuntap.ReasonPacket) {
		t.Error("a bad packet:", err)
	}
	taken, err = w.WritePackets([][]byte{good, ipv4("10.13.0.2", "10.13.0.1", protocol, make([]byte, 1<<20))})
	equal(t, "taken before a long packet", taken, 1)
	if !errors.Is(err, syscall.EMSGSIZE) {
		t.Error("a long packet:", err)
	}
	if err := w.Put(nil); !errors.Is(err, tuntap.ReasonPacket) {
		t.Error("an empty packet:", err)
	}
	if _, err := w.Reserve(-1); err == nil {
		t.Error("a reservation of -1 bytes")
	}
	check(t, device.Down())
	_, err = w.WritePackets([][]byte{good, good})
	if !errors.Is(err, tuntap.ReasonDown) {
		t.Error("a device that is down:", err)
	}
	equal(t, "lost", must(w.Lost()), 2)
	check(t, w.Close())
	if err := w.Flush(); !errors.Is(err, os.ErrClosed) {
		t.Error("a closed writer:", err)
	}
}

// The garbage collector runs all the time, while the test passes Go memory to C and back.
func TestGarbageCollector(t *testing.T) {
	device := tun(t, "gc0", 14, tuntap.Offload)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	conn := sender(t, "10.14.0.2:9")
	segment(t, conn, 700)
	for range 20 {
		for _, echo := range echoes {
			r, w := must(device.NewReader(0)), must(device.NewWriter(0))
			payload := make([]byte, 20*700)
			must(conn.Write(payload))
			for count := 0; count < 20; {
				count += must(echo(r, w))
			}
			expect(t, conn, payload)
			check(t, r.Close())
			check(t, w.Close())
		}
		splitter := must(tuntap.NewSplitter(tuntap.TUN))
		for segment, err := range splitter.Split(new(tuntap.VnetHdr), ipv4("1.2.3.4", "1.2.3.5", 1, nil)) {
			check(t, err)
			equal(t, "segment", len(segment), 20)
		}
	}
}

func TestAllocations(t *testing.T) {
	device := tun(t, "alloc0", 15, tuntap.Offload)
	conn := sender(t, "10.15.0.2:9")
	segment(t, conn, 1000)
	r, w := must(device.NewReader(0)), must(device.NewWriter(0))
	defer r.Close()
	defer w.Close()
	payload, packet := make([]byte, 40*1000), make([]byte, device.ReadSize())
	buffers, sizes := make([][]byte, 64), make([]int, 64)
	for i := range buffers {
		buffers[i] = make([]byte, 1500)
	}
	good := ipv4("10.15.0.2", "10.15.0.1", protocol, []byte("x"))
	packets := make([][]byte, 64)
	for i := range packets {
		packets[i] = good
	}
	for name, f := range map[string]func(){
		"Read":         func() { must(conn.Write(payload[:100])); must(device.Read(packet)) },
		"Write":        func() { must(device.Write(good)) },
		"ReadBatch":    func() { must(conn.Write(payload)); must(r.ReadBatch()) },
		"ReadPackets":  func() { must(conn.Write(payload)); must(r.ReadPackets(buffers, sizes)) },
		"WritePackets": func() { must(w.WritePackets(packets)) },
		"Put":          func() { check(t, w.Put(good)); check(t, w.Flush()) },
	} {
		if raceEnabled {
			t.Skip("the race detector allocates")
		}
		if allocations := testing.AllocsPerRun(100, f); allocations >= 1 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}
