#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""web.py FOLDER: writes the reference as HTML to FOLDER, a file for each page, with an index and a search."""

from __future__ import annotations

import json
import os
import shutil
import sys
from html import escape

import pages
from book import Book, Page
from header import Function, Parameter
from text import Block, Code, Definitions, Heading, Items, Paragraph, Spans, Table

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="style.css">
<script src="names.js" defer></script>
<script src="search.js" defer></script>
<header>
<a href="index.html">libtuntap {version}</a>
<input type="search" id="search" placeholder="Search (press /)" aria-label="Search" autocomplete="off" hidden>
</header>
<ul id="found" hidden></ul>
<main>
{body}
</main>
</html>
"""


FRAMES = {
    "text": "{}",
    "lead": "<strong>{}</strong>",
    "parameter": "<var>{}</var>",
    "call": "<code>{}()</code>",
    "literal": "<code>{}</code>",
    "errno": '<code class="whole">{}</code>',
}


class Writer:
    def __init__(self, book: Book, page: Page):
        self.book, self.page = book, page

    # --- Spans ---

    def span(self, kind: str, text: str) -> str:
        shown = escape(text)
        if kind == "name":
            return self.name(text)
        if kind == "page":
            return f'<a href="{text.partition("(")[0]}.html">{shown}</a>'
        if kind == "rule":
            return f'<a href="tuntap.html#{text}">{text}</a>'
        if kind == "part":
            return f'<a href="#{text}">{text.capitalize()}</a>'
        return FRAMES[kind].format(shown)

    def name(self, text: str) -> str:
        home = self.book.home.get(text)
        function = home and text in home.names and home.volume == 3
        shown = f"<code>{escape(text)}{'()' if function else ''}</code>"
        if home is None or text in self.page.names:
            return shown
        file = "" if home is self.page else f"{home.name}.html"
        return f'<a href="{file}#{text}">{shown}</a>'

    def spans(self, spans: Spans) -> str:
        return "".join(self.span(*span) for span in spans)

    # --- Blocks ---

    def block(self, block: Block) -> str:
        if isinstance(block, Heading):
            return f'<h3 id="{escape(block.text)}">{self.heading(block.text)}</h3>'
        if isinstance(block, Paragraph):
            return f"<p>{self.spans(block.spans)}</p>"
        if isinstance(block, Code):
            return f"<pre>{escape(block.text)}</pre>"
        if isinstance(block, Items):
            kind = "ol" if block.ordered else "ul"
            return f"<{kind}>{''.join(f'<li>{self.spans(item)}' for item in block.items)}</{kind}>"
        if isinstance(block, Table):
            return self.table(block)
        return self.definitions(block)

    @staticmethod
    def heading(text: str) -> str:
        return f"<code>{escape(text)}</code>" if text.startswith("tuntap") else escape(text)

    def definitions(self, block: Definitions) -> str:
        made = ["<dl>"]
        for tag, paragraphs in block.items:
            place = self.place(*tag[0])
            begin = f'<dt id="{place}"><code>{place}</code>' if place else "<dt>"
            made.append(begin + self.spans(tag[1:] if place else tag))
            made += [f"<dd>{self.spans(paragraph)}" for paragraph in paragraphs]
        return "\n".join([*made, "</dl>"])

    def place(self, kind: str, text: str) -> str:
        """The constant or the object that a definition describes, or nothing."""
        described = kind == "name" and (self.page.volume == 7 or text not in self.page.names)
        return text if described else ""

    def table(self, block: Table) -> str:
        def row(cells: list[Spans], kind: str) -> str:
            return "<tr>" + "".join(f"<{kind}>{self.spans(cell)}" for cell in cells)

        rows = [row(block.head, "th"), *(row(cells, "td") for cells in block.rows)]
        return '<div class="wide"><table>\n' + "\n".join(rows) + "\n</table></div>"

    # --- The page ---

    def parameter(self, parameter: Parameter) -> str:
        words = [self.name(word) if word.startswith("tuntap") else escape(word) for word in parameter.type.split()]
        space = "" if parameter.type.endswith("*") else " "
        return f"{' '.join(words)}{space}<var>{parameter.name}</var>"

    def prototype(self, function: Function) -> str:
        """The parameters, each on a line of its own if one line is too long for a phone."""
        length = sum(len(one.type) + len(one.name) + 3 for one in function.parameters)
        given = [self.parameter(one) for one in function.parameters] or ["void"]
        separator = ",\n    " if len(function.name) + length > 40 else ", "
        begin = "\n    " if separator != ", " else ""
        space = "" if function.result.endswith("*") else " "
        name = f'<b id="{function.name}">{function.name}</b>'
        return f"{escape(function.result)}{space}{name}({begin}{separator.join(given)});"

    def synopsis(self) -> str:
        prototypes = [self.prototype(function) for function in self.page.functions]
        compiling = [f"cc prog.c $({pages.PKG_CONFIG})"] if self.page.name == "tuntap" else []
        return "<pre>" + "\n\n".join(["#include &lt;tuntap.h&gt;", *prototypes, *compiling]) + "</pre>"

    def neighbours(self) -> str:
        """Links to the pages before and after this one, in the order of the header."""
        pages, place = self.book.pages, self.book.pages.index(self.page)
        links = [f'<a href="{page.name}.html">← {page.name}</a>' for page in pages[:place][-1:]]
        links += [f'<a href="{page.name}.html">{page.name} →</a>' for page in pages[place + 1 :][:1]]
        return f"<nav>{''.join(links)}</nav>"

    def related(self) -> str:
        others = [*self.page.related, *(name for name in ("tuntap", "tuntap_error") if name != self.page.name)]
        links = (f'<a href="{name}.html">{name}({self.book.home[name].volume})</a>' for name in others)
        return f'<h2 id="SEE_ALSO">See also</h2>\n<p>{", ".join(links)}</p>'

    def write(self) -> str:
        page = self.page
        section = f'<p class="section"><a href="index.html#{anchor(page.section)}">{page.section}</a></p>'
        made = [section if page.section else "", f"<h1>{', '.join(page.names)}</h1>"]
        made.append(f'<p class="about">{escape(page.about)}</p>')
        made.append(self.synopsis())
        for part, blocks in page.parts:
            if part == "HISTORY":
                made.append(self.related())
            made.append(f'<h2 id="{anchor(part)}">{part.capitalize()}</h2>')
            made += [self.block(block) for block in blocks]
        made.append(self.related() if page.volume == 7 else "")
        return "\n".join([*filter(None, made), self.neighbours()])


def anchor(text: str) -> str:
    return text.replace(" ", "_")


def index(book: Book) -> str:
    made = [
        "<h1>libtuntap</h1>",
        "<p>Create, configure and drive TUN and TAP devices. Begin with the "
        '<a href="tuntap.html">overview and the rules for all functions</a>, and with '
        '<a href="tuntap_open.html">tuntap_open</a>. What can fail, and why, is in '
        '<a href="tuntap_error.html">tuntap_error</a>.</p>',
    ]
    links = [f'<a href="#{anchor(section.name)}">{escape(section.name)}</a>' for section in book.header.sections]
    made.append(f'<nav class="sections">{" ".join(links)}</nav>')
    for section in book.header.sections:
        made.append(f'<h2 id="{anchor(section.name)}">{escape(section.name)}</h2>')
        made.append(f'<p>{escape(section.about)}</p>\n<dl class="index">')
        for page in book.pages:
            if page.section == section.name:
                names = [*(function.name for function in page.functions), *(struct.name for struct in page.structs)]
                tags = (f'<a href="{page.name}.html#{name}"><code>{name}</code></a>' for name in names)
                made.append(f"<dt>{'<br>'.join(tags)}\n<dd>{escape(page.about)}")
        made.append("</dl>")
    return "\n".join(made)


def names(book: Book) -> str:
    """Each name with its place, for the search."""
    found = [[page.name, f"{page.name}.html", page.about] for page in book.pages if page.volume == 7]
    for function in book.header.functions:
        found.append(
            [function.name, f"{book.home[function.name].name}.html#{function.name}", book.home[function.name].about]
        )
    for one in [*book.header.structs, *book.header.constants]:
        about = one.text.split(".")[0].split("\n\n")[0].replace("\n", " ")
        found.append([one.name, f"{book.home[one.name].name}.html#{one.name}", about])
    return "const NAMES = " + json.dumps(found, indent=0, ensure_ascii=False) + ";\n"


def main(folder: str) -> None:
    book, _ = pages.load()
    here = os.path.dirname(os.path.abspath(__file__))
    os.makedirs(folder, exist_ok=True)

    def save(name: str, text: str) -> None:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    for name in ("style.css", "search.js"):
        shutil.copyfile(os.path.join(here, name), os.path.join(folder, name))
    save("names.js", names(book))
    save("index.html", PAGE.format(title="libtuntap", version=book.version, body=index(book)))
    for page in book.pages:
        body = Writer(book, page).write()
        save(f"{page.name}.html", PAGE.format(title=f"{page.name} - libtuntap", version=book.version, body=body))


if __name__ == "__main__":
    main(sys.argv[1])
