# SPDX-License-Identifier: MIT
# libtuntap. Most people need only `make`, `make demo`, `make check` and `make install`.

VERSION    := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SOVERSION  := 0

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/libtuntap
DESTDIR    ?=

# The tools. A build for another processor gives those of that processor, and its triple in CARGO_BUILD_TARGET.
CC         ?= cc
AR         ?= ar
OBJCOPY    ?= objcopy
READELF    ?= readelf
STRIP      ?= strip
CARGO      ?= cargo
INSTALL    ?= install
TAR        ?= tar
PYTHON     ?= python3
# Links the object in the archives, whatever linker CC uses: GNU ld for the processor of CC. See packaging/README.md.
ifeq ($(origin LD),default)
LD          = $(or $(shell $(CC) -print-prog-name=ld.bfd 2>/dev/null),ld)
endif
# More options for cargo; RUSTFLAGS, CFLAGS and LDFLAGS are used as well.
CARGOFLAGS ?=

BUILD      := build
# A separate folder: cargo does not rebuild crates that were built without the wrapper.
CARGO_DIR  := $(or $(CARGO_TARGET_DIR),$(BUILD)/cargo)
RUST_LIB   := $(CARGO_DIR)/$(CARGO_BUILD_TARGET:%=%/)release/libtuntap.a
# With a folder vendor/, as `make dist` packs it, cargo uses no network.
VENDORED   := $(if $(wildcard vendor),--offline --config packaging/vendor.toml)
STATIC     := $(BUILD)/libtuntap.a
DEBUG_STATIC := $(BUILD)/debug/libtuntap.a
# The header for parsers without a preprocessor.
CDEF       := $(BUILD)/tuntap.cdef.h
# Limit of the stripped library in bytes: 528 KiB.
SIZE_LIMIT := 540672
STAGE      := $(CURDIR)/$(BUILD)/stage

# SHARED is the library, and LINKS are its other names. On macOS, programs find it by their run path.
SYSTEM     := $(if $(CARGO_BUILD_TARGET),$(if $(findstring -apple-,$(CARGO_BUILD_TARGET)),Darwin,Linux),$(shell uname -s))
ifeq ($(SYSTEM),Darwin)
SONAME     := libtuntap.$(SOVERSION).dylib
SHARED     := $(BUILD)/$(SONAME)
LINKS      := libtuntap.dylib
LIBS       :=
RPATH      := -Wl,-rpath,$${libdir}
else
SONAME     := libtuntap.so.$(SOVERSION)
SHARED     := $(BUILD)/libtuntap.so.$(VERSION)
LINKS      := $(SONAME) libtuntap.so
LIBS       := -lpthread -ldl -lm
RPATH      :=
endif

# The parts of `make check`, and those that `make check-all` adds: the same tests with other tools, and what takes minutes.
CHECKS := lint check-core check-abi check-header check-c check-faults check-strace check-seccomp check-links check-man \
    check-reproducible check-deny check-bindings check-cpp check-go check-python check-examples check-guides \
    check-benches
SLOW_CHECKS := check-valgrind check-asan check-api check-tsan check-go-race check-wireguard-go check-wireguard check-fuzz \
    check-dist check-darwin check-targets

.PHONY: all library man docs demo check check-all check-advisories check-kernels check-newcomer check-packages bench \
    bench-quick bench-docs coverage soak size header generated-header abi dist wheels install uninstall clean rust \
    stage asan-library $(CHECKS) $(SLOW_CHECKS)
all: library man
library: $(SHARED) $(STATIC) $(CDEF)

# Cargo decides whether it must build.
$(RUST_LIB): rust ;
rust:
	TUNTAP_RUSTC_WRAPPER="$$RUSTC_WRAPPER" RUSTC_WRAPPER="$(CURDIR)/packaging/rustc.sh" \
	    $(CARGO) rustc --release --locked --lib --crate-type staticlib --target-dir "$(CARGO_DIR)" $(VENDORED) $(CARGOFLAGS)

ifeq ($(SYSTEM),Darwin)
$(STATIC): $(RUST_LIB)
	@mkdir -p $(BUILD)
	cp $< $@

# The loader refuses a library with a lower compatibility version than the one that the program was linked to.
$(SHARED): $(RUST_LIB) abi/libtuntap.map
	@mkdir -p $(BUILD)
	sed -n 's/^ *\(tuntap_[a-z0-9_]*\);/_\1/p' abi/libtuntap.map > $(BUILD)/symbols
	$(CC) $(CFLAGS) -dynamiclib -o $@ -Wl,-force_load,$< $(LDFLAGS) -Wl,-dead_strip -Wl,-exported_symbols_list,$(BUILD)/symbols \
	    -install_name @rpath/$(SONAME) -compatibility_version $(SOVERSION).0.0 -current_version $(VERSION)
	ln -sf $(notdir $@) $(BUILD)/$(LINKS)
