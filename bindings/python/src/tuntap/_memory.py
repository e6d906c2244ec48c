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
    """So many bytes, and where they are."""

    __slots__ = ("_first", "address", "size", "view")

    def __init__(self, buffer: WriteableBuffer) -> None:
        self.view = memoryview(buffer).cast("B")
        self.size = self.view.nbytes
        # It keeps the memory from moving.
        self._first = ctypes.c_char.from_buffer(self.view) if self.size else None
        self.address = ctypes.addressof(self._first) if self._first is not None else None


class Pool:
    """Memory that is reused. Each call that waits for a packet has its own, without a lock."""

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
    """The packet as bytes, whose address C gets: not of a subclass, which can report another length."""
    return packet if type(packet) is bytes else memoryview(packet).tobytes()


def size_of(buffer: ReadableBuffer) -> int:
    """Its bytes, which need not be its items."""
    return memoryview(buffer).nbytes


def sizes_of(packets: Iterable[ReadableBuffer]) -> list[int]:
    """That of each."""
    return [len(packet) if type(packet) is bytes else size_of(packet) for packet in packets]
