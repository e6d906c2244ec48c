# SPDX-License-Identifier: MIT
"""links.py FILE...: verifies that the files and headings that these Markdown files link to exist. Web addresses are not
opened."""

import os
import re
import sys
from urllib.parse import unquote

CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|^\[[^\]]+\]: (\S+)", re.M)
HEADING = re.compile(r"^#+ +(.*?) *#*$", re.M)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def anchors(path: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", read(path))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        plain = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        anchor, number = plain, 0
        while anchor in found:
            number += 1
            anchor = f"{plain}-{number}"
        found.add(anchor)
    return found


def broken(path: str) -> list[str]:
    wrong: list[str] = []
    for link in LINK.finditer(CODE.sub("", read(path))):
        target = unquote(link[1] or link[2])
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(there):
            wrong.append(f"{path}: {target}: there is no {there}")
        elif anchor and there.endswith(".md") and anchor not in anchors(there):
            wrong.append(f"{path}: {target}: {there} has no such heading")
    return wrong


if __name__ == "__main__":
    errors = [error for path in sys.argv[1:] for error in broken(path)]
    print("\n".join(errors))
    sys.exit(bool(errors))
