# SPDX-License-Identifier: MIT
"""Uses of pytun, and their results. Each function runs with python-pytun and with tuntap.pytun, each time in a new
process and a new network namespace. test_conformance.py compares what the function yields: labels and results.
"""

import contextlib
import copy
import fcntl
import gc
import os
import pickle
import select
import signal
import socket
import struct
import sys
import threading
import time
import weakref

import witness

PROPERTIES = ("addr", "dstaddr", "netmask", "mtu", "hwaddr")


def attempt(action, *arguments, **named):
    """Returns the result of a call: its value, or everything that a program can see of its exception."""
    try:
        return "returned", action(*arguments, **named)
    except OSError as error:
        return "raised", type(error).__name__, error.errno, error.args, str(error)
    except Exception as error:
        # The messages of the interpreter differ between its versions.
        return "raised", type(error).__name__


def attempt_get(device, name):
    return attempt(getattr, device, name)


def attempt_set(device, name, value):
    return attempt(setattr, device, name, value)


def constants(pytun):
    for name in sorted(name for name in dir(pytun) if name.startswith("IFF_")):
        yield name, getattr(pytun, name)


def names(pytun):
    public = {"Error", "TunTapDevice"} | {name for name in dir(pytun) if name.startswith("IFF_")}
    yield "module", sorted(public & set(dir(pytun)))
    yield "class", sorted(name for name in dir(pytun.TunTapDevice) if not name.startswith("_"))


def error_class(pytun):
    yield "name", pytun.Error.__name__
    yield "bases", [base.__name__ for base in pytun.Error.__bases__]
    yield "errno", attempt(pytun.TunTapDevice, dev="/nowhere/tun")
    yield "message", attempt(pytun.TunTapDevice, flags=0)
    error = pytun.Error(5, "words")
    yield "created", (error.errno, error.strerror, str(error))


def open_kinds(pytun):
    flags = {name: getattr(pytun, name) for name in dir(pytun) if name.startswith("IFF_")}
    tun, tap, no_pi = flags["IFF_TUN"], flags["IFF_TAP"], flags["IFF_NO_PI"]
    for label, value in {
        "tun": tun,
        "tap": tap,
        "tun no_pi": tun | no_pi,
        "tap no_pi": tap | no_pi,
        "one queue": tun | flags["IFF_ONE_QUEUE"],
        "multi queue": tap | flags["IFF_MULTI_QUEUE"],
        "vnet": tun | no_pi | flags["IFF_VNET_HDR"],
        "exclusive": tun | flags["IFF_TUN_EXCL"],
        "unknown bits": tun | 0x00080000,
        "negative": -0x8000 | tun,
    }.items():
        opened = attempt(pytun.TunTapDevice, "t0", value)
        if opened[0] == "raised":
            yield label, opened
            continue
        device = opened[1]
        yield label, (device.name, witness.shown("t0"))
        yield label + ", blocks", os.get_blocking(device.fileno())
        device.close()
        yield label + ", closed", witness.names()


def open_vnet_with_pi(pytun):
    opened = attempt(pytun.TunTapDevice, flags=pytun.IFF_TUN | pytun.IFF_VNET_HDR)
    yield "open", opened[0]


def open_other_flags(pytun):
    device = pytun.TunTapDevice("t0", pytun.IFF_TUN | 0x0040)  # IFF_NO_CARRIER, Linux 6.12
    device.up()
    yield "carrier", "NO-CARRIER" in witness.ip("link", "show", "t0")


def copy_and_pickle(pytun):
    device = pytun.TunTapDevice("t0")
    yield "copy", attempt(copy.copy, device)
    yield "pickle", attempt(pickle.dumps, device)


def star_import(pytun):
    module = {}
    exec(f"from {pytun.__name__} import *", module)
    yield "names", sorted(name for name in module if not name.startswith("__"))


