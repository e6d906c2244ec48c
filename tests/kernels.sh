#!/bin/sh
# SPDX-License-Identifier: MIT
# The C tests on other Linux kernels: boots kernels of Debian and Ubuntu in QEMU, with the tests and their tools in an initial
# RAM disk. KERNELS chooses the kernels ("all": each one below), TESTS the tests, and JOBS how many kernels run at a time.
# Needs a network for a kernel that build/kernels does not have yet; MIRROR and UBUNTU_MIRROR replace the usual mirrors. The
# table of docs/platforms.md is made from build/kernels/table.md.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1

all="4.18 5.4 5.10 5.15 6.1 6.8 6.12 newest"
kernels=${KERNELS:-5.10 newest}
[ "$kernels" != all ] || kernels=$all
tests=${TESTS:-function/*.c programs/*.c pytun/*.c stress/*.c}
out=$PWD/build/kernels
# What the tests run, and what they need of a kernel that may have it as a module.
tools="cat chmod cut grep head insmod ip ln mount readlink sed sh sleep stty tail tc timeout tr true wc"
modules="af_packet bridge dummy ipv6 llc sch_tbf stp tun veth 8021q"

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

# mirror_of DISTRIBUTION: what the system's own apt uses, or what debootstrap knows.
mirror_of() {
    case $1 in
    debian)
        # shellcheck disable=SC2016 # for apt
        usual=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | grep -v security | head -n 1)
        echo "${MIRROR:-$usual}"
        ;;
    ubuntu) (
        # shellcheck disable=SC2317,SC2329 # debootstrap's script calls it
        default_mirror() {
            echo "${UBUNTU_MIRROR:-$1}"
            exit
        }
        # shellcheck disable=SC2034 # for debootstrap's script
        ARCH=amd64 SUITE=bionic
        # shellcheck disable=SC1091
        . /usr/share/debootstrap/scripts/bionic
    ) ;;
    esac
}

# with_lists FOLDER COMMAND...: an apt-get or apt-cache whose lists are in this folder, and not the system's.
with_lists() (
    lists=$1 command=$2
    shift 2
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
    "$command" -q -o Dir::State="$lists" -o Dir::State::lists="$lists/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$lists/cache" -o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
)

# use_suite FOLDER DISTRIBUTION SUITE KEYRING
use_suite() {
    mkdir -p "$1"
    echo "deb [arch=amd64 target=Packages signed-by=$4] $(mirror_of "$2") $3 main" >"$1/sources.list"
    with_lists "$1" apt-get update || { echo "SKIP: no list of the packages of $2 $3"; return 77; }
}

# get FOLDER PACKAGE: unpacks it to FOLDER/root.
get() {
    (cd "$1" && with_lists "$1" apt-get download "$2" && dpkg -x "$2"_*.deb root && rm "$2"_*.deb)
}

# Ubuntu's keys, which are a package of Debian.
ubuntu_keyring() {
    keyring=$out/keyring/root/usr/share/keyrings/ubuntu-archive-keyring.gpg
    [ -e "$keyring" ] || {
        use_suite "$out/keyring" debian sid /usr/share/keyrings/debian-archive-keyring.gpg &&
            get "$out/keyring" ubuntu-keyring
    }
}

# packages_of FOLDER PATTERN: the newest package with this name, and those that have the rest of the kernel.
packages_of() {
    image=$(with_lists "$1" apt-cache pkgnames linux-image | grep -Ex "$2" | sort -V | tail -n 1)
    [ "$image" ] || { echo "no package $2" >&2; return 1; }
    echo "$image"
    with_lists "$1" apt-cache depends "$image" | sed -n 's/^ *Depends: \(linux-\(binary\|modules\)-.*\)/\1/p'
}

# fetch KERNEL: its files to build/kernels/KERNEL/root, and the image to root/vmlinuz.
fetch() {
    folder=$out/$1
    [ ! -e "$folder/root/version" ] || return 0
    rm -rf "$folder/root"
    source=$(source_of "$1") || return
    # shellcheck disable=SC2086 # three words
    set -- $source
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ "$1" = debian ] || ubuntu_keyring || return
    use_suite "$folder" "$1" "$2" "$keyring" || return
    packages=$(packages_of "$folder" "$3") || return
    for package in $packages; do get "$folder" "$package" || return; done
    [ -e "$folder/root/lib" ] || ln -s usr/lib "$folder/root/lib"
    mv "$(find "$folder/root" -name 'vmlinuz*')" "$folder/root/vmlinuz" &&
        basename "$folder"/root/lib/modules/* >"$folder/root/version"
}

build() {
    # shellcheck disable=SC2086 # a list of words
    (cd tests/c && ./run.sh build $tests)
}

# copy FILE...: to the RAM disk, with the shared libraries that they need.
copy() {
    for file in "$@" $(ldd "$@" 2>/dev/null | grep -o '/[^ :]*' | sort -u); do
        mkdir -p "$out/userland${file%/*}" && cp -Lu "$file" "$out/userland$file" || return
    done
}

# The part of the RAM disk that is the same for all kernels: the tests, and the tools that they run.
userland() {
    root=$out/userland
    rm -rf "$root"
    for folder in bin dev etc lib mnt proc run sys tests tmp; do mkdir -p "$root/$folder"; done
    for tool in $tools; do
        path=$(PATH=$PATH:/usr/sbin:/sbin which "$tool") || { echo "SKIP: $tool is not installed"; return 77; }
        copy "$path" || return
        [ -e "$root/bin/$tool" ] || ln -s "$path" "$root/bin/$tool"
    done
    printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    # shellcheck disable=SC2046 # a list of words
    cp tests/kernels/init "$root/init" && cp -L build/libtuntap.so.0 "$root/lib/" &&
        copy $(ldd build/libtuntap.so.0 | grep -o '/[^ :]*') || return
    # shellcheck disable=SC2086 # a list of words
    (cd tests/c && ls $tests) | sed 's/\.c$//' | while read -r test; do
        cp "build/tests/build/$(echo "$test" | tr / -)" "$root/tests/" || return
    done
}

# module_files ROOT VERSION: the files of the modules, in the order in which they are to be loaded.
module_files() {
    for module in $modules; do modprobe -C /dev/null -S "$2" -d "$1" --show-depends "$module"; done 2>/dev/null |
        sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$1]++'
}

# disk KERNEL: the RAM disk: its modules and the userland.
disk() {
    folder=$out/$1
    version=$(cat "$folder/root/version")
    depmod -b "$folder/root" "$version" || return
    rm -rf "$folder/disk" && mkdir -p "$folder/disk/modules" || return
    number=100
    for file in $(module_files "$folder/root" "$version"); do
        number=$((number + 1))
        name=$folder/disk/modules/$number-$(basename "$file" | sed 's/\.ko.*/.ko/')
        case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dc "$file" ;;
        *) cat "$file" ;;
        esac >"$name" || return
    done
    (cd "$folder/disk" && find . | cpio --quiet -o -H newc) >"$folder/disk.cpio" &&
        (cd "$out/userland" && find . | cpio --quiet -o -H newc) >>"$folder/disk.cpio"
}

