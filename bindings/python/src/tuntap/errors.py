# SPDX-License-Identifier: MIT
"""What fails: an OSError with errno, the reason that errno does not say, and the library's sentence."""

from __future__ import annotations

import errno
import os
from typing import Any

from ._abi import Reason


class Error(OSError):
    """A call failed. Beside errno and strerror, the library's sentence, it has the reason.

    It is also the OSError that errno stands for: PermissionError, BlockingIOError, TimeoutError and so on.
    """

    reason: Reason = Reason.NONE
    # Of a Writer.batch: so many of its packets were taken, and must not be given again.
    taken: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return error, (self.errno or 0, self.reason, self.strerror)


def _kinds() -> dict[type[OSError], type[Error]]:
    """For each OSError that Python has of its own, an Error that is one as well."""
    kinds: dict[type[OSError], type[Error]] = {OSError: Error}
    for number in errno.errorcode:
        kind = type(OSError(number, ""))
        if kind not in kinds:
            kinds[kind] = type(kind.__name__, (Error, kind), {"__module__": Error.__module__, "__doc__": kind.__doc__})
    return kinds


_KINDS = _kinds()


def error(number: int, reason: Reason, message: str) -> Error:
    """The Error of this errno."""
    kind = _KINDS[type(OSError(number, ""))]
    made = kind(number, message)
    made.reason = reason
    return made


def from_c(number: int, reason: int, message: bytes) -> Error:
    """The Error of a tuntap_error."""
    return error(number, Reason(reason), os.fsdecode(message))


def closed(what: str) -> Error:
    """It is used after it was closed."""
    return error(errno.EBADF, Reason.ARGUMENT, f"use {what}: it is closed")
