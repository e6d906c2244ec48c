# SPDX-License-Identifier: MIT
"""The routes through a device."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, Union

from . import _abi
from ._handle import Handled
from ._library import documented, lib
from .address import IPAddress, ip_text, listed, parse_ip

IPNetwork = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
NetworkLike = Union[str, IPNetwork, IPAddress]


class Route(NamedTuple):
    """A route through a device."""

    destination: IPNetwork
    gateway: IPAddress | None = None
    metric: int = 0
    table: int = 0


class Routes(Handled):
    """A device and the routes through it."""

    @documented("tuntap_add_route")
    def add_route(
        self, destination: NetworkLike, gateway: str | IPAddress | None = None, metric: int = 0, table: int = 0
    ) -> None:
        self._call(lib.tuntap_add_route, ip_text(destination), ip_text(gateway), metric, table)

    @documented("tuntap_del_route")
    def del_route(
        self, destination: NetworkLike, gateway: str | IPAddress | None = None, metric: int = 0, table: int = 0
    ) -> None:
        self._call(lib.tuntap_del_route, ip_text(destination), ip_text(gateway), metric, table)

    @documented("tuntap_list_routes")
    def list_routes(self) -> list[Route]:
        return [
            Route(ipaddress.ip_network(told.destination.decode()), parse_ip(told.gateway), told.metric, told.table)
            for told in listed(self._call, lib.tuntap_list_routes, _abi.tuntap_route)
        ]
