# SPDX-License-Identifier: MIT
"""The exception of a failed call: an OSError with a reason, which is more precise than errno."""

from __future__ import annotations

import errno
import os
from typing import Any

from ._abi import Reason


class Error(OSError):
    """A failed call. It has errno, the reason, and the library's message as strerror.

    It is also the OSError subclass of its errno: PermissionError, BlockingIOError, TimeoutError and so on.
    """

    reason: Reason = Reason.NONE
    # Writer.batch(): the number of packets that were accepted. Do not write them again.
    taken: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return error, (self.errno or 0, self.reason, self.strerror)


def _kinds() -> dict[type[OSError], type[Error]]:
    """Returns, for each OSError subclass of an errno, a subclass of both Error and that class."""
    kinds: dict[type[OSError], type[Error]] = {OSError: Error}
    for number in errno.errorcode:
        kind = type(OSError(number, ""))
        if kind not in kinds:
            kinds[kind] = type(kind.__name__, (Error, kind), {"__module__": Error.__module__, "__doc__": kind.__doc__})
    return kinds


_KINDS = _kinds()


def error(number: int, reason: Reason, message: str) -> Error:
    """Returns the Error for an errno."""
    kind = _KINDS[type(OSError(number, ""))]
    made = kind(number, message)
    made.reason = reason
    return made


def from_c(number: int, reason: int, message: bytes) -> Error:
    """Returns the Error for a tuntap_error."""
    return error(number, Reason(reason), os.fsdecode(message))


def closed(what: str) -> Error:
    """Returns the Error for the use of a closed object."""
    return error(errno.EBADF, Reason.ARGUMENT, f"use {what}: it is closed")
