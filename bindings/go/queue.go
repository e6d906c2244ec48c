// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"net"
	"syscall"
	"unsafe"
)

// Attach attaches this queue to its device again, after Detach.
func (d *Device) Attach() error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_attach(dev, e) })
}

// Detach detaches this queue from its device: the kernel sends no further packets to it.
func (d *Device) Detach() error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_detach(dev, e) })
}

// SetSteeringEBPF sets the eBPF program that selects the queue of each packet. -1 removes it.
func (d *Device) SetSteeringEBPF(fd int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_steering_ebpf(dev, C.int(fd), e) })
}

// SetFilterEBPF sets the eBPF program that selects the packets that the kernel sends through the device. -1 removes it.
func (d *Device) SetFilterEBPF(fd int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_filter_ebpf(dev, C.int(fd), e) })
}

// SetFilterBPF sets the classic BPF filter that selects the frames that the kernel sends through a TAP. An empty one
// removes it.
func (d *Device) SetFilterBPF(filter []syscall.SockFilter) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_set_filter_bpf(dev, unsafe.Pointer(unsafe.SliceData(filter)), C.size_t(len(filter)), e)
	})
}

// SetFilterMAC selects the destination MAC addresses of the frames that the kernel sends through a TAP. Without
// addresses all frames pass.
func (d *Device) SetFilterMAC(macs []net.HardwareAddr, allMulticast bool) error {
	var flags C.uint64_t
	if allMulticast {
		flags = C.TUNTAP_ALL_MULTICAST
	}
	var all []C.uint8_t
	for _, mac := range macs {
		bytes, err := macBytes(mac)
		if err != nil {
			return err
		}
		all = append(all, bytes[:]...)
	}
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_set_filter_mac(dev, unsafe.SliceData(all), C.size_t(len(macs)), flags, e)
	})
}
