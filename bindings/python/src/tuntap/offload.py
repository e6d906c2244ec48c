# SPDX-License-Identifier: MIT
"""Super-packets: what is still to be done with them, and segmenting and coalescing in memory."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _abi
from ._abi import Flag
from ._handle import Handle, Handled
from ._library import call, documented, lib
from ._memory import Memory, contiguous

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class VnetHdr(NamedTuple):
    """What of a packet is still to be done: see tuntap_vnet_hdr in tuntap.h. All zeros: nothing."""

    flags: int = 0
    gso_type: int = 0
    hdr_len: int = 0
    gso_size: int = 0
    csum_start: int = 0
    csum_offset: int = 0
    num_buffers: int = 0
    outer_th_offset: int = 0
    inner_nh_offset: int = 0

    @classmethod
    def of(cls, raw: Any) -> VnetHdr:
        """What a tuntap_vnet_hdr says."""
        return cls(*(int(getattr(raw, name)) for name in cls._fields))

    def to_c(self) -> Any:
        """As a tuntap_vnet_hdr, of which ctypes would cut a number short without a word."""
        for field, value in zip(_abi.tuntap_vnet_hdr._fields_, self):
            if not 0 <= value < 1 << (8 * ctypes.sizeof(field[1])):
                raise OverflowError(f"{field[0]} of {value}")
        return _abi.tuntap_vnet_hdr(*self)


def sized(raw: Any) -> tuple[Any, int]:
    """A structure and its size, for a call."""
    return ctypes.byref(raw), ctypes.sizeof(raw)


class Splitter(Handled):
    """Segments super-packets in memory. For one thread at a time; others wait for it."""

    @documented("tuntap_splitter_new")
    def __init__(self, flags: Flag = Flag.TUN) -> None:
        self._handle = Handle("the splitter", lib.tuntap_splitter_free, lib.tuntap_splitter_new, flags)
        self._one_by_one = threading.RLock()

    @documented("tuntap_splitter_begin", "tuntap_splitter_next")
    def split(self, hdr: VnetHdr, packet: ReadableBuffer) -> list[bytes]:
        """The packets of a super-packet, of which it works on a copy."""
        raw, memory, place = hdr.to_c(), Memory(bytearray(packet)), ctypes.c_void_p()
        packets = []
        with self._one_by_one, self._handle as pointer:
            call(lib.tuntap_splitter_begin, pointer, *sized(raw), memory.address, memory.size)
            while (length := lib.tuntap_splitter_next(pointer, ctypes.byref(place), None)) > 0:
                packets.append(ctypes.string_at(place.value or 0, length))
        return packets


class Joiner(Handled):
    """Coalesces packets to super-packets in memory. For one thread at a time; others wait for it."""

    @documented("tuntap_joiner_new")
    def __init__(self, flags: Flag = Flag.TUN) -> None:
        self._handle = Handle("the joiner", lib.tuntap_joiner_free, lib.tuntap_joiner_new, flags)
        self._one_by_one = threading.RLock()

    @documented("tuntap_joiner_put")
    def put(self, packet: ReadableBuffer) -> None:
        data = contiguous(packet)
        with self._one_by_one:
            self._call(lib.tuntap_joiner_put, data, len(data))

    @documented("tuntap_joiner_next")
    def __iter__(self) -> Iterator[tuple[VnetHdr, bytes]]:
        """Takes what was collected."""
        raw, place = _abi.tuntap_vnet_hdr(), ctypes.c_void_p()
        while True:
            with self._one_by_one, self._handle as pointer:
                length = lib.tuntap_joiner_next(pointer, *sized(raw), ctypes.byref(place), None)
                if length <= 0:
                    return
                taken = VnetHdr.of(raw), ctypes.string_at(place.value or 0, length)
            yield taken
