# SPDX-License-Identifier: MIT
"""generate.py HEADER: writes tuntap/_abi.py, what Python needs to know of tuntap.h, to standard output.

Constants become enumerations, structures ctypes.Structures, prototypes the names of the types in tuntap/_types.py, and
comments docstrings. The parser of the header is docs/reference/header.py, which must be in PYTHONPATH.
"""

import re
import sys
import textwrap
from collections.abc import Iterator

import header

# The enumerations, by what their constants begin with; the flags of an open are all that is left.
ENUMERATIONS = {
    "TUNTAP_FEATURE_": ("Feature", "Numbered", "What an operating system may have: see tuntap.has()."),
    "TUNTAP_REASON_": ("Reason", "Numbered", "Why a call failed: what errno does not say."),
    "TUNTAP_IPV6_": ("IPv6Setting", "Numbered", "How the kernel configures IPv6 on a device by itself."),
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
PLAIN = re.compile(
    r".*_SIZE$|TUNTAP_(VERSION_.*|IPV[46]|VNET_HDR_F_\w+|ALL_MULTICAST|MONITOR_\w+|NO_ID|REPLACE|KEEP|OVERRIDE)"
)

# Parameters that Python has no use for.
C_ONLY = {
    *("dev", "err", "size", "buf", "config", "reader", "writer", "queue", "monitor", "splitter", "joiner", "count"),
    *("milliseconds", "filter", "macs", "packets", "taken", "devices", "supported"),
}

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
    text = text.replace("TUNTAP_MONITOR_DEFAULT_ROUTE", "default_route")
    text = text.replace("TUNTAP_KEEP", "keep").replace("TUNTAP_OVERRIDE", "override")
    text = text.replace("TUNTAP_IPV6_*", "IPv6Setting")
    text = re.sub(r"TUNTAP_IPV6_(\w+)", r"IPv6Setting.\1", text)
    text = re.sub(r"TUNTAP_IPV([46])\b", r"\1", text)
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


def docstring(function: header.Function) -> str:
    """What a function does, what it takes and what goes wrong, in Python's terms."""
    lines = [in_python(function.text), ""]
    for parameter in function.parameters:
        if parameter.name not in C_ONLY and not parameter.text.startswith("Receives"):
            lines += textwrap.wrap(f"{parameter.name}: {in_python(parameter.text)}", 88, subsequent_indent="    ")
    returned = " ".join(function.returned.split())
    raised = failures(in_python(returned))
    if raised or "tuntap_" in returned:
        others = re.findall(r"\b[aA]s (tuntap_\w+)", returned)
        raised += [f"or as {other}" for other in others]
        text = ", ".join(raised).removeprefix("or ")
        lines += textwrap.wrap(f"Raises an Error: {text}.", 88, subsequent_indent="    ")
    return "\n".join(lines).strip() + f"\n\nThe C function: {function.name}."


def enumerations(found: list[header.Constant]) -> Iterator[str]:
    members: dict[tuple[str, str, str], list[header.Constant]] = {}
    for constant in found:
        if PLAIN.fullmatch(constant.name):
            yield f"{constant.name[len('TUNTAP_') :]} = {int(constant.value, 0)}"
            continue
        prefix = next((prefix for prefix in ENUMERATIONS if constant.name.startswith(prefix)), "TUNTAP_")
        kind = ENUMERATIONS.get(prefix, FLAGS)
        members.setdefault(kind, []).append(constant._replace(name=constant.name[len(prefix) :]))
    for (name, base, text), listed in members.items():
        yield f"\n\nclass {name}({base}):\n    {text!r}\n"
        for constant in listed:
            yield f"    {constant.name} = {int(constant.value, 0)}"
            yield f"    {in_python(constant.text)!r}"


def structures(found: list[header.Struct]) -> Iterator[str]:
    for struct in found:
        yield f"\n\nclass {struct.name}(ctypes.Structure):\n    _fields_ = ["
        for member in struct.members:
            python = f"ctypes.c_{CTYPES.get(member.type) or member.type.removesuffix('_t')}"
            size = member.length.removeprefix("TUNTAP_")
            yield f"        ({member.name!r}, {python}{f' * {size}' if size else ''}),"
        yield "    ]"


def type_of(kind: str) -> str:
    """Of a parameter."""
    return TYPES.get(kind, "pointer") if kind.endswith("*") else TYPES[kind]


def prototypes(functions: list[header.Function]) -> Iterator[str]:
    yield "\n\nPROTOTYPES = {"
    for function in functions:
        result = "constant" if function.result == "const char *" else TYPES[function.result]
        taken = tuple(type_of(parameter.type) for parameter in function.parameters)
        yield f"    {function.name!r}: ({result!r}, {taken!r}),"
    yield "}\n\nDOCS = {"
    for function in functions:
        yield f"    {function.name!r}: {docstring(function)!r},"
    yield "}"


def generate(found: header.Header) -> str:
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
    parts = [*head, *enumerations(found.constants), *structures(found.structs), *prototypes(found.functions)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(generate(header.read(sys.argv[1])))
