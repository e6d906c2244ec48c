# SPDX-License-Identifier: MIT
"""run.py GUIDE FOLDER: does what a reader of the guide does, in this folder.

A `c` or `python` block is a file, which the line before the block names. The `sh` blocks are commands for one shell. A
`text` block directly after commands is their output: each of its lines must appear there, in this order. Other blocks
are only read.
A block after <!-- needs MODULE --> is skipped where pkg-config does not find the module. Ends with 77 then.
"""

import os
import re
import subprocess
import sys
from typing import NamedTuple

READ_ONLY = {"console", "ini", "kotlin", "swift", "text", "yaml"}
LONGEST_READ_ONLY = 30
END = "-- the end of these commands --"

FENCE = re.compile(r"^```(.*)$")
NAMED = re.compile(r"^`([\w.-]+)`:$")
NEEDS = re.compile(r"^<!-- needs ([\w.-]+) -->$")


class Block(NamedTuple):
    line: int
    mark: str
    text: str
    before: list[str]
    """The lines between the block and the one before it, without empty ones."""


def blocks(guide: str) -> list[Block]:
    found: list[Block] = []
    before: list[str] = []
    inside: list[str] | None = None
    mark, start = "", 0
    with open(guide, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            fence = FENCE.match(line)
            if fence and inside is None:
                mark, start, inside = fence[1], number, []
            elif fence and inside is not None:
                found.append(Block(start, mark, "".join(inside), before))
                before, inside = [], None
            elif inside is not None:
                inside.append(line)
            elif line.strip():
                before.append(line.strip())
    if inside is not None:
        raise SystemExit(f"{guide}:{start}: the block has no end")
    return found


def missing(block: Block) -> str | None:
    """The module that the block needs and that is not installed."""
    module = next((found[1] for line in block.before[-2:] if (found := NEEDS.match(line))), None)
    if module and subprocess.run(["pkg-config", "--exists", module]).returncode:
        return module
    return None


def write(block: Block, folder: str) -> None:
    name = NAMED.match(block.before[-1]) if block.before else None
    if name is None:
        raise ValueError("the line before the block does not name its file")
    if block.mark == "c" and not block.text.startswith("#include"):
        raise ValueError("the block is not a whole C file")
    with open(os.path.join(folder, name[1]), "w", encoding="utf-8") as file:
        file.write(block.text)


class Shell:
    """A shell that ends at the first command that fails."""

    def __init__(self, folder: str) -> None:
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        self._shell = subprocess.Popen(["sh", "-eu"], cwd=folder, stdin=pipe, stdout=pipe, stderr=both, text=True)

    def run(self, commands: str) -> list[str]:
        """Runs them, and returns the lines of their output."""
        assert self._shell.stdin and self._shell.stdout
        try:
            self._shell.stdin.write(f"{commands}\necho {END}\n")
            self._shell.stdin.flush()
        except BrokenPipeError:
            pass
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.strip() == END:
                return lines
            sys.stdout.write(line)
            lines.append(line.strip())
        raise ValueError(f"a command failed: the shell ended with status {self._shell.wait()}")


def compare(block: Block, output: list[str]) -> None:
    rest = iter(output)
    for line in block.text.splitlines():
        if line.strip() not in rest:
            raise ValueError(f"the output does not have this line here: {line}")


def follow(guide: str, folder: str) -> int:
    shell = Shell(folder)
    lacking: set[str] = set()
    output: list[str] | None = None
    for block in blocks(guide):
        try:
            if module := missing(block):
                lacking.add(module)
                output = None
            elif block.mark in ("c", "python"):
                write(block, folder)
            elif block.mark == "sh":
                output = shell.run(block.text)
            elif block.mark not in READ_ONLY:
                raise ValueError(f"what is to be done with a block marked {block.mark!r}?")
            elif block.text.count("\n") > LONGEST_READ_ONLY:
                raise ValueError("a block that no test runs must be short")
            elif block.mark == "text" and output is not None and not block.before:
                compare(block, output)
        except ValueError as error:
            print(f"{guide}:{block.line}: {error}")
            return 1
    for module in sorted(lacking):
        print(f"SKIP: {module} is not installed")
    return 77 if lacking else 0


if __name__ == "__main__":
    sys.exit(follow(*sys.argv[1:]))
