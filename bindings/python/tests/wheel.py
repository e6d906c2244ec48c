# SPDX-License-Identifier: MIT
"""For packaging/wheels.sh: opens a device with the library of an installed wheel, and compares it with ip(8)."""

import os
import platform
import subprocess

import tuntap

with open("/proc/self/maps", encoding="utf-8") as maps:
    loaded = {line.split()[-1] for line in maps if "libtuntap" in line}
assert loaded == {os.path.join(os.path.dirname(tuntap.__file__), "libtuntap.so.0")}, loaded

with tuntap.Device("wheel0", addrs=["10.8.0.1/24"], up=True) as device:
    assert device.name == "wheel0"
    shown = subprocess.run(["ip", "address", "show", "wheel0"], check=True, stdout=subprocess.PIPE).stdout.decode()
assert "inet 10.8.0.1/24" in shown and "UP" in shown, shown
print("a device:", platform.machine(), platform.libc_ver(), platform.python_version())
