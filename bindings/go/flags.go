// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"fmt"
	"strings"
)

// Flags are the kind and the modes of a device.
type Flags uint64

const (
	TUN        Flags = C.TUNTAP_TUN         // carries IP packets
	TAP        Flags = C.TUNTAP_TAP         // carries Ethernet frames
	PI         Flags = C.TUNTAP_PI          // a header of 4 bytes before each packet
	MultiQueue Flags = C.TUNTAP_MULTI_QUEUE // can have several queues: see Device.OpenQueue
	Exclusive  Flags = C.TUNTAP_EXCLUSIVE   // Open fails if the device exists
	Persist    Flags = C.TUNTAP_PERSIST     // the device stays after it is closed
	NAPI       Flags = C.TUNTAP_NAPI        // written packets enter the network stack through NAPI
	NAPIFrags  Flags = C.TUNTAP_NAPI_FRAGS  // as NAPI, with fragments; TAP only
	Existing   Flags = C.TUNTAP_EXISTING    // Open fails if the device does not exist
	Borrow     Flags = C.TUNTAP_BORROW      // OpenFD: the descriptor still belongs to the caller
	Offload    Flags = C.TUNTAP_OFFLOAD     // the device passes super-packets of up to 64 KiB
	Trusted    Flags = C.TUNTAP_TRUSTED     // readers and writers: the integrity of packets is verified elsewhere
)

var flagNames = []string{"TUN", "TAP", "PI", "MultiQueue", "Exclusive", "", "Persist", "NAPI", "NAPIFrags", "Existing",
	"Borrow", "Offload", "Trusted"}

// String returns the names of the flags, for example "TUN|Offload".
func (f Flags) String() string { return names(uint64(f), flagNames) }

// Offloads are the kinds of super-packets that a device passes.
type Offloads uint64

const (
	OffloadCsum          Offloads = C.TUNTAP_F_CSUM                // packets may have a partial checksum
	OffloadTSO4          Offloads = C.TUNTAP_F_TSO4                // TCP over IPv4
	OffloadTSO6          Offloads = C.TUNTAP_F_TSO6                // TCP over IPv6
	OffloadTSOECN        Offloads = C.TUNTAP_F_TSO_ECN             // TCP with the ECN flags
	OffloadUSO4          Offloads = C.TUNTAP_F_USO4                // UDP over IPv4
	OffloadUSO6          Offloads = C.TUNTAP_F_USO6                // UDP over IPv6
	OffloadUDPTunnel     Offloads = C.TUNTAP_F_UDP_TUNNEL_GSO      // TCP and UDP inside a UDP tunnel
	OffloadUDPTunnelCsum Offloads = C.TUNTAP_F_UDP_TUNNEL_GSO_CSUM // the same, with a checksum of the tunnel's UDP header
)

// String returns the names of the offloads, for example "CSUM|TSO4".
func (o Offloads) String() string {
	return names(uint64(o), []string{"CSUM", "TSO4", "TSO6", "TSO_ECN", "", "USO4", "USO6",
		"UDPTunnel", "UDPTunnelCsum"})
}

// names joins the names of the bits, and adds the bits without a name as a number.
func names(bits uint64, table []string) string {
	var found []string
	for i, name := range table {
		if name != "" && bits&(1<<i) != 0 {
			found = append(found, name)
			bits &^= 1 << i
		}
	}
	if bits != 0 || len(found) == 0 {
		found = append(found, fmt.Sprintf("%#x", bits))
	}
	return strings.Join(found, "|")
}
