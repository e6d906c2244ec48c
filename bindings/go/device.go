// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Device is a queue of an open TUN or TAP device.
type Device struct {
	// Held for reading by each call. Close takes it for writing, and so waits for the calls to end.
	mu      sync.RWMutex
	dev     *C.tuntap // nil: closed
	size    int       // of a buffer that holds every packet
	plain   bool      // a read of the descriptor gives the packet that Read returns
	poll    *poller
	cleanup runtime.Cleanup
}

// Open opens a device, or creates it if it does not exist. An empty name lets the kernel choose one, and "vpn%d" is the
// first free number. Either all options are applied, or none.
//
// The device belongs to the network namespace of the calling thread, unless there is WithNetns.
func Open(name string, flags Flags, options ...Option) (*Device, error) {
	var dev *C.tuntap
	err := withConfig(options, func(config *C.tuntap_config) error {
		return withText(name, func(name *C.char) error {
			return call(func(e *C.tuntap_error) C.int {
				return C.tuntap_open_config(name, C.uint64_t(flags|nonblock), config, &dev, e)
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return newDevice(dev)
}

// OpenFD takes over the descriptor of a device that was opened elsewhere, for example by another process. Flags are 0
// or Borrow. On success the Device uses a copy and the descriptor is closed, but with Borrow it still belongs to the
// caller.
func OpenFD(fd uintptr, flags Flags) (*Device, error) {
	var dev *C.tuntap
	err := call(func(e *C.tuntap_error) C.int {
		return C.tuntap_open_fd(C.int(fd), C.uint64_t(flags|Borrow|nonblock), &dev, e)
	})
	if err != nil {
		return nil, err
	}
	d, err := newDevice(dev)
	if err == nil && flags&Borrow == 0 {
		syscall.Close(int(fd))
	}
	return d, err
}

// OpenQueue opens another queue of a device with MultiQueue. Each queue is a Device of its own.
func (d *Device) OpenQueue() (*Device, error) {
	var queue *C.tuntap
	err := d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_open_queue(dev, nonblock, &queue, e)
	})
	if err != nil {
		return nil, err
	}
	return newDevice(queue)
}

// nonblock is a flag of every handle: the runtime's poller does the waiting.
const nonblock = C.TUNTAP_NONBLOCK

func newDevice(dev *C.tuntap) (*Device, error) {
	poll, err := newPoller(C.tuntap_get_fd(dev, nil), "tuntap")
	if err != nil {
		C.tuntap_close(dev)
		return nil, err
	}
	d := &Device{dev: dev, poll: poll, size: int(C.tuntap_read_size(dev)), plain: isPlain(dev)}
	d.cleanup = runtime.AddCleanup(d, func(dev *C.tuntap) { C.tuntap_close(dev) }, dev)
	return d, nil
}

// isPlain reports whether the descriptor has packets without a virtio header, as on Linux without Offload.
func isPlain(dev *C.tuntap) bool {
	var size C.size_t
	return runtime.GOOS == "linux" && C.tuntap_get_vnet_hdr_size(dev, &size, nil) < 0
}

// Close closes the device. Calls that wait return os.ErrClosed. The last handle of a device that is not persistent
// removes the device; its readers and writers count as handles until they are closed.
func (d *Device) Close() error {
	if err := d.poll.close(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cleanup.Stop()
	C.tuntap_close(d.dev)
	d.dev = nil
	return nil
}

// File returns a copy of the descriptor, for example to pass it to another process. The device stays until both are
// closed. With Offload each packet on the descriptor begins with the virtio header.
func (d *Device) File() (*os.File, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return nil, os.ErrClosed
	}
	return duplicate(C.tuntap_get_fd(d.dev, nil), "tuntap")
}

// SetDeadline sets the deadlines of reading and writing, including those of the readers and writers of the device. A
// zero time means no deadline.
func (d *Device) SetDeadline(t time.Time) error { return d.poll.wrap(d.poll.file.SetDeadline(t)) }

// SetReadDeadline sets the deadline of current and later reads.
func (d *Device) SetReadDeadline(t time.Time) error {
	return d.poll.wrap(d.poll.file.SetReadDeadline(t))
}

// SetWriteDeadline sets the deadline of current and later writes.
func (d *Device) SetWriteDeadline(t time.Time) error {
	return d.poll.wrap(d.poll.file.SetWriteDeadline(t))
}

// do calls a function of the device that returns 0 or a negative errno.
func (d *Device) do(f func(dev *C.tuntap, e *C.tuntap_error) C.int) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dev == nil {
		return os.ErrClosed
	}
	return call(func(e *C.tuntap_error) C.int { return f(d.dev, e) })
}

// get calls a function of the device that fills in a value.
func get[T any](d *Device, f func(dev *C.tuntap, value *T, e *C.tuntap_error) C.int) (T, error) {
	var value T
	err := d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return f(dev, &value, e) })
	return value, err
}

// set calls a function of the device with a text.
func (d *Device) set(value string, f func(dev *C.tuntap, value *C.char, e *C.tuntap_error) C.int) error {
	return withText(value, func(value *C.char) error {
		return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return f(dev, value, e) })
	})
}
