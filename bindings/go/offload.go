// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"iter"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// VnetHdr is the virtio header of a super-packet: the work that is left to do on it.
type VnetHdr struct {
	Flags         uint8  // VnetNeedsCsum, VnetDataValid, VnetUDPTunnelCsum
	GSOType       uint8  // GSO...
	HdrLen        uint16 // the length of all headers: only a hint
	GSOSize       uint16 // payload bytes of each segment
	CsumStart     uint16 // offset of the TCP or UDP header, in a tunnel of the one inside
	CsumOffset    uint16 // offset of the checksum field, from CsumStart
	NumBuffers    uint16 // for virtio devices
	OuterThOffset uint16 // in a tunnel: offset of its UDP header
	InnerNhOffset uint16 // in a tunnel: offset of the IP header inside
}

const (
	VnetNeedsCsum     = C.TUNTAP_VNET_HDR_F_NEEDS_CSUM      // the checksum is partial
	VnetDataValid     = C.TUNTAP_VNET_HDR_F_DATA_VALID      // the checksum was verified and is good
	VnetUDPTunnelCsum = C.TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM // in a tunnel: the checksum of its UDP header is partial, too

	GSONone          = C.TUNTAP_VNET_HDR_GSO_NONE            // a plain packet
	GSOTCPv4         = C.TUNTAP_VNET_HDR_GSO_TCPV4           // a super-packet of TCP over IPv4
	GSOTCPv6         = C.TUNTAP_VNET_HDR_GSO_TCPV6           // a super-packet of TCP over IPv6
	GSOUDPL4         = C.TUNTAP_VNET_HDR_GSO_UDP_L4          // a super-packet of UDP
	GSOUDPTunnelIPv4 = C.TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4 // with another type: inside a UDP tunnel over IPv4
	GSOUDPTunnelIPv6 = C.TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6 // with another type: inside a UDP tunnel over IPv6
	GSOECN           = C.TUNTAP_VNET_HDR_GSO_ECN             // with a TCP type: only the first segment has the CWR flag
)

// Both have the same members, so that one pointer serves for both.
var _ = [1]struct{}{}[unsafe.Sizeof(VnetHdr{})-C.sizeof_tuntap_vnet_hdr]

func (h *VnetHdr) c() *C.tuntap_vnet_hdr { return (*C.tuntap_vnet_hdr)(unsafe.Pointer(h)) }

// Offloads returns the offloads of the device that are on.
func (d *Device) Offloads() (Offloads, error) {
	offloads, err := get(d, func(dev *C.tuntap, offloads *C.uint64_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_offloads(dev, offloads, e)
	})
	return Offloads(offloads), err
}

// SetOffloads sets which offloads are on. All others are turned off.
func (d *Device) SetOffloads(offloads Offloads) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_set_offloads(dev, C.uint64_t(offloads), e)
	})
}

// VnetHdrSize returns the size of the virtio header before each packet on the descriptor.
func (d *Device) VnetHdrSize() (int, error) {
	size, err := get(d, func(dev *C.tuntap, size *C.size_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_vnet_hdr_size(dev, size, e)
	})
	return int(size), err
}

// Splitter splits super-packets into packets, in memory.
type Splitter struct {
	mu       sync.Mutex
	splitter *C.tuntap_splitter // nil: closed
	cleanup  runtime.Cleanup
}

// NewSplitter creates a splitter. Flags are TUN or TAP, and optionally Trusted.
func NewSplitter(flags Flags) (*Splitter, error) {
	s := new(Splitter)
	err := call(func(e *C.tuntap_error) C.int { return C.tuntap_splitter_new(C.uint64_t(flags), &s.splitter, e) })
	if err != nil {
		return nil, err
	}
	s.cleanup = runtime.AddCleanup(s, func(c *C.tuntap_splitter) { C.tuntap_splitter_free(c) }, s.splitter)
	return s, nil
}

