# SPDX-License-Identifier: MIT
"""The same for asyncio: `async for packet in device`, `await device.write(packet)`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from . import batch
from ._abi import Flag
from ._base import BaseDevice
from ._library import documented, lib
from ._memory import Buffer, contiguous
from ._wait import Readiness
from .batch import Packets

# Packets that come without a wait before other tasks have their turn.
_TURN = 64


class Device(BaseDevice):
    """A TUN or TAP device in an event loop: its packets are awaited, everything else is as in tuntap.Device.

    Several tasks may read and write; each packet is one task's.
    """

    _loop: asyncio.AbstractEventLoop | None = None
    _readiness: dict[bool, Readiness] | None = None
    _without_wait = 0

    @documented("tuntap_read")
    async def read(self) -> bytes:
        while True:
            packet = self._take()
            if packet is not None:
                await self._give_way()
                return packet
            await self._ready(False)

    @documented("tuntap_write")
    async def write(self, packet: Buffer) -> int:
        while True:
            length = self._give(packet)
            if length is not None:
                await self._give_way()
                return length
            await self._ready(True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.read()

    @documented("tuntap_reader_open")
    def reader(self, flags: Flag = Flag(0)) -> Reader:
        return Reader(self, flags)

    @documented("tuntap_writer_open")
    def writer(self, flags: Flag = Flag(0)) -> Writer:
        return Writer(self, flags)

    def close(self) -> None:
        # The loop forgets the descriptor before it is closed.
        for readiness in (self._readiness or {}).values():
            readiness.end()
        super().close()

    close.__doc__ = BaseDevice.close.__doc__

    def _own(self, pointer: int) -> None:
        super()._own(pointer)
        # The readers and writers of a handle wait as that does: not at all.
        self._call(lib.tuntap_set_nonblock, 1)

    def _take(self) -> bytes | None:
        """A packet, if one is there."""
        packet = self._read_now()
        if packet is not None:
            return packet
        with self._spares.lend() as memory:
            try:
                length = self._call(lib.tuntap_read, memory.address, memory.size)
            except BlockingIOError:
                return None
            return bytes(memory.view[:length])

    def _give(self, packet: Buffer) -> int | None:
        """How many bytes of a packet were taken: all, or None when there is no room."""
        length = self._write_now(packet)
        if length is not None:
            return length
        data = contiguous(packet)
        try:
            return self._call(lib.tuntap_write, data, len(data))
        except BlockingIOError:
            return None

    async def _give_way(self) -> None:
        """Lets other tasks have their turn, where packets come or go for ever without a wait."""
        self._without_wait += 1
        if self._without_wait >= _TURN:
            self._without_wait = 0
            await asyncio.sleep(0)

    async def _ready(self, writing: bool) -> None:
        self._without_wait = 0
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._readiness is None:
            fd = self.fileno()
            self._loop = loop
            self._readiness = {direction: Readiness(loop, fd, direction) for direction in (False, True)}
        await self._readiness[writing].wait()


class Reader:
    """Takes packets in batches: `async for packets in reader`."""

    def __init__(self, device: Device, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._reader = batch.Reader(device, flags)

    async def batch(self) -> Packets:
        """At least one packet, and at most 256: see tuntap.Reader.batch."""
        while True:
            try:
                packets = self._reader.batch()
            except BlockingIOError:
                await self._device._ready(False)
                continue
            await self._device._give_way()
            return packets

    async def __aiter__(self) -> AsyncIterator[Packets]:
        while True:
            yield await self.batch()

    def close(self) -> None:
        """Frees the reader, and the packets that it still has."""
        self._reader.close()


class Writer:
    """Hands over packets in batches."""

    def __init__(self, device: Device, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._writer = batch.Writer(device, flags)

    async def batch(self, packets: Sequence[Buffer]) -> int:
        """How many were taken: see tuntap.Writer.batch. Waits until there is room, and all of them are out."""
        taken = await self._when_room(packets)
        while taken < len(packets):
            taken += await self._when_room(packets[taken:])
        while True:
            try:
                self._writer.flush()
                return taken
            except BlockingIOError:
                await self._device._ready(True)

    async def _when_room(self, packets: Sequence[Buffer]) -> int:
        while True:
            try:
                taken = self._writer.batch(packets)
            except BlockingIOError:
                await self._device._ready(True)
                continue
            await self._device._give_way()
            return taken

    def close(self) -> None:
        """Frees the writer. Packets that it still has are lost."""
        self._writer.close()
