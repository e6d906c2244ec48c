# SPDX-License-Identifier: MIT
"""A device whose calls wait for packets."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from . import _abi
from ._abi import Flag, Reason, Wait
from ._base import BaseDevice
from ._library import call, documented, lib
from ._memory import Memory, contiguous, size_of
from ._wait import retry_on_signal, retry_within
from .batch import Reader, Writer
from .errors import error
from .offload import VnetHdr, sized

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Device(BaseDevice):
    """A TUN or TAP device, through one of its queues.

    Device("vpn%d", Flag.TUN, addrs=["10.8.0.1/24"], up=True) opens one, with all of its options or not at all; close()
    or the end of a `with` closes it. Every method may be called from any thread; one thread may read while another one
    writes. Signal handlers of Python's run while a call waits, and may raise.
    """

    @documented("tuntap_read", "tuntap_read_timeout")
    def read(self, timeout: float | None = None) -> bytes:
        """A packet, within so many seconds or TimeoutError; None: as long as it takes."""
        packet = self._read_now()
        if packet is not None:
            return packet
        with self._pool.lend() as memory:
            length = self._receive(memory, timeout)
            return bytes(memory.view[:length])

    @documented("tuntap_read", "tuntap_read_timeout")
    def readinto(self, buffer: WriteableBuffer, timeout: float | None = None) -> int:
        """A packet into a writable buffer, without a copy; its length. The limit is as for read()."""
        room = len(buffer) if type(buffer) is bytearray else size_of(buffer)
        handle = self._handle
        if handle.fd >= 0 and room:
            users = handle.users
            users.append(None)
            try:
                length = os.readv(handle.fd, (buffer, self._spill))
            except OSError:
                length = -1
            finally:
                if users:
                    users.pop()
                if handle.closed:
                    handle.release()
            if length > room:
                raise error(
                    errno.EMSGSIZE, Reason.BUFFER, f"read a packet: it is longer than {room} bytes, and is lost"
                )
            if length >= 0:
                return length
        return self._receive(Memory(buffer), timeout)

    @documented("tuntap_write", "tuntap_write_timeout")
    def write(self, packet: ReadableBuffer, timeout: float | None = None) -> int:
        """Any buffer. It waits for room so many seconds; None: as long as it takes."""
        length = self._write_now(packet)
        if length is not None:
            return length
        data = contiguous(packet)
        with self._handle as pointer:
            if timeout is None:
                return retry_on_signal(lambda: call(lib.tuntap_write, pointer, data, len(data)))
            return retry_within(timeout, lambda ms: call(lib.tuntap_write_timeout, pointer, data, len(data), ms))

    def _receive(self, memory: Memory, timeout: float | None) -> int:
        with self._handle as pointer:
            if timeout is None:
                return retry_on_signal(lambda: call(lib.tuntap_read, pointer, memory.address, memory.size))
            return retry_within(
                timeout, lambda ms: call(lib.tuntap_read_timeout, pointer, memory.address, memory.size, ms)
            )

    @documented("tuntap_read_super")
    def read_super(self) -> tuple[VnetHdr, bytes]:
        raw = _abi.tuntap_vnet_hdr()
        with self._pool.lend() as memory, self._handle as pointer:
            arguments = (pointer, *sized(raw), memory.address, memory.size)
            length = retry_on_signal(lambda: call(lib.tuntap_read_super, *arguments))
            return VnetHdr.of(raw), bytes(memory.view[:length])

    @documented("tuntap_write_super")
    def write_super(self, hdr: VnetHdr, packet: ReadableBuffer) -> int:
        raw, data = hdr.to_c(), contiguous(packet)
        with self._handle as pointer:
            arguments = (pointer, *sized(raw), data, len(data))
            return retry_on_signal(lambda: call(lib.tuntap_write_super, *arguments))

    @documented("tuntap_reader_new")
    def reader(self, flags: Flag = Flag(0)) -> Reader:
        return Reader(self, flags)

    @documented("tuntap_writer_new")
    def writer(self, flags: Flag = Flag(0)) -> Writer:
        return Writer(self, flags)

    @property
    @documented("tuntap_set_nonblock")
    def nonblock(self) -> bool:
        """Without a time limit, calls raise BlockingIOError instead of waiting."""
        return bool(self.flags & Flag.NONBLOCK)

    @nonblock.setter
    def nonblock(self, on: bool) -> None:
        self._call(lib.tuntap_set_nonblock, bool(on))

    @documented("tuntap_wait")
    def wait(self, events: Wait = Wait.READ, timeout: float | None = None) -> Wait:
        """Those of the events that are ready, within so many seconds or TimeoutError; None: no limit."""
        with self._handle as pointer:
            return Wait(retry_within(timeout, lambda ms: call(lib.tuntap_wait, pointer, events, ms)))

    @documented("tuntap_wake")
    def wake(self) -> None:
        with self._handle as pointer:
            lib.tuntap_wake(pointer)

    @documented("tuntap_shutdown")
    def shutdown(self) -> None:
        with self._handle as pointer:
            # The descriptor itself knows nothing of it.
            self._handle.fd = -1
            lib.tuntap_shutdown(pointer)
