# SPDX-License-Identifier: MIT
"""Which pages the reference has, and which functions, structs and constants each of them describes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from header import Constant, Function, Header, Section, Struct
from text import Block

# Functions that share a page, and what they do; also single ones whose first sentence is no title.
TITLES = {
    "tuntap_get_name tuntap_set_name": "the name of a device",
    "tuntap_get_owner tuntap_set_owner tuntap_get_group tuntap_set_group": "who may open a device without privilege",
    "tuntap_read tuntap_read_timeout tuntap_readv": "read a packet",
    "tuntap_write tuntap_write_timeout tuntap_writev": "write a packet",
    "tuntap_up tuntap_down tuntap_get_up": "bring a device up or take it down",
    "tuntap_get_mtu tuntap_set_mtu tuntap_get_mtu_range": "the MTU of a device",
    "tuntap_get_mac tuntap_set_mac": "the MAC address of a TAP",
    "tuntap_get_alias tuntap_set_alias": "the alias of a device",
    "tuntap_get_carrier tuntap_set_carrier": "the carrier of a device",
    "tuntap_get_txqueuelen tuntap_set_txqueuelen": "the length of the transmit queue",
    "tuntap_get_sndbuf tuntap_set_sndbuf": "the size of the send buffer",
    "tuntap_get_offloads tuntap_set_offloads": "the offloads of a device",
    "tuntap_get_master tuntap_set_master": "the bridge that a device is a port of",
    "tuntap_get_ipv6 tuntap_set_ipv6": "settings of IPv6 on a device",
    "tuntap_add_default_route tuntap_del_default_route": "route everything through a device",
    "tuntap_add_bypass tuntap_del_bypass": "exclude packets from the default route through a device",
    "tuntap_get_addr tuntap_set_addr": "the first address of a device",
    "tuntap_get_dstaddr tuntap_set_dstaddr": "the peer of the first IPv4 address",
    "tuntap_get_netmask tuntap_set_netmask": "the netmask of the first IPv4 address",
    "tuntap_config_new tuntap_config_free": "create and free the options of an open",
    "tuntap_config_set_owner tuntap_config_set_group": "options of an open: owner and group",
    "tuntap_config_set_netns tuntap_config_set_netns_fd": "options of an open: the network namespace",
    "tuntap_config_set_mtu tuntap_config_set_mac tuntap_config_set_alias tuntap_config_set_txqueuelen "
    "tuntap_config_set_sndbuf tuntap_config_set_up": "options of an open: properties of the interface",
    "tuntap_config_set_vnet_hdr_size tuntap_config_set_vnet_endian": "options of an open: the virtio header",
    "tuntap_config_add_addr tuntap_config_add_route": "options of an open: addresses and routes",
    "tuntap_set_netns tuntap_set_netns_fd": "move a device to another network namespace",
    "tuntap_attach tuntap_detach": "attach and detach a queue",
    "tuntap_reader_new tuntap_reader_free": "create and free a reader of batches",
    "tuntap_writer_new tuntap_writer_free": "create and free a writer of batches",
    "tuntap_writer_reserve tuntap_writer_commit": "write a packet from the memory of the writer",
    "tuntap_read_super tuntap_write_super": "read and write super-packets",
    "tuntap_splitter_new tuntap_splitter_free": "create and free a splitter of super-packets",
    "tuntap_splitter_begin tuntap_splitter_next tuntap_splitter_copy": "split a super-packet into packets",
    "tuntap_joiner_new tuntap_joiner_free": "create and free a joiner of packets",
    "tuntap_joiner_put tuntap_joiner_next": "join packets into super-packets",
    "tuntap_set_steering_ebpf tuntap_set_filter_ebpf": "eBPF programs that select queues and packets",
    "tuntap_monitor_open tuntap_monitor_close": "open and close a monitor of devices",
    "tuntap_monitor_next tuntap_strevent": "take the next event of a monitor",
    "tuntap_version tuntap_version_number": "the version of the library",
    "tuntap_open_config": "open a device with all options, or not at all",
    "tuntap_open_fd": "take over the descriptor of a device",
    "tuntap_release": "give the descriptor of a handle to the caller",
    "tuntap_get_index": "get the interface index",
    "tuntap_get_flags": "get the flags of a device and its handle",
    "tuntap_set_nonblock": "set whether packet functions wait",
    "tuntap_list": "list the TUN and TAP devices",
    "tuntap_wake": "end the current waits of a handle",
    "tuntap_config_set_node": "options of an open: the device node",
    "tuntap_reader_set_room": "set the free space around packets of a batch",
    "tuntap_writer_get_lost": "get the number of packets that the kernel refused",
    "tuntap_get_vnet_hdr_size": "get the size of the virtio header",
    "tuntap_set_filter_bpf": "set a classic BPF filter",
    "tuntap_set_filter_mac": "select the frames of a TAP by their destination",
    "tuntap_monitor_shutdown": "end the waits of a monitor",
    "tuntap_has tuntap_probe": "features of the library, of the kernel and of a device",
}
# Constants that no parameter and no member names.
UNNAMED = {"tuntap_version": "TUNTAP_VERSION_"}
REASON = "TUNTAP_REASON_"


@dataclass
class Page:
    name: str
    volume: int  # 3: functions; 7: about all of them
    about: str
    section: str = ""  # of the header
    functions: list[Function] = field(default_factory=list)
    structs: list[Struct] = field(default_factory=list)  # with their members
    constants: list[Constant] = field(default_factory=list)
    parts: list[tuple[str, list[Block]]] = field(default_factory=list)
    related: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [function.name for function in self.functions] or [self.name]

    def add(self, part: str, content: list[Block]) -> None:
        if content:
            self.parts.append((part, content))


class Book(NamedTuple):
    version: str
    header: Header
    pages: list[Page]
    home: dict[str, Page]  # of each function, struct and constant


def infinitive(sentence: str) -> str:
    """Opens a device. -> open a device"""
    verb, _, rest = sentence.rstrip(".").partition(" ")
    verb = re.sub(r"ies$", "y", verb) if verb.endswith("ies") else re.sub(r"(?<=ch)es$|s$", "", verb)
    return f"{verb[0].lower()}{verb[1:]} {rest}"


def summary(function: Function) -> str:
    """What a function does, in one line without a full stop."""
    sentence = re.split(r"\.(?:\s|$)|: ", " ".join(function.text.split()))[0]
    if len(sentence) > 64:
        sentence = re.split(r", | when | that | as ", sentence)[0]
    return infinitive(sentence)


def taken(function: Function, structs: list[Struct]) -> list[Struct]:
    """The structs that a function reads or fills in."""
    types = {re.sub(r"const | \*", "", parameter.type) for parameter in function.parameters}
    return [struct for struct in structs if struct.name in types and struct.name != "tuntap_error"]


def mentioned(texts: list[str], constants: list[Constant]) -> list[Constant]:
    """The constants that texts name, alone or by a family such as TUNTAP_ADDR_*."""
    named = {name for text in texts for name in re.findall(r"TUNTAP_\w+\*?", text)}
    families = {name.rstrip("*") for name in named if name.endswith("*")}
    return [
        constant
        for constant in constants
        if not constant.name.startswith(REASON) and (constant.name in named or family(constant.name) in families)
    ]


def members(page: Page) -> list[str]:
    return [member.text for struct in page.structs for member in struct.members]


def family(name: str) -> str:
    prefixes = ("TUNTAP_IPV6_", "TUNTAP_ROUTE_TYPE_", "TUNTAP_VNET_HDR_GSO_", "TUNTAP_VNET_HDR_F_")
    if name.endswith("_SIZE"):
        return ""
    return next((prefix for prefix in prefixes if name.startswith(prefix)), re.match(r"TUNTAP_[A-Z]+_?|", name)[0])


def constants(page: Page, section: Section, header: Header) -> list[Constant]:
    """What parameters name, and of what members name that of the same section."""
    texts = [one.text for function in page.functions for one in function.parameters if one.name != "err"]
    found = mentioned(texts, header.constants) + mentioned(members(page), section.constants)
    if any("flags above" in text for text in texts):
        found += [one for one in section.constants if one.value.startswith("0x")]
    unnamed = UNNAMED.get(page.name)
    found += [one for one in header.constants if unnamed and one.name.startswith(unnamed)]
    return [one for one in header.constants if one in found]


def groups(header: Header) -> list[Page]:
    """The empty pages of the functions, in the order of the header."""
    functions = {function.name: function for function in header.functions}
    shared = {name: (names.split(), about) for names, about in TITLES.items() for name in names.split()}
    made = []
    for section in header.sections:
        for function in section.functions:
            names, about = shared.get(function.name, ([function.name], summary(function)))
            if function.name == names[0]:
                made.append(Page(names[0], 3, about, section.name, [functions[name] for name in names]))
    return made


def assign(pages: list[Page], header: Header) -> dict[str, Page]:
    """Gives each struct and each constant to pages, and says which page is the home of each name."""
    home = {name: page for page in pages for name in page.names}
    sections = {section.name: section for section in header.sections}
    for section in header.sections:
        for struct in section.structs:
            takers = [page for page in pages if any(taken(function, [struct]) for function in page.functions)]
            takers.sort(key=lambda page: page.section != section.name)
            if takers:
                takers[0].structs.append(struct)
                home[struct.name] = takers[0]
    for page in pages:
        page.constants = constants(page, sections[page.section], header)
        for constant in page.constants:
            present = home.setdefault(constant.name, page)
            if constant not in sections[present.section].constants and constant in sections[page.section].constants:
                home[constant.name] = page
    return home