// Close frees the splitter.
func (s *Splitter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.splitter == nil {
		return os.ErrClosed
	}
	s.cleanup.Stop()
	C.tuntap_splitter_free(s.splitter)
	s.splitter = nil
	return nil
}

// Split splits a packet, which may be a super-packet, in place. Each segment lies within packet, and is valid until the
// next one. The last pair is an error, if there is one.
func (s *Splitter) Split(header *VnetHdr, packet []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.splitter == nil {
			yield(nil, os.ErrClosed)
			return
		}
		// The splitter keeps the address of the packet from call to call.
		var pinner runtime.Pinner
		defer pinner.Unpin()
		if len(packet) == 0 {
			packet = emptyPacket
		}
		pinner.Pin(unsafe.SliceData(packet))
		err := call(func(e *C.tuntap_error) C.int {
			return C.tuntap_splitter_begin(s.splitter, header.c(), C.sizeof_tuntap_vnet_hdr,
				unsafe.Pointer(&packet[:1][0]), C.size_t(len(packet)), e)
		})
		if err != nil {
			yield(nil, err)
			return
		}
		for s.yieldNext(packet, yield) {
		}
	}
}

func (s *Splitter) yieldNext(packet []byte, yield func([]byte, error) bool) bool {
	var segment unsafe.Pointer
	var e C.tuntap_error
	size := int(C.tuntap_splitter_next(s.splitter, &segment, &e))
	if size < 0 {
		yield(nil, newError(&e))
	}
	if size <= 0 {
		return false
	}
	at := int(uintptr(segment) - uintptr(unsafe.Pointer(unsafe.SliceData(packet))))
	return yield(packet[at:at+size:at+size], nil)
}

// Joiner joins packets into super-packets, in memory.
type Joiner struct {
	mu      sync.Mutex
	joiner  *C.tuntap_joiner // nil: closed
	cleanup runtime.Cleanup
}

// NewJoiner creates a joiner. Flags are TUN or TAP, and optionally Trusted.
func NewJoiner(flags Flags) (*Joiner, error) {
	j := new(Joiner)
	err := call(func(e *C.tuntap_error) C.int { return C.tuntap_joiner_new(C.uint64_t(flags), &j.joiner, e) })
	if err != nil {
		return nil, err
	}
	j.cleanup = runtime.AddCleanup(j, func(joiner *C.tuntap_joiner) { C.tuntap_joiner_free(joiner) }, j.joiner)
	return j, nil
}

// Close frees the joiner and the packets that it holds.
func (j *Joiner) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.joiner == nil {
		return os.ErrClosed
	}
	j.cleanup.Stop()
	C.tuntap_joiner_free(j.joiner)
	j.joiner = nil
	return nil
}

// Put copies a packet to the joiner. The error has ReasonAgain if there is no room: take the packets with Next first.
func (j *Joiner) Put(packet []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.joiner == nil {
		return os.ErrClosed
	}
	if len(packet) == 0 {
		return &Error{Errno: syscall.EINVAL, Reason: ReasonPacket, Message: "join a packet: it is empty"}
	}
	return call(func(e *C.tuntap_error) C.int {
		return C.tuntap_joiner_put(j.joiner, unsafe.Pointer(&packet[0]), C.size_t(len(packet)), e)
	})
}

// Next returns the next packet or super-packet and its header, or nil when none is left. The packet is valid until the
// next call on this joiner.
func (j *Joiner) Next() (*VnetHdr, []byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.joiner == nil {
		return nil, nil, os.ErrClosed
	}
	var packet unsafe.Pointer
	var e C.tuntap_error
	header := new(VnetHdr)
	size := int(C.tuntap_joiner_next(j.joiner, header.c(), C.sizeof_tuntap_vnet_hdr, &packet, &e))
	if size < 0 {
		return nil, nil, newError(&e)
	}
	if size == 0 {
		return nil, nil, nil
	}
	return header, unsafe.Slice((*byte)(packet), size), nil
}
