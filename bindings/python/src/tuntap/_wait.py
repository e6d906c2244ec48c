# SPDX-License-Identifier: MIT
"""Waits with a timeout, and waits for a descriptor in an event loop."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._handle import Handle

# The longest timeout of a C function, in milliseconds.
_MAX_TIMEOUT = 2**31 - 1


def retry_on_signal(wait: Callable[[], int]) -> int:
    """Repeats a call until no signal ends it. Python's signal handlers run in between, and may raise."""
    while True:
        try:
            return wait()
        except InterruptedError:
            pass


def retry_within(timeout: float | None, wait: Callable[[int], int], maximum: int = _MAX_TIMEOUT) -> int:
    """Repeats a call with a timeout in milliseconds until it returns or timeout seconds have passed. None: no limit."""
    deadline = math.inf if timeout is None else time.monotonic() + max(timeout, 0)
    if math.isnan(deadline):
        raise ValueError("the timeout is not a number")
    while True:
        left = max(deadline - time.monotonic(), 0) * 1000
        try:
            return wait(maximum if left >= maximum else math.ceil(left))
        except InterruptedError:
            pass
        except TimeoutError:
            if time.monotonic() >= deadline:
                raise


class Readiness:
    """Lets several tasks of a loop wait until a descriptor is ready, either to read or to write."""

    __slots__ = ("_fd", "_remove", "loop", "waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, writing: bool) -> None:
        self.loop = loop
        self._fd = fd
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self.waiters: list[asyncio.Future[None]] = []
        (loop.add_writer if writing else loop.add_reader)(fd, self.end)

    def discard(self, waiter: asyncio.Future[None]) -> None:
        """Removes a waiter, if its task was cancelled, and with the last waiter the descriptor from the loop."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            if not self.waiters:
                self._remove(self._fd)

    def end(self) -> None:
        """Ends every wait. Each task then tries again."""
        waiters, self.waiters = self.waiters, []
        if waiters:
            self._remove(self._fd)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Waits:
    """The waits for the descriptor of a handle, in any event loop."""

    __slots__ = ("_handle", "_waits")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._waits: dict[tuple[int, bool], Readiness] = {}

    async def wait(self, fileno: Callable[[int, None], int], writing: bool = False) -> None:
        """Waits until the descriptor is ready, or end() is called."""
        loop = asyncio.get_running_loop()
        key, waiter = (id(loop), writing), loop.create_future()
        # A user of the handle, so that the number of the descriptor is not reused. A close() in another thread either
        # ends this wait or has set `closed`.
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
        """Ends every wait. Each loop first removes the descriptor, because its number can be reused soon."""
        for readiness in list(self._waits.values()):
            loop = readiness.loop
            if loop.is_closed():
                continue
            if loop.is_running() and asyncio._get_running_loop() is not loop:
                self._handle.users.append(None)
                loop.call_soon_threadsafe(self._end_in_loop, readiness)
            else:
                readiness.end()

    def _end_in_loop(self, readiness: Readiness) -> None:
        readiness.end()
        self._handle.leave()
