# SPDX-License-Identifier: MIT
"""Programs that the kernel runs: they select the queue of a packet, or drop it."""

from __future__ import annotations

from collections.abc import Iterable

from . import _abi
from ._handle import HandleOwner
from ._library import documented, lib
from .link import MacLike, mac_bytes

# The size of an instruction of a classic BPF filter, in bytes.
_INSTRUCTION_SIZE = 8


class Steering(HandleOwner):
    """A device and its steering and filter programs."""

    @documented("tuntap_set_steering_ebpf")
    def set_steering_ebpf(self, fd: int | None) -> None:
        self._call(lib.tuntap_set_steering_ebpf, -1 if fd is None else fd)

    @documented("tuntap_set_filter_ebpf")
    def set_filter_ebpf(self, fd: int | None) -> None:
        self._call(lib.tuntap_set_filter_ebpf, -1 if fd is None else fd)

    @documented("tuntap_set_filter_bpf")
    def set_filter_bpf(self, filter: bytes | bytearray | memoryview | None) -> None:
        """Sets a filter: an array of struct sock_filter. None removes the filter."""
        program = bytes(filter or b"")
        if len(program) % _INSTRUCTION_SIZE:
            raise ValueError(f"a filter has {_INSTRUCTION_SIZE} bytes an instruction, and this one has {len(program)}")
        self._call(lib.tuntap_set_filter_bpf, program or None, len(program) // _INSTRUCTION_SIZE)

    @documented("tuntap_set_filter_mac")
    def set_filter_mac(self, macs: Iterable[MacLike], all_multicast: bool = False) -> None:
        joined = b"".join(map(mac_bytes, macs))
        flags = _abi.ALL_MULTICAST if all_multicast else 0
        self._call(lib.tuntap_set_filter_mac, joined or None, len(joined) // _abi.MAC_SIZE, flags)
