#!/bin/sh
# SPDX-License-Identifier: MIT
# Calls the installed library from Python (ctypes, cffi), LuaJIT and Go (cgo), as in the README.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
library=$(pkg-config --variable=libdir tuntap)/libtuntap.so.0
header=$(pkg-config --variable=includedir tuntap)/tuntap.cdef.h
python=${PYTHON:-python3}

if have "bindings: Python" "$python"; then
    try "bindings: Python, ctypes" "$python" tests/python/smoke_ctypes.py "$library"
    if "$python" -c 'import cffi' 2>/dev/null; then
        try "bindings: Python, cffi" "$python" tests/python/smoke_cffi.py "$library" "$header"
    else
        skip "bindings: Python, cffi" "cffi is not installed (pip install cffi)"
    fi
fi
if have "bindings: LuaJIT" luajit; then
    try "bindings: LuaJIT" in_private luajit tests/lua/smoke.lua "$library" "$header"
fi
if have "bindings: Go" "${GO:-go}"; then
    export CGO_ENABLED=1 GOFLAGS=-mod=mod GOTOOLCHAIN=local LD_LIBRARY_PATH="${library%/*}"
    try "bindings: Go, cgo, builds" "${GO:-go}" build -C tests/go -o ../../build/smoke-go .
    try "bindings: Go, cgo" build/smoke-go
fi
finish
