# SPDX-License-Identifier: MIT
"""Reads and writes many packets per call. With Flag.OFFLOAD, it segments and coalesces super-packets."""

from __future__ import annotations

import ctypes
import errno
import threading
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ._abi import Flag, Reason, tuntap_error, tuntap_packet
from ._handle import Handle, HandleOwner, device_handle
from ._library import call, documented, lib
from ._memory import Memory, contiguous, sizes_of
from .errors import error, from_c

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The largest number of packets in a batch.
_MAX_BATCH = 256
# The size of a tuntap_packet, in words and in bytes.
_WORDS_PER_PACKET = 3
_PACKET_SIZE = ctypes.sizeof(tuntap_packet)
# Limits of one call with UDP_SEGMENT: packets, and bytes.
_MAX_RUN = 64
_MAX_RUN_SIZE = 65507


class Run(NamedTuple):
    """Packets of equal size, with the room of Reader.set_room() around each. The last one may be shorter."""

    data: bytearray
    size: int
    """Bytes from one packet to the next: the value of UDP_SEGMENT when the data is sent."""


class Packets(Sequence[bytes]):
    """The packets of a batch, as a sequence of bytes.

    The packets are in the memory of the reader until its next batch. The first access copies all of them. If there is
    no access before the next batch, they are gone, and a later access raises an Error. A Writer writes them without a
    copy.
    """

    __slots__ = ("_batch", "_count", "_list", "_reader")

    def __init__(self, reader: Reader, batch: object, count: int) -> None:
        self._reader = reader
        self._batch = batch
        self._count = count
        self._list: list[bytes] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return self.copy()[index]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.copy())

    def copy(self) -> list[bytes]:
        """Returns the packets as a list, which stays valid after the reader's next batch."""
        if self._list is None:
            self._list = self._reader._copy(self)
        return self._list

    def runs(self) -> list[Run]:
        """Returns copies of the packets in runs. One call with UDP_SEGMENT can send a run, of at most 65,507 bytes.

        The caller may write to the room around each packet, for example to encrypt it in place.
        """
        return self._reader._runs(self)


class _RetriedCall:
    """Calls a C function, and repeats the call after a signal. For one thread at a time: calls share a tuntap_error."""

    __slots__ = ("_error", "_error_address", "_function")

    def __init__(self, function: Any) -> None:
        self._function = function
        self._error = tuntap_error()
        # ctypes passes an address faster than a reference to a structure.
        self._error_address = ctypes.addressof(self._error)

    def __call__(self, *arguments: Any) -> int:
        while True:
            result: int = self._function(*arguments, self._error_address)
            if result >= 0:
                return result
            if result != -errno.EINTR:
                raise from_c(-result, self._error.reason, self._error.message)


class _BatchWrite:
    """Calls tuntap_writer_batch, which reports how many packets it accepted, even when it fails."""

    __slots__ = ("_error", "_error_address", "_taken", "_taken_address")

    def __init__(self) -> None:
        self._error, self._taken = tuntap_error(), ctypes.c_size_t()
        self._error_address, self._taken_address = ctypes.addressof(self._error), ctypes.addressof(self._taken)

    def __call__(self, writer: int, packets: int, count: int) -> None:
        """Writes packets. After a signal it continues with the first packet that was not accepted."""
        taken = 0
        while True:
            start = packets + taken * _PACKET_SIZE
            result: int = lib.tuntap_writer_batch(
                writer, start, count - taken, _PACKET_SIZE, self._taken_address, self._error_address
            )
            taken += self._taken.value
            if result >= 0:
                return
            if result != -errno.EINTR:
                failure = from_c(-result, self._error.reason, self._error.message)
                failure.taken = taken
                raise failure


