// SPDX-License-Identifier: MIT

// Package wgtun gives wireguard-go a device of package tuntap.
package wgtun

import (
	"context"
	"errors"
	"os"
	"sync"

	"golang.zx2c4.com/wireguard/tun"
	"tuntap"
)

// Device is a tun.Device over a tuntap.Device.
type Device struct {
	device  *tuntap.Device
	monitor *tuntap.Monitor
	reader  *tuntap.Reader
	file    *os.File
	events  chan tun.Event
	closed  chan struct{}
	watcher sync.WaitGroup

	reading sync.Mutex // guards buffers
	buffers [][]byte

	writing sync.Mutex // guards packets and the order of packets
	writer  *tuntap.Writer
	packets [][]byte
}

var _ tun.Device = (*Device)(nil)

// CreateTUN creates a TUN device with offload, as tun.CreateTUN does.
func CreateTUN(name string, mtu int) (tun.Device, error) {
	device, err := tuntap.Open(name, tuntap.TUN|tuntap.Offload, tuntap.WithMTU(mtu))
	if err != nil {
		return nil, err
	}
	return New(device)
}

// New takes over a TUN device. It closes the device if it fails.
func New(device *tuntap.Device) (*Device, error) {
	d := &Device{device: device, events: make(chan tun.Event, 5), closed: make(chan struct{})}
	if err := d.open(); err != nil {
		d.release()
		return nil, err
	}
	d.watcher.Add(1)
	go d.watch()
	return d, nil
}

func (d *Device) open() (err error) {
	if d.file, err = d.device.File(); err != nil {
		return err
	}
	if d.reader, err = d.device.NewReader(0); err != nil {
		return err
	}
	if d.writer, err = d.device.NewWriter(0); err != nil {
		return err
	}
	d.monitor, err = d.device.NewMonitor(0)
	return err
}

// Close closes the device and the channel of events.
func (d *Device) Close() error {
	err := d.device.Close()
	if err != nil {
		return err
	}
	close(d.closed)
	d.release()
	d.watcher.Wait()
	close(d.events)
	return nil
}

func (d *Device) release() {
	d.device.Close()
	if d.monitor != nil {
		d.monitor.Close()
	}
	if d.reader != nil {
		d.reader.Close()
	}
	if d.writer != nil {
		d.writer.Close()
	}
	if d.file != nil {
		d.file.Close()
	}
}

// Read reads packets to the buffers, from offset on.
func (d *Device) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	d.buffers = shifted(d.buffers, bufs, offset)
	return d.reader.ReadPackets(d.buffers, sizes)
}

// Write writes packets, which begin at offset. A packet that is refused is left out.
func (d *Device) Write(bufs [][]byte, offset int) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.packets = shifted(d.packets, bufs, offset)
	written, errs := 0, error(nil)
	for rest := d.packets; len(rest) > 0; {
		taken, err := d.writer.WritePackets(rest)
		written, rest = written+taken, rest[taken:]
		if err == nil {
			break
		}
		errs = errors.Join(errs, err)
		if len(rest) == 0 || !errors.Is(err, tuntap.ReasonPacket) {
			break
		}
		rest = rest[1:]
	}
	return written, errs
}

// shifted returns the buffers from offset on, in a slice that is used again.
func shifted(into, buffers [][]byte, offset int) [][]byte {
	into = into[:0]
	for _, buffer := range buffers {
		into = append(into, buffer[offset:])
	}
	return into
}

// File returns a copy of the descriptor.
func (d *Device) File() *os.File { return d.file }

// MTU returns the MTU of the device.
func (d *Device) MTU() (int, error) { return d.device.MTU() }

// Name returns the current name of the device.
func (d *Device) Name() (string, error) { return d.device.Name() }

// BatchSize returns the largest number of packets of a Read.
func (d *Device) BatchSize() int { return tuntap.BatchSize }

// Events returns the channel of changes of the device.
func (d *Device) Events() <-chan tun.Event { return d.events }

// watch passes the events of the monitor on until it is closed or the device is gone.
func (d *Device) watch() {
	defer d.watcher.Done()
	for event, err := range d.monitor.Events(context.Background()) {
		if err != nil {
			return
		}
		var passed tun.Event
		switch {
		case event.Kind == tuntap.EventUp, event.Kind == tuntap.EventDevice && event.Up:
			passed = tun.EventUp
		case event.Kind == tuntap.EventDown:
			passed = tun.EventDown
		case event.Kind == tuntap.EventMTU:
			passed = tun.EventMTUUpdate
		default:
			continue
		}
		select {
		case d.events <- passed:
		case <-d.closed:
			return
		}
	}
}
