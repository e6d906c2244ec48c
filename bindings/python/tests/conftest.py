# SPDX-License-Identifier: MIT
"""Every test is in a network namespace of this process's own, below the one that tests/python.sh makes."""

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
def opened():
    """Opens devices that are closed at the end; a TUN that is up and quiet, unless more is said."""
    with contextlib.ExitStack() as stack:

        def make(name="t0", flags=tuntap.Flag.TUN, kind=tuntap.Device, **options):
            options.setdefault("addrs", ["10.8.0.1/24"])
            options.setdefault("up", True)
            return stack.enter_context(kind(name, flags, **options))

        witness.set_ipv6(False)
        yield make
    witness.set_ipv6(True)


def drain(device):
    """Takes what is there."""
    with contextlib.suppress(TimeoutError):
        while select.select([device], [], [], 0)[0]:
            device.read(0)