else
# One object, whose only global symbols are the ABI's.
$(BUILD)/tuntap.o: $(RUST_LIB) abi/libtuntap.map packaging/object.sh
	@mkdir -p $(BUILD)
	LD="$(LD)" OBJCOPY="$(OBJCOPY)" READELF="$(READELF)" packaging/object.sh $(RUST_LIB) abi/libtuntap.map $@

# Archives carry no debugging information, as distributions ship them. The same code with it is in $(DEBUG_STATIC).
$(STATIC): $(BUILD)/tuntap.o
	@mkdir -p $(dir $(DEBUG_STATIC))
	rm -f $(DEBUG_STATIC) && $(AR) rcsD $(DEBUG_STATIC) $<
	$(OBJCOPY) --strip-unneeded $< $(BUILD)/stripped.o
	rm -f $@ && $(AR) rcsD $@ $(BUILD)/stripped.o

# Linked here, because rustc uses its own version script for a cdylib and accepts no other.
$(SHARED): $(BUILD)/tuntap.o
	$(CC) $(CFLAGS) -shared -o $@ $< $(LDFLAGS) -Wl,--gc-sections -Wl,-z,defs,-z,relro,-z,now \
	    -Wl,-soname,$(SONAME) -Wl,--version-script=abi/libtuntap.map $(LIBS)
	for link in $(LINKS); do ln -sf $(notdir $@) $(BUILD)/$$link; done
endif

# tuntap.h for cffi's ABI mode and LuaJIT, which read declarations but no directives: without includes and conditions,
# and with each constant as an enumerator.
$(CDEF): include/tuntap.h
	@mkdir -p $(BUILD)
	sed -e '/^#include/d' -e 's/^#define \(TUNTAP_[A-Z0-9_]*\) \(.*\)$$/enum { \1 = \2 };/' $< > $@.c
	{ echo '/* SPDX-License-Identifier: MIT'; echo ' * Generated from tuntap.h, which is the reference. */'; \
	    $(CC) -std=c99 -E -P $@.c; } > $@.new
	! grep -n '^ *#' $@.new
	rm $@.c && mv $@.new $@

