# SPDX-License-Identifier: MIT
"""generate.py HEADER: writes tuntap/_abi.py, what Python needs to know of tuntap.h, to standard output.

Constants become enumerations, structures ctypes.Structures, prototypes the names of the types in tuntap/_types.py, and
comments docstrings. The header is cbindgen's, so that a line is what a C parser would otherwise have to find out.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

# The enumerations, by what their constants begin with; the flags of an open are all that is left.
ENUMERATIONS = {
    "TUNTAP_FEATURE_": ("Feature", "Numbered", "What an operating system may have: see tuntap.has()."),
    "TUNTAP_REASON_": ("Reason", "Numbered", "Why a call failed: what errno cannot tell."),
    "TUNTAP_F_": ("Offloads", "IntFlag", "What a device with Flag.OFFLOAD may leave to be done."),
    "TUNTAP_ADDR_": ("AddrFlag", "IntFlag", "What is said of an address beside itself."),
    "TUNTAP_SCOPE_": ("Scope", "Numbered", "Where an address is valid, or the destination of a route is."),
    "TUNTAP_WAIT_": ("Wait", "IntFlag", "What to wait for, and what is ready."),
    "TUNTAP_ROUTE_TYPE_": ("RouteType", "Numbered", "What is done with a packet that a route is found for."),
    "TUNTAP_ROUTE_": ("RouteFlag", "IntFlag", "What is said of a route beside itself."),
    "TUNTAP_ENDIAN_": ("Endian", "Numbered", "The byte order of a virtio header."),
    "TUNTAP_VNET_HDR_GSO_": ("GsoType", "Numbered", "What a super-packet consists of."),
    "TUNTAP_EVENT_": ("EventKind", "Numbered", "What happened to a device."),
}
FLAGS = ("Flag", "IntFlag", "How a device is opened, and what it is.")
# Constants that are no members of those: sizes, versions, families, and flags of single functions.
PLAIN = re.compile(r".*_SIZE$|TUNTAP_(VERSION_.*|IPV[46]|VNET_HDR_F_\w+|ALL_MULTICAST|MONITOR_ROUTES|NO_ID|REPLACE)")

# Parameters that Python has no use for.
C_ONLY = {
    *("dev", "err", "size", "buf", "config", "reader", "writer", "queue", "monitor", "splitter", "joiner", "count"),
    *("milliseconds", "filter", "macs", "packets", "taken", "devices", "supported"),
}

COMMENT = r"/\*\*\n((?: \*.*\n)+?) \*/\n"
CONSTANT = re.compile(COMMENT + r"#define (TUNTAP_\w+) (0x[0-9a-f]+|\d+)\n|#define (TUNTAP_\w+) (0x[0-9a-f]+|\d+)\n")
STRUCTURE = re.compile(r"typedef struct (tuntap_\w+) \{\n(.*?)\n\} \1;", re.S)
MEMBER = re.compile(r"^    (u?int\d+_t|char|size_t|void \*) ?(\w+)(?:\[(\w+)\])?;$", re.M)
FUNCTION = re.compile(COMMENT + r"([\w ]+?[ *]+)(tuntap_\w+)\(([^)]*)\);\n")

# What a C type is called in tuntap/_types.py.
TYPES = {
    "tuntap_error *": "error",
    "const char *": "text",
    "uint32_t": "uint32",
    "uint64_t": "uint64",
    "int32_t": "int32",
    "int": "int32",
    "size_t": "size",
    "ssize_t": "ssize",
    "void": "none",
}


# What ctypes calls the types of members that it has other names for.
CTYPES = {"void *": "void_p", "size_t": "size_t"}


class Constant(NamedTuple):
    name: str
    value: int
    comment: str


def prose(comment: str) -> str:
    """A comment without its stars."""
    return "\n".join(line[3:] for line in comment.splitlines())


def constants(header: str) -> list[Constant]:
    found = [match.groups() for match in CONSTANT.finditer(header)]
    return [
        Constant(name or other, int(value or number, 0), prose(comment or "").strip())
        for comment, name, value, other, number in found
    ]


def in_python(text: str) -> str:
    """What C's names are in Python."""
    text = re.sub(
        r"TUNTAP_(REASON|FEATURE|EVENT|SCOPE|ROUTE_TYPE|ENDIAN)_(\w+)",
        lambda match: f"{ENUMERATIONS[f'TUNTAP_{match[1]}_'][0]}.{match[2]}",
        text,
    )
    text = re.sub(r"(?<=[(; ])_([A-Z]+(?:_[A-Z]+)*)(?=[):;])", r"Reason.\1", text)
    text = text.replace("TUNTAP_F_*", "Offloads").replace("TUNTAP_ADDR_*", "AddrFlag")
    text = re.sub(r"TUNTAP_F_(\w+)", r"Offloads.\1", text)
    text = re.sub(r"TUNTAP_ADDR_(?!SIZE)(\w+)", r"AddrFlag.\1", text)
    text = text.replace("TUNTAP_ROUTE_*", "RouteFlag").replace("TUNTAP_REPLACE", "replace")
    text = re.sub(r"TUNTAP_WAIT_(\w+)", r"Wait.\1", text)
    text = re.sub(r"TUNTAP_ROUTE_(\w+)", r"RouteFlag.\1", text)
    text = re.sub(r"TUNTAP_VNET_HDR_GSO_(\w+)", r"GsoType.\1", text)
    text = text.replace("TUNTAP_MONITOR_ROUTES", "routes").replace("TUNTAP_NO_ID", "None")
    text = text.replace("TUNTAP_ALL_MULTICAST", "all_multicast").replace("TUNTAP_VNET_HDR_F_NEEDS_CSUM", "1")
    text = text.replace("TUNTAP_* flags below", "members of Flag")
    text = re.sub(r"TUNTAP_(?!\w*_SIZE|IPV|VERSION)(\w+)", r"Flag.\1", text)
    return re.sub(r"-(E[A-Z0-9]{2,})\b", r"\1", text).replace("NULL", "None")


