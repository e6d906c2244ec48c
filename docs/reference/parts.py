# SPDX-License-Identifier: MIT
"""The parts of the page of a function, or of several that share it."""

from __future__ import annotations

import re
from typing import NamedTuple

from book import REASON, Book, Page, members, mentioned, taken
from header import Constant, Function, Struct, plain_indent
from text import Block, Code, Definitions, Heading, Paragraph, Span, Spans, blocks, joined, paragraphs, pieces, spans


class Error(NamedTuple):
    """A failure of a function, or a note between them, which has no errno."""

    errno: str
    reason: str
    cause: str


def description(function: Function) -> list[Block]:
    """The text of a function, which begins with its name as the subject."""
    first, *rest = blocks(function.text)
    assert isinstance(first, Paragraph)
    begin, *others = first.spans
    verb = begin.text.split()[0]
    text = begin.text if verb == "As" else begin.text[0].lower() + begin.text[1:]
    subject = [Span("name", function.name), Span("text", (": " if verb == "As" else " ") + text)]
    return [Paragraph([*subject, *others]), *rest]


def named(functions: list[Function]) -> Spans:
    """a(), b() and c()"""
    return spans(joined(function.name for function in functions))


# --- Parameters, results and errors ---


def parameters(page: Page) -> list[Block]:
    """What is the same for several functions is listed once."""
    users: dict[tuple[str, str], list[Function]] = {}
    for function in page.functions:
        for parameter in function.parameters:
            text = parameter.text.replace("any of the flags above", "any of the flags below")
            if parameter.name == "err":
                text = "Receives the error on failure: see tuntap_error(7). May be NULL."
            users.setdefault((parameter.name, text), []).append(function)
    names = [name for name, _ in users]
    ordered = sorted(users.items(), key=lambda user: (user[0][0] == "err", names.index(user[0][0])))
    items = []
    for (name, text), functions in ordered:
        tag = [Span("parameter", name)]
        if names.count(name) > 1:
            tag += [Span("text", " of "), *named(functions)]
        items.append((tag, paragraphs(text)))
    return [Definitions(items)] if items else []


def lead(function: Function) -> str:
    """What a function returns on success, as sentences."""
    text = next(pieces(plain_indent(function.returned)))[1]
    text = re.sub(r"[.,;:]?( [Oo]r)?$", "", text)
    text = "0 on success" if text == "0" else text
    return text + ("." if not errors(function) else ". On failure a negative errno: see ERRORS.")


def results(page: Page) -> list[Block]:
    returned = {function: lead(function) for function in page.functions if function.returned}
    if len(set(returned.values())) == 1:
        made: list[Block] = [Paragraph(spans(next(iter(returned.values()))))]
    else:
        made = [Definitions([(named([function]), [spans(text)]) for function, text in returned.items()])]
    zero = [
        (spans(tag), [spans(text[0].upper() + text[1:].rstrip(";") + ".")])
        for function in returned
        for tag, text in pieces(plain_indent(function.returned))
        if tag == "0"
    ]
    if zero:
        made.append(Definitions(list({str(item): item for item in zero}.values())))
    return made if returned else []


CAUSE = re.compile(r"\s*\((?:TUNTAP_REASON)?_([A-Z_]+)\)[;,.]?\s*(?:or\s+)?")


def causes(errno: str, text: str) -> list[Error]:
    """The causes in an item of a @return, each of which ends with its reason in brackets."""
    *parts, rest = CAUSE.split(text)
    found = [Error(errno, REASON + reason, cause) for cause, reason in zip(parts[::2], parts[1::2])]
    rest = rest.rstrip(";.")
    if rest and found:
        separator = "" if rest.startswith(":") else ". "
        found[-1] = found[-1]._replace(cause=found[-1].cause + separator + rest)
    elif rest:
        found = [Error(errno, "", rest)]
    return found


def errors(function: Function) -> list[Error]:
    found = []
    _, *listed = pieces(plain_indent(function.returned)) if function.returned else [("", "")]
    for tag, text in listed:
        if tag and tag != "0":
            found += causes(tag, text)
        elif not tag:
            text = re.sub("^as ", "other errors as ", text.removeprefix("or "))
            found.append(Error("", "", text[0].upper() + text[1:]))
    return found


def inherited(page: Page, function: Function) -> list[Error]:
    """The errors of a function of the same page that a @return refers to."""
    text = " ".join(function.returned.split())
    without = re.findall(r"without (-E\w+)", text)
    for one in page.functions:
        if one is not function and re.search(rf"\b[aA]s {one.name}\b", text):
            return [error for error in errors(one) if error.errno not in without]
    return []


SUBJECT = re.compile(r"(?<![\w.] )\b(?:\w+(?:, or |, | or | and ))*\w+(?= (?:is|are|has|contradicts?)\b)")


def sentence(cause: str, known: set[str]) -> Spans:
    """A cause as a sentence, with the parameters and members marked that it begins with, or is about."""

    def mark(words: re.Match[str]) -> str:
        return re.sub(r"\w+", lambda word: f"\0{word[0]}\0" if word[0] in known else word[0], words[0])

    text = SUBJECT.sub(mark, cause)
    if text[0] != "\0":
        text = re.sub(r"^\w+", mark, text)
    if text[0] != "\0" and not text.startswith("tuntap_"):
        text = text[0].upper() + text[1:]
    made: Spans = []
    for place, part in enumerate(text.split("\0")):
        made += [Span("parameter", part)] if place % 2 else spans(part)
    return made


