# SPDX-License-Identifier: MIT
"""generate.py HEADER: writes tuntap/_abi.py, the declarations of tuntap.h in Python, to standard output.

Constants become enumerations, structures become subclasses of ctypes.Structure, prototypes become names of types in
tuntap/_types.py, and comments become docstrings. The parser of the header is docs/reference/header.py, which must be in
PYTHONPATH.
"""

import re
import sys
import textwrap
from collections.abc import Iterator

import header

# The enumerations, by the prefix of their constants. All other constants are flags of an open.
ENUMERATIONS = {
    "TUNTAP_FEATURE_": ("Feature", "OpenEnum", "A feature that an operating system may support: see tuntap.has()."),
    "TUNTAP_REASON_": ("Reason", "OpenEnum", "Why a call failed, more precisely than errno."),
    "TUNTAP_IPV6_": ("IPv6Setting", "OpenEnum", "A setting of the automatic IPv6 configuration of a device."),
    "TUNTAP_F_": ("Offloads", "IntFlag", "Work that a device with Flag.OFFLOAD may leave to the program."),
    "TUNTAP_ADDR_": ("AddrFlag", "IntFlag", "Properties of an address."),
    "TUNTAP_SCOPE_": ("Scope", "OpenEnum", "Where an address or the destination of a route is valid."),
    "TUNTAP_WAIT_": ("Wait", "IntFlag", "Events to wait for, and events that are ready."),
    "TUNTAP_ROUTE_TYPE_": ("RouteType", "OpenEnum", "What the kernel does with the packets of a route."),
    "TUNTAP_ROUTE_": ("RouteFlag", "IntFlag", "Properties of a route."),
    "TUNTAP_ENDIAN_": ("Endian", "OpenEnum", "The byte order of a virtio header."),
    "TUNTAP_VNET_HDR_GSO_": ("GsoType", "OpenEnum", "The type of a super-packet."),
    "TUNTAP_EVENT_": ("EventKind", "OpenEnum", "What happened to a device."),
}
FLAGS = ("Flag", "IntFlag", "Flags of an open, and of an open device.")
# Constants that are not members of an enumeration: sizes, versions, families, and flags of single functions.
PLAIN = re.compile(
    r".*_SIZE$|TUNTAP_(VERSION_.*|IPV[46]|VNET_HDR_F_\w+|ALL_MULTICAST|MONITOR_\w+|NO_ID|REPLACE|KEEP|OVERRIDE)"
)

# Parameters that do not exist in Python.
C_ONLY = {
    *("dev", "err", "size", "buf", "config", "reader", "writer", "queue", "monitor", "splitter", "joiner", "count"),
    *("milliseconds", "filter", "macs", "packets", "taken", "devices", "supported", "hdr_size"),
}

# The names of C types in tuntap/_types.py.
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

# The names of types of members in ctypes, if they differ from the C names.
CTYPES = {"void *": "void_p", "size_t": "size_t"}


def in_python(text: str) -> str:
    """Replaces the C names in a text with their Python names."""
    text = text.replace("TUNTAP_REASON_*", "Reason").replace("TUNTAP_FEATURE_*", "Feature")
    text = text.replace("TUNTAP_EVENT_*", "EventKind")
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


# Causes of errors that do not occur in Python: a missing buffer for a result, or one that is too small.
C_FAULT = re.compile(r"None\b|^count is 0|^\w+ is too small\b|sizeof")
# One or several errnos and their causes: in parentheses or, in a list, up to the semicolon.
FAILURE = re.compile(r"\b(E[A-Z0-9]{2,}(?:, E[A-Z0-9]{2,})*(?:, \.\.\.)?),? *(?:\(((?:[^()]|\([^()]*\))*)\)|([^;]*))")


def failures(returned: str) -> list[str]:
    """Returns the errnos of a @return, each with its causes in parentheses."""
    found = []
    # "As another function, without E...": this errno is not raised.
    returned = re.sub(r"(without|but for) E[A-Z]+,( or)?", "", returned)
    for number, causes, rest in FAILURE.findall(returned):
        kept = [cause.strip(" .") for cause in (causes or rest).split(";") if not C_FAULT.search(cause.strip())]
        kept = [re.sub(r"^\((.*)\)$", r"\1", cause) for cause in kept]
        # An errno without a cause is kept. An errno is dropped if none of its causes occurs in Python.
        if number != "EINTR" and (any(kept) or not (causes or rest).strip(" .,")):
            found.append(f"{number} ({'; '.join(kept)})" if any(kept) else number)
    return found


def docstring(function: header.Function) -> str:
    """Returns a docstring: what the function does, its parameters and its errors, in Python's terms."""
    lines = [in_python(function.text), ""]
    for parameter in function.parameters:
        if parameter.name not in C_ONLY and not parameter.text.startswith("Receives"):
            lines += textwrap.wrap(f"{parameter.name}: {in_python(parameter.text)}", 88, subsequent_indent="    ")
    returned = " ".join(function.returned.split())
    raised = failures(in_python(returned))
    if raised or "tuntap_" in returned:
        references = re.findall(r"\b[aA]s (tuntap_\w+)", returned)
        raised += [f"or as {function}" for function in references]
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
    """Returns the name of the type of a parameter in tuntap/_types.py."""
    return TYPES.get(kind, "pointer") if kind.endswith("*") else TYPES[kind]


def prototypes(functions: list[header.Function]) -> Iterator[str]:
    yield "\n\nPROTOTYPES = {"
    for function in functions:
        result = "constant" if function.result == "const char *" else TYPES[function.result]
        parameters = tuple(type_of(parameter.type) for parameter in function.parameters)
        yield f"    {function.name!r}: ({result!r}, {parameters!r}),"
    yield "}\n\nDOCS = {"
    for function in functions:
        yield f"    {function.name!r}: {docstring(function)!r},"
    yield "}"


def generate(found: header.Header) -> str:
    head = [
        "# SPDX-License-Identifier: MIT",
        '"""The declarations of tuntap.h, from which generate.py generates this file."""',
        "",
        "import ctypes",
        "from enum import IntFlag",
        "",
        "from ._types import OpenEnum",
        "",
        "# ruff: noqa",
    ]
    parts = [*head, *enumerations(found.constants), *structures(found.structs), *prototypes(found.functions)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(generate(header.read(sys.argv[1])))
