#!/bin/sh
# SPDX-License-Identifier: MIT
# The Go module bindings/go: style, and its tests on real devices in private network namespaces. With the argument "race":
# the tests with the race detector, the check of all pointers that go to C, and the collector's check of its own marks.
#
# GO is the go command, at least the version of go.mod. Needs an installed libtuntap, which pkg-config finds.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/../bindings/go" || exit 1
go=${GO:-go}
export CGO_ENABLED=1 GOFLAGS="" GOWORK=off GOTOOLCHAIN=local GOPROXY=off

have "go" "$go" || finish
if ! message=$("$go" list ./... 2>&1 >/dev/null); then
    skip "go" "$message"
    finish
fi

formatted() {
    files=$("$("$go" env GOROOT)/bin/gofmt" -l .) && echo "$files" && [ -z "$files" ]
}

private() {
    if [ "$(id -u)" = 0 ]; then unshare -n "$@"; else unshare --user --map-root-user --net "$@"; fi
}

if [ "${1:-}" != race ]; then
    try "go: gofmt" formatted
    try "go: vet" "$go" vet ./...
fi
if ! private test -w /dev/net/tun 2>/dev/null; then
    skip "go: tests" "needs root, or user namespaces and a device node for everybody"
elif [ "${1:-}" = race ]; then
    try "go: tests, race detector" env GOEXPERIMENT=cgocheck2 GODEBUG=gccheckmark=1 \
        "$go" test -vet off -race -count 1 -timeout 300s ./...
else
    try "go: tests" "$go" test -count 1 -timeout 200s ./...
fi
finish
