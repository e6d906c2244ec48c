# SPDX-License-Identifier: MIT
"""A device: how it is opened and closed, what it is, and one try to read or write a packet, which never waits."""

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

# Shorter ones are for the library to judge: these have the header of an IP packet, or of a frame.
SURE_LENGTH = 40

_Self = TypeVar("_Self", bound="BaseDevice")


class BaseDevice(Link, Addresses, Routes, DefaultRoutes, Steering):
    """What Device and aio.Device share: all but the ways to wait for a packet."""

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
            self._own(lib.tuntap_open_config, name, flags, pointer)

    @classmethod
    @documented("tuntap_open_fd")
    def open_fd(cls: type[_Self], fd: int, flags: Flag = Flag(0)) -> _Self:
        return cls._of(lib.tuntap_open_fd, fd, flags)

    @documented("tuntap_open_queue")
    def open_queue(self: _Self, flags: Flag = Flag(0)) -> _Self:
        with self._handle as pointer:
            return self._of(lib.tuntap_open_queue, pointer, flags)

    @classmethod
    def _of(cls: type[_Self], make: Callable[..., Any], *arguments: Any) -> _Self:
        device = cls.__new__(cls)
        device._own(make, *arguments)
        return device

    def _own(self, make: Callable[..., Any], *arguments: Any) -> None:
        self._handle: DeviceHandle = DeviceHandle(make, *arguments)
        # Its readers and writers.
        self._parts: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        # A byte behind a caller's buffer: a packet that reaches it was longer than that.
        self._spill = bytearray(1)
        with self._handle as pointer:
            self._size: int = lib.tuntap_read_size(pointer)
            self._pool = Pool(self._size)
            if sys.platform == "linux" and not self.flags & Flag.OFFLOAD:
                self._handle.fd = lib.tuntap_get_fd(pointer, None)

    def close(self) -> None:
        """Closes the device, its readers and writers; again is no error.

        Whoever waits in it gets an Error, with Reason.SHUTDOWN or EBADF, and the device is closed when the last one has
        left. A device that is not persistent goes away with its last handle.
        """
        self._handle.close(self._close_parts)

    def _close_parts(self) -> bool:
        """Closes its readers and writers. True: some are in use, and may wait."""
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
        """-1 when it is closed."""
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
        """The descriptor, which is the caller's from now on; the device is closed otherwise. An exception of a signal
        handler that comes as this returns loses the descriptor."""
        return self._handle.give()

    def _read_now(self) -> bytes | None:
        """A packet by the descriptor itself. None: there is none, or it is for the library to say what is wrong."""
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
                handle.release()

    def _write_now(self, packet: ReadableBuffer) -> int | None:
        """The same for a packet to write: None when it was not taken."""
        handle = self._handle
        size = len(packet) if type(packet) is bytes else size_of(packet)
        if handle.fd < 0 or not SURE_LENGTH <= size <= self._size:
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
                handle.release()
