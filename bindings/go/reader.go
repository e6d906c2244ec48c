// SPDX-License-Identifier: MIT

package tuntap

// #include <errno.h>
// #include <stdlib.h>
// #include <tuntap.h>
//
// // A result of 0 is the end of a batch: the next call begins another one.
// static ssize_t next_batch(tuntap_reader *reader, tuntap_packet *packets, size_t count, tuntap_error *err)
// {
//     ssize_t result = tuntap_reader_batch(reader, packets, count, sizeof *packets, err);
//     return result == 0 ? tuntap_reader_batch(reader, packets, count, sizeof *packets, err) : result;
// }
//
// #cgo noescape next_batch
// #cgo nocallback next_batch
import "C"

import (
	"io"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// Reader reads packets in batches. With Offload this is much faster than Device.Read: one system call transfers up to
// 64 KiB, and each packet of a super-packet gets correct headers and checksums.
type Reader struct {
	mu      sync.Mutex
	device  *Device
	memory  readerMemory
	left    Batch
	size    int
	count   C.ssize_t
	e       C.tuntap_error
	try     func(fd uintptr) bool
	cleanup runtime.Cleanup
}

// readerMemory is what C has allocated.
type readerMemory struct {
	reader  *C.tuntap_reader // nil: closed
	packets *C.tuntap_packet
}

func (m readerMemory) free() {
	C.tuntap_reader_free(m.reader)
	C.free(unsafe.Pointer(m.packets))
}

// NewReader creates a reader. Flags are 0 or Trusted. Packets that a reader holds are not seen by Device.Read and by
// other readers.
func (d *Device) NewReader(flags Flags) (*Reader, error) {
	r := &Reader{device: d}
	err := d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_reader_new(dev, C.uint64_t(flags), &r.memory.reader, e)
	})
	if err != nil {
		return nil, err
	}
	r.memory.packets = (*C.tuntap_packet)(C.calloc(BatchSize, C.sizeof_tuntap_packet))
	r.try = r.attempt
	r.cleanup = runtime.AddCleanup(r, readerMemory.free, r.memory)
	return r, nil
}

// Close frees the reader and the packets that it holds. It waits for a call that reads: Device.Close or a deadline ends
// that.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory.reader == nil {
		return os.ErrClosed
	}
	r.cleanup.Stop()
	r.memory.free()
	r.memory, r.left = readerMemory{}, Batch{}
	return nil
}

// SetRoom sets the free space before and after each packet, for example for a header and an authentication tag. Packets
// that ReadPackets has left are lost.
func (r *Reader) SetRoom(headroom, tailroom int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory.reader == nil {
		return os.ErrClosed
	}
	err := call(func(e *C.tuntap_error) C.int {
		return C.tuntap_reader_set_room(r.memory.reader, C.size_t(headroom), C.size_t(tailroom), e)
	})
	if err == nil {
		r.left = Batch{headroom: headroom, tailroom: tailroom}
	}
	return err
}

// ReadBatch returns the packets that are there, at least one and at most BatchSize, without a copy. It waits for the
// first one. They are valid until the next call on this reader.
func (r *Reader) ReadBatch() (Batch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch, err := r.next(BatchSize)
	r.left.packets = nil
	return batch, err
}

// ReadPackets copies the packets that are there to the buffers, and their sizes to sizes. It returns their number, at
// least one, and waits for the first one. A packet that is larger than its buffer stays for the next call, and is
// io.ErrShortBuffer if it is the first.
func (r *Reader) ReadPackets(buffers [][]byte, sizes []int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(buffers) == 0 {
		return 0, nil
	}
	batch, err := r.next(min(len(buffers), len(sizes), BatchSize))
	count := 0
	for ; count < min(batch.Len(), len(buffers), len(sizes)); count++ {
		packet := batch.Packet(count)
		if len(packet) > len(buffers[count]) {
			break
		}
		sizes[count] = copy(buffers[count], packet)
	}
	r.left = batch.Slice(count, batch.Len())
	if count == 0 && err == nil {
		err = io.ErrShortBuffer
	}
	return count, err
}

// next returns the packets that an earlier call has left, or reads up to count packets.
func (r *Reader) next(count int) (Batch, error) {
	if r.memory.reader == nil {
		return r.left, os.ErrClosed
	}
	if r.left.Len() > 0 {
		return r.left, nil
	}
	r.size = count
	if err := r.device.poll.read(r.try); err != nil {
		return r.left, err
	}
	if r.count < 0 {
		return r.left, newError(&r.e)
	}
	batch := r.left
	batch.packets = unsafe.Slice(r.memory.packets, int(r.count))
	return batch, nil
}

// attempt makes the call, and reports whether it is complete.
func (r *Reader) attempt(uintptr) bool {
	r.count = C.next_batch(r.memory.reader, r.memory.packets, C.size_t(r.size), &r.e)
	return r.count != -C.EAGAIN
}
