// SPDX-License-Identifier: MIT

package tuntap

// #include <fcntl.h>
// #include <tuntap.h>
//
// static int duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }
import "C"

import (
	"os"
	"sync/atomic"
	"syscall"
)

// poller waits for a descriptor of the library in the runtime's poller. It has a copy of the descriptor, because an
// os.File closes its own.
type poller struct {
	file   *os.File
	raw    syscall.RawConn
	closed atomic.Bool
}

func newPoller(fd C.int, name string) (*poller, error) {
	file, err := duplicate(fd, name)
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &poller{file: file, raw: raw}, nil
}

func duplicate(fd C.int, name string) (*os.File, error) {
	copied, err := C.duplicate(fd)
	if copied < 0 {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// Only a non-blocking descriptor goes to the poller. Those of devices are non-blocking already.
	if err := syscall.SetNonblock(int(copied), true); err != nil {
		syscall.Close(int(copied))
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(copied), name), nil
}

// read calls try until it returns true, and waits before each further call until the descriptor is readable.
func (p *poller) read(try func(fd uintptr) bool) error {
	return p.result(p.raw.Read(try), try)
}

// write is read for a descriptor that is writable.
func (p *poller) write(try func(fd uintptr) bool) error {
	return p.result(p.raw.Write(try), try)
}

func (p *poller) result(err error, try func(fd uintptr) bool) error {
	// The poller does not wait for a device that is gone. The library has a better error for it.
	if err = p.wrap(err); err != nil && err != os.ErrClosed && err != os.ErrDeadlineExceeded && try(0) {
		return nil
	}
	return err
}

// wrap returns os.ErrClosed for an error of a closed file, which has no name.
func (p *poller) wrap(err error) error {
	if err != nil && p.closed.Load() {
		return os.ErrClosed
	}
	return err
}

// close ends all waits, current and later ones.
func (p *poller) close() error {
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	return p.file.Close()
}
