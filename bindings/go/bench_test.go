// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tuntap"
)

// compare runs rounds of two functions in turn, so that the ratio does not depend on the present speed of the machine.
// Each function runs a round and returns its nanoseconds per packet.
func compare(b *testing.B, bare, ours func() float64) {
	var bares, all, ratios []float64
	for b.Loop() {
		x, y := bare(), ours()
		bares, all, ratios = append(bares, x), append(all, y), append(ratios, y/x)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(bares), "ns-file")
	b.ReportMetric(median(all), "ns-tuntap")
	b.ReportMetric(median(ratios), "ratio")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// perPacket returns the nanoseconds per packet of f, which transfers this number of packets.
func perPacket(packets int, f func()) float64 {
	begin := time.Now()
	f()
	return float64(time.Since(begin).Nanoseconds()) / float64(packets)
}

const round = 400 // the queue of a device holds 500

// Reads one packet per call, with the library and with an os.File of the same descriptor.
func BenchmarkRead(b *testing.B) {
	device := tun(b, "bench0", 70, 0)
	file := must(device.File())
	defer file.Close()
	conn, buffer := sender(b, "10.70.0.2:9"), make([]byte, device.ReadSize())
	reads := func(read func([]byte) (int, error)) func() float64 {
		return func() float64 {
			for range round {
				must(conn.Write(buffer[:36]))
			}
			return perPacket(round, func() {
				for range round {
					must(read(buffer))
				}
			})
		}
	}
	compare(b, reads(file.Read), reads(device.Read))
}

func BenchmarkWrite(b *testing.B) {
	device := tun(b, "bench1", 71, 0)
	file := must(device.File())
	defer file.Close()
	packet := ipv4("10.71.0.2", "10.72.0.1", 17, make([]byte, 44))
	writes := func(write func([]byte) (int, error)) func() float64 {
		return func() float64 {
			return perPacket(round, func() {
				for range round {
					must(write(packet))
				}
			})
		}
	}
	compare(b, writes(file.Write), writes(device.Write))
}

// Reads and writes UDP super-packets, with each function for many packets.
func BenchmarkBatch(b *testing.B) {
	device := tun(b, "bench2", 73, tuntap.Offload)
	r, w := must(device.NewReader(0)), must(device.NewWriter(0))
	defer r.Close()
	defer w.Close()
	buffers, sizes, packets := make([][]byte, 128), make([]int, 128), make([][]byte, 128)
	for i := range buffers {
		buffers[i] = make([]byte, 2000)
	}
	for _, size := range []int{64, 1400} {
		conn := sender(b, "10.73.0.2:9")
		segment(b, conn, size)
		payload := make([]byte, min(64, 60000/size)*size)
		fill := func() { must(conn.Write(payload)) }
		count := len(payload) / size
		report := func(name string, prepare, transfer func()) {
			b.Run(fmt.Sprint(name, "/", size), func(b *testing.B) {
				var rounds []float64
				for b.Loop() {
					prepare()
					rounds = append(rounds, perPacket(count, transfer))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(rounds), "ns/packet")
			})
		}
		var batch tuntap.Batch
		report("ReadBatch", fill, func() { batch = must(r.ReadBatch()) })
		report("WriteBatch", func() { fill(); batch = must(r.ReadBatch()) }, func() { must(w.WriteBatch(batch)) })
		report("ReadPackets", fill, func() { must(r.ReadPackets(buffers, sizes)) })
		report("WritePackets", func() {
			fill()
			for i := range must(r.ReadPackets(buffers, sizes)) {
				packets[i] = buffers[i][:sizes[i]]
			}
		}, func() { must(w.WritePackets(packets[:count])) })
	}
}
