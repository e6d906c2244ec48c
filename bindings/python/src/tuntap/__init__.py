# SPDX-License-Identifier: MIT
"""Creates, configures and drives TUN and TAP devices with libtuntap.

    import tuntap

    with tuntap.Device("vpn%d", addrs=["10.8.0.1/24", "fd00::1/64"], up=True) as device:
        while True:
            packet = device.read()

tuntap.aio is the same for asyncio. tuntap.pytun has the class of python-pytun.
"""

from __future__ import annotations

from ._abi import (
    AddrFlag,
    Endian,
    EventKind,
    Feature,
    Flag,
    GsoType,
    IPv6Setting,
    Offloads,
    Reason,
    RouteFlag,
    RouteType,
    Scope,
    Wait,
)
from ._library import documented, lib
from .address import Addr
from .batch import Packets, Reader, Run, Writer
from .device import Device
from .errors import Error
from .link import Stats
from .monitor import Event, Monitor
from .offload import Joiner, Splitter, VnetHdr
from .presence import Info, delete, list, probe
from .route import Route, find_route


@documented("tuntap_version")
def version() -> str:
    text: bytes = lib.tuntap_version()
    return text.decode()


@documented("tuntap_has")
def has(feature: Feature) -> bool:
    return bool(lib.tuntap_has(feature))


__all__ = [
    "Addr",
    "AddrFlag",
    "Device",
    "Endian",
    "Error",
    "Event",
    "EventKind",
    "Feature",
    "Flag",
    "GsoType",
    "IPv6Setting",
    "Info",
    "Joiner",
    "Monitor",
    "Offloads",
    "Packets",
    "Reader",
    "Reason",
    "Route",
    "RouteFlag",
    "RouteType",
    "Run",
    "Scope",
    "Splitter",
    "Stats",
    "VnetHdr",
    "Wait",
    "Writer",
    "delete",
    "find_route",
    "has",
    "list",
    "probe",
    "version",
]
