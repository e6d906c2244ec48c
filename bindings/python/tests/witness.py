# SPDX-License-Identifier: MIT
"""Observes devices without the library, and builds packets."""

import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
PROTOCOL = 253  # For experiments: no program answers.


def enter_namespace():
    """Moves this process to a new network namespace, which ends with the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "set", "lo", "up")


def has_other_users():
    """Returns whether this user namespace has other users. The one of an unprivileged user does not."""
    with open("/proc/self/uid_map") as users:
        return users.read().split()[-1] == "4294967295"


def set_ipv6(on):
    """Sets whether new devices have IPv6. With IPv6, the kernel sends packets by itself."""
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as setting:
        setting.write("0" if on else "1")


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def names():
    return sorted(link["ifname"] for link in json.loads(ip("-j", "link")))


def shown(name):
    """Returns what ip(8) shows of a device, without values that differ each time."""
    link = json.loads(ip("-j", "-d", "address", "show", "dev", name))[0]
    addresses = [
        {key: address.get(key) for key in ("local", "address", "prefixlen", "broadcast", "scope", "label")}
        for address in link["addr_info"]
        if address["family"] == "inet"
    ]
    kind = {key: value for key, value in link.get("linkinfo", {}).get("info_data", {}).items()}
    return {
        "up": "UP" in link["flags"],
        "mtu": link["mtu"],
        "kind": link["link_type"],
        "driver": kind,
        "addresses": addresses,
    }


def ipv4(source, destination, payload=b"payload of a packet", protocol=PROTOCOL):
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        20 + len(payload),
        7,
        0,
        64,
        protocol,
        0,
        socket.inet_aton(source),
        socket.inet_aton(destination),
    )
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


@contextlib.contextmanager
def uplink(name="up0", network="192.0.2", metric=10):
    """Creates an interface with a default route, as an uplink to the Internet has one."""
    ip("link", "add", name, "type", "veth", "peer", "name", f"far-{name}")
    try:
        ip("link", "set", f"far-{name}", "up")
        ip("link", "set", name, "up")
        ip("address", "add", f"{network}.2/24", "dev", name)
        ip("route", "add", "default", "via", f"{network}.1", "metric", str(metric))
        yield name
    finally:
        ip("link", "delete", name)


def interface_to(*packet):
    """Returns the interface through which the kernel sends a packet with these properties."""
    return json.loads(ip("-j", "route", "get", *packet))[0]["dev"]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def raw_socket(protocol=PROTOCOL):
    """Opens a raw socket, which receives the packets that come in through a device."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    receiver.settimeout(5)
    return receiver


def packet_socket(name):
    """Opens a packet socket, which receives the packets that come in through a device."""
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    receiver.bind((name, 0x0003))
    receiver.settimeout(5)
    return receiver


def send(destination, payload, port=9):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (destination, port))


def link(name):
    return json.loads(ip("-j", "-d", "-s", "link", "show", "dev", name))[0]


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def resident():
    """Returns the resident memory of this process, in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


STRAY = bytes.fromhex("020000000009 020000000002 88b5") + bytes(986)


@contextlib.contextmanager
def slow_link(tap):
    """Bridges a TAP to a link that is so slow that the send buffer fills up. Yields a function that ends this."""
    ip("link", "add", "bridge0", "type", "bridge", "mcast_snooping", "0")
    ip("link", "add", "slow0", "type", "veth", "peer", "name", "far0")
    for name in (tap, "slow0"):
        ip("link", "set", name, "master", "bridge0")
    for name in ("far0", "slow0", "bridge0"):
        ip("link", "set", name, "up")
    limit = ["tc", "qdisc", "add", "dev", "slow0", "root", "tbf", "rate", "64bit", "burst", "1600", "limit", "1000000"]
    subprocess.run(limit, check=True)
    try:
        yield lambda: subprocess.run(["tc", "qdisc", "del", "dev", "slow0", "root"], check=True)
    finally:
        ip("link", "delete", "slow0")
        ip("link", "delete", "bridge0")
