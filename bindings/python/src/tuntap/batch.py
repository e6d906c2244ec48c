# SPDX-License-Identifier: MIT
"""Many packets a call: on a device with Flag.OFFLOAD segmented and coalesced, and on every other one too."""

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
from ._handle import Handle, Handled, device_handle
from ._library import call, documented, lib
from ._memory import Memory, contiguous, sizes_of
from .errors import error, from_c

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Limit of the packets of a batch.
_MANY = 256
# A tuntap_packet: words, and bytes.
_WORDS = 3
_PLACE = ctypes.sizeof(tuntap_packet)


# Limits of what UDP_SEGMENT sends at once.
_SEGMENTS = 64
_BYTES = 65507


class Run(NamedTuple):
    """Packets of one size, of which the last may be shorter, with the room of Reader.set_room around each."""

    data: bytearray
    size: int
    """Bytes from one to the next: what UDP_SEGMENT is set to when data is sent."""


class Packets(Sequence[bytes]):
    """The packets of a batch, as a list of bytes.

    A Writer takes it as it is, without a look at the packets. Until the reader's next batch they are in its memory, and
    are copied when one of them is asked for; if none was by then, they are gone, and asking is an Error.
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
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        return self.copy()[place]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.copy())

    def copy(self) -> list[bytes]:
        """The packets, as a list that stays."""
        if self._list is None:
            self._list = self._reader._copy(self)
        return self._list

    def runs(self) -> list[Run]:
        """Copies of the packets that one call can send by UDP_SEGMENT: up to 64, and 65,507 bytes.

        The bytes around each are the caller's, to seal it in place.
        """
        return self._reader._runs(self)


class Repeated:
    """A function that is called again and again, by one thread at a time: its error has its place already."""

    __slots__ = ("_error", "_function", "_place")

    def __init__(self, function: Any) -> None:
        self._function = function
        self._error = tuntap_error()
        self._place = ctypes.addressof(self._error)

    def __call__(self, *arguments: Any) -> int:
        """Addresses are passed on faster than what is there."""
        while True:
            result: int = self._function(*arguments, self._place)
            if result >= 0:
                return result
            if result != -errno.EINTR:
                raise from_c(-result, self._error.reason, self._error.message)


class Giving:
    """tuntap_writer_batch, which reports how many packets it took, also when it fails."""

    __slots__ = ("_error", "_place", "_taken", "_taken_place")

    def __init__(self) -> None:
        self._error, self._taken = tuntap_error(), ctypes.c_size_t()
        self._place, self._taken_place = ctypes.addressof(self._error), ctypes.addressof(self._taken)

    def __call__(self, writer: int, packets: int, count: int) -> None:
        """After a signal it goes on behind those that were taken."""
        taken = 0
        while True:
            start = packets + taken * _PLACE
            result: int = lib.tuntap_writer_batch(writer, start, count - taken, _PLACE, self._taken_place, self._place)
            taken += self._taken.value
            if result >= 0:
                return
            if result != -errno.EINTR:
                failure = from_c(-result, self._error.reason, self._error.message)
                failure.taken = taken
                raise failure


class Reader(Handled):
    """Takes packets in batches: `for packets in reader`. For one thread at a time; others wait for it."""

    @documented("tuntap_reader_new")
    def __init__(self, device: Any, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._handle = part_of(device, "the reader", lib.tuntap_reader_new, flags, lib.tuntap_reader_free)
        self._one_by_one = threading.RLock()
        # A tuntap_packet for each packet, as words.
        self._places = (ctypes.c_size_t * (_WORDS * _MANY))()
        self._address = ctypes.addressof(self._places)
        self._take = Repeated(lib.tuntap_reader_batch)
        # The batch that they are of; held by whoever looks at it, and never while packets are waited for.
        self._now: object = None
        self._looking = threading.RLock()
        self._room = 0, 0
        register(device, self)

    @documented("tuntap_reader_set_room")
    def set_room(self, headroom: int = 0, tailroom: int = 0) -> None:
        """For Packets.runs."""
        with self._one_by_one, self._looking, self._handle as pointer:
            self._now = None
            call(lib.tuntap_reader_set_room, pointer, headroom, tailroom)
            self._room = headroom, tailroom

    @documented("tuntap_reader_batch")
    def batch(self) -> Packets:
        """At least one packet, and at most 256."""
        while True:
            # None is the end of the last batch.
            if packets := self._next():
                return packets

    def _next(self) -> Packets | None:
        """None: the reader is empty, and the descriptor says when there is more."""
        with self._one_by_one, self._handle as pointer:
            with self._looking:
                self._now = None
            count = self._take(pointer, self._address, _MANY, _PLACE)
            if not count:
                return None
            self._now = batch = object()
            return Packets(self, batch, count)

    def __iter__(self) -> Iterator[Packets]:
        while True:
            yield self.batch()

    def _check(self, packets: Packets) -> None:
        if self._now is not packets._batch:
            text = "look at the packets of a batch: the reader has gone on; copy() keeps them"
            raise error(errno.EINVAL, Reason.ARGUMENT, text)

    def _copy(self, packets: Packets) -> list[bytes]:
        with self._looking, self._handle:
            self._check(packets)
            places = self._places[: _WORDS * len(packets)]
            # A signal handler may have come in between, and read on.
            self._check(packets)
            starts, lengths = places[0::_WORDS], places[1::_WORDS]
            first = starts[0]
            # One copy of all, and slices of that, which are cheaper than a call for each. They lie in one piece of
            # memory, one behind the other.
            all_of_them = ctypes.string_at(first, starts[-1] + lengths[-1] - first)
            self._check(packets)
            return [all_of_them[(at := start - first) : at + length] for start, length in zip(starts, lengths)]

    def _runs(self, packets: Packets) -> list[Run]:
        with self._looking, self._handle:
            self._check(packets)
            places, (headroom, tailroom) = self._places[: _WORDS * len(packets)], self._room
            self._check(packets)
            found: list[Run] = []
            number, around = 0, headroom + tailroom
            while number < len(packets):
                start, length, run = places[_WORDS * number : _WORDS * (number + 1)]
                count = min(run, _SEGMENTS, max(1, _BYTES // (length + around)))
                number += count
                last, last_length, _ = places[_WORDS * (number - 1) : _WORDS * number]
                data = ctypes.string_at(start - headroom, last + last_length - start + around)
                found.append(Run(bytearray(data), length + around))
            self._check(packets)
            return found

    def _write(self, packets: Packets, give: Giving, writer: int) -> None:
        """Hands packets on to a tuntap_writer from where they are."""
        with self._looking, self._handle:
            self._check(packets)
            give(writer, self._address, len(packets))


class Writer(Handled):
    """Hands over packets in batches. For one thread at a time; others wait for it."""

    @documented("tuntap_writer_new")
    def __init__(self, device: Any, flags: Flag = Flag(0)) -> None:
        self._device = device
        self._handle = part_of(device, "the writer", lib.tuntap_writer_new, flags, lib.tuntap_writer_free)
        self._one_by_one = threading.RLock()
        self._put, self._flush = Repeated(lib.tuntap_writer_put), Repeated(lib.tuntap_writer_flush)
        self._give = Giving()
        register(device, self)

    @documented("tuntap_writer_put")
    def put(self, packet: ReadableBuffer) -> None:
        data = contiguous(packet)
        with self._one_by_one, self._handle as pointer:
            self._put(pointer, data, len(data))

    @documented("tuntap_writer_flush")
    def flush(self) -> None:
        with self._one_by_one, self._handle as pointer:
            self._flush(pointer)

    @property
    @documented("tuntap_writer_get_lost")
    def lost(self) -> int:
        with self._one_by_one:
            return self._number(ctypes.c_uint64, lib.tuntap_writer_get_lost)

    @documented("tuntap_writer_batch")
    def batch(self, packets: Packets | Sequence[ReadableBuffer]) -> None:
        """A list of packets, or what a reader gave. An Error has in `taken` how many of them were taken."""
        with self._one_by_one, self._handle as pointer:
            if type(packets) is Packets and packets._list is None:
                packets._reader._write(packets, self._give, pointer)
                return
            if not packets:
                self._flush(pointer)
                return
            memory = Memory(bytearray().join(packets))
            lengths = sizes_of(packets)
            if sum(lengths) != memory.size:
                raise ValueError("a packet has changed its size meanwhile")
            starts = accumulate(lengths, initial=memory.address or 0)
            places = array("L", chain.from_iterable(zip(starts, lengths, repeat(1))))
            address, _ = places.buffer_info()
            self._give(pointer, address, len(lengths))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flushes, unless something went wrong or it is closed, and closes."""
        try:
            if kind is None and not self.closed:
                self.flush()
        finally:
            self.close()


def part_of(device: object, what: str, make: Any, flags: Flag, free: Any) -> Handle:
    """The handle of a reader or writer."""
    with device_handle(device) as pointer:
        return Handle(what, free, make, pointer, flags)


def register(device: Any, part: Handled) -> None:
    """Lets a device that is closed close its parts, too: also one that came a moment too late."""
    device._parts[id(part)] = part
    if device.closed:
        part.close()
