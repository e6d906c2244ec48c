# SPDX-License-Identifier: MIT
"""Waiting: for so long, and for a descriptor in an event loop."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from typing import Callable

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
    raise late


class Readiness:
    """Lets tasks of a loop wait until a descriptor is ready, several at once, in one direction."""

    __slots__ = ("_add", "_fd", "_remove", "_waiters", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, writing: bool) -> None:
        self.loop = loop
        self._fd = fd
        self._add = loop.add_writer if writing else loop.add_reader
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self._waiters: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        waiter = self.loop.create_future()
        if not self._waiters:
            self._add(self._fd, self.end)
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            # Cancelled: it may be the last one.
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                if not self._waiters:
                    self._remove(self._fd)

    def end(self) -> None:
        """Ends every wait; each tries again."""
        waiters, self._waiters = self._waiters, []
        if waiters:
            self._remove(self._fd)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Waits:
    """The waits for a descriptor, in whatever loop, and until what has it is closed."""

    __slots__ = ("_waits",)

    def __init__(self) -> None:
        self._waits: dict[tuple[int, bool], Readiness] = {}

    async def wait(self, fd: int, writing: bool = False) -> None:
        """Until it is ready, or end() is called."""
        loop = asyncio.get_running_loop()
        key = id(loop), writing
        readiness = self._waits.get(key)
        if readiness is None or readiness.loop is not loop:
            readiness = self._waits[key] = Readiness(loop, fd, writing)
        await readiness.wait()

    def end(self) -> None:
        """Ends every wait. A loop forgets the descriptor, which may be somebody else's soon."""
        for readiness in list(self._waits.values()):
            loop = readiness.loop
            if loop.is_closed():
                continue
            if loop.is_running() and asyncio._get_running_loop() is not loop:
                loop.call_soon_threadsafe(readiness.end)
            else:
                readiness.end()
