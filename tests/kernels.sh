#!/bin/sh
# SPDX-License-Identifier: MIT
# The C tests on other Linux kernels: boots kernels of Debian and Ubuntu in QEMU, on an emulated x86-64 processor. KERNELS
# chooses the kernels ("all": each one below), TESTS the tests, and JOBS how many kernels run at a time. The first table of
# docs/platforms.md is made from build/kernels/table.md.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/guest.sh"
cd "$(dirname "$0")/.." || exit 1

all="4.18 5.4 5.10 5.15 6.1 6.8 6.12 newest"
kernels=${KERNELS:-5.10 newest}
[ "$kernels" != all ] || kernels=$all
tests=${TESTS:-function/*.c programs/*.c pytun/*.c stress/*.c}
out=$PWD/build/kernels
architecture=amd64

# source_of KERNEL: the distribution, the suite, and a pattern for the package of the kernel.
source_of() {
    case $1 in
    4.18) echo ubuntu bionic-updates 'linux-image-unsigned-4\.18\.0-[0-9]+-generic' ;;
    5.4) echo ubuntu focal-updates 'linux-image-unsigned-5\.4\.0-[0-9]+-generic' ;;
    5.10) echo debian bullseye 'linux-image-5\.10\..*-cloud-amd64' ;;
    5.15) echo ubuntu jammy-updates 'linux-image-unsigned-5\.15\.0-[0-9]+-generic' ;;
    6.1) echo debian bookworm 'linux-image-6\.1\..*-cloud-amd64' ;;
    6.8) echo ubuntu noble-updates 'linux-image-unsigned-6\.8\.0-[0-9]+-generic' ;;
    6.12) echo debian trixie 'linux-image-6\.12\..*-cloud-amd64' ;;
    newest) echo debian sid 'linux-image-[0-9].*-cloud-amd64' ;;
    *)
        echo "kernels: $all" >&2
        return 1
        ;;
    esac
}

# fetch KERNEL
fetch() {
    source=$(source_of "$1") || return
    # shellcheck disable=SC2086 # three words
    fetch_kernel "$out/$1" $source
}

build() {
    # shellcheck disable=SC2086 # a list of words
    (cd tests/c && ./run.sh build $tests)
}

# processor_of KERNEL: with AVX2, and for every other kernel without, so that both kinds of sums are run.
processor_of() {
    case $1 in
    5.4 | 5.15 | 6.1 | newest) echo Haswell-noTSX ;;
    *) echo Nehalem ;;
    esac
}

# Without the mitigations of processor faults, which make an emulated processor many times slower. no_timer_check: a busy
# host delays the timer.
parameters="no_timer_check mitigations=off nopti"
if [ "${1:-}" = --one ]; then
    run_guest "$out/$2" "$out/userland" ttyS0 qemu-system-x86_64 -cpu "$(processor_of "$2")" -m 2048
    exit
fi

if [ "$(uname -m)" != x86_64 ]; then
    skip kernels "they are for x86-64"
    finish
fi
guest_tools kernels qemu-system-x86_64 || finish
mkdir -p "$out"
try "kernels: build the tests" build
try "kernels: the RAM disk" userland "" x86_64-linux-gnu "$out/userland" build/libtuntap.so.0 "$tests" build/tests/build
[ "$passed" -eq 2 ] || finish
fetched=''
for kernel in $kernels; do
    # mirror_of reads Ubuntu's mirror from debootstrap's script.
    case $(source_of "$kernel") in ubuntu*) have "kernels: $kernel" debootstrap || continue ;; esac
    before=$passed
    try "kernels: fetch $kernel" fetch "$kernel"
    [ "$passed" -eq "$before" ] || fetched="$fetched $kernel"
    clear_guest "$out/$kernel"
done
: >"$out/table.md"
# shellcheck disable=SC2086 # a list of words
printf '%s\0' $fetched | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "tests/${0##*/}" --one &
runner=$!
trap 'kill "$runner"; exit 1' INT TERM HUP
for kernel in $fetched; do
    source=$(source_of "$kernel")
    report "$kernel" "$out/$kernel" "$(cat "$out/$kernel/kernel/version") | ${source% *} | $(processor_of "$kernel")"
done
finish