def open_names(pytun):
    device = pytun.TunTapDevice()
    yield "default", device.name
    device.close()
    for name in (
        "mytun",
        "my%d",
        "",
        "a" * 15,
        "a" * 16,
        "ä" * 8,
        "tün",
        "a/b",
        "a:b",
        "a b",
        "lo",
        ".",
        "..",
        "%d%d",
        "x%s",
        "%",
        "a\0b",
        "a\n",
        5,
        None,
        b"tun5",
    ):
        opened = attempt(pytun.TunTapDevice, name=name)
        yield repr(name), opened if opened[0] == "raised" else (opened[1].name, witness.names())
        del opened
        gc.collect()
    kept = [pytun.TunTapDevice(name="many%d") for _ in range(3)]
    yield "pattern", [device.name for device in kept]


def open_arguments(pytun):
    for flags in (0, pytun.IFF_NO_PI, pytun.IFF_TUN | pytun.IFF_TAP, "1", 1.0, None, 1 << 40, -(1 << 40), True):
        opened = attempt(pytun.TunTapDevice, flags=flags)
        yield f"flags {flags!r}", opened if opened[0] == "raised" else opened[1].name
    for dev in ("/nowhere/tun", "/dev/null", "/", "", "/dev/net/tun\0", 5, None):
        opened = attempt(pytun.TunTapDevice, dev=dev)
        yield f"dev {dev!r}", opened if opened[0] == "raised" else opened[1].name
    yield "too many", attempt(pytun.TunTapDevice, "t0", 1, "/dev/net/tun", 5)
    yield "unknown", attempt(pytun.TunTapDevice, size=5)
    opened = attempt(pytun.TunTapDevice, "t0", pytun.IFF_TAP, "/dev/net/tun")
    yield "by position", opened[1].name
    # The arguments are checked in this order.
    yield "flags before name", attempt(pytun.TunTapDevice, "a" * 20, 0)
    yield "name before dev", attempt(pytun.TunTapDevice, "a" * 20, 1, "/nowhere/tun")


def open_taken(pytun):
    first = pytun.TunTapDevice("t0")
    yield "same name", attempt(pytun.TunTapDevice, "t0")
    yield "exclusive", attempt(pytun.TunTapDevice, "t0", pytun.IFF_TUN | pytun.IFF_TUN_EXCL)
    yield "other kind", attempt(pytun.TunTapDevice, "t0", pytun.IFF_TAP)
    first.persist()
    first.close()
    yield "persists", witness.shown("t0")
    yield "exclusive, idle", attempt(pytun.TunTapDevice, "t0", pytun.IFF_TUN | pytun.IFF_TUN_EXCL)
    yield "other kind, idle", attempt(pytun.TunTapDevice, "t0", pytun.IFF_TAP)
    again = pytun.TunTapDevice("t0")
    yield "again", again.name
    again.persist(False)
    again.close()
    yield "gone", witness.names()


def open_unprivileged(pytun):
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    yield "open", attempt(pytun.TunTapDevice)


def open_other_modes(pytun):
    witness.ip("tuntap", "add", "dev", "t0", "mode", "tun", "multi_queue")
    first = attempt(pytun.TunTapDevice, "t0", pytun.IFF_TUN | pytun.IFF_NO_PI | pytun.IFF_MULTI_QUEUE)
    yield "first", first[0]
    second = attempt(pytun.TunTapDevice, "t0", pytun.IFF_TUN | pytun.IFF_MULTI_QUEUE)
    yield "other packet information", second[0]


def persist(pytun):
    device = pytun.TunTapDevice("t0")
    for flag in ((), (True,), (False,), (1,), (None,), ("yes",), (True, True)):
        yield f"persist{flag}", attempt(device.persist, *flag)
        yield f"persist{flag}, shown", witness.shown("t0")["driver"].get("persist")


def addresses(device, label):
    """Yields the addresses of a device, as the device and ip(8) report them."""
    yield f"{label}, get", [attempt_get(device, name) for name in ("addr", "dstaddr", "netmask")]
    yield f"{label}, shown", witness.shown("t0")["addresses"]


