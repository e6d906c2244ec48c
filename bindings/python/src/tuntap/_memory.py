# SPDX-License-Identifier: MIT
"""Memory that C writes packets to."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Union

# What ctypes and os take packets from; and what they write to.
Buffer = Union[bytes, bytearray, memoryview, Any]


class Memory:
    """So many bytes, and where they are."""

    __slots__ = ("_first", "address", "size", "view")

    def __init__(self, buffer: Buffer) -> None:
        self.view = memoryview(buffer).cast("B")
        self.size = self.view.nbytes
        # It keeps the memory from moving.
        self._first = ctypes.c_char.from_buffer(self.view) if self.size else None
        self.address = ctypes.addressof(self._first) if self._first is not None else None


class Spares:
    """Memory that was used before: each that waits for a packet has its own, and nobody waits for that."""

    __slots__ = ("_size", "_spares")

    def __init__(self, size: int) -> None:
        self._size = size
        self._spares: list[Memory] = []

    @contextmanager
    def lend(self) -> Iterator[Memory]:
        try:
            memory = self._spares.pop()
        except IndexError:
            memory = Memory(bytearray(self._size))
        try:
            yield memory
        finally:
            self._spares.append(memory)


def contiguous(packet: Buffer) -> bytes | Any:
    """The packet as bytes, of which ctypes passes on where they are."""
    return packet if isinstance(packet, bytes) else bytes(memoryview(packet))
