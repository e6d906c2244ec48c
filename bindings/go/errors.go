// SPDX-License-Identifier: MIT

package tuntap

// #include <tuntap.h>
import "C"

import "syscall"

// Error is an error of the library.
type Error struct {
	Errno   syscall.Errno // the error number of the system
	Reason  Reason        // the cause, where the error number alone is ambiguous
	Message string        // the action, its object, the cause and a remedy, in one sentence
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the error number, so that errors.Is finds syscall.EPERM or fs.ErrPermission.
func (e *Error) Unwrap() error { return e.Errno }

// Is reports whether target is the Reason of the error.
func (e *Error) Is(target error) bool { return target == error(e.Reason) }

// Reason is the cause of an Error. It is an error itself, for errors.Is.
type Reason uint32

const (
	ReasonArgument    Reason = C.TUNTAP_REASON_ARGUMENT    // an argument is not one of the allowed values
	ReasonFlags       Reason = C.TUNTAP_REASON_FLAGS       // the flags are unknown or contradict each other
	ReasonName        Reason = C.TUNTAP_REASON_NAME        // not a valid device name
	ReasonAddress     Reason = C.TUNTAP_REASON_ADDRESS     // not a valid or usable address
	ReasonRange       Reason = C.TUNTAP_REASON_RANGE       // a number is out of range
	ReasonBuffer      Reason = C.TUNTAP_REASON_BUFFER      // the buffer is too small
	ReasonPacket      Reason = C.TUNTAP_REASON_PACKET      // the bytes are not a packet of this kind of device
	ReasonNoDriver    Reason = C.TUNTAP_REASON_NO_DRIVER   // no TUN/TAP driver, or no device node
	ReasonPrivilege   Reason = C.TUNTAP_REASON_PRIVILEGE   // the process lacks the privilege
	ReasonBusy        Reason = C.TUNTAP_REASON_BUSY        // the name or the device is in use
	ReasonKind        Reason = C.TUNTAP_REASON_KIND        // the wrong kind of device
	ReasonMismatch    Reason = C.TUNTAP_REASON_MISMATCH    // the device has other modes than requested
	ReasonKernel      Reason = C.TUNTAP_REASON_KERNEL      // this kernel does not support it
	ReasonPlatform    Reason = C.TUNTAP_REASON_PLATFORM    // this operating system does not support it
	ReasonRemoved     Reason = C.TUNTAP_REASON_REMOVED     // the device was removed while it was open
	ReasonDown        Reason = C.TUNTAP_REASON_DOWN        // the device is down
	ReasonUnset       Reason = C.TUNTAP_REASON_UNSET       // the requested value is not set
	ReasonAgain       Reason = C.TUNTAP_REASON_AGAIN       // no packet, or no room, at the moment
	ReasonInterrupted Reason = C.TUNTAP_REASON_INTERRUPTED // a signal handler ran while the call waited
	ReasonSystem      Reason = C.TUNTAP_REASON_SYSTEM      // the operating system refused
	ReasonNamespace   Reason = C.TUNTAP_REASON_NAMESPACE   // not a network namespace, or one that cannot be entered
	ReasonTimeout     Reason = C.TUNTAP_REASON_TIMEOUT     // the time limit passed
	ReasonWoken       Reason = C.TUNTAP_REASON_WOKEN       // tuntap_wake ended the wait
	ReasonAbsent      Reason = C.TUNTAP_REASON_ABSENT      // the device does not exist
	ReasonFull        Reason = C.TUNTAP_REASON_FULL        // the queue of the kernel is full
	ReasonShutdown    Reason = C.TUNTAP_REASON_SHUTDOWN    // the handle was shut down
)

// Error returns a short phrase, for example "name taken or device busy".
func (r Reason) Error() string { return C.GoString(C.tuntap_strreason(C.uint32_t(r))) }

func newError(e *C.tuntap_error) *Error {
	return &Error{syscall.Errno(-e.code), Reason(e.reason), text(e.message[:])}
}

// invalid is an error that the package finds itself, because C could not see it.
func invalid(message string) *Error {
	return &Error{syscall.EINVAL, ReasonArgument, message}
}

// call calls a function that returns 0 or a negative errno.
func call(f func(e *C.tuntap_error) C.int) error {
	var e C.tuntap_error
	if f(&e) < 0 {
		return newError(&e)
	}
	return nil
}
