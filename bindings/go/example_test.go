// SPDX-License-Identifier: MIT

package tuntap_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"time"

	"tuntap"
)

func Example() {
	device, err := tuntap.Open("vpn%d", tuntap.TUN, tuntap.WithUp(),
		tuntap.WithPrefix(netip.MustParsePrefix("10.8.0.1/24")))
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	conn, err := net.Dial("udp", "10.8.0.2:9") // any program that sends a packet to the network of the device
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "hello")

	packet := make([]byte, device.ReadSize())
	for {
		n, err := device.Read(packet)
		if err != nil {
			log.Fatal(err)
		}
		if packet[0]>>4 == 4 { // the kernel also sends IPv6 packets by itself
			fmt.Printf("%d bytes: %s\n", n, packet[28:n])
			return
		}
	}
	// Output: 33 bytes: hello
}

func ExampleDevice_SetReadDeadline_context() {
	device, err := tuntap.Open("", tuntap.TUN)
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	stop := context.AfterFunc(ctx, func() { device.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err = device.Read(make([]byte, device.ReadSize()))
	fmt.Println(err)
	// Output: i/o timeout
}

func ExampleReader_ReadBatch() {
	device, err := tuntap.Open("", tuntap.TUN|tuntap.Offload, tuntap.WithUp(),
		tuntap.WithPrefix(netip.MustParsePrefix("10.9.0.1/24")))
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	reader, err := device.NewReader(0)
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	writer, err := device.NewWriter(0)
	if err != nil {
		log.Fatal(err)
	}
	defer writer.Close()

	conn, err := net.Dial("udp", "10.9.0.2:9")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "hello")
	for {
		batch, err := reader.ReadBatch()
		if err != nil {
			log.Fatal(err)
		}
		for _, packet := range batch.All() {
			if packet[0]>>4 == 4 {
				fmt.Printf("%s\n", packet[28:])
				return
			}
		}
		if _, err := writer.WriteBatch(batch); err != nil {
			log.Print(err)
		}
	}
	// Output: hello
}
