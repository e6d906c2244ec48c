# SPDX-License-Identifier: MIT
"""Parses include/tuntap.h for every generator that needs it: the reference, the Python package, and tests/api.

cbindgen writes the header in one fixed layout, so regular expressions are enough. Comments are given without their
stars. Needs only the standard library, and Python 3.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple


class Constant(NamedTuple):
    name: str
    value: str  # as the header writes it: flags are hexadecimal
    text: str


class Member(NamedTuple):
    type: str
    name: str
    length: str  # of an array, or ""
    text: str


class Struct(NamedTuple):
    name: str
    text: str
    members: tuple[Member, ...]  # none if the struct is opaque


class Parameter(NamedTuple):
    type: str
    name: str
    text: str


class Function(NamedTuple):
    name: str
    result: str
    parameters: tuple[Parameter, ...]
    text: str
    returned: str  # what follows @return, with its lines
    since: str


class Rule(NamedTuple):
    """A rule for all functions, of the introduction."""

    name: str
    text: str


@dataclass
class Section:
    name: str
    about: str
    constants: list[Constant] = field(default_factory=list)
    structs: list[Struct] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)


class Header(NamedTuple):
    rules: list[Rule]
    closing: str  # the last paragraph of the introduction
    objects: list[Struct]
    sections: list[Section]

    @property
    def constants(self) -> list[Constant]:
        return [one for section in self.sections for one in section.constants]

    @property
    def structs(self) -> list[Struct]:
        return [one for section in self.sections for one in section.structs]

    @property
    def functions(self) -> list[Function]:
        return [one for section in self.sections for one in section.functions]


COMMENT = r"/\*\*(?P<comment>(?:[^*]|\*(?!/))*)\*/\s*"
ITEM = re.compile(
    r"^/\* -{60,}\n \* (?P<section>.+)\n \*\n(?P<about>(?: \* .+\n)+) \*/$"
    rf"|^{COMMENT}(?:"
    r"#define (?P<constant>\w+) (?P<value>\S+)$"
    r"|typedef struct (?P<object>\w+) (?P=object);"
    r"|typedef struct (?P<struct>\w+) \{\n(?P<members>[\s\S]*?)\n\} (?P=struct);"
    r"|(?P<result>[\w ]+[ *])(?P<function>\w+)\((?P<parameters>[^()]*)\);)",
    re.M,
)
MEMBER = re.compile(rf"{COMMENT}(?P<type>[\w ]+[ *])(?P<name>\w+)(?:\[(?P<length>\w+)\])?;")


def plain(comment: str) -> str:
    """A comment without its stars."""
    return re.sub(r"^[ \t]*\* ?", "", comment, flags=re.M).strip()


def member(found: re.Match[str]) -> Member:
    return Member(found["type"].strip(), found["name"], found["length"] or "", plain(found["comment"]))


def function(found: re.Match[str]) -> Function:
    text, *tagged = re.split(r"^@", plain(found["comment"]), flags=re.M)
    documented, returned, since = {}, "", ""
    for part in tagged:
        tag, _, rest = part.partition(" ")
        if tag == "param":
            name, _, rest = rest.strip().partition(" ")
            documented[name] = " ".join(rest.split())
        elif tag == "return":
            returned = rest.rstrip()
        elif tag == "since":
            since = rest.strip()
    parameters = []
    for declared in found["parameters"].split(","):
        kind, name = re.fullmatch(r"(.*?)(\w+)", " ".join(declared.split())).groups()
        if kind:  # not the word "void"
            parameters.append(Parameter(kind.strip(), name, documented.get(name, "")))
    return Function(found["function"], found["result"].strip(), tuple(parameters), text.strip(), returned, since)


def introduction(text: str) -> tuple[list[Rule], str]:
    """The rules, each of which begins with its name and a full stop, and the last paragraph."""
    _, _, text = plain(text).partition("Rules for all functions\n")
    text, _, closing = text.strip().rpartition("\n\n")
    names = re.split(r"^(\w+)\. +", text, flags=re.M)[1:]
    return [Rule(name, plain_indent(rule)) for name, rule in zip(names[::2], names[1::2])], closing


def plain_indent(rule: str) -> str:
    """A rule without the indentation of its second and later lines."""
    first, *rest = rule.rstrip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    return "\n".join([first, *(line[indent:] for line in rest)])


def parse(text: str) -> Header:
    first = re.search(r"/\*(.*?)\*/", text, re.S)
    header = Header(*introduction(first[1] if first else ""), [], [])
    for found in ITEM.finditer(text):
        if found["section"]:
            header.sections.append(Section(found["section"], plain(found["about"])))
        elif found["object"]:
            header.objects.append(Struct(found["object"], plain(found["comment"]), ()))
        elif found["constant"]:
            header.sections[-1].constants.append(Constant(found["constant"], found["value"], plain(found["comment"])))
        elif found["struct"]:
            members = tuple(member(one) for one in MEMBER.finditer(found["members"]))
            header.sections[-1].structs.append(Struct(found["struct"], plain(found["comment"]), members))
        else:
            header.sections[-1].functions.append(function(found))
    return header


def read(path: str) -> Header:
    with open(path, encoding="utf-8") as file:
        return parse(file.read())
