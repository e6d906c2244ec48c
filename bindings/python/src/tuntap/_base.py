# SPDX-License-Identifier: MIT
"""The base class of Device and aio.Device, with reads and writes that do not wait."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ._abi import Endian, Flag
from ._handle import DeviceHandle
from ._library import documented, lib
from ._memory import Pool, size_of
from ._types import Text
from .address import Addr, Addresses, AddrLike
from .config import Options, config
from .default_route import DefaultRoutes
from .link import Link, MacLike
from .monitor import Monitor
from .route import NetworkLike, Route, Routes
from .steering import Steering

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The size of an IPv6 header. A shorter packet goes through the library, which reports a missing header.
_MIN_DIRECT_WRITE = 40

_Self = TypeVar("_Self", bound="BaseDevice")


class BaseDevice(Link, Addresses, Routes, DefaultRoutes, Steering):
    """Everything that Device and aio.Device share: all methods except those that wait for packets."""

    def __init__(
        self,
        name: Text | None = None,
        flags: Flag = Flag.TUN,
        *,
        node: Text | None = None,
        netns: Text | int | None = None,
        mtu: int | None = None,
        mac: MacLike | None = None,
        alias: Text | None = None,
        txqueuelen: int | None = None,
        sndbuf: int | None = None,
        addrs: Iterable[AddrLike | Addr] = (),
        routes: Iterable[NetworkLike | Route] = (),
        up: bool | None = None,
        owner: int | None = None,
        group: int | None = None,
        vnet_hdr_size: int | None = None,
        vnet_endian: Endian | None = None,
    ) -> None:
        options = Options(
            node,
            netns,
            mtu,
            mac,
            alias,
            txqueuelen,
            sndbuf,
            addrs,
            routes,
            up,
            owner,
            group,
            vnet_hdr_size,
            vnet_endian,
        )
        with config(options) as pointer:
            self._init(lib.tuntap_open_config, name, flags, pointer)

    @classmethod
    @documented("tuntap_open_fd")
    def open_fd(cls: type[_Self], fd: int, flags: Flag = Flag(0)) -> _Self:
        return cls._create(lib.tuntap_open_fd, fd, flags)

    @documented("tuntap_open_queue")
    def open_queue(self: _Self, flags: Flag = Flag(0)) -> _Self:
        with self._handle as pointer:
            return self._create(lib.tuntap_open_queue, pointer, flags)

    @classmethod
    def _create(cls: type[_Self], make: Callable[..., Any], *arguments: Any) -> _Self:
        device = cls.__new__(cls)
        device._init(make, *arguments)
        return device

    def _init(self, make: Callable[..., Any], *arguments: Any) -> None:
        self._handle: DeviceHandle = DeviceHandle(make, *arguments)
        # The readers and writers of this device.
        self._parts: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        # One byte after a caller's buffer: a packet that is longer than the buffer fills it.
        self._overflow = bytearray(1)
        with self._handle as pointer:
            self._size: int = lib.tuntap_read_size(pointer)
            self._pool = Pool(self._size)
            if sys.platform == "linux" and not self.flags & Flag.OFFLOAD:
                self._handle.fd = lib.tuntap_get_fd(pointer, None)

    def close(self) -> None:
        """Closes the device, its readers and its writers. Does nothing if the device is closed already.

        Calls that wait on the device raise an Error with Reason.SHUTDOWN or EBADF, and the device is closed when the
        last of them has returned. A device that is not persistent is removed with its last handle.
        """
        self._handle.close(self._close_parts)

    def _close_parts(self) -> bool:
        """Closes the readers and writers. Returns whether one of them is in use, and so may wait."""
        parts = [part for reference in self._parts.valuerefs() if (part := reference()) is not None]
        for part in parts:
            part.close()
        return any(part._handle.users for part in parts)

    def __del__(self) -> None:
        handle: DeviceHandle | None = getattr(self, "_handle", None)
        if handle is None or handle.closed:
            return
        try:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        finally:
            self.close()

    def __repr__(self) -> str:
        try:
            name = self.name
        except (OSError, AttributeError):
            name = "closed" if getattr(self, "_handle", None) is None or self.closed else "gone"
        return f"<{type(self).__module__}.{type(self).__name__} {name}>"

    @documented("tuntap_get_fd")
    def fileno(self) -> int:
        """Returns the descriptor, or -1 after close()."""
        return self._fileno(lib.tuntap_get_fd)

    @property
    @documented("tuntap_get_flags")
    def flags(self) -> Flag:
        return Flag(self._number(ctypes.c_uint64, lib.tuntap_get_flags))

    @property
    @documented("tuntap_read_size")
    def read_size(self) -> int:
        return self._size

    @documented("tuntap_attach")
    def attach(self) -> None:
        self._call(lib.tuntap_attach)

    @documented("tuntap_detach")
    def detach(self) -> None:
        self._call(lib.tuntap_detach)

    @documented("tuntap_monitor_open")
    def monitor(self, routes: bool = False, default_route: bool = False) -> Monitor:
        return Monitor(self, routes, default_route)

    @documented("tuntap_release")
    def release(self) -> int:
        """Frees the handle and returns its descriptor, which the caller must close.

        If a signal handler raises an exception while this method returns, the descriptor is lost.
        """
        return self._handle.release_fd()

    def _read_now(self) -> bytes | None:
        """Reads a packet directly from the descriptor. None: call the library, which waits or reports the error."""
        handle = self._handle
        users = handle.users
        users.append(None)
        try:
            return os.read(handle.fd, self._size) if handle.fd >= 0 else None
        except OSError:
            return None
        finally:
            if users:
                users.pop()
            if handle.closed:
                handle.free_if_unused()

    def _write_now(self, packet: ReadableBuffer) -> int | None:
        """Writes a packet directly to the descriptor. None: call the library, which waits or reports the error."""
        handle = self._handle
        size = len(packet) if type(packet) is bytes else size_of(packet)
        if handle.fd < 0 or not _MIN_DIRECT_WRITE <= size <= self._size:
            return None
        users = handle.users
        users.append(None)
        try:
            return os.write(handle.fd, packet)
        except OSError:
            return None
        finally:
            if users:
                users.pop()
            if handle.closed:
                handle.free_if_unused()