# boot KERNEL: writes what the tests print to results, and the kernel's messages to console. Without the mitigations of
# processor faults, which make an emulated processor many times slower. no_timer_check: a busy host delays the timer.
boot() {
    folder=$out/$1
    timeout 3000 qemu-system-x86_64 -accel tcg -cpu Nehalem -m 2048 -smp 1 -display none -no-reboot -nic none \
        -serial "file:$folder/console" -serial "file:$folder/results" -monitor none \
        -kernel "$folder/root/vmlinuz" -initrd "$folder/disk.cpio" \
        -append "console=ttyS0 no_timer_check mitigations=off nopti quiet panic=-1" </dev/null
}

# report KERNEL: waits for its end, shows the results, and adds a row to the table.
report() {
    folder=$out/$1
    until [ -e "$folder/seconds" ]; do
        kill -0 "$runner" 2>/dev/null || [ -e "$folder/seconds" ] || echo 0 >"$folder/seconds"
        sleep 1
    done
    touch "$folder/results"
    version=$(cat "$folder/root/version")
    echo "== Linux $version: $(cat "$folder/seconds") s"
    sed -e '/^finished/d' -e "s|^\(ok   \|FAIL \|SKIP \) \([a-z]*\)-|\1 $1 \2/|" "$folder/results"
    good=$(grep -c '^ok ' "$folder/results") bad=$(grep -c '^FAIL ' "$folder/results") no=$(grep -c '^SKIP ' "$folder/results")
    echo "$good passed, $bad failed, $no skipped"
    source=$(source_of "$1")
    echo "| $version | ${source% *} | $good | $bad | $no |" >>"$out/table.md"
    if ! grep -qx finished "$folder/results"; then
        tail -n 30 "$folder/log" "$folder/console" >"$folder/end"
        failure "Linux $version: ended before the last test" "$folder/end"
    elif [ "$bad" -gt 0 ]; then
        failure "Linux $version: $bad tests failed"
    else
        ok "Linux $version"
    fi
}

if [ "${1:-}" = --one ]; then
    begin=$(date +%s)
    { disk "$2" && boot "$2"; } >"$out/$2/log" 2>&1
    echo $(($(date +%s) - begin)) >"$out/$2/ended" && mv "$out/$2/ended" "$out/$2/seconds"
    exit
fi

if [ "$(uname -m)" != x86_64 ]; then
    skip kernels "they are for x86-64"
    finish
fi
for tool in apt-get debootstrap cpio depmod modprobe qemu-system-x86_64; do PATH=$PATH:/usr/sbin:/sbin have kernels "$tool" || finish; done
PATH=$PATH:/usr/sbin:/sbin
export PATH
mkdir -p "$out"
try "kernels: build the tests" build
try "kernels: the RAM disk" userland
[ "$passed" -eq 2 ] || finish
fetched=''
for kernel in $kernels; do
    before=$passed
    try "kernels: fetch $kernel" fetch "$kernel"
    [ "$passed" -eq "$before" ] || fetched="$fetched $kernel"
    rm -f "$out/$kernel/seconds" "$out/$kernel/results" "$out/$kernel/console"
done
: >"$out/table.md"
# shellcheck disable=SC2086 # a list of words
printf '%s\0' $fetched | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "tests/${0##*/}" --one &
runner=$!
trap 'kill "$runner"; exit 1' INT TERM HUP
for kernel in $fetched; do report "$kernel"; done
finish
