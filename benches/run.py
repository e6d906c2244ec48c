#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the library, and compares it with other projects: see sections.py. Everything happens in private network
namespaces. Prints a line for each result as it comes, with an estimate of the time left, and the tables at the end.

    run.py [--quick] [--python] [--sections NAME,...] [--only NAME;...] [--loads NAME,...] [--docs]

--quick takes about two minutes: fewer programs, loads and rounds. --docs writes docs/bench.md and docs/bench.svg, or
with --python docs/bench-python.*; it fails if a program is missing, unless --allow-missing is given."""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import network
import report
import sections as all_sections
from sections import BUILT, HERE

# The title of the report without and with --python.
TITLES = {False: "Forwarders and VPNs", True: "Forwarders in Python"}
# The heading of the last part of docs/bench.md, which is written by hand.
BY_HAND = "## Where the time of the VPN goes\n"
DOCS = os.path.join(os.path.dirname(HERE), "docs")
# Programs of this project that print their own results: title, command, and expected seconds.
ALONE = {
    "packet": ("The cost of a packet, compared with a bare system call", [os.path.join(BUILT, "packet")], 3),
    "cipher": ("A program that encrypts, without and with TUNTAP_TRUSTED", [os.path.join(BUILT, "cipher")], 9),
    "packet.py": (
        "The cost of a packet in Python, compared with python-pytun",
        ["unshare", "-n", os.path.join(BUILT, "venv/bin/python"), os.path.join(HERE, "packet.py")],
        10,
    ),
}
QUICK_LOADS = ("memory", "tcp44", "tcp1", "udp64", "queues-udp64", "iperf-tcp", "vpn-tcp")
QUICK_PROGRAMS = (
    "libtuntap",
    "libtuntap, trusted",
    "tun-rs",
    "read and write in C",
    "1 queue",
    "2 queues",
    "wireguard-go",
)
QUICK_ROUNDS = 2


def say(*text):
    print(*text, flush=True)


@dataclass
class Step:
    """One measurement."""

    section: all_sections.Section
    load: str
    name: str
    turn: int
    seconds: float

    def measure(self, namespaces, seconds):
        return self.section.measure(namespaces, self.section.programs[self.name], self.load, seconds)

    def text(self, result):
        values = ", ".join(
            f"{report.amount(result[column.key])} {column.unit.removeprefix('minimum ')}"
            for column in self.section.columns(self.load)
            if column.key in result
        )
        return f"{self.load:13} {self.name:26} {values}"


def plan(sections, rounds, seconds):
    """Returns all measurements. A round runs all programs with each load; every second round in reverse order."""
    steps = []
    for turn in range(rounds):
        for section in sections:
            for load in section.loads:
                names = list(section.programs)
                for name in names if turn % 2 == 0 else reversed(names):
                    steps.append(Step(section, load, name, turn, section.seconds + (seconds if section.timed else 0)))
    return steps


class Clock:
    """Estimates the time left from the average time of the steps of each section so far, or else the expected time."""

    def __init__(self, expected):
        self.left = list(expected)  # The section and the expected seconds of each step.
        self.number, self.spent = Counter(), Counter()  # Steps that ran, and their seconds, by section.
        self.last = time.monotonic()

    def step(self):
        section, _ = self.left.pop(0)
        now = time.monotonic()
        self.number[section] += 1
        self.spent[section] += now - self.last
        self.last = now

    def expected(self, section, seconds):
        return self.spent[section] / self.number[section] if self.number[section] else seconds

    def estimate(self):
        left = sum(self.expected(section, seconds) for section, seconds in self.left)
        return f"{left / 60:.0f} min left" if left >= 90 else f"{left:.0f} s left"


def run_alone(names, clock):
    failed = False
    for name in names:
        text, command, _ = ALONE[name]
        say(f"\n{text} ({clock.estimate()})")
        failed |= subprocess.run(command, check=False).returncode != 0
        clock.step()
    return failed


def run_steps(steps, seconds, clock):
    results, failed = {}, False
    with network.Namespaces() as namespaces:
        for number, step in enumerate(steps, 1):
            try:
                result = step.measure(namespaces, seconds)
            except (OSError, RuntimeError, ValueError, KeyError, subprocess.SubprocessError) as error:
                say(f"FAIL  {step.load}, {step.name}: {error}")
                failed = True
                continue
            finally:
                clock.step()
            runs = results.setdefault(step.section.key, {}).setdefault(step.load, {}).setdefault(step.name, {})
            runs[step.turn] = result
            say(f"[{number:3}/{len(steps)}, {clock.estimate():>11}] {step.text(result)}")
    return results, failed


def in_order(sections, results):
    """Returns the results in the order of the sections, because the first round can have another order."""
    return {
        section.key: {
            load: {
                name: results[section.key][load][name]
                for name in section.programs
                if name in results[section.key][load]
            }
            for load in section.loads
            if load in results[section.key]
        }
        for section in sections
        if section.key in results
    }


def choose(sections, options):
    for section in sections:
        loads = options.loads.split(",") if options.loads else QUICK_LOADS if options.quick else section.loads
        names = options.only.split(";") if options.only else QUICK_PROGRAMS if options.quick else section.programs
        section.loads = {load: text for load, text in section.loads.items() if load in loads}
        section.programs = {name: program for name, program in section.programs.items() if name in names}
        if section.loads:
            all_sections.leave_out_missing(section)
    return [section for section in sections if section.loads]


def choose_alone(options, wanted):
    """Returns the names of the programs that run alone, and why others are missing."""
    names = wanted or (["packet.py"] if options.python else ["packet", "cipher"])
    names = [name for name in ALONE if name in names]
    missing = {}
    for name in names:
        if not all(os.path.exists(part) for part in ALONE[name][1] if os.sep in part):
            key = "Python" if name.endswith(".py") else name
            missing[name] = all_sections.reasons().get(key, "it is not built")
    return [name for name in names if name not in missing], missing


def by_hand(path):
    """Returns the last part of a file in docs/, which is written by hand."""
    with open(path) as file:
        _, heading, text = file.read().partition(BY_HAND)
    return "\n" + heading + text if heading else ""


def write_docs(sections, results, options):
    file = "bench-python" if options.python else "bench"
    text = report.markdown(TITLES[options.python], sections, results, options.rounds, "make bench-docs", f"{file}.svg")
    text += by_hand(os.path.join(DOCS, f"{file}.md"))
    for name, content in ((f"{file}.md", text), (f"{file}.svg", report.chart(sections, results))):
        with open(os.path.join(DOCS, name), "w") as target:
            target.write(content)


def options_of_command_line():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about two minutes")
    parser.add_argument("--python", action="store_true", help="compare forwarders in Python with python-pytun")
    parser.add_argument("--sections", help=f"sections, or programs that run alone ({', '.join(ALONE)}), separated by ,")
    parser.add_argument("--only", help="programs of the sections, separated by ;")
    parser.add_argument("--loads", help="loads, separated by ,")
    parser.add_argument("--rounds", type=int, help=f"5, or {QUICK_ROUNDS} with --quick")
    parser.add_argument("--seconds", type=int, help="duration of each run of iperf3: 2, or 1 with --quick")
    parser.add_argument("--docs", action="store_true", help="write the files in docs/")
    parser.add_argument(
        "--allow-missing", action="store_true", help="with --docs: write them although programs are missing"
    )
    options = parser.parse_args()
    if options.docs and (options.quick or options.sections or options.only or options.loads):
        parser.error("--docs needs all sections, programs and loads")
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 2)
    return options


def main():
    options = options_of_command_line()
    if os.geteuid() != 0:
        sys.exit("SKIP  the benchmarks: they create network namespaces with names, which needs root")
    wanted = options.sections.split(",") if options.sections else []
    sections = all_sections.in_python_only() if options.python else all_sections.in_c()
    sections = choose([section for section in sections if not wanted or section.key in wanted], options)
    alone, missing = choose_alone(options, wanted) if not options.docs else ([], {})
    for reasons in (missing, *(section.missing for section in sections)):
        for name, reason in reasons.items():
            say(f"SKIP  {name}: {reason}")
    if options.docs and any(section.missing for section in sections) and not options.allow_missing:
        sys.exit("docs/ stays as it is: programs are missing")
    steps = plan(sections, options.rounds, options.seconds)
    expected = [(name, ALONE[name][2]) for name in alone] + [(step.section.key, step.seconds) for step in steps]
    clock = Clock(expected)
    say(f"{len(alone)} programs and {len(steps)} measurements: {clock.estimate()}")
    failed = run_alone(alone, clock)
    say()
    results, failed_steps = run_steps(steps, options.seconds, clock)
    results = in_order(sections, results)
    if results:
        say("\n" + report.tables(sections, results))
    if failed or failed_steps:
        sys.exit("A measurement failed" + (": docs/ stays as it is" if options.docs else ""))
    if options.docs:
        write_docs(sections, results, options)


main()
