# SPDX-License-Identifier: MIT
"""Waiting: for so long, and for a descriptor in an event loop."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from typing import Callable

# The main thread looks after signal handlers so often, in milliseconds: the library's limited waits go through signals.
_GLANCE = 250
_LONGEST = 2**31 - 1


def slices(timeout: float | None) -> Iterator[int]:
    """A time limit in seconds, as milliseconds of calls that a signal handler has to wait for at the most."""
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    longest = _GLANCE if threading.current_thread() is threading.main_thread() else _LONGEST
    left = math.inf if timeout is None else timeout
    yield min(longest, max(0, math.ceil(left * 1000))) if left < math.inf else longest
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        yield min(longest, math.ceil(left * 1000)) if left < math.inf else longest


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
    """Lets tasks wait until a descriptor is ready, several at once, in one direction."""

    __slots__ = ("_add", "_fd", "_loop", "_remove", "_waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, writing: bool = False) -> None:
        self._loop = loop
        self._fd = fd
        self._add = loop.add_writer if writing else loop.add_reader
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self._waiters: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Until it is ready, or end() is called."""
        waiter = self._loop.create_future()
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
