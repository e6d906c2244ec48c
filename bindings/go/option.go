// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import (
	"net"
	"net/netip"
)

// Option is an option of Open.
type Option func(config *C.tuntap_config) error

func withConfig(options []Option, f func(config *C.tuntap_config) error) error {
	var config *C.tuntap_config
	if err := call(func(e *C.tuntap_error) C.int { return C.tuntap_config_new(&config, e) }); err != nil {
		return err
	}
	defer C.tuntap_config_free(config)
	for _, option := range options {
		if err := option(config); err != nil {
			return err
		}
	}
	return f(config)
}

func option(f func(config *C.tuntap_config, e *C.tuntap_error) C.int) Option {
	return func(config *C.tuntap_config) error {
		return call(func(e *C.tuntap_error) C.int { return f(config, e) })
	}
}

func textOption(value string, f func(config *C.tuntap_config, value *C.char, e *C.tuntap_error) C.int) Option {
	return func(config *C.tuntap_config) error {
		return withText(value, func(value *C.char) error {
			return call(func(e *C.tuntap_error) C.int { return f(config, value, e) })
		})
	}
}

// WithUp brings the device up. A route needs a device that is up.
func WithUp() Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_up(config, 1, e)
	})
}

// WithDown takes the device down.
func WithDown() Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_up(config, 0, e)
	})
}

// WithPrefix adds an address with its prefix length.
func WithPrefix(prefix netip.Prefix) Option { return WithAddr(Addr{Prefix: prefix}) }

// WithAddr adds an address: see Device.AddAddr.
func WithAddr(addr Addr) Option { return addrOption(addr, 0) }

// WithReplacedAddr adds an address: see Device.ReplaceAddr.
func WithReplacedAddr(addr Addr) Option { return addrOption(addr, C.TUNTAP_REPLACE) }

func addrOption(addr Addr, flags C.uint64_t) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_add_addr(config, addr.c(), C.sizeof_tuntap_addr, flags, e)
	})
}

// WithRoute adds a route: see Device.AddRoute.
func WithRoute(route Route) Option { return routeOption(route, 0) }

// WithReplacedRoute adds a route: see Device.ReplaceRoute.
func WithReplacedRoute(route Route) Option { return routeOption(route, C.TUNTAP_REPLACE) }

func routeOption(route Route, flags C.uint64_t) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_add_route(config, route.c(), C.sizeof_tuntap_route, flags, e)
	})
}

// WithMTU sets the MTU.
func WithMTU(mtu int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_mtu(config, number(mtu), e)
	})
}

// WithMAC sets the MAC address of a TAP.
func WithMAC(mac net.HardwareAddr) Option {
	return func(config *C.tuntap_config) error {
		bytes, err := macBytes(mac)
		if err != nil {
			return err
		}
		return call(func(e *C.tuntap_error) C.int { return C.tuntap_config_set_mac(config, &bytes[0], e) })
	}
}

// WithAlias sets the alias, a text for people.
func WithAlias(alias string) Option {
	return textOption(alias, func(config *C.tuntap_config, alias *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_alias(config, orEmpty(alias), e)
	})
}

// WithTxQueueLen sets the number of packets that each queue holds for Read.
func WithTxQueueLen(packets int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_txqueuelen(config, number(packets), e)
	})
}

// WithSndBuf sets the send buffer: see Device.SetSndBuf.
func WithSndBuf(bytes int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_sndbuf(config, number(bytes), e)
	})
}

// WithOwner sets the user who may open the device without privilege.
func WithOwner(uid int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_owner(config, number(uid), e)
	})
}

// WithGroup sets the group whose members may open the device without privilege.
func WithGroup(gid int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_group(config, number(gid), e)
	})
}

// WithNode opens this device node instead of the usual one.
func WithNode(path string) Option {
	return textOption(path, func(config *C.tuntap_config, path *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_node(config, orEmpty(path), e)
	})
}

// WithNetns opens the device in another network namespace, for example "/run/netns/blue".
func WithNetns(path string) Option {
	return textOption(path, func(config *C.tuntap_config, path *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_netns(config, orEmpty(path), e)
	})
}

// WithNetnsFD opens the device in the network namespace of a descriptor, which still belongs to the caller.
func WithNetnsFD(fd uintptr) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_netns_fd(config, C.int(fd), e)
	})
}

// WithVnetHdrSize sets the size of the virtio header of a device with Offload, 10 to 256, for another program that uses
// it.
func WithVnetHdrSize(size int) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_vnet_hdr_size(config, C.size_t(size), e)
	})
}

// WithVnetEndian sets the byte order of the virtio header of a device with Offload, for another program that uses it.
func WithVnetEndian(endian Endian) Option {
	return option(func(config *C.tuntap_config, e *C.tuntap_error) C.int {
		return C.tuntap_config_set_vnet_endian(config, C.uint32_t(endian), e)
	})
}

// Endian is a byte order.
type Endian uint32

const (
	NativeEndian Endian = C.TUNTAP_ENDIAN_NATIVE
	LittleEndian Endian = C.TUNTAP_ENDIAN_LITTLE
	BigEndian    Endian = C.TUNTAP_ENDIAN_BIG
)
