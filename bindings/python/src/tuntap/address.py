# SPDX-License-Identifier: MIT
"""The addresses of a device."""

from __future__ import annotations

import ctypes
import ipaddress
import os
from typing import Any, Callable, NamedTuple, Union

from . import _abi
from ._abi import AddrFlag, Reason, Scope
from ._handle import Handled
from ._library import documented, lib
from ._types import uint32, uint64
from .errors import Error

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IPInterface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
# An address, with or without its prefix: as text, or of the module ipaddress.
AddrLike = Union[str, IPAddress, IPInterface]


class Addr(NamedTuple):
    """An address of a device."""

    addr: IPInterface
    peer: IPAddress | None = None
    scope: Scope | None = None
    flags: AddrFlag = AddrFlag(0)
    # Seconds; 0 has no end.
    valid: int = 0
    preferred: int = 0
    metric: int = 0
    protocol: int = 0
    broadcast: ipaddress.IPv4Address | None = None
    # "": the device's name.
    label: str = ""


def ip_text(value: object) -> str | None:
    """What is said of an address, a network or nothing: the module ipaddress writes as the library reads."""
    if isinstance(value, (bytes, bytearray, int)):
        raise TypeError(f"an address is a text or of the module ipaddress, not {type(value).__name__!r}")
    return None if value is None else str(value)


def fill(place: Any, member: str, text: str | None) -> None:
    """A text of a structure; None is none."""
    if text is None:
        return
    data = os.fsencode(text)
    if b"\0" in data or len(data) >= getattr(type(place), member).size:
        raise ValueError(f"{member} {text!r} is too long, or has a NUL in it")
    setattr(place, member, data)


def addr_struct(given: Addr) -> Any:
    """What C takes for an address."""
    place = _abi.tuntap_addr(
        scope=uint32(given.scope or 0),
        metric=uint32(given.metric),
        flags=uint64(given.flags),
        valid=uint32(given.valid),
        preferred=uint32(given.preferred),
        protocol=uint32(given.protocol),
    )
    fill(place, "addr", ip_text(given.addr))
    fill(place, "peer", ip_text(given.peer))
    fill(place, "broadcast", ip_text(given.broadcast))
    fill(place, "label", given.label)
    return place


def listed_addr(raw: Any) -> Addr:
    """What C lists of an address."""
    return Addr(
        ipaddress.ip_interface(raw.addr.decode()),
        parse_ip(raw.peer),
        Scope(raw.scope) if raw.scope else None,
        AddrFlag(raw.flags),
        raw.valid,
        raw.preferred,
        raw.metric,
        raw.protocol,
        ipaddress.IPv4Address(raw.broadcast.decode()) if raw.broadcast else None,
        os.fsdecode(raw.label),
    )


def parse_ip(text: bytes) -> IPAddress | None:
    """Of "" none."""
    return ipaddress.ip_address(text.decode()) if text else None


def listed(call: Callable[..., int], function: Any, kind: type[Any]) -> list[Any]:
    """Everything that a function lists, which may have become more since it was counted."""
    room = 8
    while True:
        places = (kind * room)()
        count = call(function, places, room, ctypes.sizeof(kind))
        if count <= room:
            return list(places[:count])
        room = count


class Addresses(Handled):
    """A device and its addresses."""

    def _ipv4(self, function: Any) -> ipaddress.IPv4Address | None:
        try:
            return ipaddress.IPv4Address(self._text(_abi.ADDR_SIZE, function))
        except Error as error:
            if error.reason is Reason.UNSET:
                return None
            raise

    @property
    @documented("tuntap_get_addr", "tuntap_set_addr")
    def addr(self) -> ipaddress.IPv4Address | None:
        """None: it has no IPv4 address. Text and ipaddress' addresses and interfaces, of both families, are taken."""
        return self._ipv4(lib.tuntap_get_addr)

    @addr.setter
    def addr(self, addr: AddrLike) -> None:
        self._call(lib.tuntap_set_addr, ip_text(addr))

    @property
    @documented("tuntap_get_dstaddr", "tuntap_set_dstaddr")
    def dstaddr(self) -> ipaddress.IPv4Address | None:
        """None: no other end is set."""
        return self._ipv4(lib.tuntap_get_dstaddr)

    @dstaddr.setter
    def dstaddr(self, dstaddr: str | ipaddress.IPv4Address) -> None:
        self._call(lib.tuntap_set_dstaddr, ip_text(dstaddr))

    @property
    @documented("tuntap_get_netmask", "tuntap_set_netmask")
    def netmask(self) -> ipaddress.IPv4Address | None:
        """None: it has no IPv4 address."""
        return self._ipv4(lib.tuntap_get_netmask)

    @netmask.setter
    def netmask(self, netmask: str | ipaddress.IPv4Address) -> None:
        self._call(lib.tuntap_set_netmask, ip_text(netmask))

    @documented("tuntap_add_addr")
    def add_addr(
        self,
        addr: AddrLike | Addr,
        peer: str | IPAddress | None = None,
        flags: AddrFlag = AddrFlag(0),
        *,
        scope: Scope | None = None,
        valid: int = 0,
        preferred: int = 0,
        metric: int = 0,
        protocol: int = 0,
        broadcast: str | ipaddress.IPv4Address | None = None,
        label: str = "",
        replace: bool = False,
    ) -> None:
        """An Addr, as list_addrs() returns it, has all of it but `replace`."""
        given = Addr(addr, peer, scope, flags, valid, preferred, metric, protocol, broadcast, label)  # type: ignore[arg-type]
        place = addr_struct(addr if isinstance(addr, Addr) else given)
        self._call(lib.tuntap_add_addr, ctypes.byref(place), ctypes.sizeof(place), _abi.REPLACE if replace else 0)

    @documented("tuntap_del_addr")
    def del_addr(self, addr: AddrLike | Addr, peer: str | IPAddress | None = None) -> None:
        place = addr_struct(addr if isinstance(addr, Addr) else Addr(addr, peer))  # type: ignore[arg-type]
        self._call(lib.tuntap_del_addr, ctypes.byref(place), ctypes.sizeof(place))

    @documented("tuntap_list_addrs")
    def list_addrs(self) -> list[Addr]:
        return [listed_addr(raw) for raw in listed(self._call, lib.tuntap_list_addrs, _abi.tuntap_addr)]
