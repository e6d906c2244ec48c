# SPDX-License-Identifier: MIT
"""What others than the library see of a device, and packets that are made by hand."""

import ctypes
import json
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
PROTOCOL = 253  # For experiments: nobody answers.


def enter_namespace():
    """A network namespace of this process's own, which goes with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "set", "lo", "up")


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def names():
    return sorted(link["ifname"] for link in json.loads(ip("-j", "link")))


def shown(name):
    """What ip(8) shows of a device, without what is another each time."""
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
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0, socket.inet_aton(source),
        socket.inet_aton(destination)
    )
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def raw_socket(protocol=PROTOCOL):
    """Hears what comes in through a device."""
    heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    heard.settimeout(5)
    return heard


def send(destination, payload, port=9):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (destination, port))


def descriptors():
    return len(os.listdir("/proc/self/fd"))
