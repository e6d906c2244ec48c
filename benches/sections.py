# SPDX-License-Identifier: MIT
"""The sections of the benchmarks. In each section several programs do the same work, in turn within one run.

`memory` segments and coalesces in memory, without a system call. `drain` is the forwarder's processor time for a fixed
load (benches/drain.c), which is steady on a noisy machine. `queues` is the same with several queues. `iperf` is the
throughput from end to end, where the kernel's own TCP takes most of the time. `vpn` is in vpn.py."""

import os
import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

import network
import vpn
from network import DEVICES

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.path.join(os.path.dirname(HERE), "build", "benches")
BASE = "tun-rs"


@dataclass
class Column:
    """A value of each program, and its ratio to the same value of the base."""

    key: str
    unit: str
    more_is_better: bool = False
    summary: Callable = statistics.median


@dataclass
class Section:
    key: str
    title: str
    base: str
    loads: dict  # The text of each load.
    columns: Callable  # The columns of a load.
    programs: dict  # What measure() needs of each program.
    measure: Callable  # (namespaces, program, load, seconds) returns the values of the columns.
    seconds: float  # How long a measurement takes, without the seconds of iperf3.
    timed: bool = False  # Whether it runs iperf3.
    targets: tuple = ()  # Ratios to reach: see vpn.Target.
    versions: dict = field(default_factory=dict)  # Versions of other projects' programs.
    missing: dict = field(default_factory=dict)  # Programs that are left out, with the reason.


def built(name, *arguments):
    return [os.path.join(BUILT, name), *DEVICES, *arguments]


def in_python(file, *arguments):
    return [os.path.join(BUILT, "venv/bin/python"), os.path.join(HERE, "forwarder", file), *DEVICES, *arguments]


FORWARDERS = {
    "libtuntap": built("libtuntap", "stream"),
    "libtuntap, batch": built("libtuntap", "batch"),
    "libtuntap, trusted": built("libtuntap", "stream", "trusted"),
    "libtuntap, super-packets": built("libtuntap", "super"),
    "libtuntap, one by one": built("libtuntap", "plain"),
    "tun-rs": built("tunrs-forwarder"),
    "wireguard-go": built("wireguard"),
    "read and write in C": built("bare", "plain"),
    "python-pytun": in_python("pytun_forwarder.py"),
    "bare super-packets": built("bare", "raw"),
}
# Limits for comparison, without a forwarder.
LOOPBACK = "loopback"
LIMITS = {"veth": None, LOOPBACK: LOOPBACK}
# Forwarders in Python, compared with python-pytun.
FORMS = {"one by one": "single", "class of pytun": "pytun", "batches of bytes": "bytes", "batches": "batch"}
PYTHON = {
    "python-pytun": FORWARDERS["python-pytun"],
    **{f"tuntap, {text}": in_python("tuntap_forwarder.py", form) for text, form in FORMS.items()},
}
# In memory: on one processor, without system calls.
MEMORY = {
    "libtuntap": [os.path.join(BUILT, "memory"), "44"],
    "libtuntap, batch": [os.path.join(BUILT, "memory"), "44", "batch"],
    "tun-rs": [os.path.join(BUILT, "tunrs/release/tunrs-memory"), "44"],
}
# One queue, or several, each with a thread for each direction.
QUEUES = {
    "1 queue": built("libtuntap", "stream"),
    "2 queues": built("libtuntap", "stream", "queues=2"),
    "4 queues": built("libtuntap", "stream", "queues=4"),
}

# For drain: packets per cycle, and cycles.
DRAINS = {"tcp44": (32, 40), "tcp16": (80, 40), "tcp1": (400, 40), "udp64": (400, 40), "udp1400": (400, 40)}
DRAIN_TEXT = {
    "tcp44": "TCP super-packet, 44 segments",
    "tcp16": "TCP super-packet, 16 segments",
    "tcp1": "TCP segment of 1448 bytes",
    "udp64": "UDP, 64 bytes",
    "udp1400": "UDP, 1400 bytes",
}
QUEUE_LOADS = ("tcp44", "tcp1", "udp64")
FLOWS = 16
IPERFS = {
    "iperf-tcp": ["-C", "cubic"],
    "iperf-tcp-4": ["-C", "cubic", "-P", "4"],
    "iperf-udp64": ["-u", "-b", "0", "-l", "64"],
    "iperf-udp1400": ["-u", "-b", "0", "-l", "1400"],
}
IPERF_TEXT = {
    "iperf-tcp": "TCP, 1 stream",
    "iperf-tcp-4": "TCP, 4 streams",
    "iperf-udp64": "UDP, 64 bytes",
    "iperf-udp1400": "UDP, 1400 bytes",
}


def minimum(_load):
    """Returns a column with the minimum of all rounds.

    Its ratios do not compare minima, because the machine may have been faster while only some of the programs ran.
    """
    return [Column("ns", "minimum ns", summary=min)]