# The manual pages are made from the header, with Python's standard library.
MAN       := $(BUILD)/man
REFERENCE := include/tuntap.h Cargo.toml README.md CHANGELOG.md $(wildcard docs/reference/*.* docs/reference/examples/*)
man: $(MAN)/made
$(MAN)/made: $(REFERENCE)
	@rm -rf $(MAN)
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then \
	    $(PYTHON) -B docs/reference/man.py $(MAN) && touch $@; \
	else echo "SKIP  manual pages: $(PYTHON) is not installed, or older than 3.9"; fi

# The same as HTML, in build/docs.
docs:
	rm -rf $(BUILD)/docs
	$(PYTHON) -B docs/reference/web.py $(BUILD)/docs

# After `make` this builds nothing, so that root needs no cargo.
install:
	@test -f $(SHARED) && test -f $(STATIC) && test -f $(CDEF) && \
	    test -z "$$(find src include abi packaging/rustc.sh packaging/object.sh Cargo.toml Cargo.lock -newer $(SHARED))" || $(MAKE) all
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/tuntap" "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(DOCDIR)"
	$(INSTALL) -m 755 $(SHARED) "$(DESTDIR)$(LIBDIR)/"
	for link in $(LINKS); do ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/$$link"; done
	$(INSTALL) -m 644 $(STATIC) "$(DESTDIR)$(LIBDIR)/"
	$(INSTALL) -m 644 include/tuntap.h include/tuntap.hpp $(CDEF) "$(DESTDIR)$(INCLUDEDIR)/"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@RPATH@|$(RPATH:%= %)|' -e 's|@LIBS@|$(LIBS)|' pkgconfig/tuntap.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/tuntap.pc"
	for name in $(CMAKE_FILES); do \
	    sed -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBRARY@|$(notdir $(SHARED))|' -e 's|@SONAME@|$(SONAME)|' -e 's|@LIBS@|$(subst $(SPACE),;,$(LIBS:-l%=%))|' \
	        -e 's|@TO_INCLUDEDIR@|$(TO_INCLUDEDIR)|' cmake/$$name.in > "$(DESTDIR)$(LIBDIR)/cmake/tuntap/$$name"; done
	$(INSTALL) -m 644 $(DOCS) "$(DESTDIR)$(DOCDIR)/"
	@$(MAKE) -s man
	test ! -e $(MAN)/made || for volume in man3 man7; do \
	    $(INSTALL) -d "$(DESTDIR)$(MANDIR)/$$volume" && \
	    $(INSTALL) -m 644 $(MAN)/$$volume/* "$(DESTDIR)$(MANDIR)/$$volume/" || exit; done

# LIBDIR without PREFIX is as many folders deep as CMake has to go up.
CMAKE_FILES   := tuntapConfig.cmake tuntapConfigVersion.cmake
SPACE         := $() $()
UP            := $(subst $(SPACE),,$(patsubst %,../,$(subst /, ,$(LIBDIR:$(PREFIX)/%=%))))
TO_INCLUDEDIR := $(if $(filter $(PREFIX)/%,$(LIBDIR)),$(INCLUDEDIR:$(PREFIX)/%=$(UP)%),$(INCLUDEDIR))
DOCS          := README.md LICENSE NOTICE

uninstall:
	for name in $(notdir $(SHARED)) $(LINKS) libtuntap.a pkgconfig/tuntap.pc $(CMAKE_FILES:%=cmake/tuntap/%); do \
	    rm -f "$(DESTDIR)$(LIBDIR)/$$name"; done
	for name in tuntap.h tuntap.hpp $(notdir $(CDEF)); do rm -f "$(DESTDIR)$(INCLUDEDIR)/$$name"; done
	rm -f $(DOCS:%="$(DESTDIR)$(DOCDIR)/%")
	rm -f "$(DESTDIR)$(MANDIR)"/man3/tuntap_[a-z]*.3 "$(DESTDIR)$(MANDIR)"/man7/tuntap.7 \
	    "$(DESTDIR)$(MANDIR)"/man7/tuntap_error.7
	-rmdir "$(DESTDIR)$(LIBDIR)/cmake/tuntap" "$(DESTDIR)$(DOCDIR)" 2>/dev/null

# The sources of the last commit, the crates that they need, and the sums of both. The same commit gives the same bytes.
dist:
	CARGO="$(CARGO)" TAR="$(TAR)" packaging/dist.sh $(VERSION) $(BUILD)/dist

# What PyPI takes, in build/wheels/dist: the Python package for Linux with glibc and with musl, and its sources.
wheels:
	MAKE="$(MAKE)" CARGO="$(CARGO)" PYTHON="$(PYTHON)" packaging/wheels.sh

# An install inside the build tree, for the tests and the examples.
stage: all
	@$(MAKE) -s install PREFIX="$(STAGE)" LIBDIR="$(STAGE)/lib" INCLUDEDIR="$(STAGE)/include" \
	    MANDIR="$(STAGE)/share/man" DOCDIR="$(STAGE)/share/doc" DESTDIR=

STAGED := PKG_CONFIG_PATH="$(STAGE)/lib/pkgconfig" LD_LIBRARY_PATH="$(STAGE)/lib"

# Links the static library of the build tree: needs neither an install nor pkg-config.
demo: all
	@$(CC) -std=c99 -O2 -Iinclude -o $(BUILD)/demo examples-c/demo.c $(STATIC) $(LIBS)
	@$(BUILD)/demo

# Each part prints its results. It prints SKIP if a tool is missing, and fails then with CI=true.
check:
	@MAKE="$(MAKE)" tests/check.sh "make check" $(CHECKS)
check-all:
	@MAKE="$(MAKE)" tests/check.sh "make check-all" $(CHECKS) $(SLOW_CHECKS)

lint:
	CARGO="$(CARGO)" VENDORED="$(VENDORED)" tests/lint.sh

check-core:
	$(CARGO) test --locked --no-run $(VENDORED)
	$(CARGO) test --locked --quiet $(VENDORED)

check-abi: all
	CARGO="$(CARGO)" PYTHON="$(PYTHON)" tests/abi.sh $(SHARED) $(STATIC)
	CARGO="$(CARGO)" PYTHON="$(PYTHON)" tests/compatible.sh

check-header:
	PYTHON="$(PYTHON)" tests/portable.sh

check-c: stage
	$(STAGED) tests/c/run.sh plain

check-valgrind: stage
	$(STAGED) tests/c/run.sh valgrind

# RUSTC_BOOTSTRAP allows -Z options with a stable toolchain. The dev profile adds overflow checks.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
ASAN_LIBRARY = $(CURDIR)/$(BUILD)/asan/$(HOST)/debug/libtuntap.a
asan-library:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address $(CARGO) rustc --quiet --locked --lib \
	    --crate-type staticlib --target $(HOST) --target-dir $(BUILD)/asan

check-asan: stage asan-library
	$(STAGED) TUNTAP_ASAN_LIBRARY="$(ASAN_LIBRARY)" tests/c/run.sh asan

check-api: asan-library
	TUNTAP_ASAN_LIBRARY="$(ASAN_LIBRARY)" PYTHON="$(PYTHON)" tests/api.sh

check-tsan: stage
	$(STAGED) CARGO="$(CARGO)" tests/tsan.sh

# Each system call fails in turn, with two of six errnos; with TUNTAP_FAULTS=all, with all six.
check-faults: stage
	$(STAGED) tests/c/run.sh faults

check-strace: stage
	$(STAGED) tests/strace.sh

check-seccomp: stage
	$(STAGED) tests/seccomp.sh

check-fuzz:
	CARGO="$(CARGO)" tests/fuzz.sh

check-links: all
	tests/links.sh

check-man:
	PYTHON="$(PYTHON)" tests/man.sh

check-reproducible: all
	tests/reproducible.sh

check-dist:
	tests/dist.sh

check-deny:
	tests/deny.sh

# Needs a network, for RustSec's list.
check-advisories:
	tests/deny.sh advisories

check-bindings: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/bindings.sh

check-cpp: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/cpp.sh

check-go: stage
	$(STAGED) tests/go.sh

check-go-race: stage
	$(STAGED) tests/go.sh race

# Needs wireguard-go's sources: GOCODE names a GOPATH that has them.
check-wireguard-go: stage
	$(STAGED) tests/wireguard-go.sh

check-python: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/python.sh

check-examples: stage
	$(STAGED) tests/examples.sh

check-benches: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/benches.sh

check-wireguard: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/wireguard.sh

check-guides: stage
	$(STAGED) PYTHON="$(PYTHON)" tests/guides.sh

# On other kernels, in QEMU; KERNELS=all: on all that tests/kernels.sh knows.
check-kernels: stage
	$(STAGED) tests/kernels.sh

# On i386 and with musl; TARGETS=all: on all processors and C libraries that tests/targets.sh knows.
check-targets:
	CARGO="$(CARGO)" tests/targets.sh

check-darwin:
	CARGO="$(CARGO)" PYTHON="$(PYTHON)" tests/darwin.sh

# Builds Debian's packages in a fresh Debian and uses them in another one: needs root, debootstrap and a network.
check-packages:
	tests/packages.sh

# What an ordinary user of a fresh Debian sees: needs root, debootstrap and a network.
check-newcomer:
	CARGO="$(CARGO)" tests/newcomer.sh

# 100 million packets, each of which arrives or is counted; takes about ten minutes. TUNTAP_SOAK sets another number.
soak: stage
	$(STAGED) TEST_SECONDS=36000 TUNTAP_SOAK=$(or $(TUNTAP_SOAK),100000000) tests/c/run.sh plain stress/soak.c
	@cat $(BUILD)/tests/plain/stress-soak.log

# The cost of a packet compared with a bare system call, a program that encrypts, then forwarders and VPNs of this and other
# projects. Builds the other projects, and needs root and the registries. bench takes about 20 minutes, bench-quick two.
# bench-docs also writes docs/bench.md and docs/bench-python.md. BENCH has more options of benches/run.py.
bench bench-quick bench-docs: stage
	@$(STAGED) CARGO="$(CARGO)" PYTHON="$(PYTHON)" benches/build.sh
	@$(PYTHON) -B benches/run.py $(if $(@:bench-quick=),,--quick) $(if $(@:bench-docs=),,--docs) $(BENCH)
	@test $@ = bench-quick || $(PYTHON) -B benches/run.py --python $(if $(@:bench-docs=),,--docs) $(BENCH)

# Coverage of the Rust tests and the C tests; not part of `make check`.
coverage: stage
	@$(STAGED) CARGO="$(CARGO)" PYTHON="$(PYTHON)" tests/coverage.sh

size: $(SHARED)
	@$(STRIP) -o $(BUILD)/stripped.so $< && stat -c 'stripped: %s bytes' $(BUILD)/stripped.so
	@test "$$(stat -c %s $(BUILD)/stripped.so)" -lt $(SIZE_LIMIT)

header: generated-header
	cp $(BUILD)/tuntap.h include/tuntap.h

generated-header:
	@mkdir -p $(BUILD)
	$(CARGO) run --quiet --locked --manifest-path tests/header/Cargo.toml --target-dir $(BUILD)/header > $(BUILD)/tuntap.h

# Records the header as the one that programs are compiled with: see tests/compatible.sh.
abi:
	PYTHONPATH=docs/reference $(PYTHON) -B abi/describe.py include/tuntap.h > abi/libtuntap.abi

clean:
	rm -rf $(BUILD)
	$(CARGO) clean
