#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the forwarders that throughput.py compares, into build/benches. Needs an installed libtuntap that pkg-config
# finds. A forwarder that cannot be built is left out, with the message SKIP.
set -u
cd "$(dirname "$0")/.." || exit 1
out=build/benches
mkdir -p "$out"
warnings="-O2 -std=c99 -Wall -Wextra -Wpedantic -Werror -pthread"

for program in drain packet memory forwarder/bare forwarder/libtuntap; do
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} $warnings -o "$out/$(basename "$program")" "benches/$program.c" $(pkg-config --cflags --libs tuntap) \
        "-Wl,-rpath,$(pkg-config --variable=libdir tuntap)" || exit 1
done

if ${CARGO:-cargo} build --quiet --release --locked --manifest-path benches/forwarder/tunrs/Cargo.toml \
    --target-dir "$out/tunrs"; then
    ln -sf tunrs/release/tunrs "$out/tunrs-forwarder"
else
    echo "SKIP  tun-rs: it does not build"
fi

# In a copy, because go writes the checksums of the modules that it fetches.
wireguard() {
    rm -rf "$out/wireguard-source" && cp -r benches/forwarder/wireguard "$out/wireguard-source" || return
    go=$(command -v "${GO:-go}") && cd "$out/wireguard-source" && "$go" mod tidy && "$go" build -o ../wireguard .
}
if (wireguard) >"$out/wireguard.log" 2>&1; then :; else
    rm -f "$out/wireguard"
    echo "SKIP  wireguard-go: $(tail -n 1 "$out/wireguard.log")"
fi

# The module tuntap contains a copy of the library that was built.
python_modules() {
    "${PYTHON:-python3}" -m venv "$out/venv" && "$out/venv/bin/pip" install --quiet python-pytun &&
        TUNTAP_LIBRARY=$(pkg-config --variable=libdir tuntap)/libtuntap.so.0 \
            "$out/venv/bin/pip" install --quiet --force-reinstall bindings/python
}
if python_modules; then :; else
    rm -rf "$out/venv"
    echo "SKIP  Python: python-pytun and tuntap cannot be installed"
fi
rm -rf bindings/python/build bindings/python/src/*.egg-info