def addr(pytun, flags=None):
    device = pytun.TunTapDevice("t0", pytun.IFF_TUN if flags is None else flags)
    yield "unset", attempt_get(device, "addr")
    yield "unset netmask", attempt_get(device, "netmask")
    yield "unset dstaddr", attempt_get(device, "dstaddr")
    for value in (
        "10.8.0.1",
        "10.8.0.1",
        "172.16.0.1",
        "192.168.7.7",
        "100.64.0.9",
        "127.0.0.9",
        "240.0.0.1",
        "224.0.0.1",
        "10.1",
        "0x0a080001",
        "010.8.0.1",
        "167772165",
        "10.8.0.1 and more",
        " 10.8.0.1",
        "",
        "abc",
        "256.1.1.1",
        "10.8.0.1/24",
        "::1",
        "1.2.3.4.5",
        "0.0.0.0",
        "0.0.0.0",
        "10.0.0.1",
        "10.8.0.\u0661",
        None,
        5,
        b"10.8.0.1",
        "10.8.0.3",
    ):
        yield f"{value!r}", attempt_set(device, "addr", value)
        yield from addresses(device, f"{value!r}")


def addr_of_no_host(pytun):
    device = pytun.TunTapDevice("t0")
    for value in ("255.255.255.255", "0.1.2.3"):
        yield value, attempt_set(device, "addr", value)


def addr_of_tap(pytun):
    yield from addr(pytun, pytun.IFF_TAP)


def dstaddr(pytun, flags=None):
    device = pytun.TunTapDevice("t0", pytun.IFF_TUN if flags is None else flags)
    yield "without addr", attempt_set(device, "dstaddr", "10.8.0.2")
    device.addr = "10.8.0.1"
    for value in (
        "10.8.0.2",
        "10.8.0.2",
        "10.8.0.9",
        "10.8.0.1",
        "10.9.3.1",
        "127.0.0.1",
        "224.0.0.1",
        "10.1",
        "abc",
        "",
        "10.8.0.2/24",
        None,
        5,
        b"10.8.0.2",
        "10.8.0.3",
    ):
        yield f"{value!r}", attempt_set(device, "dstaddr", value)
        yield from addresses(device, f"{value!r}")


def dstaddr_of_tap(pytun):
    yield from dstaddr(pytun, pytun.IFF_TAP)


def netmask(pytun, flags=None):
    device = pytun.TunTapDevice("t0", pytun.IFF_TUN if flags is None else flags)
    yield "without addr", attempt_set(device, "netmask", "255.255.255.0")
    device.addr = "10.8.0.1"
    for value in (
        "255.255.255.0",
        "255.255.255.0",
        "255.255.0.0",
        "255.255.255.252",
        "255.0.255.0",
        "0.255.255.255",
        "255.255",
        "255.255.255.240",
        "abc",
        "24",
        "",
        "/24",
        None,
        5,
        b"255.255.255.0",
        "255.255.255.128",
    ):
        yield f"{value!r}", attempt_set(device, "netmask", value)
        yield from addresses(device, f"{value!r}")


def netmask_all_ones_and_zeros(pytun):
    for kind in (pytun.IFF_TUN, pytun.IFF_TAP):
        device = pytun.TunTapDevice("t0", kind)
        for value in ("255.255.255.255", "0.0.0.0", "255.255.255.254"):
            device.addr = "10.8.0.1"
            yield f"{kind}: {value}", attempt_set(device, "netmask", value)
            yield f"{kind}: {value}, get", [attempt_get(device, name) for name in ("addr", "dstaddr", "netmask")]
            yield f"{kind}: {value}, shown", witness.shown("t0")["addresses"]
            device.addr = "0.0.0.0"


def netmask_after_host_netmask(pytun):
    device = pytun.TunTapDevice("t0", pytun.IFF_TAP)
    device.addr = "10.8.0.1"
    device.netmask = "255.255.255.255"
    device.netmask = "255.255.255.0"
    yield "broadcast", [address["broadcast"] for address in witness.shown("t0")["addresses"]]


def netmask_of_tap(pytun):
    yield from netmask(pytun, pytun.IFF_TAP)


