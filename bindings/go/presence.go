// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import "net"

// NoID is the owner or the group of a device that has none.
const NoID = -1

// Info is a TUN or TAP device of the system.
type Info struct {
	Name         string
	Index        int
	MTU          int
	Flags        Flags
	Owner, Group int // NoID: none
	Up, Carrier  bool
	MAC          net.HardwareAddr // zeros for a TUN
}

// List returns the TUN and TAP devices in the network namespace of the calling thread, including those of other
// programs.
func List() ([]Info, error) {
	devices, err := list(func(items *C.tuntap_info, count C.size_t, e *C.tuntap_error) C.ssize_t {
		return C.tuntap_list(items, count, C.sizeof_tuntap_info, e)
	})
	return convert(devices, func(c *C.tuntap_info) Info {
		return Info{
			Name: text(c.name[:]), Index: int(c.index), MTU: int(c.mtu), Flags: Flags(c.flags),
			Owner: idOf(c.owner), Group: idOf(c.group), Up: c.up != 0, Carrier: c.carrier != 0, MAC: macOf(&c.mac),
		}
	}), err
}

func idOf(id C.uint32_t) int {
	if id == C.TUNTAP_NO_ID {
		return NoID
	}
	return int(id)
}

// Delete deletes a persistent device by its name, in the network namespace of the calling thread.
func Delete(name string) error {
	return withText(name, func(name *C.char) error {
		return call(func(e *C.tuntap_error) C.int { return C.tuntap_delete(orEmpty(name), 0, e) })
	})
}

// Feature is something that an operating system, a kernel or a device can support.
type Feature uint32

const (
	FeatureTUN          Feature = C.TUNTAP_FEATURE_TUN
	FeatureTAP          Feature = C.TUNTAP_FEATURE_TAP
	FeaturePI           Feature = C.TUNTAP_FEATURE_PI
	FeatureMultiQueue   Feature = C.TUNTAP_FEATURE_MULTI_QUEUE
	FeaturePersist      Feature = C.TUNTAP_FEATURE_PERSIST
	FeatureOwner        Feature = C.TUNTAP_FEATURE_OWNER
	FeatureIPv4         Feature = C.TUNTAP_FEATURE_IPV4
	FeatureIPv6         Feature = C.TUNTAP_FEATURE_IPV6
	FeatureRoute        Feature = C.TUNTAP_FEATURE_ROUTE
	FeatureRename       Feature = C.TUNTAP_FEATURE_RENAME
	FeatureCarrier      Feature = C.TUNTAP_FEATURE_CARRIER
	FeatureNetns        Feature = C.TUNTAP_FEATURE_NETNS
	FeatureWake         Feature = C.TUNTAP_FEATURE_WAKE
	FeatureMonitor      Feature = C.TUNTAP_FEATURE_MONITOR
	FeatureSteering     Feature = C.TUNTAP_FEATURE_STEERING
	FeatureNAPI         Feature = C.TUNTAP_FEATURE_NAPI
	FeatureOffload      Feature = C.TUNTAP_FEATURE_OFFLOAD
	FeatureUSO          Feature = C.TUNTAP_FEATURE_USO
	FeatureFollow       Feature = C.TUNTAP_FEATURE_FOLLOW
	FeatureFindRoute    Feature = C.TUNTAP_FEATURE_FIND_ROUTE
	FeatureDefaultRoute Feature = C.TUNTAP_FEATURE_DEFAULT_ROUTE
	FeatureBypass       Feature = C.TUNTAP_FEATURE_BYPASS
	FeatureMaster       Feature = C.TUNTAP_FEATURE_MASTER
	FeatureIPv6Settings Feature = C.TUNTAP_FEATURE_IPV6_SETTINGS
	FeatureTunnelGSO    Feature = C.TUNTAP_FEATURE_TUNNEL_GSO
)

// Has reports whether the library supports a feature on this operating system. It makes no system call.
func Has(feature Feature) bool { return C.tuntap_has(C.uint32_t(feature)) != 0 }

// Probe reports whether the running kernel supports a feature.
func Probe(feature Feature) (bool, error) {
	var supported C.int
	err := call(func(e *C.tuntap_error) C.int { return C.tuntap_probe(nil, C.uint32_t(feature), &supported, e) })
	return supported != 0, err
}

// Probe reports whether the running kernel and this device support a feature.
func (d *Device) Probe(feature Feature) (bool, error) {
	supported, err := get(d, func(dev *C.tuntap, supported *C.int, e *C.tuntap_error) C.int {
		return C.tuntap_probe(dev, C.uint32_t(feature), supported, e)
	})
	return supported != 0, err
}

// Version returns the version of the library that is running, for example "0.1.0".
func Version() string { return C.GoString(C.tuntap_version()) }