def failures(page: Page, book: Book) -> list[Block]:
    """What has the same errno and reason is one item, up to a note."""
    fallible = [function for function in page.functions if any(one.name == "err" for one in function.parameters)]
    users: dict[Error, list[Function]] = {}
    for function in fallible:
        for error in errors(function) + inherited(page, function):
            users.setdefault(error, []).append(function)
    known = {parameter.name for function in fallible for parameter in function.parameters}
    structs = [struct for function in fallible for struct in taken(function, book.header.structs)]
    known |= {member.name for struct in structs for member in struct.members}
    made: list[Block] = []
    items: dict[str, Spans] = {}
    for error, functions in users.items():
        if not error.errno:
            made += [listed(items), *blocks(error.cause.rstrip(".") + ".")]
            items = {}
            continue
        text = sentence(error.cause, known)
        if len(functions) < len(fallible):
            text += [Span("text", " ("), *named(functions), Span("text", ")")]
        tag = f"{error.errno} ({error.reason})" if error.reason else error.errno
        before = [*items[tag], Span("text", " ")] if tag in items else []
        items[tag] = [*before, *text, Span("text", ".")]
    made.append(listed(items))
    made = [block for block in made if block != Definitions([])]
    if made and any(re.search(r"\btuntap \*", one.type) for function in fallible for one in function.parameters):
        made.append(Paragraph(spans("Errors that every function can return are in tuntap(7).")))
    return made


def listed(items: dict[str, Spans]) -> Definitions:
    return Definitions([(spans(tag), [text]) for tag, text in items.items()])


# --- Structs and constants ---


def structures(page: Page, book: Book) -> list[Block]:
    made: list[Block] = []
    shown: list[Struct] = []
    for function in page.functions:
        for struct in taken(function, book.header.structs):
            if struct in page.structs and struct not in shown:
                made += struct_blocks(struct)
            elif struct not in shown:
                other = book.home[struct.name].name
                made.append(Paragraph(spans(f"The members of {struct.name} are described in {other}.")))
            shown.append(struct)
    return made


def struct_blocks(struct: Struct) -> list[Block]:
    items = []
    for member in struct.members:
        space = "" if member.type.endswith("*") else " "
        length = f"[{member.length}]" if member.length else ""
        items.append(([Span("parameter", f"{member.type}{space}{member.name}{length}")], paragraphs(member.text)))
    return [Heading(struct.name), *blocks(struct.text), Definitions(items)]


def constants(page: Page, book: Book) -> list[Block]:
    """With the pages of those that only members name."""
    others = [one for one in mentioned(members(page), book.header.constants) if one not in page.constants]
    pages = joined(sorted({book.home[one.name].name for one in others})) if others else ""
    note: list[Block] = [Paragraph(spans(f"Other constants of the structure are in {pages}."))] if others else []
    return [*constant_blocks(page.constants), *note]


def constant_blocks(listed: list[Constant]) -> list[Block]:
    items = [([*spans(one.name), Span("text", f" ({one.value})")], paragraphs(one.text)) for one in listed]
    return [Definitions(items)] if items else []


# --- Threads and history ---

# Objects that one thread at a time may use.
ALONE = ("tuntap_config", "tuntap_reader", "tuntap_writer", "tuntap_splitter", "tuntap_joiner", "tuntap_monitor")


def threads(page: Page) -> list[Block]:
    rules: dict[str, list[Function]] = {}
    for function in page.functions:
        rules.setdefault(thread_rule(function), []).append(function)
    if len(rules) == 1:
        return [Paragraph(spans(next(iter(rules))))]
    return [Definitions([(named(functions), [spans(rule)]) for rule, functions in rules.items()])]


def thread_rule(function: Function) -> str:
    kind = re.sub(r"const | \*+", "", function.parameters[0].type) if function.parameters else ""
    text = " ".join(function.text.split())
    if function.name == "tuntap_release" or function.name.endswith(("_close", "_free")):
        return "No other call may be using the object, and none may follow."
    if kind in ALONE and "Any thread" not in text:
        rule = f"One thread at a time may use a {kind}."
    else:
        rule = "Any thread may call it at any time."
    handled = re.search(r"[sS]afe in a signal handler|signal handler may call", text)
    return rule + (" A signal handler may call it." if handled else "")


def history(page: Page) -> list[Block]:
    versions: dict[str, list[Function]] = {}
    for function in page.functions:
        versions.setdefault(function.since, []).append(function)
    return [
        Paragraph([*named(functions), Span("text", f" first appeared in libtuntap {since}.")])
        for since, functions in versions.items()
    ]


def related(page: Page, book: Book) -> list[str]:
    """The pages of the same section, and those that the page names."""
    same = [one.name for one in book.pages if one.section == page.section and one.volume == 3]
    texts = [function.text + function.returned for function in page.functions]
    texts += [parameter.text for function in page.functions for parameter in function.parameters]
    names = [name for text in texts for name in re.findall(r"tuntap_\w+", text)]
    others = {book.home[name].name for name in names if name in book.home and name != "tuntap_error"}
    return sorted((others | set(same)) - {page.name})


def fill(page: Page, book: Book, example: str) -> None:
    page.add("DESCRIPTION", [block for function in page.functions for block in description(function)])
    page.add("PARAMETERS", parameters(page))
    page.add("CONSTANTS", constants(page, book))
    page.add("STRUCTURES", structures(page, book))
    page.add("RETURN VALUES", results(page))
    page.add("EXAMPLES", [Code(example)] if example else [])
    page.add("ERRORS", failures(page, book))
    page.add("THREADS", threads(page))
    page.related = related(page, book)
    page.add("HISTORY", history(page))
