// SPDX-License-Identifier: MIT

package tuntap

// #include <errno.h>
// #include <tuntap.h>
//
// #cgo noescape tuntap_read
// #cgo nocallback tuntap_read
// #cgo noescape tuntap_write
// #cgo nocallback tuntap_write
// #cgo noescape tuntap_read_super
// #cgo nocallback tuntap_read_super
// #cgo noescape tuntap_write_super
// #cgo nocallback tuntap_write_super
import "C"

import (
	"os"
	"sync"
	"unsafe"
)

// emptyPacket is passed to C instead of a packet of 0 bytes, because C accepts no NULL.
var emptyPacket = []byte{0}[:0:1]

// ReadSize returns the size of a buffer that holds every packet of this device. Read is fastest with a buffer of this
// size.
func (d *Device) ReadSize() int { return d.size }

// Read reads one packet that the kernel sends through the device. A packet that is longer than the buffer is lost, with
// syscall.EMSGSIZE.
func (d *Device) Read(packet []byte) (int, error) {
	// A packet that cannot be too long needs nothing of the library. If this fails, the library finds the reason.
	if d.plain && len(packet) >= d.size {
		if n, err := d.poll.file.Read(packet); err == nil {
			return n, nil
		}
	}
	return d.transfer(packet, nil, reading)
}

// Write writes one packet to the kernel, which handles it as received through the device.
func (d *Device) Write(packet []byte) (int, error) { return d.transfer(packet, nil, writing) }

// ReadSuper reads a packet or a super-packet without segmentation, and its virtio header, from a device with Offload.
func (d *Device) ReadSuper(header *VnetHdr, packet []byte) (int, error) {
	return d.transfer(packet, header, readingSuper)
}

// WriteSuper writes a packet or a super-packet, and its virtio header, to a device with Offload.
func (d *Device) WriteSuper(header *VnetHdr, packet []byte) (int, error) {
	return d.transfer(packet, header, writingSuper)
}

type transferKind int

const (
	reading transferKind = iota
	writing
	readingSuper
	writingSuper
)

// transfer is a call that transfers one packet. It is used again, so that a packet costs no allocation.
type transfer struct {
	kind   transferKind
	dev    *C.tuntap
	header *VnetHdr
	packet []byte
	count  C.ssize_t
	e      C.tuntap_error
	try    func(fd uintptr) bool
}

var transfers = sync.Pool{New: func() any {
	t := new(transfer)
	t.try = t.attempt
	return t
}}

func (d *Device) transfer(packet []byte, header *VnetHdr, kind transferKind) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return 0, os.ErrClosed
	}
	t := transfers.Get().(*transfer)
	defer t.put()
	t.kind, t.dev, t.header, t.packet = kind, d.dev, header, packet
	if len(packet) == 0 {
		t.packet = emptyPacket
	}
	wait := d.poll.read
	if kind == writing || kind == writingSuper {
		wait = d.poll.write
	}
	if err := wait(t.try); err != nil {
		return 0, err
	}
	if t.count < 0 {
		return 0, newError(&t.e)
	}
	return int(t.count), nil
}

// attempt makes the call, and reports whether it is complete.
func (t *transfer) attempt(uintptr) bool {
	// The address is taken in each call, so that cgo sees bytes and not what is around them.
	size := C.size_t(len(t.packet))
	switch t.kind {
	case reading:
		t.count = C.tuntap_read(t.dev, unsafe.Pointer(&t.packet[:1][0]), size, &t.e)
	case writing:
		t.count = C.tuntap_write(t.dev, unsafe.Pointer(&t.packet[:1][0]), size, &t.e)
	case readingSuper:
		t.count = C.tuntap_read_super(t.dev, t.header.c(), C.sizeof_tuntap_vnet_hdr,
			unsafe.Pointer(&t.packet[:1][0]), size, &t.e)
	case writingSuper:
		t.count = C.tuntap_write_super(t.dev, t.header.c(), C.sizeof_tuntap_vnet_hdr,
			unsafe.Pointer(&t.packet[:1][0]), size, &t.e)
	}
	return t.count != -C.EAGAIN
}

func (t *transfer) put() {
	t.dev, t.header, t.packet = nil, nil, nil
	transfers.Put(t)
}
