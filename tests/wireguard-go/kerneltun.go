// SPDX-License-Identifier: MIT

// Package kerneltun replaces the ChannelTUN of wireguard-go's tests by a TUN device of the kernel, through wgtun.
package kerneltun

import (
	"net"
	"os"
	"sync"
	"syscall"

	"golang.zx2c4.com/wireguard/tun"
	"tuntap"
	"tuntap/wgtun"
)

// TUN has the channels of a ChannelTUN. A packet socket on the device is the other end of both.
type TUN struct {
	Inbound  chan []byte // what wireguard-go has written to the device
	Outbound chan []byte // what the kernel sends to the device

	device tun.Device
	index  int
	socket *os.File
	closed chan struct{}
	pumps  sync.WaitGroup
}

// New creates a device that is up. It panics if it fails, because the tests expect no error.
func New() *TUN {
	device, err := tuntap.Open("kernel%d", tuntap.TUN|tuntap.Offload, tuntap.WithMTU(1420), tuntap.WithUp())
	check(err)
	adapter, err := wgtun.New(device)
	check(err)
	name, err := adapter.Name()
	check(err)
	link, err := net.InterfaceByName(name)
	check(err)
	t := &TUN{
		Inbound: make(chan []byte), Outbound: make(chan []byte),
		device: adapter, index: link.Index, socket: packetSocket(link.Index), closed: make(chan struct{}),
	}
	t.pumps.Add(2)
	go t.receive()
	go t.send()
	return t
}

// TUN returns the device for wireguard-go, which closes it.
func (t *TUN) TUN() tun.Device { return closer{t.device, t} }

type closer struct {
	tun.Device
	tun *TUN
}

func (c closer) Close() error {
	close(c.tun.closed)
	err := c.Device.Close()
	c.tun.socket.Close()
	c.tun.pumps.Wait()
	return err
}

func (t *TUN) receive() {
	defer t.pumps.Done()
	buffer := make([]byte, 65536)
	for {
		n, err := t.socket.Read(buffer)
		if err != nil {
			return
		}
		select {
		case t.Inbound <- append([]byte(nil), buffer[:n]...):
		case <-t.closed:
			return
		}
	}
}

func (t *TUN) send() {
	defer t.pumps.Done()
	raw, err := t.socket.SyscallConn()
	check(err)
	to := &syscall.SockaddrLinklayer{Protocol: bigEndian(syscall.ETH_P_IP), Ifindex: t.index}
	for {
		select {
		case packet := <-t.Outbound:
			// A full queue drops packets, as any network does.
			raw.Write(func(fd uintptr) bool { return syscall.Sendto(int(fd), packet, 0, to) != syscall.EAGAIN })
		case <-t.closed:
			return
		}
	}
}

// packetSocket returns a socket that receives what the device gives the kernel, and not what the kernel sends.
func packetSocket(index int) *os.File {
	const ignoreOutgoing = 23 // PACKET_IGNORE_OUTGOING
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	check(err)
	check(syscall.SetsockoptInt(fd, syscall.SOL_PACKET, ignoreOutgoing, 1))
	all := &syscall.SockaddrLinklayer{Protocol: bigEndian(syscall.ETH_P_ALL), Ifindex: index}
	check(syscall.Bind(fd, all))
	return os.NewFile(uintptr(fd), "packets")
}

func bigEndian(value uint16) uint16 { return value>>8 | value<<8 }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
