# SPDX-License-Identifier: MIT
"""Lists and deletes the devices of all programs, and queries the features of the kernel."""

from __future__ import annotations

import builtins
import ctypes
import os
from contextlib import nullcontext
from dataclasses import dataclass

from . import _abi
from ._abi import Feature, Flag
from ._handle import device_handle
from ._library import call, documented, lib, number
from ._types import Text
from .address import list_all


@dataclass(frozen=True)
class Info:
    """A TUN or TAP device of the system."""

    name: str
    index: int
    flags: Flag
    owner: int | None
    group: int | None
    up: bool
    carrier: bool
    mtu: int
    mac: bytes


@documented("tuntap_list")
def list() -> builtins.list[Info]:
    return [
        Info(
            os.fsdecode(raw.name),
            raw.index,
            Flag(raw.flags),
            None if raw.owner == _abi.NO_ID else raw.owner,
            None if raw.group == _abi.NO_ID else raw.group,
            raw.up != 0,
            raw.carrier != 0,
            raw.mtu,
            bytes(raw.mac),
        )
        for raw in list_all(call, lib.tuntap_list, _abi.tuntap_info)
    ]


@documented("tuntap_delete")
def delete(name: Text) -> None:
    call(lib.tuntap_delete, name, 0)


@documented("tuntap_probe")
def probe(feature: Feature, device: object = None) -> bool:
    """Returns whether the kernel and, if it is given, a device support a feature."""
    with nullcontext() if device is None else device_handle(device) as pointer:
        return bool(number(ctypes.c_int, lib.tuntap_probe, pointer, feature))
