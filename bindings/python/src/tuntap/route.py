# SPDX-License-Identifier: MIT
"""The routes through a device, and the route that the system selects."""

from __future__ import annotations

import ctypes
import ipaddress
from collections.abc import Callable
from typing import Any, NamedTuple, Union

from . import _abi
from ._abi import RouteFlag, RouteType, Scope
from ._handle import HandleOwner
from ._library import call, documented, lib
from ._types import uint32, uint64
from .address import IPAddress, either, ip_text, list_all, parse_ip, set_text

IPNetwork = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
NetworkLike = Union[str, IPNetwork, IPAddress]


class Route(NamedTuple):
    """A route through a device."""

    destination: IPNetwork
    gateway: IPAddress | None = None
    metric: int = 0
    table: int = 0
    source: IPAddress | None = None
    type: RouteType = RouteType.UNICAST
    protocol: int = 0
    scope: Scope | None = None
    mtu: int = 0
    flags: RouteFlag = RouteFlag(0)
    # The index of the interface, for socket.if_indextoname(). Only find_route() reports it.
    ifindex: int = 0


def route_struct(given: Route) -> Any:
    """Converts a Route to a tuntap_route."""
    struct = _abi.tuntap_route(
        metric=uint32(given.metric),
        table=uint32(given.table),
        flags=uint64(given.flags),
        type=uint32(given.type),
        protocol=uint32(given.protocol),
        scope=uint32(given.scope or 0),
        mtu=uint32(given.mtu),
        index=uint32(given.ifindex),
    )
    set_text(struct, "destination", ip_text(given.destination))
    set_text(struct, "gateway", ip_text(given.gateway))
    set_text(struct, "source", ip_text(given.source))
    return struct


def route_from_struct(raw: Any) -> Route:
    """Converts a tuntap_route to a Route."""
    return Route(
        ipaddress.ip_network(raw.destination.decode()),
        parse_ip(raw.gateway),
        raw.metric,
        raw.table,
        parse_ip(raw.source),
        RouteType(raw.type),
        raw.protocol,
        Scope(raw.scope) if raw.scope else None,
        raw.mtu,
        RouteFlag(raw.flags),
        raw.index,
    )


def _find_route(
    call: Callable[..., int], destination: str | IPAddress, source: str | IPAddress | None, mark: int, *device: Any
) -> Route:
    struct = _abi.tuntap_route()
    given = (ip_text(destination), ip_text(source), mark)
    call(lib.tuntap_find_route, *device, *given, ctypes.byref(struct), ctypes.sizeof(struct))
    return route_from_struct(struct)


@documented("tuntap_find_route")
def find_route(destination: str | IPAddress, source: str | IPAddress | None = None, mark: int = 0) -> Route:
    """Finds a route, in the network namespace of the calling thread."""
    return _find_route(call, destination, source, mark, None)


class Routes(HandleOwner):
    """A device and the routes through it."""

    @documented("tuntap_add_route")
    def add_route(
        self,
        destination: NetworkLike | Route,
        gateway: str | IPAddress | None = None,
        metric: int = 0,
        table: int = 0,
        *,
        source: str | IPAddress | None = None,
        type: RouteType = RouteType.UNICAST,
        protocol: int = 0,
        scope: Scope | None = None,
        mtu: int = 0,
        flags: RouteFlag = RouteFlag(0),
        replace: bool = False,
    ) -> None:
        """Adds a route. If it is a Route, as list_routes() returns it, the only other argument is `replace`."""
        given = Route(destination, gateway, metric, table, source, type, protocol, scope, mtu, flags)  # type: ignore[arg-type]
        struct = route_struct(either(destination, given))
        self._call(lib.tuntap_add_route, ctypes.byref(struct), ctypes.sizeof(struct), _abi.REPLACE if replace else 0)

    @documented("tuntap_del_route")
    def del_route(
        self,
        destination: NetworkLike | Route,
        gateway: str | IPAddress | None = None,
        metric: int = 0,
        table: int = 0,
        *,
        source: str | IPAddress | None = None,
        type: RouteType = RouteType.UNICAST,
        protocol: int = 0,
        scope: Scope | None = None,
        mtu: int = 0,
        flags: RouteFlag = RouteFlag(0),
    ) -> None:
        given = Route(destination, gateway, metric, table, source, type, protocol, scope, mtu, flags)  # type: ignore[arg-type]
        struct = route_struct(either(destination, given))
        self._call(lib.tuntap_del_route, ctypes.byref(struct), ctypes.sizeof(struct))

    @documented("tuntap_find_route")
    def find_route(self, destination: str | IPAddress, source: str | IPAddress | None = None, mark: int = 0) -> Route:
        return _find_route(self._call, destination, source, mark)

    @documented("tuntap_list_routes")
    def list_routes(self) -> list[Route]:
        return [route_from_struct(raw) for raw in list_all(self._call, lib.tuntap_list_routes, _abi.tuntap_route)]
