# SPDX-License-Identifier: MIT
"""A C object that is freed once: when it is closed and nobody uses it any more, in no thread or signal handler."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from ._library import call, number, text
from .errors import closed


class Handle:
    """Guards a pointer. `with handle as pointer:` keeps the object there meanwhile.

    There is no lock in it, which a signal handler could find taken in its own thread. Whoever comes first counts
    himself among the users, and then looks whether it is closed; who closes it says so, and then looks for users. What
    counts them are calls of a list's methods, which no other thread and no signal handler comes into.
    """

    __slots__ = ("_free", "_pointer", "_what", "closed", "users")

    def __init__(self, what: str, pointer: int, free: Callable[[int], object]) -> None:
        self._what = what
        self._free = free
        # One takes it out, and frees it.
        self._pointer = [pointer]
        self.users: list[None] = []
        # Whether close() was called; who was a user by then still is one.
        self.closed = False

    def __enter__(self) -> int:
        self.users.append(None)
        if self.closed:
            self.__exit__()
            raise closed(self._what)
        return self._pointer[0]

    def __exit__(self, *_: object) -> None:
        if self.closed and len(self.users) > 1:
            self._end_waits(self._pointer[0])
        self.users.pop()
        if self.closed:
            self.release()

    def close(self) -> None:
        """Closes it, and ends the waits of those who use it. The last of them frees it."""
        self.closed = True
        # Itself a user, so that nobody frees it meanwhile.
        self.users.append(None)
        if self._pointer:
            self.__exit__()
        else:
            self.users.pop()

    def release(self) -> None:
        """Frees it, when it is closed, unless somebody uses it."""
        if not self.users:
            try:
                pointer = self._pointer.pop()
            except IndexError:
                return  # Another one did.
            self._free(pointer)

    def _end_waits(self, pointer: int) -> None:
        """Ends one wait, or the next: whoever leaves after it ends another one."""


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
