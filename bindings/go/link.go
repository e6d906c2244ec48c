// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import "net"

// Name returns the current name of the device, which other processes can change.
func (d *Device) Name() (string, error) {
	name, err := get(d, func(dev *C.tuntap, name *[C.TUNTAP_NAME_SIZE]C.char, e *C.tuntap_error) C.int {
		return C.tuntap_get_name(dev, &name[0], C.TUNTAP_NAME_SIZE, e)
	})
	return text(name[:]), err
}

// SetName renames the device.
func (d *Device) SetName(name string) error {
	return d.set(name, func(dev *C.tuntap, name *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_set_name(dev, orEmpty(name), e)
	})
}

// Index returns the interface index, as net.InterfaceByIndex takes it.
func (d *Device) Index() (int, error) {
	index, err := get(d, func(dev *C.tuntap, index *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_index(dev, index, e)
	})
	return int(index), err
}

// Flags returns the kind and the modes of the device, as granted by the kernel.
func (d *Device) Flags() (Flags, error) {
	flags, err := get(d, func(dev *C.tuntap, flags *C.uint64_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_flags(dev, flags, e)
	})
	return Flags(flags) &^ nonblock, err
}

// Up brings the device up.
func (d *Device) Up() error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_up(dev, e) })
}

// Down takes the device down. It keeps its addresses.
func (d *Device) Down() error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_down(dev, e) })
}

// IsUp reports whether the device is up.
func (d *Device) IsUp() (bool, error) {
	up, err := get(d, func(dev *C.tuntap, up *C.int, e *C.tuntap_error) C.int { return C.tuntap_get_up(dev, up, e) })
	return up != 0, err
}

// MTU returns the size of the largest IP packet.
func (d *Device) MTU() (int, error) {
	mtu, err := get(d, func(dev *C.tuntap, mtu *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_mtu(dev, mtu, e)
	})
	return int(mtu), err
}

// MTURange returns the range of the MTU.
func (d *Device) MTURange() (lowest, highest int, err error) {
	mtus, err := get(d, func(dev *C.tuntap, mtus *[2]C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_mtu_range(dev, &mtus[0], &mtus[1], e)
	})
	return int(mtus[0]), int(mtus[1]), err
}

// SetMTU sets the MTU.
func (d *Device) SetMTU(mtu int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_mtu(dev, number(mtu), e) })
}

// MAC returns the MAC address of a TAP.
func (d *Device) MAC() (net.HardwareAddr, error) {
	mac, err := get(d, func(dev *C.tuntap, mac *[C.TUNTAP_MAC_SIZE]C.uint8_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_mac(dev, &mac[0], e)
	})
	if err != nil {
		return nil, err
	}
	return macOf(&mac), nil
}

// SetMAC sets the MAC address of a TAP.
func (d *Device) SetMAC(mac net.HardwareAddr) error {
	bytes, err := macBytes(mac)
	if err != nil {
		return err
	}
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_mac(dev, &bytes[0], e) })
}

// Alias returns the alias of the device: a text for people, which has no effect.
func (d *Device) Alias() (string, error) {
	alias, err := get(d, func(dev *C.tuntap, alias *[C.TUNTAP_ALIAS_SIZE]C.char, e *C.tuntap_error) C.int {
		return C.tuntap_get_alias(dev, &alias[0], C.TUNTAP_ALIAS_SIZE, e)
	})
	return text(alias[:]), err
}

// SetAlias sets the alias. "" removes it.
func (d *Device) SetAlias(alias string) error {
	return d.set(alias, func(dev *C.tuntap, alias *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_set_alias(dev, orEmpty(alias), e)
	})
}

// Master returns the name of the bridge, or of another interface, that the device is a port of. The error has
// ReasonUnset if there is none.
func (d *Device) Master() (string, error) {
	master, err := get(d, func(dev *C.tuntap, master *[C.TUNTAP_NAME_SIZE]C.char, e *C.tuntap_error) C.int {
		return C.tuntap_get_master(dev, &master[0], C.TUNTAP_NAME_SIZE, e)
	})
	return text(master[:]), err
}

// SetMaster makes the device a port of a bridge, or of another interface. "" makes it a port of none.
func (d *Device) SetMaster(master string) error {
	return d.set(master, func(dev *C.tuntap, master *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_set_master(dev, master, e)
	})
}

