# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Runs the C tests in QEMU, as root of a kernel of Debian or Ubuntu: fetches the kernel, makes an initial RAM disk with the
# tests and the tools that they run, boots it, and reports the results. For tests/kernels.sh and tests/targets.sh, which set
#   out           the folder of all guests; each has a folder of its own there
#   architecture  of the packages, as Debian names it
# A network is needed for packages that are not in the guest's folder yet. MIRROR and UBUNTU_MIRROR replace the usual
# mirrors.
# shellcheck disable=SC2154 # what the scripts set

# What the tests run, the packages that have it, and what the tests need of a kernel that may have it as a module.
tools="cat chmod cut grep head insmod ip ln mount readlink sed seq sh sleep stty tail tc timeout tr true wc"
packages="coreutils dash grep iproute2 kmod libatomic1 libc6 libgcc-s1 mount sed"
modules="af_packet bridge dummy ipv6 llc sch_tbf stp tun veth vxlan 8021q"
debian_keys=/usr/share/keyrings/debian-archive-keyring.gpg

# guest_tools NAME QEMU: whether what this file needs is installed; if not, skips NAME.
guest_tools() {
    for tool in apt-get cpio depmod modprobe "$2"; do have "$1" "$tool" || return; done
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
    "$command" -q -o Dir::State="$lists" -o Dir::State::lists="$lists/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$lists/cache" -o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" "$@"
)

# use_suite FOLDER DISTRIBUTION SUITE: makes the lists. Ubuntu's keys are a package of Debian.
use_suite() {
    keys=$debian_keys
    if [ "$2" = ubuntu ]; then
        keys=$out/keyring/package/usr/share/keyrings/ubuntu-archive-keyring.gpg
        [ -e "$keys" ] || {
            use_suite "$out/keyring" debian sid && unpack "$out/keyring" package ubuntu-keyring || return
            keys=$out/keyring/package/usr/share/keyrings/ubuntu-archive-keyring.gpg
        }
    fi
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    echo "deb [arch=$architecture target=Packages signed-by=$keys] $(mirror_of "$2") $3 main" >"$1/sources.list"
    with_lists "$1" apt-get update || { echo "SKIP: no list of the packages of $2 $3"; return 77; }
}

# unpack FOLDER NAME PACKAGE...: the packages alone, to FOLDER/NAME.
unpack() (
    cd "$1" && name=$2 || return
    shift 2
    with_lists "$PWD" apt-get download "$@" || { rm -f ./*.deb; return 1; }
    for package in *.deb; do dpkg -x "$package" "$name" && rm "$package" || return; done
)

# images FOLDER PATTERN: the packages with such a name, the newest one first.
images() {
    with_lists "$1" apt-cache pkgnames linux-image | grep -Ex "$2" | sort -rV | grep . || { echo "no package $2" >&2; return 1; }
}

# rest_of FOLDER IMAGE: the packages that have the rest of the kernel.
rest_of() {
    with_lists "$1" apt-cache depends "$2" | sed -n 's/^ *Depends: \(linux-\(binary\|modules\)-.*\)/\1/p'
}

# fetch_kernel FOLDER DISTRIBUTION SUITE PATTERN: its files to FOLDER/kernel, the image to kernel/vmlinuz. A mirror can have
# lost the newest package, but still list it.
fetch_kernel() {
    [ ! -e "$1/kernel/version" ] || return 0
    use_suite "$1" "$2" "$3" && names=$(images "$1" "$4") || return
    for image in $names; do
        rm -rf "$1/kernel"
        # shellcheck disable=SC2046 # a list of words
        ! unpack "$1" kernel "$image" $(rest_of "$1" "$image") || break
    done
    [ -e "$1/kernel/lib" ] || ln -s usr/lib "$1/kernel/lib"
    mv "$(find "$1/kernel" -name 'vmlinu[xz]*' -type f | head -n 1)" "$1/kernel/vmlinuz" &&
        basename "$1"/kernel/lib/modules/* >"$1/kernel/version"
}

# fetch_system FOLDER SUITE: the tools for another architecture, with all that they depend on, to FOLDER/system.
fetch_system() {
    [ ! -e "$1/system/complete" ] || return 0
    rm -rf "$1/system" "$1/cache/archives"
    use_suite "$1" debian "$2" || return
    # shellcheck disable=SC2086 # a list of words
    with_lists "$1" apt-get install --download-only --no-install-recommends -y -o Debug::NoLocking=1 $packages || return
    for package in "$1"/cache/archives/*.deb; do dpkg -x "$package" "$1/system" && rm "$package" || return; done
    touch "$1/system/complete"
}

# find_in SYSTEM PATH...: the first of these files that the system in this folder has. Its links are its own.
find_in() {
    system=$1
    shift
    for given; do
        for path in "$given" "/usr$given"; do
            while [ -L "$system$path" ]; do
                case $(readlink "$system$path") in
                /*) path=$(readlink "$system$path") ;;
                *) path=${path%/*}/$(readlink "$system$path") ;;
                esac
            done
            [ ! -f "$system$path" ] || { echo "$system$path"; return; }
        done
    done
    echo "$1 is not in ${system:-/}" >&2
    return 1
}

# libraries_of FILE: the shared libraries that it names.
libraries_of() {
    readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# interpreter_of FILE: the dynamic linker.
interpreter_of() {
    readelf -l "$1" 2>/dev/null | sed -n 's/.*program interpreter: \(.*\)\]/\1/p'
}

# add_libraries SYSTEM TRIPLE DISK FILE...: the shared libraries of the files to DISK/lib, from the system.
add_libraries() {
    from=$1 triple=$2 to=$3
    shift 3
    while [ $# -gt 0 ]; do
        file=$1
        shift
        for library in $(libraries_of "$file"); do
            [ ! -e "$to/lib/$library" ] || continue
            path=$(find_in "$from" "/lib/$triple/$library" "/lib/$library" "/lib64/$library") || return
            cp "$path" "$to/lib/$library" && set -- "$@" "$to/lib/$library" || return
        done
        interpreter=$(interpreter_of "$file")
        [ -z "$interpreter" ] || [ -e "$to$interpreter" ] || {
            path=$(find_in "$from" "$interpreter" "/lib/$triple/${interpreter##*/}") && mkdir -p "$to${interpreter%/*}" &&
                cp "$path" "$to$interpreter" || return
        }
    done
}

# userland SYSTEM TRIPLE DISK LIBRARY TESTS PROGRAMS: the part of the RAM disk that does not depend on the kernel: the tools
# of the system in folder SYSTEM (empty: this one), the library, and the programs of TESTS, which are in PROGRAMS.
userland() {
    system=$1 disk=$3
    rm -rf "$disk"
    for folder in bin dev etc lib mnt proc run sys tests tmp usr; do mkdir -p "$disk/$folder"; done
    ln -s ../bin "$disk/usr/bin" && ln -s ../lib "$disk/usr/lib" && ln -s bin "$disk/sbin"
    for tool in $tools; do
        path=$(find_in "$system" "/bin/$tool" "/sbin/$tool") && cp "$path" "$disk/bin/$tool" || return
    done
    printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$disk/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$disk/etc/group"
    cp tests/guest/init "$disk/init" && cp -L "$4" "$disk/lib/libtuntap.so.0" || return
    # shellcheck disable=SC2086 # a list of words
    for test in $(cd tests/c && ls $5); do
        cp "$6/$(echo "${test%.c}" | tr / -)" "$disk/tests/" || return
    done
    add_libraries "$system" "$2" "$disk" "$disk"/bin/* "$disk/lib/libtuntap.so.0" "$disk"/tests/* || return
    # glibc's pthread_cancel loads it.
    path=$(find_in "$system" "/lib/$2/libgcc_s.so.1") && cp "$path" "$disk/lib/"
}

# module_files ROOT VERSION: the files of the modules, in the order in which they are to be loaded.
module_files() {
    for module in $modules; do modprobe -C /dev/null -S "$2" -d "$1" --show-depends "$module"; done 2>/dev/null |
        sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$1]++'
}

# disk FOLDER USERLAND: the RAM disk of a guest: its modules and the userland.
disk() {
    version=$(cat "$1/kernel/version")
    depmod -b "$1/kernel" "$version" || return
    rm -rf "$1/disk" && mkdir -p "$1/disk/modules" || return
    number=100
    for file in $(module_files "$1/kernel" "$version"); do
        number=$((number + 1))
        name=$1/disk/modules/$number-$(basename "$file" | sed 's/\.ko.*/.ko/')
        case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dc "$file" ;;
        *) cat "$file" ;;
        esac >"$name" || return
    done
    (cd "$1/disk" && find . | cpio --quiet -o -H newc) >"$1/disk.cpio" &&
        (cd "$2" && find . | cpio --quiet -o -H newc) >>"$1/disk.cpio"
}

