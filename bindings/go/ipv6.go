// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

// IPv6Setting is how the kernel configures IPv6 on a device by itself.
type IPv6Setting uint32

const (
	IPv6AcceptRA    IPv6Setting = C.TUNTAP_IPV6_ACCEPT_RA     // router advertisements: 0 ignores them, 2 accepts them
	IPv6AddrGenMode IPv6Setting = C.TUNTAP_IPV6_ADDR_GEN_MODE // how addresses are generated: 1 generates none
	IPv6Disable     IPv6Setting = C.TUNTAP_IPV6_DISABLE       // 1 disables IPv6 on the device
)

// IPv6 returns a setting of IPv6 on the device.
func (d *Device) IPv6(setting IPv6Setting) (int, error) {
	value, err := get(d, func(dev *C.tuntap, value *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_ipv6(dev, C.uint32_t(setting), value, e)
	})
	return int(value), err
}

// SetIPv6 sets a setting of IPv6 on the device. Set IPv6AddrGenMode and IPv6AcceptRA before Up.
func (d *Device) SetIPv6(setting IPv6Setting, value int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_set_ipv6(dev, C.uint32_t(setting), number(value), e)
	})
}
