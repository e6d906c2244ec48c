# SPDX-License-Identifier: MIT
"""How Python's values become C's. Each is checked before the call: ctypes would cut a number short without a word."""

from __future__ import annotations

import ctypes
import enum
import operator
import os
from collections.abc import Sequence
from typing import Any, Callable, Union

Text = Union[str, bytes, "os.PathLike[str]"]


class Numbered(enum.IntEnum):
    """An enumeration to which a later library may have added."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


def _number(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = operator.index(value)
        if not least <= number <= most:
            raise OverflowError(f"{number} is not in the range from {least} to {most}")
        return number

    return check


def _text(value: Text | None) -> bytes | None:
    if value is None:
        return None
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError("embedded null character")
    return encoded


def _anything(value: Any) -> Any:
    return value


# By the names that _abi.PROTOTYPES has them.
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
    "int32": _number(-(2**31), 2**31 - 1),
    "uint32": _number(0, 2**32 - 1),
    "uint64": _number(0, 2**64 - 1),
    "text": _text,
}


# For members of a structure, which ctypes would cut.
uint32, uint64 = _CHECKS["uint32"], _CHECKS["uint64"]


def checked(function: Callable[..., Any], parameters: Sequence[str]) -> Callable[..., Any]:
    """The function, with a check before it where an argument needs one."""
    if _CHECKS.keys().isdisjoint(parameters):
        return function
    checks = [_CHECKS.get(parameter, _anything) for parameter in parameters]
    return lambda *arguments: function(*(check(argument) for check, argument in zip(checks, arguments)))
