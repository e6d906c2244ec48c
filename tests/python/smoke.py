# SPDX-License-Identifier: MIT
"""What both smoke tests do with the library, whoever calls it: a device in a network namespace of its own,
configured, seen by ip(8), and a packet out of it and into it."""

import json
import os
import socket
import subprocess
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def enter_namespace(libc):
    """A private network namespace: as root, or as root of a user namespace."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        if libc.unshare(CLONE_NEWNET) != 0:
            skip("root may not make a network namespace here")
        return
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("this user may not read and write /dev/net/tun")
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        skip("no unprivileged user namespaces here")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def skip(reason):
    print("SKIP:", reason)
    sys.exit(77)


def ip(*arguments):
    return json.loads(subprocess.run(["ip", "-j", "-d", *arguments], check=True, capture_output=True).stdout)


def check_link(name, mtu, address):
    """ip(8) sees what the library did."""
    link = ip("address", "show", "dev", name)[0]
    assert "UP" in link["flags"] and link["mtu"] == mtu, link
    assert address in [(a["local"], a["prefixlen"]) for a in link["addr_info"]], link


def check_packets(read, write, address, far_end):
    """A datagram leaves through the device; turned around, it comes back to its sender."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(30)
        sock.bind((address, 0))
        sock.sendto(b"hello", (far_end, sock.getsockname()[1]))
        packet = next(packet for packet in iter(read, None) if packet[0] >> 4 == 4 and packet[9] == 17)
        assert packet.endswith(b"hello"), packet
        assert write(packet[:12] + packet[16:20] + packet[12:16] + packet[20:]) == len(packet)
        assert sock.recv(100) == b"hello"
