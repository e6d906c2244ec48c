# SPDX-License-Identifier: MIT
"""Memory that C writes packets to."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Memory:
    """A buffer, its size in bytes and its address."""

    __slots__ = ("_first", "address", "size", "view")

    def __init__(self, buffer: WriteableBuffer) -> None:
        self.view = memoryview(buffer).cast("B")
        self.size = self.view.nbytes
        # While this reference exists, the buffer cannot be resized, which could move it.
        self._first = ctypes.c_char.from_buffer(self.view) if self.size else None
        self.address = ctypes.addressof(self._first) if self._first is not None else None


class Pool:
    """Memory that calls reuse. Each call that waits for a packet has its own, so no lock is needed."""

    __slots__ = ("_free", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: list[Memory] = []

    @contextmanager
    def lend(self) -> Iterator[Memory]:
        try:
            memory = self._free.pop()
        except IndexError:
            memory = Memory(bytearray(self._size))
        try:
            yield memory
        finally:
            self._free.append(memory)


def contiguous(packet: ReadableBuffer) -> bytes:
    """Returns the packet as bytes, for C. It copies a subclass of bytes too, because its len() can be wrong."""
    return packet if type(packet) is bytes else memoryview(packet).tobytes()


def size_of(buffer: ReadableBuffer) -> int:
    """Returns the number of bytes of a buffer, which can differ from its number of items."""
    return memoryview(buffer).nbytes


def sizes_of(packets: Iterable[ReadableBuffer]) -> list[int]:
    """Returns the number of bytes of each packet."""
    return [len(packet) if type(packet) is bytes else size_of(packet) for packet in packets]
