# SPDX-License-Identifier: MIT
"""Reads what `llvm-cov export` prints: a table of the files, and the functions that nothing called.

A function counts as called where any of its copies was: each test program has one of its own, and generic ones have more.
"""

import json
import os
import re
import sys


def percent(summary, kind):
    part = summary[kind]
    return f"{100 * part['covered'] / part['count']:6.1f}" if part["count"] else "     -"


def table(files, total):
    print(f"{'file':42} regions  lines  functions")
    for file in sorted(files, key=lambda file: file["filename"]):
        name = os.path.relpath(file["filename"])
        print(f"{name:42}  {percent(file['summary'], 'regions')} {percent(file['summary'], 'lines')} "
              f"    {percent(file['summary'], 'functions')}")
    print(f"{'all':42}  {percent(total, 'regions')} {percent(total, 'lines')}     {percent(total, 'functions')}")


def uncalled(functions):
    """Where each begins, of those that no copy of was called; without closures that stand on the same line."""
    counts = {}
    for function in functions:
        place = os.path.relpath(function["filenames"][0]), function["regions"][0][0]
        counts[place] = max(counts.get(place, 0), function["count"])
    return sorted(place for place, count in counts.items() if count == 0 and place[0].startswith("src"))


def main():
    data = json.load(sys.stdin)["data"][0]
    table(data["files"], data["totals"])
    places = uncalled(data["functions"])
    print(f"\n{len(places)} functions and closures that no test called:")
    for name, line in places:
        with open(name, encoding="utf-8") as source:
            text = source.read().splitlines()[line - 1].strip()
        found = re.search(r"\bfn \w+", text)
        print(f"{name}:{line}: {found.group() if found else text}")


main()
