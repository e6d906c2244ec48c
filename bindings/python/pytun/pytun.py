# SPDX-License-Identifier: MIT
"""`import pytun`, over libtuntap: see tuntap.pytun."""

from tuntap.pytun import *  # noqa: F403
from tuntap.pytun import __all__ as __all__
