// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"iter"
	"unsafe"
)

// BatchSize is the largest number of packets of a Batch.
const BatchSize = 128

// Batch is a number of packets in the memory of a Reader. They are valid until the next call on the Reader, and may be
// modified in place.
type Batch struct {
	packets            []C.tuntap_packet
	headroom, tailroom int
}

// Len returns the number of packets.
func (b Batch) Len() int { return len(b.packets) }

// Packet returns a packet.
func (b Batch) Packet(i int) []byte {
	return unsafe.Slice((*byte)(b.packets[i].data), int(b.packets[i].size))
}

// Room returns a packet with its headroom and tailroom: see Reader.SetRoom.
func (b Batch) Room(i int) []byte {
	return b.segments(i, 1)
}

// All returns the packets with their numbers.
func (b Batch) All() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for i := range b.packets {
			if !yield(i, b.Packet(i)) {
				return
			}
		}
	}
}

// Run returns the number of packets, from this one on, that have the same size and lie evenly spaced in memory. The
// last one may be shorter.
func (b Batch) Run(i int) int { return min(int(b.packets[i].run), len(b.packets)-i) }

// Segments returns the run that begins with a packet, with the room of each packet. One sendmsg with UDP_SEGMENT of
// len(b.Room(i)) sends it.
func (b Batch) Segments(i int) []byte { return b.segments(i, b.Run(i)) }

// Slice returns the packets from one number to another, which is excluded.
func (b Batch) Slice(from, to int) Batch {
	b.packets = b.packets[from:to]
	return b
}

func (b Batch) segments(i, count int) []byte {
	first, last := &b.packets[i], &b.packets[i+count-1]
	distance := int(uintptr(last.data) - uintptr(first.data))
	start := (*byte)(unsafe.Add(first.data, -b.headroom))
	return unsafe.Slice(start, b.headroom+distance+int(last.size)+b.tailroom)
}
