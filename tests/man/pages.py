# SPDX-License-Identifier: MIT
"""pages.py MANUAL LIBTUNTAP.MAP TUNTAP.H: checks the manual pages in the folder MANUAL.

Each exported function and each constant has its place, no section is empty, and each reference leads to a page. It
reads the pages, the map and the header by itself, and shares nothing with the generator.
"""

import os
import re
import sys

problems = []


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def load(manual):
    """The text of each page; a link page has that of its target."""
    pages = {}
    for volume in ("3", "7"):
        folder = os.path.join(manual, f"man{volume}")
        for name in sorted(os.listdir(folder)):
            text = read(os.path.join(folder, name))
            link = re.fullmatch(r"\.so (man\d/\S+)\n", text)
            target = os.path.join(manual, link[1]) if link else None
            if target and not os.path.exists(target):
                problems.append(f"{name}: a link to {link[1]}, which does not exist")
                continue
            pages[name] = read(target) if target else text
    return pages


def check_functions(pages, symbols):
    exported = re.findall(r"^\s*(tuntap_\w+);", symbols, re.M)
    for function in exported:
        page = pages.get(f"{function}.3", "")
        wanted = {
            f".Nm {function}": "its name",
            f".Fo {function}": "its prototype",
            f".Fn {function}": "its description",
        }
        for line, what in wanted.items():
            if not re.search(rf"^{re.escape(line)}\b", page, re.M):
                problems.append(f"{function}: no page with {what}")
    return len(exported)


def check_constants(pages, header):
    """Each constant and each member of a struct is described on some page."""
    text = "\n".join(pages.values())
    names = re.findall(r"^#define (TUNTAP_\w+) \S", header, re.M)
    for name in names:
        if not re.search(rf"^\.It Dv {name}\b", text, re.M):
            problems.append(f"{name}: no page describes it")
    for members in re.findall(r"^typedef struct \w+ \{\n(.*?)^\}", header, re.M | re.S):
        for member in re.findall(r"^    (\w.*);$", members, re.M):
            if f'.It Fa "\\&{member}"' not in text:
                problems.append(f"{member}: no page describes this member")
    return len(names)


def check_page(name, text, pages):
    lines = [line for line in text.split("\n") if line and not line.startswith('.\\"')]
    for line, following in zip(lines, [*lines[1:], ".Sh"]):
        ends = {".Sh": (".Sh",), ".Ss": (".Sh", ".Ss"), ".It": (".It", ".El")}.get(line[:3])
        if ends and following.startswith(ends):
            problems.append(f"{name}: nothing below {line!r}")
    for page, volume in re.findall(r"\bXr (\S+) (\d)\b", text):
        if f"{page}.{volume}" not in pages:
            problems.append(f"{name}: refers to {page}({volume}), which does not exist")
    for example in re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", text, re.M | re.S):
        for line in example.split("\n"):
            if len(line.replace("\\e", "\\")) > 75:
                problems.append(f"{name}: too long for 80 columns: {line}")


def main(manual, symbols, header):
    pages = load(manual)
    functions = check_functions(pages, read(symbols))
    constants = check_constants(pages, read(header))
    for name, text in pages.items():
        check_page(name, text, pages)
    if problems:
        sys.exit("\n".join(problems))
    print(
        f"{len(set(pages.values()))} pages and {len(pages) - len(set(pages.values()))} links to them: "
        f"{functions} functions, {constants} constants"
    )


main(*sys.argv[1:])
