#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man.py FOLDER: writes the manual pages, in mdoc, to FOLDER/man3 and FOLDER/man7."""

from __future__ import annotations

import datetime
import os
import re
import sys
import textwrap

import pages
from book import Book, Page
from header import Function
from text import Block, Code, Definitions, Heading, Items, Paragraph, Span, Spans, Table

# The date of the pages until CHANGELOG.md has a version with a date. SOURCE_DATE_EPOCH has precedence.
UNRELEASED = datetime.date(2026, 1, 1)
CLOSING = ".,:;)]?!"


def escape(text: str) -> str:
    return text.replace("\\", "\\e")


def exact(text: str) -> str:
    """With hyphens that a program can read when they are copied."""
    return escape(text).replace("-", "\\-")


def line(text: str) -> str:
    """A line of text that does not begin like a request."""
    return f"\\&{text}" if text.startswith((".", "'")) else text


class Writer:
    def __init__(self, book: Book, page: Page):
        self.book, self.page = book, page

    # --- Spans ---

    def macro(self, kind: str, text: str) -> list[str]:
        """A span as a macro with its arguments."""
        if kind == "name":
            return self.name(text)
        if kind == "page":
            return [self.reference(text.partition("(")[0])]
        if kind == "rule":
            return [f"Em {text} No in Xr tuntap 7"] if self.page.name != "tuntap" else [f"Sx {text}"]
        if kind == "errno":
            return [f"Er {exact(text)}"]
        if kind == "lead":
            return [f"Em {text.rstrip(':')}", *text[len(text.rstrip(":")) :]]
        codes = {"literal": "Ql", "parameter": "Fa", "part": "Sx", "call": "Fn"}
        quoted = exact(text.removesuffix("()") if kind == "call" else text).replace('"', "\\(dq")
        return [f'{codes[kind]} "\\&{quoted}"' if re.search(r"\W", text) else f"{codes[kind]} \\&{quoted}"]

    def name(self, text: str) -> list[str]:
        """A name of the header: a reference to its page, if it has one and is a function or a struct."""
        home = self.book.home.get(text)
        if text.startswith("TUNTAP_"):
            return [f"Dv {text}"]
        if home and text in home.names and home.volume == 3:
            return [f"Fn {text}" if home is self.page else f"Xr {text} 3"]
        return [f"Vt {text}"] if home or re.fullmatch(r"tuntap_[a-z_]+", text) else [f"Sy {text}"]

    def reference(self, name: str) -> str:
        return f"Nm {name}" if name == self.page.name else f"Xr {name} {self.book.home[name].volume}"

    def arguments(self, spans: Spans) -> list[str]:
        """Spans as arguments of one macro line, with `Ns` where no blank is between them."""
        words: list[str] = []
        glued = True
        for kind, text in spans:
            if kind != "text":
                words += [*(["Ns"] if glued and words else []), *self.macro(kind, text)]
                glued = True
                continue
            parts = text.split()
            for place, part in enumerate(parts):
                joins = place == 0 and glued and words and not text[0].isspace()
                word = part if part == "..." else part.rstrip(CLOSING)
                if word:
                    words += [*(["Ns"] if joins else []), f"No \\&{exact(word)}"]
                words += part[len(word) :]
            glued = not text[-1].isspace()
        return words

    def lines(self, spans: Spans) -> list[str]:
        """Spans as lines: text, and a line for each macro with the characters that touch it."""
        made: list[str] = []
        current: list[str] = []  # a macro line that is not complete
        text = ""
        for kind, value in spans:
            if kind == "text":
                if current:
                    touching = re.match(r"\S*", value)[0]
                    current += self.touching(touching)
                    if touching == value:
                        continue
                    made.append("." + " ".join(current))
                    value, current = value[len(touching) :].lstrip(), []
                text += value
                continue
            before = re.search(r"\S*$", text)[0]
            made += self.filled(escape(text[: len(text) - len(before)]))
            text = ""
            if current:
                current += ["Ns"]
            elif before:
                current = [f"No \\&{escape(before)}", "Ns"]
            current += self.macro(kind, value)
        if current:
            made.append("." + " ".join(current))
        return made + self.filled(escape(text))

    @staticmethod
    def touching(text: str) -> list[str]:
        """The characters behind a macro."""
        if not text:
            return []
        if all(character in CLOSING for character in text):
            return list(text)
        end = re.search(rf"[{re.escape(CLOSING)}]*$", text)[0]
        return ["Ns", f"No \\&{escape(text[: len(text) - len(end)])}", *end]

    @staticmethod
    def filled(text: str) -> list[str]:
        """Each sentence begins a line."""
        sentences = re.split(r"(?<=[.?!])\s+", text.strip())
        return [line(part) for sentence in sentences for part in textwrap.wrap(sentence, 78, break_on_hyphens=False)]

    # --- Blocks ---

    def block(self, block: Block) -> list[str]:
        if isinstance(block, Heading):
            return [f".Ss {block.text}"]
        if isinstance(block, Paragraph):
            return self.lines(block.spans)
        if isinstance(block, Code):
            return [".Bd -literal", *(line(escape(row)) for row in block.text.split("\n")), ".Ed"]
        if isinstance(block, Items):
            kind = "-enum" if block.ordered else "-bullet"
            return [f".Bl {kind}", *(row for item in block.items for row in [".It", *self.lines(item)]), ".El"]
        if isinstance(block, Table):
            return self.table(block)
        return self.definitions(block)

    def definitions(self, block: Definitions) -> list[str]:
        made = [".Bl -tag -width Ds"]
        for tag, paragraphs in block.items:
            made.append(".It " + " ".join(self.arguments(tag)))
            for place, spans in enumerate(paragraphs):
                made += [*([".Pp"] if place else []), *self.lines(spans)]
        return [*made, ".El"]

    def table(self, block: Table) -> list[str]:
        """Three columns of texts do not fit into 80 characters: the first one becomes the tag of a list."""
        if all(block.head):
            begin, end = Span("text", " ("), Span("text", ").")
            items = [(platform, [[*state, begin, *known, end]]) for platform, state, known in block.rows]
            return self.definitions(Definitions(items))
        made = [".TS", "lb lb lb", "lw(32) lw(20) lw(14)."]
        for row in [block.head, *block.rows]:
            made += "\t".join("T{\n" + "\n".join(self.cell(cell)) + "\nT}" for cell in row).split("\n")
        return [*made, ".TE"]

    def cell(self, spans: Spans) -> list[str]:
        """A text whose names are not hyphenated."""
        return self.filled("".join(f"\\%{text}" if kind == "name" else escape(text) for kind, text in spans)) or ["\\&"]

    def blocks(self, blocks: list[Block]) -> list[str]:
        made: list[str] = []
        before: Block | None = None
        for block in blocks:
            # A list has a blank line before it, and a heading needs none behind it.
            lines = self.block(block)
            if before and not isinstance(before, Heading) and not lines[0].startswith((".Bl", ".Ss")):
                made.append(".Pp")
            made += lines
            before = block
        return made

    # --- The page ---

    def prototype(self, function: Function) -> list[str]:
        arguments = [f"{one.type}{'' if one.type.endswith('*') else ' '}{one.name}" for one in function.parameters]
        given = [f'.Fa "{argument}"' for argument in arguments or ["void"]]
        return [f".Ft {quoted(function.result)}", f".Fo {function.name}", *given, ".Fc"]

    def head(self, date: datetime.date) -> list[str]:
        page = self.page
        names = [f".Nm {name}" for name in page.names]
        made = [
            '.\\" SPDX-License-Identifier: MIT',
            '.\\" Generated from include/tuntap.h.',
            f".Dd {date:%B} {date.day}, {date.year}",
            f".Dt {page.name.upper()} {page.volume}",
            f".Os libtuntap {self.book.version}",
            ".Sh NAME",
            *(f"{name} ," for name in names[:-1]),
            names[-1],
            f".Nd {page.about}",
        ]
        if page.volume == 3:
            made += [".Sh LIBRARY", "libtuntap", f".Pq Fl ltuntap , No or Ql {exact(pages.PKG_CONFIG)}"]
        made += [".Sh SYNOPSIS", ".In tuntap.h"]
        for function in page.functions:
            made += self.prototype(function)
        if page.name == "tuntap":
            made += [".Bd -literal", f"cc prog.c $({exact(pages.PKG_CONFIG)})", ".Ed"]
        return made

    def see_also(self) -> list[str]:
        others = [f"Xr {name} {self.book.home[name].volume}" for name in self.page.related]
        others += [f"Xr {name} 7" for name in ("tuntap", "tuntap_error") if name != self.page.name]
        return [".Sh SEE ALSO", *(f".{other} ," for other in others[:-1]), f".{others[-1]}"]

    def write(self, date: datetime.date) -> str:
        made = self.head(date)
        for part, content in self.page.parts:
            if part == "HISTORY":
                made += self.see_also()
            made += [f".Sh {part}", *self.blocks(content)]
        if self.page.volume == 7:
            made += self.see_also()
        if ".TS" in made:
            made.insert(0, "'\\\" t")  # man(1) then calls tbl(1)
        return "\n".join(made) + "\n"


def quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def date_of(changelog: str) -> datetime.date:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).date()
    dated = re.search(r"^## \[[\d.]+\].*(\d{4}-\d\d-\d\d)$", changelog, re.M)
    return datetime.date.fromisoformat(dated[1]) if dated else UNRELEASED


def main(folder: str) -> None:
    book, changelog = pages.load()
    date = date_of(changelog)
    for volume in (3, 7):
        os.makedirs(os.path.join(folder, f"man{volume}"), exist_ok=True)

    def save(name: str, volume: int, text: str) -> None:
        with open(os.path.join(folder, f"man{volume}", f"{name}.{volume}"), "w", encoding="utf-8") as file:
            file.write(text)

    for page in book.pages:
        save(page.name, page.volume, Writer(book, page).write(date))
        if page.volume == 3:
            for name in [*page.names[1:], *(struct.name for struct in page.structs)]:
                save(name, 3, f".so man3/{page.name}.3\n")


if __name__ == "__main__":
    main(sys.argv[1])
