// SPDX-License-Identifier: MIT

package tuntap

// #include <stdlib.h>
// #include <tuntap.h>
//
// static char *empty(void) { return (char *)""; }
import "C"

import (
	"math"
	"net"
	"net/netip"
	"strings"
	"time"
	"unsafe"
)

// text returns the text of an array of a C struct.
func text(array []C.char) string {
	return C.GoString(&array[0])
}

// setText sets the text of an array of a C struct. A text that is longer is cut, and is then too long for the library
// too.
func setText(array []C.char, value string) {
	for i := range min(len(value), len(array)-1) {
		array[i] = C.char(value[i])
	}
}

// withText calls f with a C string, which is NULL for "".
func withText(value string, f func(value *C.char) error) error {
	if value == "" {
		return f(nil)
	}
	if strings.IndexByte(value, 0) >= 0 {
		return invalid("a text contains a NUL byte")
	}
	copied := C.CString(value)
	defer C.free(unsafe.Pointer(copied))
	return f(copied)
}

// list calls a function that fills in an array and returns the number of elements, which may be larger.
func list[T any](f func(items *T, count C.size_t, e *C.tuntap_error) C.ssize_t) ([]T, error) {
	var e C.tuntap_error
	items := make([]T, 16)
	for {
		count := int(f(&items[0], C.size_t(len(items)), &e))
		if count < 0 {
			return nil, newError(&e)
		}
		if count <= len(items) {
			return items[:count], nil
		}
		items = make([]T, count+count/4)
	}
}

func convert[From, To any](items []From, f func(*From) To) []To {
	converted := make([]To, len(items))
	for i := range items {
		converted[i] = f(&items[i])
	}
	return converted
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

func prefixOf(array []C.char) netip.Prefix {
	prefix, _ := netip.ParsePrefix(text(array))
	return prefix
}

func addrOf(array []C.char) netip.Addr {
	addr, _ := netip.ParseAddr(text(array))
	return addr
}

func setPrefix(array []C.char, prefix netip.Prefix) {
	setText(array, prefixText(prefix))
}

func setAddr(array []C.char, addr netip.Addr) {
	setText(array, addrText(addr))
}

// prefixText returns "" for no prefix.
func prefixText(prefix netip.Prefix) string {
	if !prefix.IsValid() {
		return ""
	}
	return prefix.String()
}

// addrText returns "" for no address.
func addrText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

func macOf(bytes *[C.TUNTAP_MAC_SIZE]C.uint8_t) net.HardwareAddr {
	mac := make(net.HardwareAddr, len(bytes))
	for i := range bytes {
		mac[i] = byte(bytes[i])
	}
	return mac
}

func macBytes(mac net.HardwareAddr) (bytes [C.TUNTAP_MAC_SIZE]C.uint8_t, err error) {
	if len(mac) != len(bytes) {
		return bytes, invalid("a MAC address has 6 bytes, not those of " + mac.String())
	}
	for i := range bytes {
		bytes[i] = C.uint8_t(mac[i])
	}
	return bytes, nil
}

// seconds rounds a lifetime up, because 0 means that it does not expire.
func seconds(lifetime time.Duration) C.uint32_t {
	return C.uint32_t((lifetime + time.Second - 1) / time.Second)
}

func duration(seconds C.uint32_t) time.Duration {
	return time.Duration(seconds) * time.Second
}

// number converts a number to one of C. One that does not fit becomes the largest, which the library refuses as out of
// range.
func number(value int) C.uint32_t {
	if value < 0 || int64(value) > math.MaxUint32 {
		return math.MaxUint32
	}
	return C.uint32_t(value)
}

// orEmpty is for functions to which "" is not NULL.
func orEmpty(value *C.char) *C.char {
	if value == nil {
		return C.empty()
	}
	return value
}
