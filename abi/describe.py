#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""describe.py TUNTAP.H: prints what compiled programs rely on in the header, one fact a line.

These are the numbers of constants, the type, offset and size of each member, and the types of each function. A structure
that is never passed with its size may not grow: its size is a fact too. Offsets and sizes come from the C compiler (CC, for
a 64-bit processor). Comments, the names of parameters and the version are no such facts.

PYTHONPATH names docs/reference, which has the parser of the header.
"""

import os
import re
import subprocess
import sys
import tempfile

import header as parser


def check(text, header):
    """A declaration that the parser does not understand is an error, so that none is left out."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S).replace("typedef SSIZE_T ssize_t;", "")
    members = sum(len(structure.members) for structure in header.structs)
    understood = len(header.objects) + len(header.structs) + len(header.functions) + members
    if text.count(";") != understood:
        sys.exit(f"describe.py: {understood} of {text.count(';')} declarations are understood")
    defined = set(re.findall(r"^#define (\w+) .", text, re.M))
    if defined != {constant.name for constant in header.constants}:
        sys.exit("describe.py: not every constant is understood")


def signature(function):
    return f"{function.result} ({', '.join(one.type for one in function.parameters) or 'void'})"


def grows(structure, functions):
    return any(f"{structure.name} *, size_t" in signature(function) for function in functions)


def measure(path, header):
    """What the compiler says of each structure."""
    lines = []
    for structure in header.structs:
        name = structure.name
        if not grows(structure, header.functions):
            lines.append(f'printf("struct {name}: %zu bytes\\n", sizeof({name}));')
        for member in structure.members:
            declared = f"{member.type} {member.name}" + (f"[{member.length}]" if member.length else "")
            place = f"offsetof({name}, {member.name}), sizeof((({name} *)0)->{member.name})"
            lines.append(f'printf("struct {name}: %zu: {declared}, %zu bytes\\n", {place});')
    program = "\n".join(["#include <stdio.h>", f'#include "{os.path.abspath(path)}"', "int main(void) {", *lines, "}"])
    with tempfile.TemporaryDirectory() as folder:
        source, run = (os.path.join(folder, name) for name in ("measure.c", "measure"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(program)
        subprocess.run([*os.environ.get("CC", "cc").split(), "-o", run, source], check=True)
        return subprocess.run([run], check=True, capture_output=True, text=True).stdout


def describe(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    header = parser.parse(text)
    check(text, header)
    for constant in header.constants:
        if not constant.name.startswith("TUNTAP_VERSION_"):
            yield f"constant {constant.name}: {constant.value}"
    for structure in header.objects:
        yield f"object {structure.name}"
    yield from measure(path, header).splitlines()
    for function in header.functions:
        yield f"function {function.name}: {signature(function)}"


if __name__ == "__main__":
    print("\n".join(describe(sys.argv[1])))
