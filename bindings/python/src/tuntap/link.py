# SPDX-License-Identifier: MIT
"""The link of a device: name, up and down, MTU, MAC address, carrier, master, IPv6, counters."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any, NamedTuple, Union

from . import _abi
from ._abi import IPv6Setting, Offloads, Reason
from ._handle import HandleOwner
from ._library import documented, lib, number
from ._types import Text
from .errors import Error

MacLike = Union[str, bytes, bytearray, memoryview]


class Stats(NamedTuple):
    """Counters of a device. A packet that is written counts as received (rx), one that is read as transmitted (tx)."""

    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int
    rx_errors: int
    tx_errors: int
    rx_dropped: int
    tx_dropped: int


def mac_bytes(mac: MacLike) -> bytes:
    """Converts a MAC address to six bytes. It is text such as "02:00:00:00:00:01", or any buffer."""
    given = (
        bytes.fromhex(mac.replace(":", " ").replace("-", " ")) if isinstance(mac, str) else memoryview(mac).tobytes()
    )
    if len(given) != _abi.MAC_SIZE:
        raise ValueError(f"a MAC address has {_abi.MAC_SIZE} bytes, and {mac!r} has {len(given)}")
    return given


class Link(HandleOwner):
    """A device as the network sees it."""

    def _optional_number(self, kind: Any, function: Callable[..., Any]) -> int | None:
        try:
            return self._number(kind, function)
        except Error as error:
            if error.reason is Reason.UNSET:
                return None
            raise

    @property
    @documented("tuntap_get_name", "tuntap_set_name")
    def name(self) -> str:
        return self._text(_abi.NAME_SIZE, lib.tuntap_get_name)

    @name.setter
    def name(self, name: Text) -> None:
        self._call(lib.tuntap_set_name, name)

    @property
    @documented("tuntap_get_index")
    def index(self) -> int:
        return self._number(ctypes.c_uint32, lib.tuntap_get_index)

    @documented("tuntap_up")
    def up(self) -> None:
        self._call(lib.tuntap_up)

    @documented("tuntap_down")
    def down(self) -> None:
        self._call(lib.tuntap_down)

    @property
    @documented("tuntap_get_up")
    def is_up(self) -> bool:
        return self._number(ctypes.c_int, lib.tuntap_get_up) != 0

    @property
    @documented("tuntap_get_mtu", "tuntap_set_mtu")
    def mtu(self) -> int:
        return self._number(ctypes.c_uint32, lib.tuntap_get_mtu)

    @mtu.setter
    def mtu(self, mtu: int) -> None:
        self._call(lib.tuntap_set_mtu, mtu)

    @property
    @documented("tuntap_get_mtu_range")
    def mtu_range(self) -> tuple[int, int]:
        """The minimum and the maximum MTU."""
        minimum, maximum = ctypes.c_uint32(), ctypes.c_uint32()
        self._call(lib.tuntap_get_mtu_range, ctypes.byref(minimum), ctypes.byref(maximum))
        return minimum.value, maximum.value

    @property
    @documented("tuntap_get_mac", "tuntap_set_mac")
    def mac(self) -> bytes:
        """The MAC address: six bytes. It can also be set to text such as "02:00:00:00:00:01"."""
        mac = ctypes.create_string_buffer(_abi.MAC_SIZE)
        self._call(lib.tuntap_get_mac, mac)
        return mac.raw

    @mac.setter
    def mac(self, mac: MacLike) -> None:
        self._call(lib.tuntap_set_mac, mac_bytes(mac))

    @property
    @documented("tuntap_get_alias", "tuntap_set_alias")
    def alias(self) -> str:
        return self._text(_abi.ALIAS_SIZE, lib.tuntap_get_alias)

    @alias.setter
    def alias(self, alias: Text) -> None:
        self._call(lib.tuntap_set_alias, alias)

    @property
    @documented("tuntap_get_carrier", "tuntap_set_carrier")
    def carrier(self) -> bool:
        return self._number(ctypes.c_int, lib.tuntap_get_carrier) != 0

    @carrier.setter
    def carrier(self, on: bool) -> None:
        self._call(lib.tuntap_set_carrier, bool(on))

    @property
    @documented("tuntap_get_master", "tuntap_set_master")
    def master(self) -> str | None:
        """The master, or None."""
        try:
            return self._text(_abi.NAME_SIZE, lib.tuntap_get_master)
        except Error as error:
            if error.reason is Reason.UNSET:
                return None
            raise

    @master.setter
    def master(self, master: Text | None) -> None:
        self._call(lib.tuntap_set_master, master)

    @documented("tuntap_get_ipv6")
    def get_ipv6(self, setting: IPv6Setting) -> int:
        with self._handle as pointer:
            return number(ctypes.c_uint32, lib.tuntap_get_ipv6, pointer, setting)

    @documented("tuntap_set_ipv6")
    def set_ipv6(self, setting: IPv6Setting, value: int) -> None:
        self._call(lib.tuntap_set_ipv6, setting, value)

    @property
    @documented("tuntap_get_txqueuelen", "tuntap_set_txqueuelen")
    def txqueuelen(self) -> int:
        return self._number(ctypes.c_uint32, lib.tuntap_get_txqueuelen)

    @txqueuelen.setter
    def txqueuelen(self, packets: int) -> None:
        self._call(lib.tuntap_set_txqueuelen, packets)

    @property
    @documented("tuntap_get_sndbuf", "tuntap_set_sndbuf")
    def sndbuf(self) -> int:
        return self._number(ctypes.c_uint32, lib.tuntap_get_sndbuf)

    @sndbuf.setter
    def sndbuf(self, size: int) -> None:
        self._call(lib.tuntap_set_sndbuf, size)

    @property
    @documented("tuntap_get_offloads", "tuntap_set_offloads")
    def offloads(self) -> Offloads:
        return Offloads(self._number(ctypes.c_uint64, lib.tuntap_get_offloads))

    @offloads.setter
    def offloads(self, offloads: Offloads) -> None:
        self._call(lib.tuntap_set_offloads, offloads)

    @property
    @documented("tuntap_get_vnet_hdr_size")
    def vnet_hdr_size(self) -> int:
        return self._number(ctypes.c_size_t, lib.tuntap_get_vnet_hdr_size)

    @property
    @documented("tuntap_get_owner", "tuntap_set_owner")
    def owner(self) -> int | None:
        """The user ID of the owner, or None."""
        return self._optional_number(ctypes.c_uint32, lib.tuntap_get_owner)

    @owner.setter
    def owner(self, uid: int) -> None:
        self._call(lib.tuntap_set_owner, uid)

    @property
    @documented("tuntap_get_group", "tuntap_set_group")
    def group(self) -> int | None:
        """The group ID, or None."""
        return self._optional_number(ctypes.c_uint32, lib.tuntap_get_group)

    @group.setter
    def group(self, gid: int) -> None:
        self._call(lib.tuntap_set_group, gid)

    @property
    @documented("tuntap_get_stats")
    def stats(self) -> Stats:
        raw = _abi.tuntap_stats()
        self._call(lib.tuntap_get_stats, ctypes.byref(raw), ctypes.sizeof(raw))
        return Stats(*(int(getattr(raw, name)) for name in Stats._fields))

    @documented("tuntap_set_persist")
    def set_persist(self, on: bool = True) -> None:
        self._call(lib.tuntap_set_persist, bool(on))

    @documented("tuntap_set_netns")
    def set_netns(self, netns: Text | int) -> None:
        """Moves the device to the network namespace of a path or of a descriptor."""
        if isinstance(netns, int):
            self._call(lib.tuntap_set_netns_fd, netns)
        else:
            self._call(lib.tuntap_set_netns, os.fspath(netns))
