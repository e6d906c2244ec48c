// SPDX-License-Identifier: MIT

// Package tuntap creates, configures and drives TUN and TAP network devices.
//
// It calls the C library libtuntap, which pkg-config must find when the package is built. The reference for each
// function is tuntap.h: a method has the name of its C function without "tuntap_set_" or "tuntap_get_".
//
// # Waiting
//
// A goroutine that waits for a packet, for room to write or for an event waits in the runtime's poller, and holds no
// thread. Deadlines work as those of a net.Conn, and the error is then os.ErrDeadlineExceeded. Close ends all waits,
// with os.ErrClosed. A context ends a wait through a deadline:
//
//	stop := context.AfterFunc(ctx, func() { device.SetReadDeadline(time.Unix(1, 0)) })
//	defer stop()
//	n, err := device.Read(packet)
//
// # Errors
//
// An error of the library is an *Error. It matches its errno, the errors of package io/fs that the errno matches, and
// its Reason:
//
//	errors.Is(err, syscall.EPERM)
//	errors.Is(err, fs.ErrPermission)
//	errors.Is(err, tuntap.ReasonPrivilege)
//
// # Goroutines
//
// Every method may be called by any number of goroutines at the same time, and Close too. A Reader, a Writer, a
// Splitter or a Joiner lends memory until its next method, so one goroutine at a time should use it.
package tuntap

// #cgo pkg-config: tuntap
import "C"
