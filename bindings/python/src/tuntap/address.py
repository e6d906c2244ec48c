# SPDX-License-Identifier: MIT
"""The addresses of a device."""

from __future__ import annotations

import ctypes
import ipaddress
from typing import Any, Callable, NamedTuple, Union

from . import _abi
from ._abi import AddrFlag, Reason, Scope
from ._handle import Handled
from ._library import documented, lib
from .errors import Error

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IPInterface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
# An address, with or without its prefix: as text, or of the module ipaddress.
AddrLike = Union[str, IPAddress, IPInterface]


class Addr(NamedTuple):
    """An address of a device."""

    addr: IPInterface
    peer: IPAddress | None = None
    scope: Scope = Scope.GLOBAL
    flags: AddrFlag = AddrFlag(0)


def ip_text(value: object) -> str | None:
    """What is said of an address, a network or nothing: the module ipaddress writes as the library reads."""
    if isinstance(value, (bytes, bytearray, int)):
        raise TypeError(f"an address is a text or of the module ipaddress, not {type(value).__name__!r}")
    return None if value is None else str(value)


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
    def add_addr(self, addr: AddrLike, peer: str | IPAddress | None = None, flags: AddrFlag = AddrFlag(0)) -> None:
        self._call(lib.tuntap_add_addr, ip_text(addr), ip_text(peer), flags)

    @documented("tuntap_del_addr")
    def del_addr(self, addr: AddrLike, peer: str | IPAddress | None = None) -> None:
        self._call(lib.tuntap_del_addr, ip_text(addr), ip_text(peer))

    @documented("tuntap_list_addrs")
    def list_addrs(self) -> list[Addr]:
        return [
            Addr(
                ipaddress.ip_interface(told.addr.decode()), parse_ip(told.peer), Scope(told.scope), AddrFlag(told.flags)
            )
            for told in listed(self._call, lib.tuntap_list_addrs, _abi.tuntap_addr)
        ]
