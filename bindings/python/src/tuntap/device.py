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
from .offload import VnetHdr, reference_and_size

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Device(BaseDevice):
    """A TUN or TAP device, through one of its queues.

    Device("vpn%d", Flag.TUN, addrs=["10.8.0.1/24"], up=True) opens a device and sets all options, or raises an Error.
    close() or the end of a `with` block closes it. Any thread may call any method, and one thread may read while
    another one writes. Python's signal handlers run while a call waits, and may raise an exception.
    """

    @documented("tuntap_read", "tuntap_read_timeout")
    def read(self, timeout: float | None = None) -> bytes:
        """Reads a packet. Raises TimeoutError after timeout seconds; None: no limit."""
        packet = self._read_now()
        if packet is not None:
            return packet
        with self._pool.lend() as memory:
            length = self._receive(memory, timeout)
            return bytes(memory.view[:length])

    @documented("tuntap_read", "tuntap_read_timeout")
    def readinto(self, buffer: WriteableBuffer, timeout: float | None = None) -> int:
        """Reads a packet into a writable buffer, without a copy, and returns its length. `timeout` is as in read()."""
        room = len(buffer) if type(buffer) is bytearray else size_of(buffer)
        handle = self._handle
        if handle.fd >= 0 and room:
            users = handle.users
            users.append(None)
            try:
                length = os.readv(handle.fd, (buffer, self._overflow))
            except OSError:
                length = -1
            finally:
                if users:
                    users.pop()
                if handle.closed:
                    handle.free_if_unused()
            if length > room:
                raise error(
                    errno.EMSGSIZE, Reason.BUFFER, f"read a packet: it is longer than {room} bytes, and is lost"
                )
            if length >= 0:
                return length
        return self._receive(Memory(buffer), timeout)

    @documented("tuntap_write", "tuntap_write_timeout")
    def write(self, packet: ReadableBuffer, timeout: float | None = None) -> int:
        """Writes a packet from any buffer. Raises TimeoutError after timeout seconds without room; None: no limit."""
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
            arguments = (pointer, *reference_and_size(raw), memory.address, memory.size)
            length = retry_on_signal(lambda: call(lib.tuntap_read_super, *arguments))
            return VnetHdr.of(raw), bytes(memory.view[:length])

    @documented("tuntap_write_super")
    def write_super(self, hdr: VnetHdr, packet: ReadableBuffer) -> int:
        raw, data = hdr.to_c(), contiguous(packet)
        with self._handle as pointer:
            arguments = (pointer, *reference_and_size(raw), data, len(data))
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
        """Whether calls without a timeout raise BlockingIOError instead of waiting."""
        return bool(self.flags & Flag.NONBLOCK)

    @nonblock.setter
    def nonblock(self, on: bool) -> None:
        self._call(lib.tuntap_set_nonblock, bool(on))

    @documented("tuntap_wait")
    def wait(self, events: Wait = Wait.READ, timeout: float | None = None) -> Wait:
        """Returns the events that are ready. Raises TimeoutError after timeout seconds; None: no limit."""
        with self._handle as pointer:
            return Wait(retry_within(timeout, lambda ms: call(lib.tuntap_wait, pointer, events, ms)))

    @documented("tuntap_wake")
    def wake(self) -> None:
        with self._handle as pointer:
            lib.tuntap_wake(pointer)

    @documented("tuntap_shutdown")
    def shutdown(self) -> None:
        with self._handle as pointer:
            # The descriptor itself still works, so all later calls must go through the library.
            self._handle.fd = -1
            lib.tuntap_shutdown(pointer)
