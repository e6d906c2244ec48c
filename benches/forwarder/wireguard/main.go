// SPDX-License-Identifier: MIT

// wireguard IF0 IF1: forwards with wireguard-go's tun package and its offload, a goroutine for each direction. The
// package needs room for the virtio header before each packet.
package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.zx2c4.com/wireguard/tun"
)

const (
	offset = 10
	room   = offset + 65535
	mtu    = 1500
)

func open(name string) tun.Device {
	device, err := tun.CreateTUN(name, mtu)
	if err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		os.Exit(1)
	}
	return device
}

func forward(from, to tun.Device) {
	runtime.LockOSThread()
	batch := from.BatchSize()
	buffers, sizes := make([][]byte, batch), make([]int, batch)
	whole := make([][]byte, batch)
	for i := range whole {
		whole[i] = make([]byte, room)
	}
	for {
		copy(buffers, whole)
		count, err := from.Read(buffers, sizes, offset)
		if err != nil && count == 0 {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for i := range count {
			buffers[i] = whole[i][:offset+sizes[i]]
		}
		// A packet that the other device refuses is lost, as on any link.
		to.Write(buffers[:count], offset)
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: wireguard IF0 IF1")
		os.Exit(2)
	}
	first, second := open(os.Args[1]), open(os.Args[2])
	fmt.Println("ready")
	go forward(second, first)
	forward(first, second)
}
