# SPDX-License-Identifier: MIT
"""A C object that is freed once: when it is closed and nobody uses it any more, in no thread or signal handler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from ._library import call, number, text
from .errors import closed


class Handle:
    """Guards a pointer. `with handle as pointer:` keeps the object there meanwhile."""

    __slots__ = ("_closed", "_free", "_lock", "_pointer", "_users", "_what")

    def __init__(self, what: str, pointer: int, free: Callable[[int], object]) -> None:
        self._what = what
        # A list, of which a thread or a signal handler takes the pointer, and no other can.
        self._pointer = [pointer]
        self._free = free
        # A signal handler may come in between, in the thread that has it.
        self._lock = threading.RLock()
        self._users = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether close() was called; those who were using it may still be."""
        return self._closed

    def __enter__(self) -> int:
        # First counted, then looked at: a signal handler that closes in between sees the user, or is seen.
        with self._lock:
            self._users += 1
            if self._closed:
                self.__exit__()
                raise closed(self._what)
            return self._pointer[0]

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._closed:
                self._release()

    def close(self) -> None:
        """Closes it, and ends the waits of those who use it. The last of them frees it."""
        with self._lock:
            self._closed = True
            self._release()

    def _release(self) -> None:
        try:
            if self._users == 0:
                self._destroy(self._pointer.pop())
            else:
                self._end_waits(self._pointer[0])
        except IndexError:
            pass  # It is freed already.

    def _destroy(self, pointer: int) -> None:
        self._free(pointer)

    def _end_waits(self, pointer: int) -> None:
        """Ends one wait, or the next: whoever leaves after it passes it on."""


_Self = TypeVar("_Self", bound="Handled")


class Handled:
    """What has a handle, and calls functions of which its pointer is the first argument."""

    __slots__ = ()

    _handle: Handle

    def close(self) -> None:
        """Frees it; again is no error. Whoever uses it still in another thread ends that first."""
        self._handle.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        handle: Handle | None = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> int:
        with self._handle as pointer:
            return call(function, pointer, *arguments)

    def _number(self, kind: Any, function: Callable[..., Any]) -> int:
        with self._handle as pointer:
            return number(kind, function, pointer)

    def _text(self, size: int, function: Callable[..., Any]) -> str:
        with self._handle as pointer:
            return text(size, function, pointer)

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._handle.closed
