# SPDX-License-Identifier: MIT
"""The default route through a device, and what bypasses it."""

from __future__ import annotations

from . import _abi
from ._handle import HandleOwner
from ._library import documented, lib
from .address import IPAddress, ip_text
from .route import NetworkLike


class DefaultRoutes(HandleOwner):
    """A device and the default route through it."""

    @documented("tuntap_add_default_route")
    def add_default_route(
        self, family: int = 0, gateway: str | IPAddress | None = None, *, keep: bool = False, override: bool = False
    ) -> None:
        """Adds a default route. The family is 4 or 6, as the `version` of an address, or 0 for both."""
        flags = (_abi.KEEP if keep else 0) | (_abi.OVERRIDE if override else 0)
        self._call(lib.tuntap_add_default_route, family, ip_text(gateway), flags)

    @documented("tuntap_del_default_route")
    def del_default_route(self, family: int = 0) -> None:
        self._call(lib.tuntap_del_default_route, family)

    @documented("tuntap_add_bypass")
    def add_bypass(
        self, destination: NetworkLike | None = None, mark: int = 0, mask: int = 0, *, keep: bool = False
    ) -> None:
        self._call(lib.tuntap_add_bypass, ip_text(destination), mark, mask, _abi.KEEP if keep else 0)

    @documented("tuntap_del_bypass")
    def del_bypass(self, destination: NetworkLike | None = None, mark: int = 0, mask: int = 0) -> None:
        self._call(lib.tuntap_del_bypass, ip_text(destination), mark, mask)
