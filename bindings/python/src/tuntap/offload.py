# SPDX-License-Identifier: MIT
"""Super-packets: their virtio header, and segmenting and coalescing in memory."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _abi
from ._abi import Flag
from ._handle import Handle, HandleOwner
from ._library import call, documented, lib
from ._memory import Memory, contiguous

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class VnetHdr(NamedTuple):
    """The virtio header of a packet: see tuntap_vnet_hdr in tuntap.h. All zeros: a plain packet."""

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
        """Converts a tuntap_vnet_hdr."""
        return cls(*(int(getattr(raw, name)) for name in cls._fields))

    def to_c(self) -> Any:
        """Converts to a tuntap_vnet_hdr. Checks the numbers first: ctypes would truncate them silently."""
        for field, value in zip(_abi.tuntap_vnet_hdr._fields_, self):
            if not 0 <= value < 1 << (8 * ctypes.sizeof(field[1])):
                raise OverflowError(f"{field[0]} of {value}")
        return _abi.tuntap_vnet_hdr(*self)


def reference_and_size(raw: Any) -> tuple[Any, int]:
    """Returns a reference to a structure and its size, which are two parameters of a C function."""
    return ctypes.byref(raw), ctypes.sizeof(raw)


class Splitter(HandleOwner):
    """Segments super-packets in memory. One thread at a time uses it; other threads wait."""

    @documented("tuntap_splitter_new")
    def __init__(self, flags: Flag = Flag.TUN) -> None:
        self._handle = Handle("the splitter", lib.tuntap_splitter_free, lib.tuntap_splitter_new, flags)
        self._lock = threading.RLock()

    @documented("tuntap_splitter_begin", "tuntap_splitter_next")
    def split(self, hdr: VnetHdr, packet: ReadableBuffer) -> list[bytes]:
        """Returns the segments of a super-packet, which stays unchanged."""
        raw, memory, address = hdr.to_c(), Memory(bytearray(packet)), ctypes.c_void_p()
        packets = []
        with self._lock, self._handle as pointer:
            call(lib.tuntap_splitter_begin, pointer, *reference_and_size(raw), memory.address, memory.size)
            while (length := lib.tuntap_splitter_next(pointer, ctypes.byref(address), None)) > 0:
                packets.append(ctypes.string_at(address.value or 0, length))
        return packets


class Joiner(HandleOwner):
    """Coalesces packets into super-packets in memory. One thread at a time uses it; other threads wait."""

    @documented("tuntap_joiner_new")
    def __init__(self, flags: Flag = Flag.TUN) -> None:
        self._handle = Handle("the joiner", lib.tuntap_joiner_free, lib.tuntap_joiner_new, flags)
        self._lock = threading.RLock()

    @documented("tuntap_joiner_put")
    def put(self, packet: ReadableBuffer) -> None:
        data = contiguous(packet)
        with self._lock:
            self._call(lib.tuntap_joiner_put, data, len(data))

    @documented("tuntap_joiner_next")
    def __iter__(self) -> Iterator[tuple[VnetHdr, bytes]]:
        """Yields the collected packets and super-packets, and removes them from the joiner."""
        raw, address = _abi.tuntap_vnet_hdr(), ctypes.c_void_p()
        while True:
            with self._lock, self._handle as pointer:
                length = lib.tuntap_joiner_next(pointer, *reference_and_size(raw), ctypes.byref(address), None)
                if length <= 0:
                    return
                taken = VnetHdr.of(raw), ctypes.string_at(address.value or 0, length)
            yield taken
