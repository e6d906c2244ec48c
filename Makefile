# SPDX-License-Identifier: MIT
# libtuntap. `make`, `make demo`, `make check`, `make install` are all that most people need.

VERSION    := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SOVERSION  := 0

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=

CC         ?= cc
CARGO      ?= cargo
OBJCOPY    ?= objcopy
INSTALL    ?= install
PYTHON     ?= python3

BUILD      := build
RUST_LIB   := $(or $(CARGO_TARGET_DIR),target)/release/libtuntap.a
SONAME     := libtuntap.so.$(SOVERSION)
SHARED     := $(BUILD)/libtuntap.so.$(VERSION)
STATIC     := $(BUILD)/libtuntap.a
LIBS       := -lpthread -ldl -lm
STAGE      := $(BUILD)/stage

.PHONY: all demo check check-abi check-links lint bench size header install uninstall clean rust stage
all: $(SHARED) $(STATIC)

# Cargo knows best whether there is anything to do.
$(RUST_LIB): rust ;
rust:
	$(CARGO) rustc --release --locked --lib --crate-type staticlib

# One object whose only global symbols are the ABI's: another Rust library linked beside it cannot clash.
$(BUILD)/tuntap.o: $(RUST_LIB) abi/libtuntap.map
	@mkdir -p $(BUILD)
	sed -n 's/^ *\(tuntap_[a-z0-9_]*\);/\1/p' abi/libtuntap.map > $(BUILD)/symbols
	$(CC) -nostdlib -r -Wl,--gc-sections $$(sed 's/^/-Wl,-u,/' $(BUILD)/symbols) -o $@ $(RUST_LIB)
	$(OBJCOPY) --keep-global-symbols=$(BUILD)/symbols $@

$(STATIC): $(BUILD)/tuntap.o
	rm -f $@ && $(AR) rcs $@ $<

# rustc gives a cdylib a version script of its own, beside which no other is heeded: hence linked here.
$(SHARED): $(BUILD)/tuntap.o
	$(CC) -shared -o $@ $< $(LDFLAGS) -Wl,--gc-sections -Wl,-z,defs,-z,relro,-z,now \
	    -Wl,-soname,$(SONAME) -Wl,--version-script=abi/libtuntap.map $(LIBS)
	ln -sf $(notdir $@) $(BUILD)/$(SONAME)
	ln -sf $(notdir $@) $(BUILD)/libtuntap.so

install: all
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 755 $(SHARED) "$(DESTDIR)$(LIBDIR)/"
	ln -sf libtuntap.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf libtuntap.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/libtuntap.so"
	$(INSTALL) -m 644 $(STATIC) "$(DESTDIR)$(LIBDIR)/"
	$(INSTALL) -m 644 include/tuntap.h "$(DESTDIR)$(INCLUDEDIR)/"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' pkgconfig/tuntap.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/tuntap.pc"

uninstall:
	rm -f "$(DESTDIR)$(LIBDIR)/libtuntap.so.$(VERSION)" "$(DESTDIR)$(LIBDIR)/$(SONAME)" \
	    "$(DESTDIR)$(LIBDIR)/libtuntap.so" "$(DESTDIR)$(LIBDIR)/libtuntap.a" \
	    "$(DESTDIR)$(LIBDIR)/pkgconfig/tuntap.pc" "$(DESTDIR)$(INCLUDEDIR)/tuntap.h"

size: $(SHARED)
	@strip -o $(BUILD)/stripped.so $< && stat -c 'stripped: %s bytes' $(BUILD)/stripped.so

header:
	TUNTAP_BLESS=1 $(CARGO) test --quiet --locked --test header

clean:
	rm -rf $(BUILD)
	$(CARGO) clean
