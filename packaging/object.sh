#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes one object of the Rust library, for the static and the shared library. Its only global symbols are the ABI's, so that
# it cannot clash with another Rust library in a program.
#
# std's panic handlers print a backtrace, which needs more code than the rest of the library. They become weak, and those of
# src/fault.rs get their names: so the linker drops std's, and the code that is then unused. This fails if a later rustc names
# the handlers differently, or if the linker keeps std's.
#
# Uses LD, OBJCOPY and READELF, which are those of the library's processor. LD is GNU ld. lld works as well, but leaves out
# .eh_frame: then debuggers and profilers cannot unwind through the library.
# Usage: object.sh LIBTUNTAP.a MAP OBJECT, which leaves its other files beside the object.
set -eu
rust=$1 map=$2 object=$3
out=$(dirname "$object")
export LC_ALL=C

fail() {
    echo "$1" >&2
    exit 1
}

# symbols FILE: of which each line ends with the section and the name. PowerPC has one more column before them.
symbols() {
    $READELF -sW "$1" >"$out/table"
    awk 'NF > 7' "$out/table"
}

# handlers: writes the handlers of src/fault.rs and the names that they replace, as objcopy reads them.
handlers() {
    symbols "$rust" | awk '$4 == "FUNC" && $(NF - 1) != "UND" {
        if ($NF ~ /rust_begin_unwind$/) print "tuntap_panicked " $NF
        if ($NF ~ /__rust_alloc_error_handler$/) print "tuntap_out_of_memory " $NF }' | sort -u >"$out/handlers"
    [ "$(cut -d ' ' -f 1 "$out/handlers" | tr '\n' ' ')" = "tuntap_out_of_memory tuntap_panicked " ] ||
        fail "src/fault.rs: std's handlers are not found in $rust"
}

# replace: without bitcode, and without groups: lld 14 leaves an empty one, which GNU binutils refuse.
replace() {
    # shellcheck disable=SC2046 # a list of options
    $OBJCOPY $(sed 's/.* /--weaken-symbol=/' "$out/handlers") \
        --remove-section=.llvmbc --remove-section=.llvmcmd --remove-section=.group "$rust" "$out/rust.a"
    $OBJCOPY --redefine-syms="$out/handlers" "$out/rust.a"
}

# link: GNU ld prepares an object of MIPS for a global pointer other than 0, records it in a section, and drops the section as
# unused. With _gp=0 there is nothing to record. Other processors ignore the symbol.
link() {
    # shellcheck disable=SC2046 # a list of options
    $LD -r --gc-sections --defsym=_gp=0 $(sed 's/^/--undefined=/' "$out/symbols") -o "$out/linked.o" "$out/rust.a"
}

# verify: PowerPC lists the addresses of a whole crate in one section, so there std's code stays, without a caller.
verify() {
    case $machine in *PowerPC*) dropped='^$' ;; *) dropped='12default_hook|12backtrace_rs|5gimli|9addr2line' ;; esac
    awk -v dropped="$dropped" 'NR == FNR { handlers[$2] = 1; next }
        $4 != "FUNC" || $(NF - 1) == "UND" { next }
        $NF ~ dropped { print $NF; n = 1 }
        $5 == "GLOBAL" && $NF in handlers { found++ }
        END { exit n || found != 2 }' "$out/handlers" "$out/linked-symbols" >&2 ||
        fail "$object: std's handlers are still in it, in place of src/fault.rs"
}

# finish: removes undefined symbols that no relocation names: they come from code that the linker has dropped, and some of
# them make a static link print a warning. On RISC-V and LoongArch, GNU ld gives wrong offsets to the relocations of
# .eh_frame, which would cost a whole static program its unwinding: there the library has none.
finish() {
    case $machine in *RISC-V* | *LoongArch*) broken=.eh_frame ;; *) broken=.no_such_section ;; esac
    awk '$(NF - 1) == "UND" { print $NF }' "$out/linked-symbols" | sort -u >"$out/undefined-symbols"
    $OBJCOPY --keep-global-symbols="$out/symbols" --strip-unneeded-symbols="$out/undefined-symbols" --strip-symbol=_gp \
        --remove-section="$broken" "$out/linked.o" "$object"
}

sed -n 's/^ *\(tuntap_[a-z0-9_]*\);/\1/p' "$map" >"$out/symbols"
handlers
replace
link
symbols "$out/linked.o" >"$out/linked-symbols"
machine=$($READELF -h "$out/linked.o" | sed -n 's/^ *Machine: *//p')
verify
finish
