# SPDX-License-Identifier: MIT
"""A C object that is freed exactly once: after it was closed, when no thread and no signal handler uses it."""

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
    """Owns a pointer to a C object. `with handle as pointer:` keeps the object alive in the block.

    It has no lock: a signal handler would deadlock if its own thread holds the lock. Instead, a call first adds itself
    to `users` and then checks `closed`, and close() first sets `closed` and then checks `users`. Each change of `users`
    is one call of a list method, which no other thread and no signal handler can interrupt.
    """

    __slots__ = ("__weakref__", "_free", "_name", "_open", "_unfreed", "closed", "pointer", "users")

    def __init__(self, what: str, free: Callable[[Any], object], make: Callable[..., Any], *arguments: Any) -> None:
        self._name = what
        self._free = free
        # Stored before the call that sets it, because a signal handler may raise an exception directly after the call.
        address = ctypes.c_void_p()
        # Only the call that pops the item of _open closes the handle. _unfreed is the same for freeing the object.
        self._open = [None]
        self._unfreed = [address]
        # One item for each call in progress.
        self.users: list[None] = []
        # Whether close() was called. Calls that were in progress then are still users.
        self.closed = False
        call(make, *arguments, ctypes.byref(address))
        self.pointer = address.value or 0
        _HANDLES.add(self)

    def __enter__(self) -> int:
        self.users.append(None)
        if self.closed:
            # The pointer must not be used: another thread may be freeing the object.
            self.leave()
            raise closed(self._name)
        return self.pointer

    def __exit__(self, *_: object) -> None:
        self.leave()

    def close(self, on_close: Callable[[], object] | None = None) -> None:
        """Closes the handle, and ends the waits of its users. The last user frees the object.

        on_close is called first, and returns whether a reader or a writer of the object may wait.
        """
        try:
            self._open.pop()
        except IndexError:
            return
        # This call is a user too, so that no other one frees the object now.
        self.users.append(None)
        self.closed = True
        # In free-threaded Python, the lock of the list makes this assignment visible to other threads.
        self.users.append(None)
        self.users.pop()
        busy: object = True
        try:
            busy = on_close is not None and on_close()
        finally:
            if busy or len(self.users) > 1:
                self._shut_down()
            self.leave()

    def leave(self) -> None:
        """Ends one use of the pointer. After a fork, `users` may be empty already."""
        if self.users:
            self.users.pop()
        if self.closed:
            self.free_if_unused()

    def free_if_unused(self) -> None:
        """Frees the object of a closed handle, unless it is in use."""
        if not self.users:
            self._free_once()

    def _free_once(self) -> None:
        try:
            # Pops and frees in one C call: a signal handler that raises between two calls would leak the object.
            deque(map(self._free, iter(self._unfreed.pop, None)), 0)
        except IndexError:
            pass  # The object is freed already.

    def __del__(self) -> None:
        # No call is in progress: it would hold a reference to this handle. A user that is still counted is a call that
        # an exception of a signal handler interrupted.
        try:
            self.close()
        finally:
            self._free_once()

    def _shut_down(self) -> None:
        """Ends the current and later waits of all users."""


class DeviceHandle(Handle):
    """Owns a tuntap. `fd` is its descriptor if that passes plain packets, and -1 otherwise or after close().

    A packet then costs only one call of the module os. The caller must be a user of the handle, so that the number of
    the descriptor is not reused during the call.
    """

    __slots__ = ("_released_fd", "fd")

    def __init__(self, make: Callable[..., Any], *arguments: Any) -> None:
        self.fd = -1
        # The descriptor from tuntap_release, or -1. Once it is set, the C object is freed.
        self._released_fd = ctypes.c_int(-1)
        super().__init__("the device", lib.tuntap_close, make, *arguments)

    def close(self, on_close: Callable[[], object] | None = None) -> None:
        self.fd = -1
        super().close(on_close)

    def release_fd(self) -> int:
        """Frees the handle and returns its descriptor. Raises an Error if the handle is in use."""
        try:
            self._open.pop()
        except IndexError:
            raise closed(self._name) from None
        fd = self.fd
        try:
            # This call is a user too, so that no other one frees the object now.
            self.users.append(None)
            # As in close(): a later call finds the handle closed, and an earlier one is in `users`.
            self.fd, self.closed = -1, True
            self.users.append(None)
            self.users.pop()
            if len(self.users) > 1:
                raise error(errno.EBUSY, Reason.BUSY, f"release {self._name}: it is in use")
            call(lib.tuntap_release, self.pointer, ctypes.byref(self._released_fd))
            self.leave()
            return self._released_fd.value
        except BaseException:
            if self._released_fd.value < 0:
                self.fd, self.closed = fd, False
                self._open.append(None)
                self.leave()
            else:
                # A signal handler raised this exception, so the caller does not get the descriptor.
                os.close(self._released_fd.value)
            raise

    def _free_once(self) -> None:
        if self._released_fd.value < 0:
            super()._free_once()

    def _shut_down(self) -> None:
        lib.tuntap_shutdown(self.pointer)


_HANDLES: weakref.WeakSet[Handle] = weakref.WeakSet()


def _forget_users() -> None:
    """Removes all users in the child of a fork, where the other threads of the parent do not exist."""
    for handle in list(_HANDLES):
        handle.users.clear()


os.register_at_fork(after_in_child=_forget_users)

_Self = TypeVar("_Self", bound="HandleOwner")


class HandleOwner:
    """An object with a handle, whose pointer is the first argument of C functions."""

    _handle: Handle

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._handle.closed

    def close(self) -> None:
        """Closes the object, which is freed when no thread uses it. Does nothing if it is closed already."""
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
    """Returns the handle of a device. Raises TypeError for any other object, because C cannot check a pointer."""
    handle = getattr(device, "_handle", None)
    if not isinstance(handle, DeviceHandle):
        raise TypeError(f"a device is needed, not {type(device).__name__!r}")
    return handle
