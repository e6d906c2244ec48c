# SPDX-License-Identifier: MIT
"""python-pytun and tuntap.pytun behave in the same way, except for the differences in the README's table."""

import faulthandler
import inspect
import os
import pickle
import re
import signal
import traceback

import pytest
import scenarios
import witness

import tuntap.pytun as ours

if os.environ.get("CI") == "true":
    import pytun as theirs
else:
    theirs = pytest.importorskip("pytun", reason="python-pytun is not installed")
SCENARIOS = [
    function
    for _, function in inspect.getmembers(scenarios, inspect.isfunction)
    if next(iter(inspect.signature(function).parameters), None) == "pytun"
    and not function.__name__.startswith("create_")
]
README = os.path.join(os.path.dirname(__file__), "..", "README.md")

# The differences: a scenario, a pattern of its labels, and the number of the row in the README's table.
DIFFERENCES = [
    ("delete_properties", ".*", 1),
    ("read_negative", ".*", 2),
    ("read_wraps", ".*", 2),
    ("mtu_wraps", ".*", 3),
    ("write_str", ".*", 4),
    ("write_other_buffers", ".*", 5),
    ("hwaddr_bytearray", ".*", 5),
    ("inherited", ".*", 6),
    ("interrupted", ".*", 7),
    ("renamed", "mtu", 8),
    ("closed_and_persistent", ".*", 9),
    ("addr_of_no_host", ".*", 10),
    ("netmask_after_host_netmask", ".*", 11),
    ("other_addresses", ".*", 12),
    ("open_other_modes", "other packet information", 13),
    ("open_vnet_with_pi", ".*", 14),
    ("subclass", ".*", 15),
    ("open_other_flags", ".*", 16),
]


def observe(scenario, module):
    """Returns what a scenario yields in a child process, and how the process ended: python-pytun can crash."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # The report of an expected crash would hide the cause of another failure.
            faulthandler.disable()
            os.close(source)
            witness.enter_namespace()
            with os.fdopen(sink, "wb") as out:
                for observed in scenario(module):
                    pickle.dump(observed, out)
                    out.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sink)
    seen = {}
    with os.fdopen(source, "rb") as read:
        while True:
            try:
                label, outcome = pickle.load(read)
            except EOFError:
                break
            seen[label] = outcome
    status = os.waitpid(child, 0)[1]
    seen["end"] = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return seen


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_same(scenario):
    expected, found = observe(scenario, theirs), observe(scenario, ours)
    patterns = [pattern for name, pattern, _ in DIFFERENCES if name == scenario.__name__]
    different = {label for label in expected.keys() | found.keys() if expected.get(label) != found.get(label)}
    known = {label for label in different if any(re.fullmatch(pattern, label) for pattern in patterns)}
    report = "\n".join(
        f"{label}: theirs {expected.get(label)!r}, ours {found.get(label)!r}" for label in sorted(different - known)
    )
    assert not report, report
    for pattern in patterns:
        assert any(re.fullmatch(pattern, label) for label in known), f"{pattern}: they do not differ any more"


def test_every_difference_is_in_the_readme():
    with open(README, encoding="utf-8") as file:
        rows = re.findall(r"^\| (\d+) \|", file.read(), re.M)
    assert sorted(map(int, rows)) == sorted({row for _, _, row in DIFFERENCES})
