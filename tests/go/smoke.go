// SPDX-License-Identifier: MIT

// libtuntap through cgo: the lines that a Go program needs, and a look at what they did.
package main

/*
#cgo pkg-config: tuntap
#include <stdlib.h>
#include <tuntap.h>
*/
import "C"

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

func check(result C.int, err *C.tuntap_error) {
	if result < 0 {
		fmt.Printf("%s (%v)\n", C.GoString(&err.message[0]), syscall.Errno(-err.code))
		os.Exit(1)
	}
}

func main() {
	// A namespace is the thread's: stay on it.
	runtime.LockOSThread()
	if syscall.Unshare(syscall.CLONE_NEWNET) != nil {
		fmt.Println("SKIP: needs root, to make a network namespace")
		os.Exit(77)
	}
	var dev *C.tuntap
	var err C.tuntap_error
	name, address := C.CString("vpn%d"), C.CString("10.8.0.1/24")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(address))
	var second C.tuntap_addr
	for at, letter := range "10.9.0.1/24" {
		second.addr[at] = C.char(letter)
	}

	check(C.tuntap_open(name, C.TUNTAP_TUN, &dev, &err), &err)
	defer C.tuntap_close(dev)
	check(C.tuntap_set_addr(dev, address, &err), &err)
	check(C.tuntap_add_addr(dev, &second, C.sizeof_tuntap_addr, 0, &err), &err)
	check(C.tuntap_up(dev, &err), &err)
	var addrs [8]C.tuntap_addr
	count := C.tuntap_list_addrs(dev, &addrs[0], C.size_t(len(addrs)), C.sizeof_tuntap_addr, &err)
	if count < 2 || C.GoString(&addrs[1].addr[0]) != "10.9.0.1/24" {
		fmt.Println("listed:", count, C.GoString(&addrs[1].addr[0]))
		os.Exit(1)
	}

	var infos [4]C.tuntap_info
	count = C.tuntap_list(&infos[0], C.size_t(len(infos)), C.sizeof_tuntap_info, &err)
	if count != 1 || C.GoString(&infos[0].name[0]) != "vpn0" || infos[0].flags != C.TUNTAP_TUN {
		fmt.Println("devices:", count, C.GoString(&infos[0].name[0]))
		os.Exit(1)
	}

	link, failure := net.InterfaceByName("vpn0")
	if failure != nil || link.Flags&net.FlagUp == 0 {
		fmt.Println("vpn0:", failure, link)
		os.Exit(1)
	}
	addresses, _ := link.Addrs()
	if len(addresses) == 0 || addresses[0].String() != "10.8.0.1/24" {
		fmt.Println("vpn0 has", addresses)
		os.Exit(1)
	}

	// Batches, on a device with offload.
	var fast *C.tuntap
	var writer *C.tuntap_writer
	check(C.tuntap_open(nil, C.TUNTAP_TUN|C.TUNTAP_OFFLOAD, &fast, &err), &err)
	defer C.tuntap_close(fast)
	check(C.tuntap_up(fast, &err), &err)
	check(C.tuntap_writer_new(fast, 0, &writer, &err), &err)
	defer C.tuntap_writer_free(writer)
	packet := C.CBytes([]byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2})
	defer C.free(packet)
	check(C.tuntap_writer_put(writer, packet, 20, &err), &err)
	check(C.tuntap_writer_flush(writer, &err), &err)
	var stats C.tuntap_stats
	check(C.tuntap_get_stats(fast, &stats, C.sizeof_tuntap_stats, &err), &err)
	if stats.rx_packets != 1 {
		fmt.Println("the device took", stats.rx_packets, "packets")
		os.Exit(1)
	}

	// A list of them, in C's memory as all that it points to.
	list := (*C.tuntap_packet)(C.calloc(1, C.sizeof_tuntap_packet))
	defer C.free(unsafe.Pointer(list))
	*list = C.tuntap_packet{data: packet, size: 20}
	var taken C.size_t
	check(C.tuntap_writer_batch(writer, list, 1, C.sizeof_tuntap_packet, &taken, &err), &err)
	if taken != 1 {
		fmt.Println("the writer took", taken, "of 1 packet")
		os.Exit(1)
	}
}
