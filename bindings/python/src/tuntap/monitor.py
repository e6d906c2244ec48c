# SPDX-License-Identifier: MIT
"""A watch over one device, or over all."""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from . import _abi
from ._abi import AddrFlag, EventKind, Reason, Scope
from ._handle import Handle, Handled
from ._library import documented, lib, new
from ._wait import Readiness, slices
from .address import IPAddress, IPInterface, parse_ip
from .errors import Error


@dataclass(frozen=True)
class Event:
    """Something that happened to a device, with its state after it."""

    kind: EventKind
    index: int
    name: str
    up: bool
    carrier: bool
    mtu: int
    mac: bytes
    addr: IPInterface | None = None
    peer: IPAddress | None = None
    scope: Scope = Scope.GLOBAL
    addr_flags: AddrFlag = AddrFlag(0)


class Monitor(Handled):
    """Tells events: to `for event in monitor`, to `async for event in monitor`, or one by one.

    For one thread at a time; others wait for it. Iteration ends when the one device that is watched is gone.
    """

    @documented("tuntap_monitor_open")
    def __init__(self, device: Handled | None = None) -> None:
        if device is None:
            pointer = new(lib.tuntap_monitor_open, None)
        else:
            with device._handle as watched:
                pointer = new(lib.tuntap_monitor_open, watched)
        self._handle = Handle("the monitor", pointer, lib.tuntap_monitor_close)
        self._one_by_one = threading.RLock()

    @documented("tuntap_monitor_get_fd")
    def fileno(self) -> int:
        """-1 when it is closed."""
        if self.closed:
            return -1
        with self._handle as pointer:
            return int(lib.tuntap_monitor_get_fd(pointer))

    @documented("tuntap_monitor_next")
    def next(self, timeout: float | None = None) -> Event:
        """Within so many seconds, or TimeoutError; None: no limit. Python's signal handlers run meanwhile."""
        event = _abi.tuntap_event()
        late: TimeoutError | None = None
        with self._one_by_one:
            for milliseconds in slices(timeout):
                try:
                    self._call(lib.tuntap_monitor_next, ctypes.byref(event), ctypes.sizeof(event), milliseconds)
                    return _event(event)
                except TimeoutError as error:
                    late = error
        assert late is not None
        raise late

    def __iter__(self) -> Iterator[Event]:
        while True:
            try:
                yield self.next()
            except Error as error:
                if error.reason is not Reason.REMOVED or self.closed:
                    raise
                return

    async def __aiter__(self) -> AsyncIterator[Event]:
        readiness = Readiness(asyncio.get_running_loop(), self.fileno())
        while True:
            try:
                event = self.next(0)
            except TimeoutError:
                await readiness.wait()
                continue
            except Error as error:
                if error.reason is not Reason.REMOVED or self.closed:
                    raise
                return
            yield event


def _event(told: Any) -> Event:
    return Event(
        EventKind(told.kind),
        told.index,
        told.name.decode(),
        told.up != 0,
        told.carrier != 0,
        told.mtu,
        bytes(told.mac),
        ipaddress.ip_interface(told.addr.decode()) if told.addr else None,
        parse_ip(told.peer),
        Scope(told.scope),
        AddrFlag(told.addr_flags),
    )