def readme(pytun):
    """The statements of pytun's README, on a device that is down, and on one that is up."""
    for up_first in (False, True):
        for kind in (pytun.IFF_TUN, pytun.IFF_TAP):
            device = pytun.TunTapDevice("t0", kind)
            if up_first:
                device.up()
            device.addr = "10.8.0.1"
            device.dstaddr = "10.8.0.2"
            device.netmask = "255.255.255.0"
            device.mtu = 1400
            yield f"{up_first} {kind}", witness.shown("t0")
            yield f"{up_first} {kind}, get", [attempt_get(device, name) for name in PROPERTIES[:4]]
            routes = witness.ip("route", "show", "dev", "t0")
            yield f"{up_first} {kind}, routes", sorted(routes.replace("linkdown", "").split())
            device.addr = "10.9.0.1"
            yield f"{up_first} {kind}, another", witness.shown("t0")
            device.close()


def other_addresses(pytun):
    """Another program adds an address to the device."""
    device = pytun.TunTapDevice("t0")
    device.addr = "10.8.0.1"
    witness.ip("address", "add", "10.9.0.1/24", "dev", "t0")
    device.addr = "10.8.0.5"
    yield "left", witness.shown("t0")["addresses"]


def mtu(pytun):
    for kind in (pytun.IFF_TUN, pytun.IFF_TAP):
        device = pytun.TunTapDevice("t0", kind)
        yield f"{kind}: new", attempt_get(device, "mtu")
        for value in (
            1400,
            68,
            67,
            1,
            0,
            -1,
            65521,
            65522,
            65535,
            65536,
            70000,
            2**31 - 1,
            2**63,
            -(2**63) - 1,
            "1500",
            # Before Python 3.10 a C module took it, with a warning.
            1500.0 if sys.version_info >= (3, 10) else "",
            None,
            True,
            1300,
        ):
            yield f"{kind}: {value!r}", attempt_set(device, "mtu", value)
            yield f"{kind}: {value!r}, shown", (attempt_get(device, "mtu"), witness.shown("t0")["mtu"])
        device.close()


def mtu_wraps(pytun):
    device = pytun.TunTapDevice("t0")
    for value in (2**31, 2**32, 2**32 + 1400, -(2**32) + 1400):
        yield f"{value}", (attempt_set(device, "mtu", value), witness.shown("t0")["mtu"])


def hwaddr(pytun):
    for kind in (pytun.IFF_TUN, pytun.IFF_TAP):
        device = pytun.TunTapDevice("t0", kind)
        got = attempt_get(device, "hwaddr")
        yield f"{kind}: new", (got[0], type(got[1]).__name__, len(got[1]))
        if kind == pytun.IFF_TUN:
            yield f"{kind}: none", got
        for value in (
            b"\x02\x11\x22\x33\x44\x55",
            b"\x00\x11\x22\x33\x44\x55",
            b"\x01\x11\x22\x33\x44\x55",
            bytes(6),
            b"\xff" * 6,
            b"",
            b"12345",
            b"1234567",
            "\x00\x11\x22\x33\x44\x55",
            None,
            5,
            b"\x02\x11\x22\x33\x44\x66",
        ):
            yield f"{kind}: {value!r}", attempt_set(device, "hwaddr", value)
            if kind == pytun.IFF_TAP and value == b"\x02\x11\x22\x33\x44\x66":
                yield "shown", "02:11:22:33:44:66" in witness.ip("link", "show", "t0")
                yield "get", attempt_get(device, "hwaddr")
        device.close()


def hwaddr_bytearray(pytun):
    device = pytun.TunTapDevice("t0", pytun.IFF_TAP)
    yield "set", attempt_set(device, "hwaddr", bytearray(b"\x02\x11\x22\x33\x44\x55"))


def up_and_down(pytun):
    device = pytun.TunTapDevice("t0")
    for action in (device.down, device.up, device.up, device.down, device.down):
        yield action.__name__, (attempt(action), witness.shown("t0")["up"])
    yield "argument", attempt(device.up, 1)


def create_up(pytun, flags=0):
    device = pytun.TunTapDevice("t0", pytun.IFF_TUN | flags)
    device.addr = "10.8.0.1"
    device.netmask = "255.255.255.0"
    device.up()
    discard_packets(device)
    return device


