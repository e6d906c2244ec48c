# SPDX-License-Identifier: MIT
"""The options of an open that are not flags, as a tuntap_config."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ._abi import Endian
from ._handle import Handle
from ._library import call, lib
from ._types import Text
from .address import Addr, AddrLike, addr_struct, either
from .link import MacLike, mac_bytes
from .route import NetworkLike, Route, route_struct


class Options(NamedTuple):
    """The options of Device, except its name and its flags."""

    node: Text | None = None
    netns: Text | int | None = None
    mtu: int | None = None
    mac: MacLike | None = None
    alias: Text | None = None
    txqueuelen: int | None = None
    sndbuf: int | None = None
    addrs: Iterable[AddrLike | Addr] = ()
    routes: Iterable[NetworkLike | Route] = ()
    up: bool | None = None
    owner: int | None = None
    group: int | None = None
    vnet_hdr_size: int | None = None
    vnet_endian: Endian | None = None


@contextmanager
def config(options: Options) -> Iterator[int]:
    """Creates a tuntap_config with these options, and yields its pointer."""
    handle = Handle("the options", lib.tuntap_config_free, lib.tuntap_config_new)
    try:
        with handle as pointer:
            _fill(pointer, options)
            yield pointer
    finally:
        handle.close()


def _fill(pointer: int, options: Options) -> None:
    single = (
        (lib.tuntap_config_set_node, options.node),
        (lib.tuntap_config_set_mtu, options.mtu),
        (lib.tuntap_config_set_mac, None if options.mac is None else mac_bytes(options.mac)),
        (lib.tuntap_config_set_alias, options.alias),
        (lib.tuntap_config_set_txqueuelen, options.txqueuelen),
        (lib.tuntap_config_set_sndbuf, options.sndbuf),
        (lib.tuntap_config_set_up, options.up),
        (lib.tuntap_config_set_owner, options.owner),
        (lib.tuntap_config_set_group, options.group),
        (lib.tuntap_config_set_vnet_hdr_size, options.vnet_hdr_size),
        (lib.tuntap_config_set_vnet_endian, options.vnet_endian),
    )
    for function, value in single:
        if value is not None:
            call(function, pointer, value)
    if isinstance(options.netns, int):
        call(lib.tuntap_config_set_netns_fd, pointer, options.netns)
    elif options.netns is not None:
        call(lib.tuntap_config_set_netns, pointer, os.fspath(options.netns))
    for addr in options.addrs:
        struct = addr_struct(either(addr, Addr(addr)))  # type: ignore[arg-type]
        call(lib.tuntap_config_add_addr, pointer, ctypes.byref(struct), ctypes.sizeof(struct), 0)
    for route in options.routes:
        struct = route_struct(either(route, Route(route)))  # type: ignore[arg-type]
        call(lib.tuntap_config_add_route, pointer, ctypes.byref(struct), ctypes.sizeof(struct), 0)
