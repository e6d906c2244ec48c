# SPDX-License-Identifier: MIT
"""Reads what `llvm-cov export` wrote: prints a table of the files, and the functions that nothing called.

Usage: coverage.py FOLDER NAME...: of FOLDER/NAME.text and FOLDER/NAME.lcov. A region, a line or a function counts where any of
its copies was run: each program has one of its own, and generic ones have more.
"""

import collections
import json
import os
import re
import sys

CODE = 0  # A region's kind.


class Counts:
    """How often each thing of each file of the library was run, at the most."""

    def __init__(self):
        self.files = collections.defaultdict(dict)

    def add(self, file, place, count):
        file = os.path.relpath(file)
        if file.startswith("src/"):
            self.files[file][place] = max(self.files[file].get(place, 0), count)

    def percent(self, file=None):
        counts = [count for name in ([file] if file else self.files) for count in self.files[name].values()]
        return f"{100 * sum(map(bool, counts)) / len(counts):9.1f}" if counts else "        -"


def read_functions(path, regions, functions):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)["data"][0]
    for function in data["functions"]:
        name = function["filenames"][0]
        functions.add(name, function["regions"][0][0], function["count"])
        for *place, count, _, _, kind in function["regions"]:
            if kind == CODE:
                regions.add(name, tuple(place), count)


def read_lines(path, lines):
    with open(path, encoding="utf-8") as file:
        for row in file:
            if row.startswith("SF:"):
                name = row[3:].strip()
            elif row.startswith("DA:"):
                number, count = row[3:].split(",")[:2]
                lines.add(name, int(number), int(count))


def main():
    folder, *names = sys.argv[1:]
    regions, lines, functions = Counts(), Counts(), Counts()
    for name in names:
        read_functions(os.path.join(folder, name + ".text"), regions, functions)
        read_lines(os.path.join(folder, name + ".lcov"), lines)
    print(f"{'file':34}   regions     lines functions")
    for file in [*sorted(lines.files), None]:
        print(f"{file or 'all':34} {regions.percent(file)} {lines.percent(file)} {functions.percent(file)}")
    print("\nFunctions and closures that no test called:")
    for file in sorted(functions.files):
        with open(file, encoding="utf-8") as source:
            text = source.read().splitlines()
        for line in sorted(line for line, count in functions.files[file].items() if count == 0):
            found = re.search(r"\bfn \w+", text[line - 1])
            print(f"{file}:{line}: {found.group() if found else text[line - 1].strip()}")


main()