# Of what can go wrong, what cannot in Python: where there is no place for a result, or too small a one; signals.
C_FAULT = re.compile(r"None\b|^count is 0|^\w+ is too small\b|sizeof")
# One or several errnos, and their causes: in brackets or, in a list, up to the semicolon.
FAILURE = re.compile(r"\b(E[A-Z0-9]{2,}(?:, E[A-Z0-9]{2,})*(?:, \.\.\.)?),? *(?:\(((?:[^()]|\([^()]*\))*)\)|([^;]*))")


def failures(returned: str) -> list[str]:
    """The errnos of a @return, each with its causes in brackets or, in a list, behind it."""
    found = []
    # "As another function, without this."
    returned = re.sub(r"(without|but for) E[A-Z]+,( or)?", "", returned)
    for number, causes, rest in FAILURE.findall(returned):
        kept = [cause.strip(" .") for cause in (causes or rest).split(";") if not C_FAULT.search(cause.strip())]
        kept = [re.sub(r"^\((.*)\)$", r"\1", cause) for cause in kept]
        # An errno without a cause is kept, and one whose causes are all C's is not.
        if number != "EINTR" and (any(kept) or not (causes or rest).strip(" .,")):
            found.append(f"{number} ({'; '.join(kept)})" if any(kept) else number)
    return found


class Comment(NamedTuple):
    text: str
    parameters: dict[str, str]
    returned: str


def parse(comment: str) -> Comment:
    """The text, and what is said behind each @word."""
    text, *tagged = re.split(r"^@", prose(comment), flags=re.M)
    parameters, returned = {}, ""
    for part in tagged:
        word, _, rest = part.partition(" ")
        if word == "param":
            name, _, rest = rest.strip().partition(" ")
            parameters[name] = " ".join(rest.split())
        elif word == "return":
            returned = " ".join(rest.split())
    return Comment(text.strip(), parameters, returned)


def docstring(name: str, comment: str) -> str:
    """What a function does, what it takes and what goes wrong, in Python's terms."""
    parsed = parse(comment)
    lines = [in_python(parsed.text), ""]
    for parameter, text in parsed.parameters.items():
        if parameter not in C_ONLY and not text.startswith("Receives"):
            lines += textwrap.wrap(f"{parameter}: {in_python(text)}", 88, subsequent_indent="    ")
    raised = failures(in_python(parsed.returned))
    if raised or "tuntap_" in parsed.returned:
        others = re.findall(r"\b[aA]s (tuntap_\w+)", parsed.returned)
        raised += [f"or as {other}" for other in others]
        text = ", ".join(raised).removeprefix("or ")
        lines += textwrap.wrap(f"Raises an Error: {text}.", 88, subsequent_indent="    ")
    return "\n".join(lines).strip() + f"\n\nThe C function: {name}."


def enumerations(found: list[Constant]) -> Iterator[str]:
    members: dict[tuple[str, str, str], list[Constant]] = {}
    for constant in found:
        if PLAIN.fullmatch(constant.name):
            yield f"{constant.name[len('TUNTAP_') :]} = {constant.value}"
            continue
        prefix = next((prefix for prefix in ENUMERATIONS if constant.name.startswith(prefix)), "TUNTAP_")
        kind = ENUMERATIONS.get(prefix, FLAGS)
        members.setdefault(kind, []).append(constant._replace(name=constant.name[len(prefix) :]))
    for (name, base, text), listed in members.items():
        yield f"\n\nclass {name}({base}):\n    {text!r}\n"
        for constant in listed:
            yield f"    {constant.name} = {constant.value}"
            yield f"    {in_python(constant.comment)!r}"


def structures(header: str) -> Iterator[str]:
    for name, body in STRUCTURE.findall(header):
        yield f"\n\nclass {name}(ctypes.Structure):\n    _fields_ = ["
        for kind, member, count in MEMBER.findall(body):
            python = f"ctypes.c_{CTYPES.get(kind) or kind.removesuffix('_t')}"
            size = count[len("TUNTAP_") :] if count else ""
            yield f"        ({member!r}, {python}{f' * {size}' if size else ''}),"
        yield "    ]"


def type_of(declaration: str) -> str:
    """Of a parameter, or of a result, which has no name."""
    kind = re.sub(r"\w+$", "", declaration).strip() if " " in declaration.strip() else declaration
    return TYPES.get(kind, "pointer" if kind.endswith("*") else "") or TYPES[declaration.strip()]


def prototypes(header: str) -> Iterator[str]:
    yield "\n\nPROTOTYPES = {"
    for _, result, name, parameters in FUNCTION.findall(header):
        result = "constant" if result == "const char *" else TYPES[result.strip()]
        taken = [] if parameters == "void" else [type_of(parameter.strip()) for parameter in parameters.split(",")]
        yield f"    {name!r}: ({result!r}, {tuple(taken)!r}),"
    yield "}\n\nDOCS = {"
    for comment, _, name, _ in FUNCTION.findall(header):
        yield f"    {name!r}: {docstring(name, comment)!r},"
    yield "}"


def generate(header: str) -> str:
    # Members' comments are indented, and no constants'.
    head = [
        "# SPDX-License-Identifier: MIT",
        '"""What tuntap.h says. Generated from it: see generate.py."""',
        "",
        "import ctypes",
        "from enum import IntFlag",
        "",
        "from ._types import Numbered",
        "",
        "# ruff: noqa",
    ]
    parts = [*head, *enumerations(constants(header)), *structures(header), *prototypes(header)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(generate(file.read()))
