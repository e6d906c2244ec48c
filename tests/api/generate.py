#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the table of tests/api: each function of tuntap.h, what its parameters are, and what its reference says.

Usage: generate.py TUNTAP.H LIBTUNTAP.MAP >calls.c, with docs/reference in PYTHONPATH

A parameter is known by its type and its name. One that is unknown is an error here, so that no function is left out.
"""

import re
import sys

import header

# A good text and a good number for a parameter of this name.
TEXTS = {
    "name": "t9",
    "tuntap_delete: name": "idle",  # which is made for each call
    "path": "/proc/self/ns/net",
    "alias": "a device",
    "addr": "10.8.0.1/24",
    "dstaddr": "10.8.0.2",
    "netmask": "255.255.255.0",
    "master": "bridge",
    "destination": "192.0.2.1",
    "tuntap_find_route: destination": "10.8.0.2",
    "source": "10.8.0.1",
    "gateway": "10.8.0.2",
}
NUMBERS = {
    "uid": 0,
    "gid": 0,
    "mtu": 1400,
    "packets": 500,
    "bytes": 65536,
    "feature": 1,
    "endian": 0,
    "reason": 1,
    "kind": 1,
    "flags": 0,
    "offloads": 0,
    "milliseconds": 0,
    "events": 1,
    "on": 1,
    "up": 1,
    "count": 2,
    "headroom": 16,
    "tailroom": 16,
    "mark": 0,
    "mask": 0,
    "family": 4,
    "setting": 1,
    "value": 0,
}
# Bytes of what a pointer of this type points at, and what it is for.
SCALARS = {"int *": "int", "uint32_t *": "uint32_t", "uint64_t *": "uint64_t", "size_t *": "size_t", "void **": "void *"}
NUMBER_KINDS = {"int": "int", "int32_t": "int32", "uint32_t": "uint32", "uint64_t": "uint64", "size_t": "size"}
RETURNS = {"void": "NOTHING", "const char *": "NOTHING", "size_t": "SIZE", "uint32_t": "SIZE", "int": "COUNT", "ssize_t": "COUNT"}


def die(text):
    sys.exit(f"generate.py: {text}")


def check(functions, symbols):
    exported = set(re.findall(r"^\s*(tuntap_\w+);", symbols, re.M))
    if exported != set(functions):
        die(f"not both in the header and in the map: {sorted(exported ^ set(functions))}")


def is_release(function):
    return function.result == "void" and function.name.endswith(("_close", "_free"))


class Table:
    def __init__(self, functions, structures, objects):
        self.functions, self.structures, self.objects = functions, structures, objects
        # The function that frees an object of a type.
        self.releases = {
            function.parameters[0].type.removesuffix(" *"): function.name
            for function in functions.values()
            if is_release(function)
        }

    def pointer(self, kind, name, next_name):
        """The kind, and the type of an element, of a parameter that is a pointer."""
        bare = kind.removeprefix("const ")
        target = bare.removesuffix("*").strip()
        constant = kind.startswith("const ")
        if kind == "tuntap_error *":
            return "error", target
        if target in self.objects:
            return target, "void *"
        if target.removesuffix("*").strip() in self.objects:
            return "object_out", "void *"
        if target in self.structures:
            return "struct_in" if constant else "struct_out", target
        if bare == "char *":
            return "text" if constant else "text_out", "char"
        if bare == "uint8_t *" and next_name in ("count", "err") and name in ("mac", "macs"):
            return "bytes_in" if constant else "bytes_out", "mac_address"
        if bare == "struct iovec *":
            return "vectors", "struct iovec"
        if bare == "void *" and next_name == "size":
            return "memory_in" if constant else "memory", "char"
        if kind == "const void *" and name == "filter":
            return "filter", "uint64_t"
        if kind == "int *" and name == "fd":
            return "fd_out", "int"
        if bare in SCALARS:
            return "scalar_out", SCALARS[bare]
        return None

    def describe(self, function, place):
        kind, name, text = function.parameters[place]
        names = [parameter.name for parameter in function.parameters]
        following = names[place + 1 :]
        fields = {"name": f'"{name}"', "count": -1, "size": -1}
        if "*" in kind:
            found = self.pointer(kind, name, following[0] if following else None)
            if not found:
                die(f"{function.name}: no values for `{kind} {name}`")
            if found[1] == "tuntap_packet" and (kind.startswith("const ") or text.startswith("On entry: ")):
                found = "packets" if kind.startswith("const ") else "buffers", found[1]
            fields["kind"], unit = f"&{found[0]}_kind", found[1]
            fields["unit"] = f"sizeof({unit})"
            for one in following[:2]:
                member = "size" if one == f"{name}_size" else one
                if member not in ("count", "size") or (member == "size" and fields["size"] >= 0):
                    break
                fields[member] = names.index(one)
            fields["nonnull"] = str(found[0] != "error" and "NULL" not in text).lower()
            fields["written_after_failure"] = str("after an error too" in text).lower()
            if found[0] == "text":
                if name not in TEXTS:
                    die(f"{function.name}: no good text for `{name}`")
                fields["text"] = f'"{TEXTS.get(f"{function.name}: {name}", TEXTS[name])}"'
            if found[0] == "object_out":
                fields["release"] = f"release_{kind.split()[0]}"
        elif (kind, name) == ("int", "fd"):
            fields["kind"] = "&fd_kind"
        else:
            fields["kind"] = f"&{NUMBER_KINDS.get(kind) or die(f'{function.name}: no values for `{kind} {name}`')}_kind"
            fields["number"] = self.number(function, place)
        return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"

    def number(self, function, place):
        """A good number. That of a size is the size of what comes before it."""
        name = function.parameters[place].name
        if name in ("size", "hdr_size"):
            types = [one.type for one in function.parameters[:place] if "*" in one.type]
            target = types[-1].removeprefix("const ").removesuffix("*").strip()
            return f"sizeof({target})" if target in self.structures else 256
        if name not in NUMBERS:
            die(f"{function.name}: no good number for `{name}`")
        return NUMBERS[name]

    def errnos(self, function, seen=()):
        """The errnos of a function's reference, with those of the functions that it refers to; "..." when it is open."""
        text = " ".join(function.returned.split())
        found = set(re.findall(r"-(E[A-Z0-9]+)\b", text)) | ({"..."} if "..." in text else set())
        for name in re.findall(r"\b(?:[Aa]s|like) (tuntap_\w+)(?: and (tuntap_\w+))?", text):
            for one in name:
                if one in self.functions and one not in seen:
                    found |= self.errnos(self.functions[one], (*seen, function.name))
        return found

    def returns(self, function):
        zero = function.returned.startswith("0")
        return "ZERO" if zero and function.result == "int" else RETURNS[function.result]

    def call(self, function):
        """The function as one of an array of arguments."""
        values = []
        for place, parameter in enumerate(function.parameters):
            member = "pointer" if "*" in parameter.type else "number"
            values.append(f"({parameter.type})arguments[{place}].{member}")
        call = f"{function.name}({', '.join(values)})"
        if function.result == "void":
            body = f"{call};\n    return 0;"
        elif function.result == "const char *":
            body = f"return -({call}[0] == 0);"
        else:
            body = f"return (long){call};"
        unused = "" if values else "(void)arguments;\n    "
        return f"static long call_{function.name}(const struct argument *arguments)\n{{\n    {unused}{body}\n}}\n"

    def write(self):
        yield '/* Written by generate.py. */\n#include "api.h"\n'
        yield "typedef uint8_t mac_address[TUNTAP_MAC_SIZE];\n"
        for kind, name in self.releases.items():
            yield f"static void release_{kind}(void *object)\n{{\n    {name}(object);\n}}\n"
        for function in self.functions.values():
            yield self.call(function)
        yield "const struct function functions[] = {"
        for function in self.functions.values():
            errnos = self.errnos(function)
            places = range(len(function.parameters))
            yield f'    {{.name = "{function.name}", .call = call_{function.name}, .returns = {self.returns(function)},'
            frees = is_release(function) or function.name == "tuntap_release"
            changes = function.result != "void" and [one[:2] for one in function.parameters[:1]] == [("tuntap *", "dev")]
            yield f"     .parameters = {len(places)}, .changes = {str(changes).lower()}, .frees = {str(frees).lower()}, .open = {str('...' in errnos).lower()},"
            yield f"     .documented = {{{', '.join([*sorted(errnos - {'...'}), '0'])}}},"
            parameters = ", ".join(self.describe(function, place) for place in places) or "{0}"
            yield f"     .parameter = {{{parameters}}}}},"
        yield "};\nconst int functions_count = LENGTH(functions);"


def main():
    found = header.read(sys.argv[1])
    functions = {function.name: function for function in found.functions}
    with open(sys.argv[2], encoding="utf-8") as symbols:
        check(functions, symbols.read())
    structures, objects = ({one.name for one in kind} for kind in (found.structs, found.objects))
    print("\n".join(Table(functions, structures, objects).write()))


main()
