#!/bin/sh
# SPDX-License-Identifier: MIT
# wireguard-go over the adapter bindings/go/wgtun: TCP through a tunnel between two network namespaces.
#
# Needs wireguard-go's sources: from the Go module proxy, or from folders that a workspace (GOWORK) names.
set -u
. "$(dirname "$0")/common.sh"
out=$(cd "$(dirname "$0")/.." && pwd)/build/wireguard-go
cd "$(dirname "$0")/../bindings/go/wgtun" || exit 1
go=${GO:-go}
export CGO_ENABLED=1 GOFLAGS="" GOTOOLCHAIN=local

have "wireguard-go" "$go" || finish
# Without a workspace, versions and hashes are found for this run, in a copy of go.mod.
if [ -z "${GOWORK:-}" ]; then
    mkdir -p "$out" && cp go.mod "$out/go.mod" && export GOFLAGS="-modfile=$out/go.mod -mod=mod" GOWORK=off
fi
if ! message=$("$go" list -deps -test . 2>&1 >/dev/null); then
    skip "wireguard-go" "its sources cannot be had: $(echo "$message" | tail -n 1)"
    finish
fi
try "wireguard-go: vet" "$go" vet .
try "wireguard-go: tests" "$go" test -count 1 -timeout 100s .
try "wireguard-go: tests, race detector" "$go" test -race -count 1 -timeout 100s .
finish
