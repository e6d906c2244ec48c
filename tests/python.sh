#!/bin/sh
# SPDX-License-Identifier: MIT
# The Python package: a wheel that contains the library, in an empty virtual environment; a wheel that uses the installed
# library; types and style; and the tests, which also run the same programs with python-pytun and with tuntap.pytun.
#
# PYTHON needs pip and the packages build, mypy, pytest, ruff and python-pytun of PyPI. Tests whose package is missing are
# skipped. PYTHONS lists more interpreters for the tests.
# Needs an installed libtuntap, which pkg-config finds.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/python
python=$(command -v "${PYTHON:-python3}")
source=bindings/python
library=$(pkg-config --variable=libdir tuntap)

# private COMMAND...: runs it in its own network namespace, as root or in a user namespace.
private() {
    if [ "$(id -u)" = 0 ]; then unshare -n "$@"; else unshare --user --map-root-user --net "$@"; fi
}

# wheel NAME SOURCE
wheel() {
    mkdir -p "$out/wheels" && "$python" -m pip wheel --quiet --no-deps --wheel-dir "$out/wheels/$1" "$2"
}

reaches_registry() {
    folder=$(mktemp -d)
    "$python" -m pip download --quiet --no-deps --dest "$folder" "setuptools >= 77" >/dev/null 2>&1
    result=$?
    rm -rf "$folder"
    return "$result"
}

wheels() {
    rm -rf "$out"
    mkdir -p "$out"
    TUNTAP_LIBRARY=$library/libtuntap.so.0 wheel carrying "$source" &&
        TUNTAP_LIBRARY=system wheel system "$source" && wheel pytun "$source/pytun"
    result=$?
    rm -rf "$source/build" "$source"/src/*.egg-info "$source/pytun/build" "$source"/pytun/*.egg-info
    return "$result"
}

# environment NAME WHEEL...: creates a virtual environment with only these wheels.
environment() {
    folder=$out/$1
    shift
    "$python" -m venv "$folder" && "$folder/bin/pip" install --quiet --no-index "$@"
}

# Without an installed libtuntap, the wheel opens a device, which ip(8) lists.
carries() {
    environment carrying "$out"/wheels/carrying/*.whl && private env -i PATH="$PATH" "$out/carrying/bin/python" -c '
import subprocess, tuntap
with tuntap.Device("wheel0", addrs=["10.8.0.1/24"], up=True) as device:
    shown = subprocess.run(["ip", "address", "show", "wheel0"], check=True, capture_output=True, text=True).stdout
assert "inet 10.8.0.1/24" in shown and "UP" in shown, shown'
}

# The other wheel uses the installed library, and reports that it is missing otherwise.
uses_the_installed() {
    environment system "$out"/wheels/system/*-none-any.whl || return
    LD_LIBRARY_PATH=$library "$out/system/bin/python" -c 'import tuntap; print(tuntap.version())' || return
    env -i "$out/system/bin/python" -c '
try:
    import tuntap
except ImportError as error:
    assert "install libtuntap" in str(error), error
else:
    raise SystemExit("a libtuntap is installed that the test did not expect")'
}

# The main package provides only its own import name, and tuntap-pytun provides pytun's.
claims_pytun() {
    ! "$out/carrying/bin/python" -c 'import pytun' 2>/dev/null &&
        environment pytun "$out"/wheels/carrying/*.whl "$out"/wheels/pytun/*.whl &&
        private "$out/pytun/bin/python" -c 'import pytun; assert pytun.TunTapDevice().name == "tun0"'
}

# The source package contains everything that is needed to build a wheel elsewhere.
builds_from_sources() {
    "$python" -m build --quiet --sdist --outdir "$out/sources" "$source" &&
        wheel from_sources "$out"/sources/*.tar.gz && test -f "$out"/wheels/from_sources/*.whl
    result=$?
    rm -rf "$source"/src/*.egg-info
    return "$result"
}

# Types of the installed package, which has the generated _abi.py.
types() {
    "$python" -m mypy --strict --cache-dir "$out/mypy" "$out"/carrying/lib/python*/site-packages/tuntap &&
        "$python" -m mypy --strict --cache-dir "$out/mypy" --python-executable "$out/carrying/bin/python" \
            "$source/tests/typed.py"
}

style() {
    "$python" -m ruff check --quiet "$source" && "$python" -m ruff format --check "$source" &&
        "$python" -m ruff check --quiet --config "$source/pyproject.toml" docs/reference tests/man &&
        "$python" -m ruff format --check --config "$source/pyproject.toml" docs/reference tests/man
}

# can_run TOOL: whether `python -m TOOL` works. A folder of this name, as build/ here, is a package without modules to Python.
can_run() {
    "$python" -c "import sys, importlib.util; sys.exit(not importlib.util.find_spec('$1.__main__'))" 2>/dev/null
}

# run INTERPRETER: runs the tests with the package from the wheel. A warning is an error.
run() {
    PYTHONPATH=$(echo "$out"/carrying/lib/python*/site-packages) PYTHONDONTWRITEBYTECODE=1 \
        private timeout 900 "$1" -X dev -W error -m pytest -q -rs -p no:cacheprovider "$source/tests"
}

# run_with INTERPRETER: runs the tests in a new environment.
run_with() {
    rm -rf "$out/another"
    "$1" -m venv "$out/another" && "$out/another/bin/pip" install --quiet pytest python-pytun &&
        run "$out/another/bin/python"
}

have "python" "$python" || finish
if ! "$python" -c 'import venv, ensurepip, pip' 2>/dev/null; then
    skip "python" "its venv and pip are not installed"
    finish
fi
if ! reaches_registry; then
    skip "python" "the build requirements are not available from PyPI"
    finish
fi
try "python: wheels" wheels
[ "$failed" -eq 0 ] || finish
if private test -w /dev/net/tun 2>/dev/null; then
    try "python: a wheel that carries the library, and nothing else" carries
    try "python: a wheel over the installed library" uses_the_installed
    try "python: import pytun, on request" claims_pytun
else
    skip "python: devices" "needs root, or user namespaces and a device node for everybody"
    finish
fi
for tool in build mypy ruff pytest; do
    can_run "$tool" || { skip "python: $tool" "$tool is not installed (pip install $tool)"; continue; }
    case $tool in
    build) try "python: sources that build a wheel" builds_from_sources ;;
    mypy) try "python: types" types ;;
    ruff) try "python: style" style ;;
    pytest)
        try "python: tests, $("$python" -V 2>&1)" run "$python"
        for interpreter in ${PYTHONS:-}; do
            try "python: tests, $("$interpreter" -V 2>&1)" run_with "$interpreter"
        done
        ;;
    esac
done
finish
