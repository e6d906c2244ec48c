# SPDX-License-Identifier: MIT
"""Devices for asyncio: `async for packet in device`, `await device.write(packet)`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from . import batch
from ._abi import Flag
from ._base import BaseDevice
from ._library import documented, lib
from ._memory import contiguous
from ._wait import Waits
from .batch import Packets
from .errors import Error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_Self = TypeVar("_Self")

# The number of packets without a wait after which other tasks run.
_PACKETS_PER_TURN = 64


class Device(BaseDevice):
    """A TUN or TAP device in an event loop. Reads and writes are awaited; everything else is as in tuntap.Device.

    Several tasks may read and write. Each packet goes to one task, and a task that is cancelled loses no packet.
    """

    @documented("tuntap_read")
    async def read(self) -> bytes:
        while True:
            await self._yield_to_loop()
            packet = self._try_read()
            if packet is not None:
                return packet
            await self._readable()

    @documented("tuntap_write")
    async def write(self, packet: ReadableBuffer) -> int:
        while True:
            await self._yield_to_loop()
            length = self._try_write(packet)
            if length is not None:
                return length
            await self._writable()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.read()

    @documented("tuntap_reader_new")
    def reader(self, flags: Flag = Flag(0)) -> Reader:
        return Reader(self, flags)

    @documented("tuntap_writer_new")
    def writer(self, flags: Flag = Flag(0)) -> Writer:
        return Writer(self, flags)

    def _init(self, make: Callable[..., Any], *arguments: Any) -> None:
        super()._init(make, *arguments)
        self._waits = Waits(self._handle)
        self._without_wait = 0
        # This also applies to the readers and writers of the handle.
        self._call(lib.tuntap_set_nonblock, 1)

    def _close_parts(self) -> bool:
        try:
            self._waits.end()
        finally:
            busy = super()._close_parts()
        return busy

    def _try_read(self) -> bytes | None:
        """Reads a packet. Returns None if there is none."""
        packet = self._read_now()
        if packet is not None:
            return packet
        with self._pool.lend() as memory:
            try:
                length = self._call(lib.tuntap_read, memory.address, memory.size)
            except BlockingIOError:
                return None
            return bytes(memory.view[:length])

    def _try_write(self, packet: ReadableBuffer) -> int | None:
        """Writes a packet, and returns its length. Returns None if there is no room."""
        length = self._write_now(packet)
        if length is not None:
            return length
        data = contiguous(packet)
        try:
            return self._call(lib.tuntap_write, data, len(data))
        except BlockingIOError:
            return None

    async def _yield_to_loop(self) -> None:
        """Lets other tasks run after some packets, even if this task never has to wait."""
        self._without_wait += 1
        if self._without_wait > _PACKETS_PER_TURN:
            self._without_wait = 0
            await asyncio.sleep(0)

    async def _readable(self) -> None:
        self._without_wait = 0
        await self._waits.wait(lib.tuntap_get_fd)

    async def _writable(self) -> None:
        self._without_wait = 0
        if sys.platform == "linux":
            await self._waits.wait(lib.tuntap_get_fd, writing=True)
        else:
            # On other systems no descriptor reports that there is room: see Reason.FULL.
            await asyncio.sleep(0.001)


class _Part:
    """A reader or writer of a device in an event loop."""

    _device: Device
    _part: batch.Reader | batch.Writer

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._part.closed

    def close(self) -> None:
        """Frees the object, and the packets that it still holds. Tasks that await it get an Error."""
        self._part.close()
        self._device._waits.end()

    async def __aenter__(self: _Self) -> _Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Reader(_Part):
    """Reads packets in batches: `async for packets in reader`."""

    def __init__(self, device: Device, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._part: batch.Reader = batch.Reader(device, flags)

    async def batch(self) -> Packets:
        """Returns at least one packet, and at most 256: see tuntap.Reader.batch()."""
        while True:
            await self._device._yield_to_loop()
            try:
                packets = self._part._next()
            except BlockingIOError:
                packets = None
            if packets:
                return packets
            await self._device._readable()

    @documented("tuntap_reader_set_room")
    def set_room(self, headroom: int = 0, tailroom: int = 0) -> None:
        """Sets the room around each packet of Packets.runs()."""
        self._part.set_room(headroom, tailroom)

    async def __aiter__(self) -> AsyncIterator[Packets]:
        while True:
            yield await self.batch()


class Writer(_Part):
    """Writes packets in batches."""

    def __init__(self, device: Device, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._part: batch.Writer = batch.Writer(device, flags)

    async def batch(self, packets: Packets | Sequence[ReadableBuffer]) -> None:
        """Writes packets as tuntap.Writer.batch() does, and waits for room until all of them are written."""
        taken, left = 0, packets
        while True:
            await self._device._yield_to_loop()
            try:
                return self._part.batch(left)
            except Error as caught:
                taken += caught.taken
                caught.taken, count = taken, caught.taken
                if not isinstance(caught, BlockingIOError):
                    raise
            left = left[count:] if count < len(left) else ()
            await self._device._writable()