class Reader(HandleOwner):
    """Reads packets in batches: `for packets in reader`. One thread at a time uses it; other threads wait."""

    @documented("tuntap_reader_new")
    def __init__(self, device: Any, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._handle = part_handle(device, "the reader", lib.tuntap_reader_new, flags, lib.tuntap_reader_free)
        self._lock = threading.RLock()
        # An array of tuntap_packet, as words.
        self._words = (ctypes.c_size_t * (_WORDS_PER_PACKET * _MAX_BATCH))()
        self._address = ctypes.addressof(self._words)
        self._read_batch = _RetriedCall(lib.tuntap_reader_batch)
        # Identifies the batch that the array describes.
        self._current: object = None
        # Held during a use of this batch, and never during a wait for packets.
        self._batch_lock = threading.RLock()
        self._room = 0, 0
        register(device, self)

    @documented("tuntap_reader_set_room")
    def set_room(self, headroom: int = 0, tailroom: int = 0) -> None:
        """Sets the room around each packet of Packets.runs()."""
        with self._lock, self._batch_lock, self._handle as pointer:
            self._current = None
            call(lib.tuntap_reader_set_room, pointer, headroom, tailroom)
            self._room = headroom, tailroom

    @documented("tuntap_reader_batch")
    def batch(self) -> Packets:
        """Returns at least one packet, and at most 256."""
        while True:
            # None: the previous batch has ended.
            if packets := self._next():
                return packets

    def _next(self) -> Packets | None:
        """Returns None if the reader is empty. The descriptor is readable when there are more packets."""
        with self._lock, self._handle as pointer:
            with self._batch_lock:
                self._current = None
            count = self._read_batch(pointer, self._address, _MAX_BATCH, _PACKET_SIZE)
            if not count:
                return None
            self._current = batch = object()
            return Packets(self, batch, count)

    def __iter__(self) -> Iterator[Packets]:
        while True:
            yield self.batch()

    def _check(self, packets: Packets) -> None:
        if self._current is not packets._batch:
            text = "use the packets of a batch: it is not the reader's current batch; copy() keeps packets"
            raise error(errno.EINVAL, Reason.ARGUMENT, text)

    def _copy(self, packets: Packets) -> list[bytes]:
        with self._batch_lock, self._handle:
            self._check(packets)
            words = self._words[: _WORDS_PER_PACKET * len(packets)]
            # A signal handler may have read another batch in between.
            self._check(packets)
            starts, lengths = words[0::_WORDS_PER_PACKET], words[1::_WORDS_PER_PACKET]
            first = starts[0]
            # The packets are in one block of memory, in order. A copy of the block and slices of it are cheaper than a
            # call for each packet.
            block = ctypes.string_at(first, starts[-1] + lengths[-1] - first)
            self._check(packets)
            return [block[(at := start - first) : at + length] for start, length in zip(starts, lengths)]

    def _runs(self, packets: Packets) -> list[Run]:
        with self._batch_lock, self._handle:
            self._check(packets)
            words, (headroom, tailroom) = self._words[: _WORDS_PER_PACKET * len(packets)], self._room
            self._check(packets)
            found: list[Run] = []
            number, around = 0, headroom + tailroom
            while number < len(packets):
                start, length, run = words[_WORDS_PER_PACKET * number : _WORDS_PER_PACKET * (number + 1)]
                count = min(run, _MAX_RUN, max(1, _MAX_RUN_SIZE // (length + around)))
                number += count
                last, last_length, _ = words[_WORDS_PER_PACKET * (number - 1) : _WORDS_PER_PACKET * number]
                data = ctypes.string_at(start - headroom, last + last_length - start + around)
                found.append(Run(bytearray(data), length + around))
            self._check(packets)
            return found

    def _write_to(self, packets: Packets, write_batch: _BatchWrite, writer: int) -> None:
        """Passes packets to a tuntap_writer, without a copy."""
        with self._batch_lock, self._handle:
            self._check(packets)
            write_batch(writer, self._address, len(packets))


class Writer(HandleOwner):
    """Writes packets in batches. One thread at a time uses it; other threads wait."""

    @documented("tuntap_writer_new")
    def __init__(self, device: Any, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._handle = part_handle(device, "the writer", lib.tuntap_writer_new, flags, lib.tuntap_writer_free)
        self._lock = threading.RLock()
        self._put, self._flush = _RetriedCall(lib.tuntap_writer_put), _RetriedCall(lib.tuntap_writer_flush)
        self._write_batch = _BatchWrite()
        register(device, self)

    @documented("tuntap_writer_put")
    def put(self, packet: ReadableBuffer) -> None:
        data = contiguous(packet)
        with self._lock, self._handle as pointer:
            self._put(pointer, data, len(data))

    @documented("tuntap_writer_flush")
    def flush(self) -> None:
        with self._lock, self._handle as pointer:
            self._flush(pointer)

    @property
    @documented("tuntap_writer_get_lost")
    def lost(self) -> int:
        with self._lock:
            return self._number(ctypes.c_uint64, lib.tuntap_writer_get_lost)

    @documented("tuntap_writer_batch")
    def batch(self, packets: Packets | Sequence[ReadableBuffer]) -> None:
        """Writes a list of packets, or the Packets of a reader. Error.taken is the number of accepted packets."""
        with self._lock, self._handle as pointer:
            if type(packets) is Packets and packets._list is None:
                packets._reader._write_to(packets, self._write_batch, pointer)
                return
            if not packets:
                self._flush(pointer)
                return
            memory = Memory(bytearray().join(packets))
            lengths = sizes_of(packets)
            if sum(lengths) != memory.size:
                raise ValueError("the size of a packet changed during the call")
            starts = accumulate(lengths, initial=memory.address or 0)
            words = array("L", chain.from_iterable(zip(starts, lengths, repeat(1))))
            address, _ = words.buffer_info()
            self._write_batch(pointer, address, len(lengths))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the writer. Flushes it first, unless an exception occurred or it is closed already."""
        try:
            if kind is None and not self.closed:
                self.flush()
        finally:
            self.close()


def part_handle(device: object, what: str, make: Any, flags: Flag, free: Any) -> Handle:
    """Creates a reader or a writer, and returns its handle."""
    with device_handle(device) as pointer:
        return Handle(what, free, make, pointer, flags)


def register(device: Any, part: HandleOwner) -> None:
    """Registers a reader or a writer, which the device closes with itself. Closes it now if the device is closed."""
    device._parts[id(part)] = part
    if device.closed:
        part.close()