// Carrier reports whether the device has a carrier.
func (d *Device) Carrier() (bool, error) {
	on, err := get(d, func(dev *C.tuntap, on *C.int, e *C.tuntap_error) C.int {
		return C.tuntap_get_carrier(dev, on, e)
	})
	return on != 0, err
}

// SetCarrier turns the carrier on or off, like plugging in or unplugging a cable.
func (d *Device) SetCarrier(on bool) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_carrier(dev, flag(on), e) })
}

// TxQueueLen returns the number of packets that each queue holds for Read.
func (d *Device) TxQueueLen() (int, error) {
	packets, err := get(d, func(dev *C.tuntap, packets *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_txqueuelen(dev, packets, e)
	})
	return int(packets), err
}

// SetTxQueueLen sets the number of packets that each queue holds for Read.
func (d *Device) SetTxQueueLen(packets int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int {
		return C.tuntap_set_txqueuelen(dev, number(packets), e)
	})
}

// SndBuf returns the number of bytes of written packets that the kernel may still be processing before Write waits.
func (d *Device) SndBuf() (int, error) {
	bytes, err := get(d, func(dev *C.tuntap, bytes *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_sndbuf(dev, bytes, e)
	})
	return int(bytes), err
}

// SetSndBuf sets the send buffer of all queues. A new device has no limit.
func (d *Device) SetSndBuf(bytes int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_sndbuf(dev, number(bytes), e) })
}

// SetPersist sets whether the device stays after it is closed.
func (d *Device) SetPersist(on bool) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_persist(dev, flag(on), e) })
}

// Owner returns the user who may open the device without privilege. The error has ReasonUnset if there is none.
func (d *Device) Owner() (int, error) {
	uid, err := get(d, func(dev *C.tuntap, uid *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_owner(dev, uid, e)
	})
	return int(uid), err
}

// SetOwner sets the user who may open the device without privilege.
func (d *Device) SetOwner(uid int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_owner(dev, number(uid), e) })
}

// Group returns the group whose members may open the device without privilege. The error has ReasonUnset if there is
// none.
func (d *Device) Group() (int, error) {
	gid, err := get(d, func(dev *C.tuntap, gid *C.uint32_t, e *C.tuntap_error) C.int {
		return C.tuntap_get_group(dev, gid, e)
	})
	return int(gid), err
}

// SetGroup sets the group whose members may open the device without privilege.
func (d *Device) SetGroup(gid int) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_group(dev, number(gid), e) })
}

// SetNetns moves the device to another network namespace, for example "/run/netns/blue". It loses its addresses and
// routes.
func (d *Device) SetNetns(path string) error {
	return d.set(path, func(dev *C.tuntap, path *C.char, e *C.tuntap_error) C.int {
		return C.tuntap_set_netns(dev, orEmpty(path), e)
	})
}

// SetNetnsFD moves the device to the network namespace of a descriptor, which still belongs to the caller.
func (d *Device) SetNetnsFD(fd uintptr) error {
	return d.do(func(dev *C.tuntap, e *C.tuntap_error) C.int { return C.tuntap_set_netns_fd(dev, C.int(fd), e) })
}

// Stats are the counters of a device, from the view of the kernel: it receives what Write writes, and transmits what
// Read reads. A super-packet counts as one packet.
type Stats struct {
	RxPackets, TxPackets uint64
	RxBytes, TxBytes     uint64
	RxErrors, TxErrors   uint64
	RxDropped, TxDropped uint64
}

// Stats returns the counters of the device.
func (d *Device) Stats() (Stats, error) {
	stats, err := get(d, func(dev *C.tuntap, stats *C.tuntap_stats, e *C.tuntap_error) C.int {
		return C.tuntap_get_stats(dev, stats, C.sizeof_tuntap_stats, e)
	})
	return Stats{
		RxPackets: uint64(stats.rx_packets), TxPackets: uint64(stats.tx_packets),
		RxBytes: uint64(stats.rx_bytes), TxBytes: uint64(stats.tx_bytes),
		RxErrors: uint64(stats.rx_errors), TxErrors: uint64(stats.tx_errors),
		RxDropped: uint64(stats.rx_dropped), TxDropped: uint64(stats.tx_dropped),
	}, err
}
