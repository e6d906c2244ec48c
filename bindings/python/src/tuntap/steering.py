# SPDX-License-Identifier: MIT
"""Which queue a packet goes to, and whether it goes out at all: programs that the kernel runs."""

from __future__ import annotations

from collections.abc import Iterable

from . import _abi
from ._handle import Handled
from ._library import documented, lib
from .link import MacLike, mac_bytes

# Bytes of an instruction of a classic filter.
_INSTRUCTION = 8


class Steering(Handled):
    """A device and the programs of it."""

    @documented("tuntap_set_steering_ebpf")
    def set_steering_ebpf(self, fd: int | None) -> None:
        self._call(lib.tuntap_set_steering_ebpf, -1 if fd is None else fd)

    @documented("tuntap_set_filter_ebpf")
    def set_filter_ebpf(self, fd: int | None) -> None:
        self._call(lib.tuntap_set_filter_ebpf, -1 if fd is None else fd)

    @documented("tuntap_set_filter_bpf")
    def set_filter_bpf(self, filter: bytes | bytearray | memoryview | None) -> None:
        """The instructions one behind the other, as sock_filter has them."""
        program = bytes(filter or b"")
        if len(program) % _INSTRUCTION:
            raise ValueError(f"a filter has {_INSTRUCTION} bytes an instruction, and this one has {len(program)}")
        self._call(lib.tuntap_set_filter_bpf, program or None, len(program) // _INSTRUCTION)

    @documented("tuntap_set_filter_mac")
    def set_filter_mac(self, macs: Iterable[MacLike], all_multicast: bool = False) -> None:
        joined = b"".join(map(mac_bytes, macs))
        flags = _abi.ALL_MULTICAST if all_multicast else 0
        self._call(lib.tuntap_set_filter_mac, joined or None, len(joined) // _abi.MAC_SIZE, flags)
