# SPDX-License-Identifier: MIT
"""The C library: the one that the package carries, or else the one that is installed."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from types import SimpleNamespace
from typing import Any, Callable, TypeVar

from . import _abi, _types
from .errors import from_c

SONAME = "libtuntap.0.dylib" if sys.platform == "darwin" else "libtuntap.so.0"
CARRIED = os.path.join(os.path.dirname(os.path.abspath(__file__)), SONAME)

_Callable = TypeVar("_Callable", bound=Callable[..., Any])


def _open() -> ctypes.CDLL:
    if os.path.exists(CARRIED):
        return ctypes.CDLL(CARRIED)
    try:
        return ctypes.CDLL(SONAME)
    except OSError as error:
        found = ctypes.util.find_library("tuntap")
        if found is None:
            raise ImportError(
                f"{error}: install libtuntap, or a wheel of this package that carries it", path=SONAME
            ) from None
        return ctypes.CDLL(found)


def _load() -> SimpleNamespace:
    library = _open()
    functions: dict[str, Callable[..., Any]] = {}
    for name, (result, parameters) in _abi.PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            library.tuntap_version.restype = ctypes.c_char_p
            version = library.tuntap_version().decode()
            text = f"libtuntap {version} has no {name}: it is older than this package"
            raise ImportError(text, path=SONAME) from None
        function.restype = _types.RESULTS[result]
        function.argtypes = [_types.PARAMETERS[parameter] for parameter in parameters]
        functions[name] = _types.checked(function, parameters)
    return SimpleNamespace(**functions)


# The functions of tuntap.h.
lib = _load()


def call(function: Callable[..., Any], *arguments: Any) -> int:
    """Calls a function whose last parameter is where the error goes."""
    error = _abi.tuntap_error()
    result: int = function(*arguments, ctypes.byref(error))
    if result < 0:
        raise from_c(-result, error.reason, error.message)
    return result


def number(kind: Any, function: Callable[..., Any], *arguments: Any) -> int:
    """Calls a function that reports a number of this C type."""
    value = kind()
    call(function, *arguments, ctypes.byref(value))
    return int(value.value)


def text(size: int, function: Callable[..., Any], *arguments: Any) -> str:
    """Calls a function that reports a text of at most so many bytes."""
    buffer = ctypes.create_string_buffer(size)
    call(function, *arguments, buffer, size)
    return os.fsdecode(buffer.value)


def documented(*names: str) -> Callable[[_Callable], _Callable]:
    """Gives a function the documentation of C functions, behind its own."""

    def document(function: _Callable) -> _Callable:
        own: str | None = function.__doc__
        texts = [own] if own else []
        function.__doc__ = "\n\n".join(texts + [_abi.DOCS[name] for name in names])
        return function

    return document
