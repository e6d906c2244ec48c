# SPDX-License-Identifier: MIT
"""Builds the pages of the reference from include/tuntap.h, README.md and examples/."""

from __future__ import annotations

import os
import re

from book import REASON, Book, Page, assign, groups
from header import Header, Rule, parse
from parts import constant_blocks, fill, struct_blocks
from text import Code, Definitions, Heading, Paragraph, Span, blocks, markdown, paragraphs, spans

PKG_CONFIG = "pkg-config --cflags --libs tuntap"


def readme_section(readme: str, title: str) -> str:
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", readme, re.M | re.S)
    if not found:
        raise SystemExit(f"README.md: no section {title!r}, which tuntap(7) contains")
    return found[1]


def rule_text(rule: Rule) -> str:
    """A rule. The lists of errors on the pages have the whole names of reasons."""
    return rule.text.replace(": _NAME stands for TUNTAP_REASON_NAME", "")


def overview(book: Book, readme: str, example: str) -> Page:
    page = Page("tuntap", 7, "create, configure and drive TUN and TAP devices")
    intro = re.split(r"\n\n {4}", readme_section(readme, "libtuntap"))[0]
    page.add("DESCRIPTION", list(markdown(intro)))
    objects = [([Span("name", one.name)], paragraphs(one.text)) for one in book.header.objects]
    page.add("OBJECTS", [Definitions(objects)])
    tour = []
    for section in book.header.sections:
        listed = [name for one in book.pages if one.section == section.name for name in one.names]
        tour.append(([Span("lead", section.name)], [spans(section.about), spans(", ".join(listed) + ".")]))
    page.add("FUNCTIONS", [Definitions(tour)])
    rules = [block for rule in book.header.rules for block in (Heading(rule.name), *blocks(rule_text(rule)))]
    page.add("RULES FOR ALL FUNCTIONS", rules)
    platforms = markdown(readme_section(readme, "What works where"))
    tables = [block for block in platforms if not isinstance(block, Paragraph)]
    page.add("PLATFORMS", [*blocks(book.header.closing.replace("Comments name", "The pages name")), *tables])
    page.add("EXAMPLES", [Code(example)])
    page.related = ["tuntap_monitor_next", "tuntap_open", "tuntap_open_config", "tuntap_read", "tuntap_wait"]
    return page


def error_page(book: Book, example: str) -> Page:
    section = book.header.sections[0]
    page = Page(
        "tuntap_error", 7, "why a call failed", section.name, structs=section.structs, constants=section.constants
    )
    rules = {rule.name: rule for rule in book.header.rules}
    page.add("DESCRIPTION", blocks(rule_text(rules["Errors"])) + blocks(rules["Messages"].text))
    reasons = [one for one in section.constants if one.name.startswith(REASON)]
    page.add("STRUCTURES", [block for struct in section.structs for block in struct_blocks(struct)])
    page.add("CONSTANTS", constant_blocks([one for one in section.constants if one not in reasons]))
    page.add("REASONS", constant_blocks(reasons))
    page.add("EXAMPLES", [Code(example)])
    page.related = ["tuntap_strreason"]
    book.home.update({one.name: page for one in [*section.structs, *section.constants]})
    return page


def examples(folder: str) -> dict[str, str]:
    """The example of each page that has one, without its licence."""
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found[name.removesuffix(".c")] = re.sub(r"\A/\* SPDX.*? \*/\n", "", file.read()).strip()
    return found


def build(header: Header, readme: str, version: str, example: dict[str, str]) -> Book:
    pages = groups(header)
    book = Book(version, header, pages, assign(pages, header))
    for page in pages:
        fill(page, book, example.pop(page.name, ""))
    general = [overview(book, readme, example.pop("tuntap")), error_page(book, example.pop("tuntap_error"))]
    book.pages[:0] = general
    book.home.update({page.name: page for page in general})
    book.home.update({one.name: general[0] for one in header.objects})
    if example:
        raise SystemExit(f"examples/{next(iter(example))}.c: no page has this name")
    return book


def load() -> tuple[Book, str]:
    """The book of this tree, and its list of changes."""
    here = os.path.dirname(os.path.abspath(__file__))

    def content(path: str) -> str:
        with open(os.path.join(here, "..", "..", path), encoding="utf-8") as file:
            return file.read()

    version = re.search(r'^version = "(.*)"', content("Cargo.toml"), re.M)[1]
    header = parse(content("include/tuntap.h"))
    book = build(header, content("README.md"), version, examples(os.path.join(here, "examples")))
    return book, content("CHANGELOG.md")