def discard_packets(device):
    """Reads and discards the packets that the kernel sends by itself."""
    while select.select([device], [], [], 0.05)[0]:
        device.read(2000)


def stable_parts(packet):
    """Returns the parts of a packet that do not change: without the identification and the checksums."""
    return packet[:8], packet[10:14], packet[16:24], len(packet), packet[-5:]


def read(pytun):
    device = create_up(pytun)
    for size in (1500, 65535, 30, 4, 3, 1, 100000):
        witness.send("10.8.0.9", b"hello")
        yield f"read({size})", attempt(lambda size=size: len(device.read(size)))
        yield f"read({size}), left", select.select([device], [], [], 0)[0] == []
    witness.send("10.8.0.9", b"hello")
    packet = device.read(1500)
    yield "type", type(packet).__name__
    yield "packet", (packet[:4], len(packet), packet[-5:])
    yield "read(0)", attempt(device.read, 0)
    for arguments in ((), (1, 2), ("5",), (1.5,), (None,)):
        yield f"read{arguments}", attempt(device.read, *arguments)
    yield "keyword", attempt(lambda: device.read(size=5))
    witness.send("10.8.0.9", b"hello")
    yield "True", attempt(lambda: len(device.read(True)))


def read_without_pi(pytun):
    device = create_up(pytun, pytun.IFF_NO_PI)
    witness.send("10.8.0.9", b"hello")
    packet = device.read(1500)
    yield "packet", (packet[:4], packet[9:10], packet[12:20], packet[-5:], len(packet))


def read_negative(pytun):
    device = create_up(pytun)
    witness.send("10.8.0.9", b"hello")
    yield "read(-1)", attempt(lambda: len(device.read(-1)))


def read_wraps(pytun):
    device = create_up(pytun)
    witness.send("10.8.0.9", b"hello")
    yield "read(2**32 + 5)", attempt(lambda: len(device.read(2**32 + 5)))


def read_nonblocking(pytun):
    device = create_up(pytun)
    flags = fcntl.fcntl(device.fileno(), fcntl.F_GETFL)
    yield "flags", bool(flags & os.O_NONBLOCK)
    fcntl.fcntl(device.fileno(), fcntl.F_SETFL, flags | os.O_NONBLOCK)
    yield "nothing", attempt(device.read, 1500)
    witness.send("10.8.0.9", b"hello")
    yield "something", attempt(lambda: len(device.read(1500)))
    yield "by os", attempt(os.read, device.fileno(), 100)[1]


def read_with_offload_header(pytun):
    device = create_up(pytun, pytun.IFF_NO_PI | pytun.IFF_VNET_HDR)
    witness.send("10.8.0.9", b"hello")
    packet = device.read(1500)
    yield "header", (packet[:2], len(packet), packet[-5:], packet[10:12])
    receiver = witness.raw_socket()
    yield "write", attempt(device.write, bytes(10) + witness.ipv4("10.8.0.7", "10.8.0.1"))
    yield "received", receiver.recv(100)[20:]


def write(pytun):
    device = create_up(pytun)
    receiver = witness.raw_socket()
    head = struct.pack("!HH", 0, 0x0800)
    packet = head + witness.ipv4("10.8.0.7", "10.8.0.1")
    yield "write", attempt(device.write, packet)
    yield "received", receiver.recv(100)[20:]
    for data in (
        b"",
        b"abc",
        head,
        head + b"x",
        head + b"\x45",
        b"\0" * 100,
        packet[:10],
        struct.pack("!HH", 0, 0x86DD) + b"\x60" * 60,
        None,
        5,
        [1],
    ):
        yield f"{data!r}", attempt(device.write, data)
    yield "nothing", attempt(device.write)
    yield "two", attempt(device.write, packet, packet)
    device.down()
    yield "down", attempt(device.write, packet)
    device.up()
    yield "up", attempt(device.write, packet)


