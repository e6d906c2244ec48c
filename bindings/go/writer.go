// SPDX-License-Identifier: MIT

package tuntap

// #include <errno.h>
// #include <stdlib.h>
// #include <tuntap.h>
//
// #cgo noescape tuntap_writer_put
// #cgo nocallback tuntap_writer_put
// #cgo noescape tuntap_writer_commit
// #cgo nocallback tuntap_writer_commit
// #cgo noescape tuntap_writer_batch
// #cgo nocallback tuntap_writer_batch
import "C"

import (
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// Writer writes packets in batches. With Offload it coalesces the packets of a flow into super-packets, and writes them
// with as few system calls as possible. Packets of one flow stay in order.
//
// A packet that the writer has accepted must not be written again. If the kernel refuses it, the next Flush, WriteBatch
// or WritePackets reports the loss.
type Writer struct {
	mu      sync.Mutex
	device  *Device
	memory  writerMemory
	packet  []byte            // Put
	size    C.size_t          // Commit
	rest    []C.tuntap_packet // a batch: what was not accepted yet
	result  C.int
	e       C.tuntap_error
	put     func(fd uintptr) bool
	commit  func(fd uintptr) bool
	batch   func(fd uintptr) bool
	cleanup runtime.Cleanup
}

// stageSize is the size of the memory in which WritePackets collects packets for one call of the library: larger than a
// packet.
const stageSize = 256 << 10

// writerMemory is what C has allocated.
type writerMemory struct {
	writer  *C.tuntap_writer // nil: closed
	packets *C.tuntap_packet
	stage   unsafe.Pointer
}

func (m writerMemory) free() {
	C.tuntap_writer_free(m.writer)
	C.free(unsafe.Pointer(m.packets))
	C.free(m.stage)
}

// NewWriter creates a writer. Flags are 0 or Trusted.
func (d *Device) NewWriter(flags Flags) (*Writer, error) {
	w := &Writer{device: d}
	err := d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_writer_new(dev, C.uint64_t(flags), &w.memory.writer, e)
	})
	if err != nil {
		return nil, err
	}
	w.memory.packets = (*C.tuntap_packet)(C.calloc(BatchSize, C.sizeof_tuntap_packet))
	w.memory.stage = C.malloc(stageSize)
	w.put, w.commit, w.batch = w.putAttempt, w.commitAttempt, w.batchAttempt
	w.cleanup = runtime.AddCleanup(w, writerMemory.free, w.memory)
	return w, nil
}

// Close frees the writer. Packets that it still holds are lost: call Flush before.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.memory.writer == nil {
		return os.ErrClosed
	}
	w.cleanup.Stop()
	w.memory.free()
	w.memory = writerMemory{}
	return nil
}

// Put copies a packet to the writer. It goes out with Flush, or earlier if the writer is full.
func (w *Writer) Put(packet []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packet = packet
	if len(packet) == 0 {
		w.packet = emptyPacket
	}
	err := w.wait(w.put)
	w.packet = nil
	return err
}

// Reserve reserves memory for a packet of at most size bytes, which Commit accepts from there. It is reserved until
// Commit succeeds, or until another method is called.
func (w *Writer) Reserve(size int) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.memory.writer == nil {
		return nil, os.ErrClosed
	}
	var packet unsafe.Pointer
	err := call(func(e *C.tuntap_error) C.int {
		return C.tuntap_writer_reserve(w.memory.writer, C.size_t(size), &packet, e)
	})
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(packet), size), nil
}

// Commit accepts the first bytes of the reserved memory as a packet, as Put accepts a copy.
func (w *Writer) Commit(size int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size = C.size_t(size)
	return w.wait(w.commit)
}

// Flush writes all collected packets to the device.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = nil
	return w.wait(w.batch)
}

// WriteBatch writes the packets of a Reader, without a copy before that of the writer. It returns how many were
// accepted: after an error continue with the next one, or, if its reason is ReasonPacket, with the one after that.
func (w *Writer) WriteBatch(batch Batch) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(batch.packets)
}

// WritePackets writes packets, as WriteBatch does.
func (w *Writer) WritePackets(packets [][]byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.memory.writer == nil {
		return 0, os.ErrClosed
	}
	total := 0
	for {
		staged := w.stage(packets[total:])
		taken, err := w.write(staged)
		total += taken
		if err != nil || total == len(packets) {
			return total, err
		}
	}
}

// Lost returns the number of packets that the writer accepted and the kernel refused.
func (w *Writer) Lost() (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.memory.writer == nil {
		return 0, os.ErrClosed
	}
	var lost C.uint64_t
	err := call(func(e *C.tuntap_error) C.int { return C.tuntap_writer_get_lost(w.memory.writer, &lost, e) })
	return uint64(lost), err
}

// stage copies as many packets to the memory of C as fit: C must not get a list of pointers to memory of Go. A packet
// that is too long for any device is cut, and is still too long.
func (w *Writer) stage(packets [][]byte) []C.tuntap_packet {
	memory := unsafe.Slice((*byte)(w.memory.stage), stageSize)
	list := unsafe.Slice(w.memory.packets, BatchSize)
	used := 0
	for i, packet := range packets {
		if i == len(list) || i > 0 && len(packet) > len(memory)-used {
			return list[:i]
		}
		list[i] = C.tuntap_packet{data: unsafe.Add(w.memory.stage, used), size: C.size_t(min(len(packet), stageSize))}
		used += copy(memory[used:], packet)
	}
	return list[:len(packets)]
}

func (w *Writer) write(packets []C.tuntap_packet) (int, error) {
	w.rest = packets
	err := w.wait(w.batch)
	taken := len(packets) - len(w.rest)
	w.rest = nil
	return taken, err
}

func (w *Writer) wait(try func(fd uintptr) bool) error {
	if w.memory.writer == nil {
		return os.ErrClosed
	}
	if err := w.device.poll.write(try); err != nil {
		return err
	}
	if w.result < 0 {
		return newError(&w.e)
	}
	return nil
}

// The following report whether the call is complete.

func (w *Writer) putAttempt(uintptr) bool {
	w.result = C.tuntap_writer_put(w.memory.writer, unsafe.Pointer(&w.packet[:1][0]), C.size_t(len(w.packet)), &w.e)
	return w.result != -C.EAGAIN
}

func (w *Writer) commitAttempt(uintptr) bool {
	w.result = C.tuntap_writer_commit(w.memory.writer, w.size, &w.e)
	return w.result != -C.EAGAIN
}

func (w *Writer) batchAttempt(uintptr) bool {
	var taken C.size_t
	w.result = C.tuntap_writer_batch(w.memory.writer, unsafe.SliceData(w.rest), C.size_t(len(w.rest)),
		C.sizeof_tuntap_packet, &taken, &w.e)
	w.rest = w.rest[taken:]
	return w.result != -C.EAGAIN
}
