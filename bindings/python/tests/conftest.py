# SPDX-License-Identifier: MIT
"""Fixtures. All tests run in a network namespace that this process creates."""

import contextlib
import os
import select
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import witness

import tuntap


@pytest.fixture(scope="session", autouse=True)
def namespace():
    witness.enter_namespace()


@pytest.fixture
def open_device():
    """Opens devices, which are closed at the end of the test. The default is a TUN that is up, without IPv6."""
    with contextlib.ExitStack() as stack:

        def make(name="t0", flags=tuntap.Flag.TUN, kind=tuntap.Device, **options):
            options.setdefault("addrs", ["10.8.0.1/24"])
            options.setdefault("up", True)
            return stack.enter_context(kind(name, flags, **options))

        witness.set_ipv6(False)
        yield make
    witness.set_ipv6(True)


def drain(device):
    """Reads all waiting packets."""
    with contextlib.suppress(TimeoutError):
        while select.select([device], [], [], 0)[0]:
            device.read(0)
