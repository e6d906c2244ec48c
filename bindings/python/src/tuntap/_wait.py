# SPDX-License-Identifier: MIT
"""Waiting: for so long, and for a descriptor in an event loop."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._handle import Handle

# Milliseconds after which a wait looks up: the main thread for signal handlers, as limited waits of the library's go
# through signals.
SHORT = 250
_LONGEST = 2**31 - 1


def slices(timeout: float | None, longest: int = _LONGEST) -> Iterator[int]:
    """A time limit in seconds, as milliseconds of calls that somebody may have to wait for: one at least."""
    if threading.current_thread() is threading.main_thread():
        longest = SHORT
    deadline = None if timeout is None or timeout == math.inf else time.monotonic() + max(timeout, 0)
    if deadline is not None and math.isnan(deadline):
        raise ValueError("a time limit that is no number")
    while True:
        if deadline is None:
            yield longest
            continue
        left = max(deadline - time.monotonic(), 0)
        yield min(longest, math.ceil(left * 1000))
        if deadline <= time.monotonic():
            return


def patiently(
    limitless: Callable[[], int], limited: Callable[[int], int] | None = None, timeout: float | None = None
) -> int:
    """Makes a call that waits as its handle does, or one that waits so many seconds. Signal handlers run meanwhile."""
    if timeout is None or limited is None:
        while True:
            try:
                return limitless()
            except InterruptedError:
                pass
    late: TimeoutError | None = None
    for milliseconds in slices(timeout):
        try:
            return limited(milliseconds)
        except TimeoutError as error:
            late = error
    assert late is not None
    try:
        raise late
    finally:
        del late  # Or it would keep this frame, and so the caller's device.


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

    async def wait(self, fileno: Callable[[int], int], writing: bool = False) -> None:
        """Until it is ready, or end() is called."""
        loop = asyncio.get_running_loop()
        key, waiter = (id(loop), writing), loop.create_future()
        # Nobody else has the descriptor's number meanwhile; who closes it sees this wait, or is seen.
        with self._handle as pointer:
            readiness = self._waits.get(key)
            if readiness is None or not readiness.waiters or readiness.loop is not loop:
                readiness = self._waits[key] = Readiness(loop, fileno(pointer), writing)
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
