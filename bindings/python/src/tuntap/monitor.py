# SPDX-License-Identifier: MIT
"""Monitors one device, or all devices."""

from __future__ import annotations

import ctypes
import errno
import ipaddress
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from . import _abi
from ._abi import AddrFlag, EventKind, Flag, Reason, RouteFlag, RouteType, Scope
from ._handle import Handle, HandleOwner, device_handle
from ._library import documented, lib
from ._wait import Waits, retry_within
from .address import IPAddress, IPInterface, parse_ip
from .errors import Error, error
from .route import Route


@dataclass(frozen=True)
class Event:
    """A change of a device, with its state after the change."""

    kind: EventKind
    index: int
    name: str
    flags: Flag
    up: bool
    carrier: bool
    mtu: int
    mac: bytes
    addr: IPInterface | None = None
    peer: IPAddress | None = None
    scope: Scope = Scope.GLOBAL
    addr_flags: AddrFlag = AddrFlag(0)
    route: Route | None = None
    # 4 or 6, as the `version` of an address; 0 if the event is not about an address or a route.
    family: int = 0


class _MonitorHandle(Handle):
    """Owns a tuntap_monitor."""

    __slots__ = ()

    def _shut_down(self) -> None:
        lib.tuntap_monitor_shutdown(self.pointer)


class Monitor(HandleOwner):
    """Reports events: `for event in monitor`, `async for event in monitor`, or next().

    One thread at a time uses it; other threads wait. The iteration of a monitor of one device ends when the device is
    gone.
    """

    @documented("tuntap_monitor_open")
    def __init__(self, device: object = None, routes: bool = False, default_route: bool = False) -> None:
        flags = (_abi.MONITOR_ROUTES if routes else 0) | (_abi.MONITOR_DEFAULT_ROUTE if default_route else 0)
        with nullcontext() if device is None else device_handle(device) as pointer:
            make = lib.tuntap_monitor_open
            self._handle = _MonitorHandle("the monitor", lib.tuntap_monitor_close, make, pointer, flags)
        self._lock = threading.RLock()
        self._waits = Waits(self._handle)

    def close(self) -> None:
        """Closes the monitor, and ends all waits for an event."""
        self._handle.close(self._waits.end)

    @documented("tuntap_monitor_get_fd")
    def fileno(self) -> int:
        """Returns the descriptor, or -1 after close()."""
        return self._fileno(lib.tuntap_monitor_get_fd)

    @documented("tuntap_monitor_shutdown")
    def shutdown(self) -> None:
        with self._handle as pointer:
            lib.tuntap_monitor_shutdown(pointer)

    @documented("tuntap_monitor_next")
    def next(self, timeout: float | None = None) -> Event:
        """Returns the next event. Raises TimeoutError after timeout seconds; None: no limit."""
        raw = _abi.tuntap_event()
        retry_within(timeout, lambda milliseconds: self._next(raw, milliseconds))
        return _event(raw)

    def _next(self, raw: Any, milliseconds: int) -> int:
        start = time.monotonic()
        if not self._lock.acquire(timeout=milliseconds / 1000):
            raise error(errno.ETIMEDOUT, Reason.TIMEOUT, "wait for an event: another thread does")
        try:
            left = max(milliseconds - int((time.monotonic() - start) * 1000), 0)
            return self._call(lib.tuntap_monitor_next, ctypes.byref(raw), ctypes.sizeof(raw), left)
        finally:
            self._lock.release()

    def __iter__(self) -> Iterator[Event]:
        while True:
            try:
                yield self.next()
            except Error as caught:
                if caught.reason is not Reason.REMOVED:
                    raise
                return

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            try:
                event = self.next(0)
            except TimeoutError:
                await self._waits.wait(lib.tuntap_monitor_get_fd)
                continue
            except Error as caught:
                if caught.reason is not Reason.REMOVED:
                    raise
                return
            yield event


def _event(raw: Any) -> Event:
    return Event(
        EventKind(raw.kind),
        raw.index,
        os.fsdecode(raw.name),
        Flag(raw.flags),
        raw.up != 0,
        raw.carrier != 0,
        raw.mtu,
        bytes(raw.mac),
        ipaddress.ip_interface(raw.addr.decode()) if raw.addr else None,
        parse_ip(raw.peer),
        Scope(raw.scope),
        AddrFlag(raw.addr_flags),
        _route(raw) if raw.destination else None,
        raw.family,
    )


def _route(raw: Any) -> Route:
    destination = ipaddress.ip_network(raw.destination.decode())
    return Route(
        destination,
        parse_ip(raw.gateway),
        raw.metric,
        raw.table,
        parse_ip(raw.source),
        RouteType(raw.route_type),
        raw.protocol,
        Scope(raw.scope) if raw.scope else None,
        raw.route_mtu,
        RouteFlag(raw.route_flags),
    )
