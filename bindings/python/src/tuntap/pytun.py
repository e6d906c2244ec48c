# SPDX-License-Identifier: MIT
"""The module pytun of python-pytun 2.4.2, over libtuntap: `from tuntap.pytun import TunTapDevice, IFF_TAP, Error`.

A program needs no other change. The README of this package lists the differences. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import operator
import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from . import errors
from ._abi import Flag, Offloads, Reason
from .device import Device

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The values of <linux/if_tun.h>.
IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_MULTI_QUEUE = 0x0100
IFF_NO_PI = 0x1000
IFF_ONE_QUEUE = 0x2000
IFF_VNET_HDR = 0x4000
IFF_TUN_EXCL = 0x8000
_IFF_NAPI = 0x0010
_IFF_NAPI_FRAGS = 0x0020

__all__ = [
    "IFF_MULTI_QUEUE",
    "IFF_NO_PI",
    "IFF_ONE_QUEUE",
    "IFF_TAP",
    "IFF_TUN",
    "IFF_TUN_EXCL",
    "IFF_VNET_HDR",
    "Error",
    "TunTapDevice",
]

_FLAGS = {
    IFF_TUN: Flag.TUN,
    IFF_TAP: Flag.TAP,
    IFF_MULTI_QUEUE: Flag.MULTI_QUEUE,
    IFF_VNET_HDR: Flag.OFFLOAD,
    IFF_TUN_EXCL: Flag.EXCLUSIVE,
    _IFF_NAPI: Flag.NAPI,
    _IFF_NAPI_FRAGS: Flag.NAPI_FRAGS,
}
_NAME_SIZE = 16
_MAC_SIZE = 6
_INT_MAX = 2**31 - 1
_LONG_MAX = 2 ** (8 * ctypes.sizeof(ctypes.c_long) - 1) - 1
# No packet is longer, including its headers, so a larger buffer would only waste memory.
_MAX_READ = 1 << 17

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Error(OSError):
    """A failed call. It has errno and its text, or only a message if no system call was made."""


def _failure(number: int) -> Error:
    return Error(number, os.strerror(number))


def _translate_errors(closed: int) -> Callable[[_Method], _Method]:
    """Returns a decorator that raises errors of the library as Error, with the library's error as the cause.

    closed: The errno of a call after close().
    """

    def decorator(method: _Method) -> _Method:
        @functools.wraps(method)
        def call(device: Any, *arguments: Any, **named: Any) -> Any:
            try:
                return method(device, *arguments, **named)
            except errors.Error as error:
                unset = errno.EADDRNOTAVAIL if error.reason is Reason.UNSET else error.errno or 0
                raise _failure(closed if device.fileno() < 0 else unset) from error

        return call  # type: ignore[return-value]

    return decorator


_device_call = _translate_errors(closed=errno.ENODEV)
_descriptor_call = _translate_errors(closed=errno.EBADF)


def _text(value: Any, position: int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"argument {position} must be str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError("embedded null character")
    return value


def _int(value: Any) -> int:
    number = operator.index(value)
    if number > _INT_MAX:
        raise OverflowError("signed integer is greater than maximum")
    if number < -_INT_MAX - 1:
        raise OverflowError("signed integer is less than minimum")
    return number


def _bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name}() argument 1 must be bool, not {type(value).__name__}")
    return value


def _ipv4(value: Any) -> str:
    """Converts any IPv4 address that inet_aton(3) accepts to a dotted quad."""
    if not isinstance(value, str):
        raise TypeError(f"an address is a str, not {type(value).__name__}")
    value.encode("ascii")
    try:
        return socket.inet_ntoa(socket.inet_aton(value))
    except (OSError, ValueError):
        raise Error("Bad IP address") from None


def _class_prefix(addr: str) -> int:
    """Returns the prefix length of the class of an address, which the kernel uses if no netmask is set."""
    first = int(addr.partition(".")[0])
    return next(prefix for end, prefix in ((128, 8), (192, 16), (224, 24), (256, 32)) if first < end)


class TunTapDevice:
    """Creates a device, or attaches to an existing one.

    close(), or the deletion of the last reference, removes the device unless it is persistent.
    """

    __slots__ = ("_attached", "_device", "_fd", "_name", "_tap")

    def __init__(self, name: str = "", flags: int = IFF_TUN, dev: str = "/dev/net/tun") -> None:
        name, flags, dev = _text(name, 1), _int(flags), _text(dev, 3)
        if not flags & (IFF_TUN | IFF_TAP):
            raise Error("Bad flags: either IFF_TUN or IFF_TAP must be set")
        if flags & IFF_TUN and flags & IFF_TAP:
            raise Error("Bad flags: IFF_TUN and IFF_TAP could not both be set")
        if len(os.fsencode(name)) >= _NAME_SIZE:
            raise Error("Interface name too long")
        if not dev:
            raise _failure(errno.ENOENT)
        self._fd = -1
        wanted = Flag.PI if not flags & IFF_NO_PI else Flag(0)
        for bit, flag in _FLAGS.items():
            wanted |= flag if flags & bit else Flag(0)
        try:
            # The size of the kernel's default header, which programs for pytun expect.
            header = 10 if wanted & Flag.OFFLOAD else None
            self._device = Device(name, wanted, node=dev, vnet_hdr_size=header)
            self._name = self._device.name
            if wanted & Flag.OFFLOAD:
                # Only the header, without offloads: the program may ignore its fields.
                self._device.offloads = Offloads(0)
        except errors.Error as error:
            raise _failure(error.errno or 0) from error
        self._tap = bool(flags & IFF_TAP)
        self._attached = True
        self._fd = self._device.fileno()
        if sys.platform == "linux":
            # Packets go directly through the descriptor. The program decides whether it blocks.
            os.set_blocking(self._fd, True)

    def __del__(self) -> None:
        if hasattr(self, "_device"):
            self._device.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle or copy {type(self).__name__!r} object")

    @property
    def name(self) -> str:
        return self._name

    @property
    @_device_call
    def addr(self) -> str:
        return str(self._require_set(self._device.addr))

    @addr.setter
    @_device_call
    def addr(self, addr: str) -> None:
        addr = _ipv4(addr)
        now = self._device.addr
        if addr == "0.0.0.0":
            if now is not None:
                self._device.del_addr(now)
        elif addr != str(now):
            self._device.addr = f"{addr}/{_class_prefix(addr) if self._tap else 32}"

    @property
    @_device_call
    def dstaddr(self) -> str:
        """The peer, or the address of the device if no peer is set."""
        return str(self._device.dstaddr or self._require_set(self._device.addr))

    @dstaddr.setter
    @_device_call
    def dstaddr(self, dstaddr: str) -> None:
        self._device.dstaddr = _ipv4(dstaddr)

    @property
    @_device_call
    def netmask(self) -> str:
        return str(self._require_set(self._device.netmask))

    @netmask.setter
    @_device_call
    def netmask(self, netmask: str) -> None:
        self._device.netmask = _ipv4(netmask)

    @staticmethod
    def _require_set(value: object) -> object:
        if value is None:
            raise _failure(errno.EADDRNOTAVAIL)
        return value

    @property
    @_device_call
    def hwaddr(self) -> bytes:
        if self._tap:
            return self._device.mac
        # A TUN has no MAC address: zeros. The index raises an error if the device is gone.
        return bytes(_MAC_SIZE) if self._device.index else b""

    @hwaddr.setter
    @_device_call
    def hwaddr(self, hwaddr: bytes) -> None:
        if isinstance(hwaddr, str):
            raise TypeError("expected bytes, str found")
        mac = memoryview(hwaddr).tobytes()
        if len(mac) != _MAC_SIZE:
            raise Error("Bad MAC address")
        try:
            self._device.mac = mac
        except errors.Error as error:
            if error.reason is not Reason.ADDRESS:
                raise
            raise _failure(errno.EADDRNOTAVAIL if self._tap else errno.EOPNOTSUPP) from error

    @property
    @_device_call
    def mtu(self) -> int:
        return self._device.mtu

    @mtu.setter
    @_device_call
    def mtu(self, mtu: int) -> None:
        mtu = operator.index(mtu)
        if not -_LONG_MAX - 1 <= mtu <= _LONG_MAX:
            raise OverflowError("Python int too large to convert to C long")
        if mtu <= 0:
            raise Error("Bad MTU, should be > 0")
        if mtu > _INT_MAX:
            raise _failure(errno.EINVAL)
        self._device.mtu = mtu

    def close(self) -> None:
        """Closes the device. Does nothing if it is closed already."""
        self._fd = -1
        self._device.close()

    @_device_call
    def up(self) -> None:
        """Brings the device up."""
        self._device.up()

    @_device_call
    def down(self) -> None:
        """Takes the device down."""
        self._device.down()

    def read(self, size: int, /) -> bytes:
        """Reads a packet, with its packet information in front, truncated to `size` bytes."""
        try:
            return os.read(self._fd, size if size <= _MAX_READ else _MAX_READ)
        except OSError as error:
            raise _failure(error.errno or 0) from error

    def write(self, buf: ReadableBuffer, /) -> int:
        """Writes a packet, and returns the number of bytes written."""
        try:
            return os.write(self._fd, buf)
        except OSError as error:
            raise _failure(error.errno or 0) from error

    def fileno(self) -> int:
        """Returns the descriptor, or -1 after close(). It blocks unless the program changes that."""
        return self._fd

    @_descriptor_call
    def persist(self, flag: bool = True, /) -> None:
        """Sets whether the device stays after its last handle is closed."""
        try:
            self._device.set_persist(_bool(flag, "persist"))
        except errors.Error as error:
            if error.errno != errno.ENODEV:
                raise
            raise _failure(errno.EBADFD) from error

    @_descriptor_call
    def mq_attach(self, flag: bool = True, /) -> None:
        """Attaches the queue of a device with IFF_MULTI_QUEUE, or detaches it."""
        on = _bool(flag, "attach")
        if on == self._attached:
            raise _failure(errno.EINVAL if self._fd >= 0 else errno.EBADF)
        if on:
            self._device.attach()
        else:
            self._device.detach()
        self._attached = on
