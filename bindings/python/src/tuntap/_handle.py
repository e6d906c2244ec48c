# SPDX-License-Identifier: MIT
"""A C object that is freed once: when it is closed and nobody uses it any more, in no thread or signal handler."""

from __future__ import annotations

import ctypes
import errno
import os
import weakref
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from ._abi import Reason
from ._library import call, lib, number, text
from .errors import closed, error


class Handle:
    """Guards a pointer. `with handle as pointer:` keeps the object there meanwhile.

    There is no lock in it, which a signal handler could find taken in its own thread. Whoever comes first counts
    himself among the users, and then looks whether it is closed; who closes it says so, and then looks for users. What
    counts them are calls of a list's methods, which no other thread and no signal handler comes into.
    """

    __slots__ = ("__weakref__", "_free", "_open", "_there", "_what", "closed", "pointer", "users")

    def __init__(self, what: str, free: Callable[[Any], object], make: Callable[..., Any], *arguments: Any) -> None:
        self._what = what
        self._free = free
        # Where it is, from the call on: a signal handler may raise an exception right behind that.
        place = ctypes.c_void_p()
        # Who pops _open closes the handle; who pops _there frees the object.
        self._open = [None]
        self._there = [place]
        # Calls in progress.
        self.users: list[None] = []
        # Whether close() was called; who was a user by then still is one.
        self.closed = False
        call(make, *arguments, ctypes.byref(place))
        self.pointer = place.value or 0
        _HANDLES.add(self)

    def __enter__(self) -> int:
        self.users.append(None)
        if self.closed:
            # The pointer is not this one's to touch: it may be freed at this moment.
            self.left()
            raise closed(self._what)
        return self.pointer

    def __exit__(self, *_: object) -> None:
        self.left()

    def close(self, first: Callable[[], object] | None = None) -> None:
        """Closes it, does what is first, and ends all waits when that says so or somebody uses it. The last user frees
        it."""
        try:
            self._open.pop()
        except IndexError:
            return
        # Itself a user, so that nobody frees it meanwhile.
        self.users.append(None)
        self.closed = True
        # Without the interpreter's lock this is what makes the one before it seen: a list has a lock of its own.
        self.users.append(None)
        self.users.pop()
        busy: object = True
        try:
            busy = first is not None and first()
        finally:
            if busy or len(self.users) > 1:
                self._shut_down()
            self.left()

    def left(self) -> None:
        """A user has left, whom a fork may have made forgotten."""
        if self.users:
            self.users.pop()
        if self.closed:
            self.release()

    def release(self) -> None:
        """Frees it, when it is closed and nobody uses it."""
        if not self.users:
            self._free_once()

    def _free_once(self) -> None:
        try:
            # Takes and frees in one C call: a signal handler that raised between two calls would leak the object.
            deque(map(self._free, iter(self._there.pop, None)), 0)
        except IndexError:
            pass  # Nothing is left to take.

    def __del__(self) -> None:
        # A call that was broken off by a signal handler may still count; but whoever is in one has a reference.
        try:
            self.close()
        finally:
            self._free_once()

    def _shut_down(self) -> None:
        """Ends the waits of all users, now and later."""


class DeviceHandle(Handle):
    """A tuntap, and its descriptor, if that has plain packets: -1 otherwise, and when it is closed.

    A packet that needs nothing of the library then costs one call of the module os, by a user of the handle, so that
    the descriptor's number is nobody else's at that moment.
    """

    __slots__ = ("_given", "fd")

    def __init__(self, make: Callable[..., Any], *arguments: Any) -> None:
        self.fd = -1
        # The descriptor from tuntap_release, or -1. Once it is set, the C object is freed.
        self._given = ctypes.c_int(-1)
        super().__init__("the device", lib.tuntap_close, make, *arguments)

    def close(self, first: Callable[[], object] | None = None) -> None:
        self.fd = -1
        super().close(first)

    def give(self) -> int:
        """Closes it but for its descriptor, unless somebody uses it."""
        try:
            self._open.pop()
        except IndexError:
            raise closed(self._what) from None
        fd = self.fd
        try:
            # Itself a user, so that nobody frees it meanwhile.
            self.users.append(None)
            # Whoever comes now finds it closed, and whoever came before is seen: as in close().
            self.fd, self.closed = -1, True
            self.users.append(None)
            self.users.pop()
            if len(self.users) > 1:
                raise error(errno.EBUSY, Reason.BUSY, f"release {self._what}: it is in use")
            call(lib.tuntap_release, self.pointer, ctypes.byref(self._given))
            self.left()
            return self._given.value
        except BaseException:
            if self._given.value < 0:
                self.fd, self.closed = fd, False
                self._open.append(None)
                self.left()
            else:
                # A signal handler's exception: the caller does not get it.
                os.close(self._given.value)
            raise

    def _free_once(self) -> None:
        if self._given.value < 0:
            super()._free_once()

    def _shut_down(self) -> None:
        lib.tuntap_shutdown(self.pointer)


_HANDLES: weakref.WeakSet[Handle] = weakref.WeakSet()


def _forget_calls() -> None:
    """After a fork: the calls of other threads were not taken along."""
    for handle in list(_HANDLES):
        handle.users.clear()


os.register_at_fork(after_in_child=_forget_calls)

_Self = TypeVar("_Self", bound="Handled")


class Handled:
    """What has a handle, and calls functions of which its pointer is the first argument."""

    _handle: Handle

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._handle.closed

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

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle or copy {type(self).__name__!r} object")

    def _fileno(self, function: Callable[..., Any]) -> int:
        if self.closed:
            return -1
        with self._handle as pointer:
            return int(function(pointer, None))

    def _call(self, function: Callable[..., Any], *arguments: Any) -> int:
        with self._handle as pointer:
            return call(function, pointer, *arguments)

    def _number(self, kind: Any, function: Callable[..., Any]) -> int:
        with self._handle as pointer:
            return number(kind, function, pointer)

    def _text(self, size: int, function: Callable[..., Any]) -> str:
        with self._handle as pointer:
            return text(size, function, pointer)


def device_handle(device: object) -> DeviceHandle:
    """That of a device, and of nothing else: what a pointer points to is for C to believe."""
    handle = getattr(device, "_handle", None)
    if not isinstance(handle, DeviceHandle):
        raise TypeError(f"a device is needed, not {type(device).__name__!r}")
    return handle
