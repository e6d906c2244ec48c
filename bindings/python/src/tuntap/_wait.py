# SPDX-License-Identifier: MIT
"""Waiting: for so long, and for a descriptor in an event loop."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._handle import Handle

# Milliseconds of the longest wait that C has.
_LONGEST = 2**31 - 1


def retry_on_signal(waiting: Callable[[], int]) -> int:
    """Makes a call that a signal ends, again and again: Python's handlers run in between, and may raise."""
    while True:
        try:
            return waiting()
        except InterruptedError:
            pass


def retry_within(timeout: float | None, limited: Callable[[int], int], longest: int = _LONGEST) -> int:
    """The same with a call of so many milliseconds, for so many seconds in all; None: no limit."""
    deadline = math.inf if timeout is None else time.monotonic() + max(timeout, 0)
    if math.isnan(deadline):
        raise ValueError("a time limit that is no number")
    while True:
        left = max(deadline - time.monotonic(), 0) * 1000
        try:
            return limited(longest if left >= longest else math.ceil(left))
        except InterruptedError:
            pass
        except TimeoutError:
            if time.monotonic() >= deadline:
                raise


class Readiness:
    """Lets tasks of a loop wait until a descriptor is ready, several at once, in one direction."""

    __slots__ = ("_fd", "_remove", "loop", "waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, writing: bool) -> None:
        self.loop = loop
        self._fd = fd
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self.waiters: list[asyncio.Future[None]] = []
        (loop.add_writer if writing else loop.add_reader)(fd, self.end)

    def discard(self, waiter: asyncio.Future[None]) -> None:
        """It does not wait any more: it may have been cancelled, and the last one."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            if not self.waiters:
                self._remove(self._fd)

    def end(self) -> None:
        """Ends every wait; each tries again."""
        waiters, self.waiters = self.waiters, []
        if waiters:
            self._remove(self._fd)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Waits:
    """The waits for a handle's descriptor, in whatever loop."""

    __slots__ = ("_handle", "_waits")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._waits: dict[tuple[int, bool], Readiness] = {}

    async def wait(self, fileno: Callable[[int, None], int], writing: bool = False) -> None:
        """Until it is ready, or end() is called."""
        loop = asyncio.get_running_loop()
        key, waiter = (id(loop), writing), loop.create_future()
        # Nobody else has the descriptor's number meanwhile; who closes it sees this wait, or is seen.
        with self._handle as pointer:
            readiness = self._waits.get(key)
            if readiness is None or not readiness.waiters or readiness.loop is not loop:
                readiness = self._waits[key] = Readiness(loop, fileno(pointer, None), writing)
            readiness.waiters.append(waiter)
            if self._handle.closed:
                readiness.end()
        try:
            await waiter
        finally:
            readiness.discard(waiter)
            if not readiness.waiters and self._waits.get(key) is readiness:
                del self._waits[key]

    def end(self) -> None:
        """Ends every wait. A loop forgets the descriptor first, which may be somebody else's soon."""
        for readiness in list(self._waits.values()):
            loop = readiness.loop
            if loop.is_closed():
                continue
            if loop.is_running() and asyncio._get_running_loop() is not loop:
                self._handle.users.append(None)
                loop.call_soon_threadsafe(self._end_there, readiness)
            else:
                readiness.end()

    def _end_there(self, readiness: Readiness) -> None:
        readiness.end()
        self._handle.left()
