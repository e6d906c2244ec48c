#!/bin/sh
# SPDX-License-Identifier: MIT
# The header compiles alone, as the first include, in C89, C99 and C++11, and for Windows and macOS.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for suffix in c cc; do
    printf '#include <tuntap.h>\n#include <tuntap.h>\nconst char *text(void);\nconst char *text(void) { return tuntap_version(); }\n' \
        >"$work/alone.$suffix"
done

# compiles SUFFIX COMPILER...: skipped if the compiler is not installed.
compiles() {
    suffix=$1
    shift
    have "header: $*" "$1" || return 0
    try "header: $*" "$@" -Wall -Wextra -Wpedantic -Werror -Iinclude -c "$work/alone.$suffix" -o "$work/alone.o"
}

compiles c gcc -std=c89
compiles c gcc -std=c99
compiles cc g++ -std=c++11
compiles c x86_64-w64-mingw32-gcc -std=c99

python=${PYTHON:-python3}
if "$python" -c 'import ziglang' 2>/dev/null; then
    compiles c "$python" -m ziglang cc -target aarch64-macos
else
    skip "header: zig cc -target aarch64-macos" "ziglang is not installed"
fi
finish
