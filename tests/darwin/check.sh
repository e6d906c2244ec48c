#!/bin/sh
# SPDX-License-Identifier: MIT
# The checklist of docs/darwin.md, for a Mac with Rust and the command line tools. Builds the library and
# tests/darwin/check.c, and runs the latter as root. Takes about ten minutes, mostly for the build. Prints a line for each
# check, pass or FAIL.
set -eu
cd "$(dirname "$0")/../.."
[ "$(uname -s)" = Darwin ] || { echo "this is for macOS" >&2; exit 2; }
make
cc -std=c99 -D_DARWIN_C_SOURCE -Wall -Wextra -Iinclude -o build/darwin-check tests/darwin/check.c build/libtuntap.a
sw_vers
sudo build/darwin-check
