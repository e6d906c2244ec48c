#!/bin/sh
# SPDX-License-Identifier: MIT
# wireguard-go over the adapter bindings/go/wgtun: the adapter's tests, and wireguard-go's own tests of its device, in
# which a TUN device of the kernel replaces their channel.
#
# wireguard-go's sources come from the GOPATH that GOCODE names (/usr/share/gocode has them with Debian 13's package
# golang-golang.zx2c4-wireguard-dev); if it has none, from a workspace (GOWORK) or from the Go module proxy.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
go=${GO:-go}
gocode=${GOCODE:-/usr/share/gocode}
out=$PWD/build/wireguard-go
wireguard=golang.zx2c4.com/wireguard
export CGO_ENABLED=1 GOFLAGS="" GOTOOLCHAIN=local

# modules: the module and the folder of each package that the adapter and wireguard-go's tests need.
modules() {
    cd bindings/go/wgtun || return
    # Without a workspace, versions and hashes are found for this run, in a copy of go.mod.
    if [ -z "${GOWORK:-}" ]; then
        cp go.mod "$out/go.mod" && export GOFLAGS="-modfile=$out/go.mod -mod=mod" GOWORK=off
    fi
    "$go" list -deps -test -f '{{with .Module}}{{.Path}} {{.Dir}}{{end}}' . "$wireguard/device"
}

# sources: a GOPATH in which every module has its place.
sources() {
    mkdir -p "$out/src/$(dirname "$wireguard")" && ln -s "$PWD/bindings/go" "$out/src/tuntap" || return
    if [ ! -e "$gocode/src/$wireguard" ]; then
        (modules) >"$out/modules" || return
        grep -v '^tuntap' "$out/modules" | sort -u | while read -r module folder; do
            mkdir -p "$(dirname "$out/src/$module")" && ln -s "$folder" "$out/src/$module"
        done
    fi
    export GO111MODULE=off GOWORK=off GOFLAGS="" GOPATH="$out:$gocode"
    [ -e "$gocode/src/$wireguard/tun" ] || [ -e "$out/src/$wireguard/tun" ]
}

# replaced: wireguard-go with our device in its tests.
replaced() {
    original=$("$go" list -f '{{.Dir}}' "$wireguard/device") && cp -RL "$(dirname "$original")" "$out/wireguard" &&
        rm -rf "$out/src/${wireguard:?}" && mv "$out/wireguard" "$out/src/$wireguard" &&
        chmod -R u+w "$out/src/$wireguard" &&
        mkdir "$out/src/kerneltun" && cp tests/wireguard-go/kerneltun.go "$out/src/kerneltun/" || return
    tests=$out/src/$wireguard/device/device_test.go
    sed -i.original -e 's/tuntest\.NewChannelTUN()/kerneltun.New()/' -e 's/\*tuntest\.ChannelTUN/*kerneltun.TUN/' \
        -e 's|^import (|import (\n\t"kerneltun"|' "$tests"
    [ "$(grep -c 'kerneltun\.' "$tests")" = 2 ]
}

# device_tests OPTION...: in a private network namespace, whose loopback device connects the two ends.
device_tests() {
    # shellcheck disable=SC2016 # for the inner shell
    in_private sh -c 'ip link set lo up && exec "$@"' sh "$go" test -count 1 -timeout 200s "$@" "$wireguard/device"
}

have "wireguard-go" "$go" || finish
[ ! -d "$out" ] || chmod -R u+w "$out"
rm -rf "$out"
mkdir -p "$out"
if ! sources 2>"$out/error"; then
    skip "wireguard-go" "its sources cannot be fetched: $(tail -n 1 "$out/error")"
    finish
fi
try "wireguard-go: vet" "$go" vet tuntap/wgtun
try "wireguard-go: tests of the adapter" "$go" test -count 1 -timeout 100s tuntap/wgtun
try "wireguard-go: tests of the adapter, race detector" "$go" test -race -count 1 -timeout 100s tuntap/wgtun
try "wireguard-go: its own device tests, over its channel" device_tests
try "wireguard-go: a device of the kernel in its tests" replaced
try "wireguard-go: vet of that device" "$go" vet kerneltun
try "wireguard-go: its own device tests" device_tests
try "wireguard-go: its own device tests, race detector" device_tests -race
finish
