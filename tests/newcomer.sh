#!/bin/sh
# SPDX-License-Identifier: MIT
# What a newcomer sees who has only Debian's toolchain: an ordinary user runs `make`, `make demo` and `make check` in a
# fresh Debian, without a network. First with the archives of `make dist` and a device node for everybody; then with a
# git clone and a device node for root only. Nothing may fail, and each SKIP has a reason.
# Needs root, debootstrap and a network, and takes about ten minutes. SUITE (trixie) and MIRROR choose the Debian.
# It writes to build/newcomer, and keeps the logs there.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
suite=${SUITE:-trixie}
release=libtuntap-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
out=$PWD/build/newcomer
root=$out/root
tools=cargo,gcc,git,iproute2,libc6-dev,make,pkg-config,python3,rustc

# Inside of namespaces of its own: makes the Debian the root, because user namespaces need more than chroot(2), and
# becomes the user. `become MODE COMMAND...`, with the mode of the device node.
# shellcheck disable=SC2016 # for the inner shell
become='
set -e
root=$1 mode=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=0755 dev "$root/dev"
for name in null zero full random urandom; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir -m 1777 "$root/dev/shm"
mkdir "$root/dev/net"
mknod -m "$mode" "$root/dev/net/tun" c 10 200
cd "$root"
mkdir -p old
pivot_root . old
umount -l old
exec setpriv --reuid newcomer --regid newcomer --clear-groups env PATH=/usr/local/bin:/usr/bin:/bin "$@"'

# as_newcomer MODE FOLDER COMMAND...: as the user, in this folder of /home/newcomer. Each has a $HOME, and so a cargo, of
# its own.
as_newcomer() {
    mode=$1 folder=$2
    shift 2
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="/home/newcomer/$folder-home" LC_ALL=C.UTF-8 \
        unshare --mount --pid --net --fork --kill-child sh -c "$become" sh "$root" "$mode" \
        env --chdir="/home/newcomer/$folder" "$@"
}

fresh() {
    rm -rf "$root" && debootstrap --variant=minbase --include="$tools" "$suite" "$root" ${MIRROR:+"$MIRROR"} &&
        chroot "$root" useradd --create-home newcomer
}

# The archives with their crates; a clone, and the crates of the library, which cargo fetches while there is a network.
sources() {
    home=$root/home/newcomer
    make -s dist && tar -xf "build/dist/$release.tar.xz" -C "$home" && mv "$home/$release" "$home/archive" &&
        tar -xf "build/dist/$release-vendor.tar.xz" -C "$home/archive" &&
        mkdir "$home/archive-home" "$home/clone-home" &&
        git clone --quiet . "$home/clone" &&
        CARGO_HOME=$home/clone-home/.cargo "${CARGO:-cargo}" fetch --locked --manifest-path "$home/clone/Cargo.toml" &&
        chroot "$root" chown -R newcomer: /home/newcomer
}

# refuses MODE FOLDER COMMAND...: the demo fails, and names the device node.
refuses() {
    ! as_newcomer "$@" >"$out/refused" 2>&1 && grep '^demo: .*/dev/net/tun' "$out/refused"
}

# check MODE FOLDER: `make check` passes, and its last line is the sum.
check() {
    as_newcomer "$1" "$2" make check >"$out/$2.log" 2>&1 && tail -n 1 "$out/$2.log" |
        grep -x '[1-9][0-9]* passed, 0 failed, [1-9][0-9]* skipped' && return
    grep -A 12 -e ^FAIL "$out/$2.log"
    tail -n 30 "$out/$2.log"
    return 1
}

# skips FOLDER: each skip that was counted is shown, with its reason.
skips() {
    shown=$(grep -c '^SKIP  [^:]*: .*[a-z]' "$out/$1.log")
    counted=$(sed -n '$s/.* \([0-9]*\) skipped$/\1/p' "$out/$1.log")
    echo "$shown shown, $counted counted"
    test "$shown" -gt 0 && test "$shown" = "$counted"
}

# says FOLDER LINE...: the log has each of these beginnings of lines.
says() {
    said=$out/$1.log
    shift
    for line; do grep -q "^$line" "$said" || { echo "no line begins with: $line"; return 1; }; done
}

if [ "$(id -u)" != 0 ]; then
    skip "newcomer" "needs root, for a Debian in a folder"
    finish
fi
have "newcomer" debootstrap || finish
mkdir -p "$out"
try "newcomer: a fresh Debian, $suite, with $tools" fresh
try "newcomer: the archives, and a clone" sources
[ "$failed" -eq 0 ] || finish
try "newcomer: make, from the archives" as_newcomer 0666 archive make
try "newcomer: make demo" as_newcomer 0666 archive make demo
try "newcomer: make check" check 0666 archive
try "newcomer: each skip is shown, with its reason" skips archive
try "newcomer: devices are tested, and what is missing is named" says archive 'ok    plain function/open$' \
    'ok    examples demo' 'SKIP  lint: cargo clippy: cargo-clippy is not installed' 'SKIP  lint: SPDX lines: .*git'
try "newcomer: make, from a clone" as_newcomer 0600 clone make
try "newcomer: make demo, with a node for root only, is refused" refuses 0600 clone make demo
try "newcomer: make check, with a node for root only" check 0600 clone
try "newcomer: each skip is shown, with its reason" skips clone
try "newcomer: no device is tested" says clone 'ok    lint: SPDX lines' 'SKIP  plain function/open: .*/dev/net/tun'
rm -rf "$root"
finish
