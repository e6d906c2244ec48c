#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's packages, as a stranger makes and uses them: builds them without a network in a fresh Debian, checks them with
# lintian, installs them into another fresh Debian, runs debian/tests, upgrades them, removes them, and looks for what is left.
# Needs root, debootstrap and a network, and takes about ten minutes. SUITE (trixie) and MIRROR choose the Debian. It writes
# to build/packages, and keeps the packages and the logs there.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
suite=${SUITE:-trixie}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
out=$PWD/build/packages
tree=/build/libtuntap-$version

# within ROOT COMMAND...: runs it in a Debian, in mount and process namespaces of its own: nothing stays mounted or running.
within() {
    root=$1
    shift
    # shellcheck disable=SC2016 # for the inner shell
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        unshare --mount --pid --fork sh -c '
        root=$1 && shift && mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" && exec chroot "$root" "$@"
        ' sh "$root" "$@"
}

# The Debian that both others are copies of.
base() {
    rm -rf "$out/fresh" "$out/build" "$out/use" &&
        debootstrap --variant=minbase "$suite" "$out/fresh" ${MIRROR:+"$MIRROR"} &&
        echo force-unsafe-io >"$out/fresh/etc/dpkg/dpkg.cfg.d/unsafe-io" &&
        cp -a "$out/fresh" "$out/build" && cp -a "$out/fresh" "$out/use"
}

# The sources where dpkg expects them, and what they need to be built. rustc is Debian's own, the oldest that the library
# supports, and not the newer rustc-web, which apt would choose.
prepare() {
    make -s dist && mkdir -p "$out/build/build" || return
    cp "build/dist/libtuntap-$version.tar.xz" "$out/build/build/libtuntap_$version.orig.tar.xz" &&
        cp "build/dist/libtuntap-$version-vendor.tar.xz" "$out/build/build/libtuntap_$version.orig-vendor.tar.xz" || return
    within "$out/build" sh -eux -c "
        apt-get install -y --no-install-recommends build-essential cargo fakeroot lintian rustc xz-utils
        cd /build
        tar -xf libtuntap_$version.orig.tar.xz
        cd libtuntap-$version
        tar -xf ../libtuntap_$version.orig-vendor.tar.xz
        cp -R packaging/debian debian
        apt-get build-dep -y --no-install-recommends ./
        useradd --create-home builder
        chown -R builder /build"
}

build() {
    within "$out/build" unshare -n su builder -c "cd $tree && dpkg-buildpackage -us -uc" &&
        cp "$out"/build/build/*.deb "$out/"
}

# The changelog closes no bug of Debian's, because nobody has asked Debian for this package.
lintian() {
    within "$out/build" su builder -c "cd $tree && lintian --fail-on error,warning --pedantic --info \
        --suppress-tags initial-upload-closes-no-bugs"
}

# files ROOT: every file outside of what apt, dpkg and the linker keep for themselves.
files() {
    (cd "$1" && find . -xdev ! -type d ! -path './var/*' ! -path ./etc/ld.so.cache ! -path './tmp/*' | sort)
}

# What the tests use, so that only our packages come and go later.
needs() {
    # shellcheck disable=SC2046 # a list of words
    within "$out/use" apt-get install -y --no-install-recommends \
        $(sed -n 's/^Depends: //p' packaging/debian/tests/control | tr ',' '\n' | grep -v tuntap) python3 &&
        files "$out/use" >"$out/before"
}

install_packages() {
    mkdir -p "$out/use/tmp/packages" && cp "$out"/*.deb "$out/use/tmp/packages/" &&
        within "$out/use" sh -c 'apt-get install -y --no-install-recommends /tmp/packages/*.deb'
}

# runs TEST: of debian/tests.
runs() {
    cp "packaging/debian/tests/$1" "$out/use/tmp/test" && within "$out/use" /tmp/test
}

# The same packages as a later version.
upgrade() {
    # shellcheck disable=SC2016 # for the inner shell
    within "$out/use" sh -eux -c '
        cd /tmp/packages
        for package in *.deb; do
            case $package in *-dbgsym_*) continue ;; esac
            dpkg-deb -R "$package" unpacked
            sed -i "s/$1-1/$1-2/" unpacked/DEBIAN/control
            dpkg-deb -b unpacked "later-$package"
            rm -r unpacked
        done
        apt-get install -y --no-install-recommends ./later-*.deb
        dpkg-query --show --showformat "\${Package} \${Version}\n" libtuntap0 | grep -x "libtuntap0 $1-2"' sh "$version"
}

remove() {
    within "$out/use" sh -c 'apt-get purge -y "libtuntap*" python3-tuntap && ldconfig' && files "$out/use" >"$out/after" &&
        diff "$out/before" "$out/after"
}

if [ "$(id -u)" != 0 ]; then
    skip "packages" "needs root, for a Debian in a folder"
    finish
fi
have "packages" debootstrap || finish
mkdir -p "$out" && rm -f "$out"/*.deb
try "packages: a fresh Debian, $suite" base
try "packages: the sources, and what they need" prepare
[ "$failed" -eq 0 ] || finish
try "packages: build without a network" build
[ "$failed" -eq 0 ] || finish
try "packages: lintian" lintian
try "packages: what the tests need" needs
try "packages: install" install_packages
try "packages: programs in C" runs program
try "packages: a program in Python" runs python
try "packages: upgrade" upgrade
try "packages: programs in C, after the upgrade" runs program
try "packages: remove, and nothing is left" remove
rm -rf "$out/fresh" "$out/build" "$out/use"
finish