# boot FOLDER TERMINAL QEMU...: writes what the guest prints to console. A guest that does not end is killed.
boot() {
    folder=$1 terminal=$2
    shift 2
    timeout -k 5 "${GUEST_SECONDS:-10800}" "$@" -accel tcg -smp 1 -display none -no-reboot -nic none \
        -serial "file:$folder/console" -monitor none -kernel "$folder/kernel/vmlinuz" -initrd "$folder/disk.cpio" \
        -append "console=$terminal quiet panic=-1 ${parameters:-}" </dev/null
}

# run_guest FOLDER USERLAND TERMINAL QEMU...: the file seconds exists when the guest has ended.
run_guest() {
    folder=$1 userland=$2
    shift 2
    begin=$(date +%s)
    { disk "$folder" "$userland" && boot "$folder" "$@"; } >"$folder/log" 2>&1
    echo $(($(date +%s) - begin)) >"$folder/ended" && mv "$folder/ended" "$folder/seconds"
}

# clear_guest FOLDER
clear_guest() {
    rm -f "$1/seconds" "$1/console" "$1/log"
}

# count FILE: sets good, bad and no to the numbers of tests in it that passed, failed and were skipped.
count() {
    good=$(grep -c '^ok ' "$1") bad=$(grep -c '^FAIL ' "$1") no=$(grep -c '^SKIP ' "$1")
}

# report NAME FOLDER ROW: waits for the guest's end, shows its results, and adds a row to the table. The process with the id
# in `runner` boots the guests.
report() {
    until [ -e "$2/seconds" ]; do
        kill -0 "$runner" 2>/dev/null || [ -e "$2/seconds" ] || echo 0 >"$2/seconds"
        sleep 1
    done
    touch "$2/console"
    version=$(cat "$2/kernel/version")
    echo "== $1, Linux $version: $(cat "$2/seconds") s"
    tr -d '\r' <"$2/console" | sed -n '/^started$/,/^finished$/p' | sed "s#^\(ok   \|FAIL \|SKIP \) \([a-z]*\)-#\1 $1 \2/#" >"$2/results"
    grep -vxE 'started|finished' "$2/results"
    count "$2/results"
    echo "$good passed, $bad failed, $no skipped"
    echo "| $3 | $good | $bad | $no |" >>"$out/table.md"
    if ! grep -qx finished "$2/results"; then
        tail -n 30 "$2/log" "$2/console" >"$2/end"
        failure "$1: ended before the last test" "$2/end"
    elif [ "$bad" -gt 0 ]; then
        failure "$1: $bad tests failed"
    else
        ok "$1"
    fi
}