def write_without_pi(pytun):
    device = create_up(pytun, pytun.IFF_NO_PI)
    receiver = witness.raw_socket()
    yield "write", attempt(device.write, witness.ipv4("10.8.0.7", "10.8.0.1"))
    yield "received", receiver.recv(100)[20:]
    for data in (b"", b"\x45", b"\x00" * 40, b"\x60" * 10):
        yield f"{data!r}", attempt(device.write, data)


def write_other_buffers(pytun):
    device = create_up(pytun, pytun.IFF_NO_PI)
    for kind in (bytearray, memoryview):
        yield kind.__name__, attempt(device.write, kind(witness.ipv4("10.8.0.7", "10.8.0.1")))


def write_str(pytun):
    device = create_up(pytun, pytun.IFF_NO_PI)
    yield "write", attempt(device.write, "E" * 40)


def frames(pytun):
    device = pytun.TunTapDevice("t0", pytun.IFF_TAP | pytun.IFF_NO_PI)
    device.hwaddr = b"\x02\0\0\0\0\x01"
    device.addr = "10.8.0.1"
    device.up()
    discard_packets(device)
    receiver = witness.raw_socket()
    frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + witness.ipv4("10.8.0.7", "10.8.0.1")
    yield "write", attempt(device.write, frame)
    yield "received", receiver.recv(100)[20:]
    yield "short", attempt(device.write, frame[:13])
    witness.ip("neigh", "add", "10.8.0.9", "lladdr", "02:00:00:00:00:09", "dev", "t0")
    witness.send("10.8.0.9", b"hello")
    frame = device.read(1500)
    while frame[12:14] == b"\x86\xdd":
        # The kernel repeats its multicast listener reports at any time.
        frame = device.read(1500)
    yield "read", stable_parts(frame)[0]


def selected(pytun):
    device = create_up(pytun)
    yield "fileno", device.fileno() >= 0
    yield "idle", [len(ready) for ready in select.select([device], [device], [], 0)]
    witness.send("10.8.0.9", b"hello")
    yield "ready", [len(ready) for ready in select.select([device], [device], [], 1)]
    poll = select.poll()
    poll.register(device, select.POLLIN)
    yield "poll", [event for _, event in poll.poll(1000)]
    device.close()
    yield "closed", device.fileno()
    yield "select, closed", attempt(select.select, [device], [], [], 0)


def closed(pytun):
    device = pytun.TunTapDevice("t0")
    yield "close", attempt(device.close)
    yield "again", attempt(device.close)
    yield "fileno", device.fileno()
    yield "name", attempt_get(device, "name")
    for name in PROPERTIES:
        yield f"get {name}", attempt_get(device, name)
    for name, value in (("addr", "10.8.0.1"), ("dstaddr", "10.8.0.1"), ("netmask", "255.0.0.0"), ("mtu", 1400)):
        yield f"set {name}", attempt_set(device, name, value)
    for action in (device.up, device.down, device.persist, device.mq_attach):
        yield action.__name__, attempt(action)
    yield "mq_attach(False)", attempt(device.mq_attach, False)
    yield "read", attempt(device.read, 100)
    yield "write", attempt(device.write, b"x" * 40)
    yield "bad addr", attempt_set(device, "addr", "x")
    yield "bad mtu", attempt_set(device, "mtu", 0)


def closed_and_persistent(pytun):
    device = pytun.TunTapDevice("t0")
    device.persist()
    device.close()
    yield "mtu", attempt_get(device, "mtu")


def gone(pytun):
    device = pytun.TunTapDevice("t0", pytun.IFF_TAP)
    witness.ip("link", "delete", "t0")
    for name in ("name", *PROPERTIES):
        yield f"get {name}", attempt_get(device, name)
    for name, value in (
        ("addr", "10.8.0.1"),
        ("dstaddr", "10.8.0.1"),
        ("netmask", "255.0.0.0"),
        ("mtu", 1400),
        ("hwaddr", b"\x02\0\0\0\0\x01"),
    ):
        yield f"set {name}", attempt_set(device, name, value)
    for action in (device.up, device.down, device.persist, device.mq_attach):
        yield action.__name__, attempt(action)
    yield "read", attempt(device.read, 100)
    yield "write", attempt(device.write, b"x" * 40)
    yield "close", attempt(device.close)


