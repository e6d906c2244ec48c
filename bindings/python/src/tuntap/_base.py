# SPDX-License-Identifier: MIT
"""A device: how it is opened and closed, what it is, and one try to read or write a packet, which never waits."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
import weakref
from collections.abc import Iterable
from typing import Any, TypeVar

from ._abi import Flag
from ._handle import Handle
from ._library import documented, lib, new, number
from ._memory import Buffer, Spares
from ._types import Text
from .address import Addr, Addresses, AddrLike
from .config import Options, config
from .link import Link, MacLike
from .monitor import Monitor
from .route import NetworkLike, Route, Routes
from .steering import Steering

# Shorter ones are for the library to judge: these have the header of an IP packet, or of a frame.
SURE_LENGTH = 40

_Self = TypeVar("_Self", bound="BaseDevice")


class DeviceHandle(Handle):
    """A tuntap, and its descriptor, if that has plain packets: -1 otherwise, and when it is closed.

    A packet that needs nothing of the library then costs one call of the module os, by a user of the handle, so that
    the descriptor's number is nobody else's at that moment.
    """

    __slots__ = ("fd",)

    def __init__(self, pointer: int, direct: bool) -> None:
        super().__init__("the device", pointer, lib.tuntap_close)
        self.fd: int = lib.tuntap_get_fd(pointer) if direct else -1

    def close(self) -> None:
        self.fd = -1
        super().close()

    def _end_waits(self, pointer: int) -> None:
        lib.tuntap_wake(pointer)


class BaseDevice(Link, Addresses, Routes, Steering):
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
    ) -> None:
        options = Options(node, netns, mtu, mac, alias, txqueuelen, sndbuf, addrs, routes, up, owner, group)
        with config(options) as pointer:
            self._own(new(lib.tuntap_open_config, name, flags, pointer))

    @classmethod
    @documented("tuntap_open_fd")
    def open_fd(cls: type[_Self], fd: int, flags: Flag = Flag(0)) -> _Self:
        return cls._of(new(lib.tuntap_open_fd, fd, flags))

    @documented("tuntap_open_queue")
    def open_queue(self: _Self, flags: Flag = Flag(0)) -> _Self:
        with self._handle as pointer:
            return self._of(new(lib.tuntap_open_queue, pointer, flags))

    @classmethod
    def _of(cls: type[_Self], pointer: int) -> _Self:
        device = cls.__new__(cls)
        device._own(pointer)
        return device

    def _own(self, pointer: int) -> None:
        granted = Flag(number(ctypes.c_uint64, lib.tuntap_get_flags, pointer))
        direct = sys.platform == "linux" and not granted & Flag.OFFLOAD
        self._handle: DeviceHandle = DeviceHandle(pointer, direct)
        self._parts: weakref.WeakSet[Any] = weakref.WeakSet()
        self._size: int = lib.tuntap_read_size(pointer)
        self._spares = Spares(self._size)
        # A byte behind a caller's buffer: a packet that reaches it was longer than that.
        self._spill = bytearray(1)

    @documented("tuntap_close")
    def close(self) -> None:
        """Closes the device, its readers and writers; again is no error. Who waits in it gets an Error with EBADF or
        Reason.WOKEN, and the device goes when the last of them has left.
        """
        # Nobody can go back to them when the device ends its waits.
        for part in list(self._parts):
            part.close()
        self._handle.close()

    def __del__(self) -> None:
        handle: Handle | None = getattr(self, "_handle", None)
        if handle is not None and not handle.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close()

    def __repr__(self) -> str:
        try:
            name = self.name
        except OSError:
            name = "closed" if self.closed else "gone"
        return f"<{type(self).__module__}.{type(self).__name__} {name}>"

    @documented("tuntap_get_fd")
    def fileno(self) -> int:
        """-1 when it is closed."""
        if self.closed:
            return -1
        with self._handle as pointer:
            return int(lib.tuntap_get_fd(pointer))

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
    def monitor(self) -> Monitor:
        return Monitor(self)

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
            users.pop()
            if handle.closed:
                handle.release()

    def _write_now(self, packet: Buffer) -> int | None:
        """The same for a packet to write: None when it was not taken."""
        handle = self._handle
        if handle.fd < 0 or not SURE_LENGTH <= len(packet) <= self._size:
            return None
        users = handle.users
        users.append(None)
        try:
            return os.write(handle.fd, packet)
        except OSError:
            return None
        finally:
            users.pop()
            if handle.closed:
                handle.release()
