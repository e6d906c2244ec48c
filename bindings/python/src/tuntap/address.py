# SPDX-License-Identifier: MIT
"""The addresses of a device."""

from __future__ import annotations

import ctypes
import ipaddress
import os
from typing import Any, Callable, NamedTuple, Union

from . import _abi
from ._abi import AddrFlag, Reason, Scope
from ._handle import HandleOwner
from ._library import documented, lib
from ._types import uint32, uint64
from .errors import Error

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IPInterface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
# An address, with or without its prefix length: text, or an object of the module ipaddress.
AddrLike = Union[str, IPAddress, IPInterface]


class Addr(NamedTuple):
    """An address of a device."""

    addr: IPInterface
    peer: IPAddress | None = None
    scope: Scope | None = None
    flags: AddrFlag = AddrFlag(0)
    # Lifetimes in seconds. 0: unlimited.
    valid: int = 0
    preferred: int = 0
    metric: int = 0
    protocol: int = 0
    broadcast: ipaddress.IPv4Address | None = None
    # "" stands for the name of the device.
    label: str = ""


def ip_text(value: object) -> str | None:
    """Returns the text of an address or a network: the library parses what the module ipaddress writes."""
    if isinstance(value, (bytes, bytearray, int)):
        raise TypeError(f"an address is a text or of the module ipaddress, not {type(value).__name__!r}")
    return None if value is None else str(value)


def set_text(struct: Any, member: str, text: str | None) -> None:
    """Sets a text member of a structure. None leaves it empty."""
    if text is None:
        return
    data = os.fsencode(text)
    if b"\0" in data or len(data) >= getattr(type(struct), member).size:
        raise ValueError(f"{member} {text!r} is too long, or has a NUL in it")
    setattr(struct, member, data)


def addr_struct(given: Addr) -> Any:
    """Converts an Addr to a tuntap_addr."""
    struct = _abi.tuntap_addr(
        scope=uint32(given.scope or 0),
        metric=uint32(given.metric),
        flags=uint64(given.flags),
        valid=uint32(given.valid),
        preferred=uint32(given.preferred),
        protocol=uint32(given.protocol),
    )
    set_text(struct, "addr", ip_text(given.addr))
    set_text(struct, "peer", ip_text(given.peer))
    set_text(struct, "broadcast", ip_text(given.broadcast))
    set_text(struct, "label", given.label)
    return struct


def addr_from_struct(raw: Any) -> Addr:
    """Converts a tuntap_addr to an Addr."""
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
    """Parses an address. Returns None for an empty text."""
    return ipaddress.ip_address(text.decode()) if text else None


def list_all(call: Callable[..., int], function: Any, kind: type[Any]) -> list[Any]:
    """Returns all items that a C function lists. Their number may grow between two calls of the function."""
    capacity = 8
    while True:
        items = (kind * capacity)()
        count = call(function, items, capacity, ctypes.sizeof(kind))
        if count <= capacity:
            return list(items[:count])
        capacity = count


def either(first: Any, given: Any) -> Any:
    """Returns the first argument if it describes everything, and otherwise what all arguments describe."""
    kind = type(given)
    if not isinstance(first, kind):
        return given
    if given != kind(first):
        raise TypeError(f"{kind.__name__} has these arguments as members")
    return first


class Addresses(HandleOwner):
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
        """The IPv4 address, or None. It can be set to an IPv4 or IPv6 address: text, or an object of ipaddress."""
        return self._ipv4(lib.tuntap_get_addr)

    @addr.setter
    def addr(self, addr: AddrLike) -> None:
        self._call(lib.tuntap_set_addr, ip_text(addr))

    @property
    @documented("tuntap_get_dstaddr", "tuntap_set_dstaddr")
    def dstaddr(self) -> ipaddress.IPv4Address | None:
        """The peer of the IPv4 address, or None."""
        return self._ipv4(lib.tuntap_get_dstaddr)

    @dstaddr.setter
    def dstaddr(self, dstaddr: str | ipaddress.IPv4Address) -> None:
        self._call(lib.tuntap_set_dstaddr, ip_text(dstaddr))

    @property
    @documented("tuntap_get_netmask", "tuntap_set_netmask")
    def netmask(self) -> ipaddress.IPv4Address | None:
        """The netmask of the IPv4 address, or None."""
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
        """Adds an address. If it is an Addr, as list_addrs() returns it, the only other argument is `replace`."""
        given = Addr(addr, peer, scope, flags, valid, preferred, metric, protocol, broadcast, label)  # type: ignore[arg-type]
        struct = addr_struct(either(addr, given))
        self._call(lib.tuntap_add_addr, ctypes.byref(struct), ctypes.sizeof(struct), _abi.REPLACE if replace else 0)

    @documented("tuntap_del_addr")
    def del_addr(self, addr: AddrLike | Addr, peer: str | IPAddress | None = None) -> None:
        struct = addr_struct(either(addr, Addr(addr, peer)))  # type: ignore[arg-type]
        self._call(lib.tuntap_del_addr, ctypes.byref(struct), ctypes.sizeof(struct))

    @documented("tuntap_list_addrs")
    def list_addrs(self) -> list[Addr]:
        return [addr_from_struct(raw) for raw in list_all(self._call, lib.tuntap_list_addrs, _abi.tuntap_addr)]
