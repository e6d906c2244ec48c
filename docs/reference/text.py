# SPDX-License-Identifier: MIT
"""The text of comments as blocks and spans, which man.py and web.py print.

Comments are plain text. What is marked up is recognized by its form: names of functions, constants and errnos,
`literals`, lists, and references such as "see Cost" to a rule of tuntap(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Union


class Span(NamedTuple):
    # text, literal, name (of the header), call (of another library), errno, parameter, page, rule (of tuntap(7)),
    # part (of the page), lead (of a paragraph)
    kind: str
    text: str


Spans = list[Span]


class Paragraph(NamedTuple):
    spans: Spans


class Heading(NamedTuple):
    text: str


class Items(NamedTuple):
    ordered: bool
    items: list[Spans]


class Definitions(NamedTuple):
    items: list[tuple[Spans, list[Spans]]]  # each with its paragraphs


class Code(NamedTuple):
    text: str


class Table(NamedTuple):
    head: list[Spans]
    rows: list[list[Spans]]


Block = Union[Paragraph, Heading, Items, Definitions, Code, Table]

# Names of parameters that are not words of the language.
PARAMETERS = ("addr", "addrs", "buf", "dev", "dstaddr", "err", "fd", "gid", "hdr", "hdr_size", "macs", "uid")
TOKEN = re.compile(
    r"`(?P<argument>count|err)`|`(?P<literal>[^`]+)`"
    r"|(?P<page>\btuntap(?:_error)?\(7\))|(?P<statement>tuntap_\w+\([^()]+\))"
    r"|(?P<name>(?<![\w/.])(?:tuntap_\w+(?:\.\w+|\(\))?|TUNTAP_\w+)\*?)|(?P<call>\b(?!tuntap)\w+\(\))"
    r"|(?P<errno>-E[A-Z0-9]{2,}\b)|(?<=see )(?:(?P<rule>Cost|Namespace)|(?P<part>ERRORS))\b"
    rf'|(?<![\w"(\[/])(?P<parameter>{"|".join(PARAMETERS)})\b(?![("/])'
)
NAME = re.compile(r"tuntap_\w+|TUNTAP_\w+")
# What is marked up in the same way.
SAME = {"argument": "parameter", "statement": "literal"}
# An item of a list: a number, or an errno with two blanks behind it.
ITEM = re.compile(r"(\d+\.(?= )|-E\w+(?:, -E\w+)*(?:, \.\.\.(?= )|(?=  ))|0(?=  )|\d descriptors?(?= )) +(.*)")


def spans(text: str) -> Spans:
    found, end = [], 0
    text = re.sub(r"\s+", " ", text)
    lead = re.match(r"(Linux|Darwin): ", text)
    if lead:
        found.append(Span("lead", lead[0].strip()))
        end = lead.end() - 1
    for token in TOKEN.finditer(text, end):
        kind = token.lastgroup or ""
        found.append(Span("text", text[end : token.start()]))
        text_of = token[kind].removesuffix("()")
        named = kind == "literal" and NAME.fullmatch(text_of)
        found.append(Span("name" if named else SAME.get(kind, kind), text_of))
        end = token.end()
    found.append(Span("text", text[end:]))
    return [span for span in found if span.text]


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Paragraphs, with an empty tag, and items of lists with their tag."""
    for part in re.split(r"\n[ ]*\n", text):
        tag, lines = "", []
        for line in part.split("\n"):
            item = ITEM.match(line)
            ends = tag and not line.startswith(" ")
            if (item or ends) and lines:
                yield tag, " ".join(lines)
            if item or ends:
                tag, lines = (item[1], [item[2]]) if item else ("", [])
            if not item:
                lines.append(line.strip())
        yield tag, " ".join(lines)


def blocks(text: str) -> list[Block]:
    made: list[Block] = []
    for tag, piece in pieces(text):
        if not tag:
            # What ends a list, such as "any other errno", stands alone here.
            begins = bool(made) and isinstance(made[-1], Definitions)
            made.append(Paragraph(spans(piece[0].upper() + piece[1:] if begins else piece)))
        elif tag.endswith("."):
            if not isinstance(made[-1], Items):
                made.append(Items(True, []))
            made[-1].items.append(spans(piece))
        else:
            if not isinstance(made[-1], Definitions):
                made.append(Definitions([]))
            made[-1].items.append((spans(tag), [spans(piece)]))
    return made


def paragraphs(text: str) -> list[Spans]:
    return [spans(piece) for _, piece in pieces(text)]


def markdown(text: str) -> Iterator[Block]:
    """Paragraphs, bullets and tables of Markdown. Links keep their text only."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("**", "")
    for part in re.split(r"\n\n+", text.strip()):
        lines = part.split("\n")
        if lines[0].startswith("|"):
            head, _, *rows = [[spans(cell.strip()) for cell in line.strip("|").split(" |")] for line in lines]
            yield Table(head, rows)
        elif lines[0].startswith("- "):
            yield Items(False, [spans(item.strip()) for item in re.split(r"^- ", part, flags=re.M)[1:]])
        else:
            yield Paragraph(spans(part))


def joined(parts: Iterable[str]) -> str:
    """a, b and c"""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
