# SPDX-License-Identifier: MIT
"""Converts Python values to C. Each value is checked before the call: ctypes would truncate a number silently."""

from __future__ import annotations

import ctypes
import enum
import operator
import os
from collections.abc import Sequence
from typing import Any, Callable, Union

Text = Union[str, bytes, "os.PathLike[str]"]


class OpenEnum(enum.IntEnum):
    """An enumeration that also accepts values of a later version of the library."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


def _integer(minimum: int, maximum: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = operator.index(value)
        if not minimum <= number <= maximum:
            raise OverflowError(f"{number} is not in the range from {minimum} to {maximum}")
        return number

    return check


def _text(value: Text | None) -> bytes | None:
    if value is None:
        return None
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError("embedded null character")
    return encoded


def _unchecked(value: Any) -> Any:
    return value


# The keys are the names that _abi.PROTOTYPES uses.
PARAMETERS = {
    "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32,
    "uint64": ctypes.c_uint64,
    "size": ctypes.c_size_t,
    "text": ctypes.c_char_p,
    "pointer": ctypes.c_void_p,
    "error": ctypes.c_void_p,
}
RESULTS = {
    "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32,
    "size": ctypes.c_size_t,
    "ssize": ctypes.c_ssize_t,
    "constant": ctypes.c_char_p,
    "none": None,
}
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "int32": _integer(-(2**31), 2**31 - 1),
    "uint32": _integer(0, 2**32 - 1),
    "uint64": _integer(0, 2**64 - 1),
    "text": _text,
}


# For members of a structure, which ctypes would truncate.
uint32, uint64 = _CHECKS["uint32"], _CHECKS["uint64"]


def checked(function: Callable[..., Any], parameters: Sequence[str]) -> Callable[..., Any]:
    """Returns a function that checks its arguments and then calls this C function."""
    if _CHECKS.keys().isdisjoint(parameters):
        return function
    checks = [_CHECKS.get(parameter, _unchecked) for parameter in parameters]
    return lambda *arguments: function(*(check(argument) for check, argument in zip(checks, arguments)))
