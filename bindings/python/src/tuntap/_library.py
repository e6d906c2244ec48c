# SPDX-License-Identifier: MIT
"""Loads the C library: the one that the package contains, or else the installed one."""

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
BUNDLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), SONAME)

_Callable = TypeVar("_Callable", bound=Callable[..., Any])


def _open() -> ctypes.CDLL:
    if os.path.exists(BUNDLED):
        return ctypes.CDLL(BUNDLED)
    try:
        return ctypes.CDLL(SONAME)
    except OSError as error:
        found = ctypes.util.find_library("tuntap")
        if found is None:
            raise ImportError(
                f"{error}: install libtuntap, or a wheel of this package that contains it", path=SONAME
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
    """Calls a C function whose last parameter receives the error, and raises that error."""
    error = _abi.tuntap_error()
    result: int = function(*arguments, ctypes.byref(error))
    if result < 0:
        raise from_c(-result, error.reason, error.message)
    return result


def number(kind: Any, function: Callable[..., Any], *arguments: Any) -> int:
    """Calls a C function whose output is a number of this C type, and returns the number."""
    value = kind()
    call(function, *arguments, ctypes.byref(value))
    return int(value.value)


def text(size: int, function: Callable[..., Any], *arguments: Any) -> str:
    """Calls a C function whose output is a text, in a buffer of `size` bytes, and returns the text."""
    buffer = ctypes.create_string_buffer(size)
    call(function, *arguments, buffer, size)
    return os.fsdecode(buffer.value)


def documented(*names: str) -> Callable[[_Callable], _Callable]:
    """Returns a decorator that appends the documentation of C functions to a docstring."""

    def document(function: _Callable) -> _Callable:
        own: str | None = function.__doc__
        texts = [own] if own else []
        function.__doc__ = "\n\n".join(texts + [_abi.DOCS[name] for name in names])
        return function

    return document