def renamed(pytun):
    device = pytun.TunTapDevice("t0")
    witness.ip("link", "set", "t0", "name", "t1")
    yield "name", device.name
    yield "mtu", attempt_get(device, "mtu")


def name_is_read_only(pytun):
    device = pytun.TunTapDevice("t0")
    yield "set", attempt_set(device, "name", "t1")
    yield "unknown", attempt_set(device, "anything", 5)
    yield "weak", attempt(lambda: weakref.ref(device) is None)
    yield "equal", device == device and hash(device) == hash(device)


def delete_properties(pytun):
    device = pytun.TunTapDevice("t0")
    for name in PROPERTIES:
        yield name, attempt(delattr, device, name)


def queues(pytun):
    flags = pytun.IFF_TUN | pytun.IFF_MULTI_QUEUE
    first = pytun.TunTapDevice("t0", flags)
    second = attempt(pytun.TunTapDevice, "t0", flags)
    yield "second", second[1].name
    yield "attached already", attempt(first.mq_attach)
    yield "detach", attempt(first.mq_attach, False)
    yield "again", attempt(first.mq_attach, False)
    yield "attach", attempt(first.mq_attach, True)
    for value in (1, None, "x"):
        yield f"{value!r}", attempt(first.mq_attach, value)
    yield "two", attempt(first.mq_attach, True, True)


def queues_of_one(pytun):
    device = pytun.TunTapDevice("t0")
    yield "attach", attempt(device.mq_attach)
    yield "detach", attempt(device.mq_attach, False)


def delete_reference(pytun):
    device = pytun.TunTapDevice("t0")
    yield "exists", "t0" in witness.names()
    del device
    yield "gone", "t0" in witness.names()


def inherited(pytun):
    device = pytun.TunTapDevice("t0")
    yield "inheritable", os.get_inheritable(device.fileno())


def interrupted(pytun):
    """A signal handler that returns."""
    device = create_up(pytun)
    handled = []
    signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    threading.Timer(0.3, witness.send, ("10.8.0.9", b"hello")).start()
    yield "read", attempt(lambda: len(device.read(1500)))


def interrupted_by_exception(pytun):
    """A signal handler that raises."""
    device = create_up(pytun)

    def handle(*_):
        raise KeyError

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    yield "read", attempt(device.read, 1500)


def threads(pytun):
    """Other threads run while one waits."""
    device = create_up(pytun)
    lengths = []
    reader = threading.Thread(target=lambda: lengths.append(len(device.read(1500))))
    reader.start()
    time.sleep(0.1)
    yield "waits", lengths
    witness.send("10.8.0.9", b"hello")
    reader.join(5)
    yield "woken", lengths


def subclass(pytun):
    yield "created", attempt(lambda: type("Mine", (pytun.TunTapDevice,), {}).__name__)


def tunnel(pytun):
    """Both ends of a UDP tunnel, as programs that use pytun have it."""
    with contextlib.ExitStack() as stack:
        inside = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
        for end in inside:
            end.bind(("127.0.0.1", 0))
        ends = [
            create_tunnel_end(pytun, name, addr, peer)
            for name, addr, peer in (("a0", "10.8.1.1", "10.8.1.2"), ("b0", "10.8.2.1", "10.8.2.2"))
        ]
        for sent in range(3):
            witness.send("10.8.1.2", b"%d through the tunnel" % sent)
            select.select([ends[0]], [], [], 5)
            inside[0].sendto(ends[0].read(ends[0].mtu), inside[1].getsockname())
            packet = inside[1].recv(65535)
            yield f"through {sent}", packet[-20:]
            yield f"written {sent}", attempt(ends[1].write, packet)


def create_tunnel_end(pytun, name, addr, peer):
    device = pytun.TunTapDevice(name, pytun.IFF_TUN | pytun.IFF_NO_PI)
    device.addr = addr
    device.dstaddr = peer
    device.netmask = "255.255.255.255"
    device.mtu = 1400
    device.up()
    discard_packets(device)
    return device
