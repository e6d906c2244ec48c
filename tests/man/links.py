# SPDX-License-Identifier: MIT
"""links.py FOLDER LIBTUNTAP.MAP: checks the HTML pages in a folder.

Each link leads to a file and a place that exist, each place has one name, each page is reached from the index, and each
exported function is found by the search.
"""

import json
import os
import re
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

VOID = {"meta", "link", "input", "br"}
# Their end tags are optional.
OPEN = {"li", "dt", "dd", "tr", "th", "td"}
REFERENCES = {"href", "src"}


class Reader(HTMLParser):
    """The names of places and the references of a page, and the elements that it does not close."""

    def __init__(self, text):
        super().__init__()
        self.places, self.references, self.open, self.wrong = [], [], [], []
        self.feed(text)
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places += [given["id"]] if "id" in given else []
        self.references += [given[name] for name in REFERENCES & set(given)]
        if tag not in VOID | OPEN:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes another element")


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def check(folder, symbols):
    pages = {name: Reader(read(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".html")}
    reached, links = {"index.html"}, 0
    for name, page in pages.items():
        yield from (f"{name}: {wrong}" for wrong in page.wrong)
        yield from (
            f"{name}: the place {place} occurs twice" for place in {*page.places} if page.places.count(place) > 1
        )
        for reference in page.references:
            links += 1
            yield from dead(folder, pages, name, reference)
            reached.add(reference.partition("#")[0] or name)
    yield from (f"{name}: no page links to it" for name in pages if name not in reached)

    found = json.loads(re.fullmatch(r"const NAMES = (.*);\n", read(folder, "names.js"), re.S)[1])
    for _, reference, _ in found:
        yield from dead(folder, pages, "names.js", reference)
    missing = set(re.findall(r"^\s*(tuntap_\w+);", read(".", symbols), re.M)) - {name for name, *_ in found}
    yield from (f"names.js: {name} is missing" for name in missing)
    print(f"{len(pages)} pages, {links} links, {len(found)} names for the search", file=sys.stderr)


def dead(folder, pages, name, reference):
    file, _, place = unquote(reference).partition("#")
    file = file or name
    if not os.path.exists(os.path.join(folder, file)):
        yield f"{name}: links to {reference}: there is no such file"
    elif place and place not in pages[file].places:
        yield f"{name}: links to {reference}: there is no such place"


problems = list(check(*sys.argv[1:]))
if problems:
    sys.exit("\n".join(problems))
