# SPDX-License-Identifier: MIT
"""Every test is in a network namespace of its own process, which tests/python.sh makes."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import witness


@pytest.fixture(scope="session", autouse=True)
def namespace():
    witness.enter_namespace()