def throughput(load):
    """Returns the columns of iperf3. The processor time is the first one, because it varies less."""
    if "udp" in load:
        return [Column("ns", "ns a packet"), Column("rate", "kpps", more_is_better=True)]
    return [Column("ns", "ns a KB"), Column("rate", "Gbit/s", more_is_better=True)]


def memory(_namespaces, command, _load, _seconds):
    return {"ns": float(network.run("taskset", "-c", "1", *command))}


def drain_of(namespaces, command, load, flows, processors):
    packets, cycles = DRAINS[load]
    with network.Forwarder(namespaces, command, processors) as forwarder:
        # Without an address, the other end drops all packets, so its cost is the same for all programs.
        network.run("ip", "-n", namespaces.second, "address", "flush", "dev", DEVICES[1])
        program = ["taskset", "-c", "0", os.path.join(BUILT, "drain")]
        device = [str(forwarder.process.pid), f"/run/netns/{namespaces.first}", DEVICES[0]]
        return {"ns": float(network.run(*program, *device, load, str(packets), str(cycles), str(flows)))}


def drain(namespaces, command, load, _seconds):
    """Returns the nanoseconds per packet or super-packet."""
    return drain_of(namespaces, command, load, 1, "1")


def drain_queues(namespaces, command, load, _seconds):
    """As drain(), on two processors, with flows that the kernel distributes to the queues."""
    return drain_of(namespaces, command, load.removeprefix("queues-"), FLOWS, "0,1")


def iperf(namespaces, command, load, seconds):
    if command == LOOPBACK:
        return network.iperf(namespaces.first, namespaces.first, "127.0.0.1", IPERFS[load], seconds, lambda: None)
    with network.Forwarder(namespaces, command) as forwarder:
        return network.iperf(
            namespaces.first, namespaces.second, "10.77.0.2", IPERFS[load], seconds, forwarder.processor_time
        )


def in_c():
    """Returns the sections of docs/bench.md."""
    return [
        Section(
            "memory",
            "In memory, without a system call",
            BASE,
            {"memory": "Split and join of 44 segments, in memory"},
            minimum,
            MEMORY,
            memory,
            1,
        ),
        Section(
            "drain",
            "Processor time of the forwarder for a fixed load",
            BASE,
            DRAIN_TEXT,
            minimum,
            FORWARDERS,
            drain,
            2.5,
        ),
        Section(
            "queues",
            f"Processor time with several queues, {FLOWS} flows",
            "1 queue",
            {f"queues-{load}": f"Queues: {DRAIN_TEXT[load]}" for load in QUEUE_LOADS},
            minimum,
            QUEUES,
            drain_queues,
            2.5,
        ),
        Section(
            "iperf",
            "iperf3, end to end",
            BASE,
            IPERF_TEXT,
            throughput,
            {**FORWARDERS, **LIMITS},
            iperf,
            1.5,
            timed=True,
        ),
        Section(
            "vpn",
            "VPNs, end to end: examples-c/wireguard and others",
            vpn.BASE,
            vpn.LOADS,
            throughput,
            vpn.PROGRAMS,
            vpn.measure,
            2.5,
            timed=True,
            targets=vpn.TARGETS,
        ),
    ]


def in_python_only():
    """Returns the sections of docs/bench-python.md."""
    drains = {load: DRAIN_TEXT[load] for load in ("udp64", "udp1400", "tcp1", "tcp44")}
    iperfs = {load: IPERF_TEXT[load] for load in ("iperf-udp64", "iperf-udp1400", "iperf-tcp")}
    return [
        Section(
            "drain",
            "Processor time of the forwarder for a fixed load",
            "python-pytun",
            drains,
            minimum,
            PYTHON,
            drain,
            3,
        ),
        Section(
            "iperf",
            "iperf3, end to end",
            "python-pytun",
            iperfs,
            throughput,
            {**PYTHON, **LIMITS},
            iperf,
            1.5,
            timed=True,
        ),
    ]


def reasons():
    """Returns the reason for each program that build.sh could not build."""
    try:
        with open(os.path.join(BUILT, "skipped")) as lines:
            return dict(line.rstrip("\n").split(": ", 1) for line in lines)
    except OSError:
        return {}


def leave_out_missing(section):
    """Removes the programs that cannot run from a section, and records the reason for each."""
    skipped = reasons()
    if section.timed and not shutil.which("iperf3"):
        section.missing = {section.title: "iperf3 is not installed"}
        section.programs = {}
        return
    for name, program in list(section.programs.items()):
        reason = program.why_missing(skipped) if section.key == "vpn" else None
        if isinstance(program, list) and not all(os.path.exists(part) for part in program if os.sep in part):
            key = next((key for key in skipped if key in name), "Python" if "venv" in program[0] else name)
            reason = skipped.get(key, "it is not built")
        if reason:
            section.missing[name] = reason
    section.programs = {name: program for name, program in section.programs.items() if name not in section.missing}
    if section.key == "vpn":
        section.versions = {name: program.version() for name, program in section.programs.items()}
