#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the cost of a packet in the module tuntap and in python-pytun, in turn within one run.

A round queues or prepares packets, and measures the time for them. A ratio compares two consecutive rounds. Prints the
median of all ratios, and the quartiles. Needs a private network namespace: unshare -n. packet.py [ROUNDS]"""

import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import time

import pytun

import tuntap
import tuntap.pytun

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
PACKETS = 400
PAYLOAD = bytes(64)
THEIRS, OURS, SAME, FAST = "10.1.0", "10.2.0", "10.3.0", "10.4.0"
UDP_SEGMENT = 103
SEGMENTS = 40


def queue_packets(network, segments=1):
    """Queues packets in the device of a network. segments: segments of a super-packet."""
    SENDER.setsockopt(socket.SOL_UDP, UDP_SEGMENT, len(PAYLOAD))
    for _ in range(PACKETS // segments):
        SENDER.sendto(PAYLOAD * segments, (network + ".9", 9))


def packet(network):
    """Returns a packet that the host accepts and drops: no program uses its protocol, 253."""
    ends = socket.inet_aton(network + ".9") + socket.inet_aton(network + ".1")
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(PAYLOAD), 0, 0, 64, 253, 0) + ends
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + ends + PAYLOAD


def reads(network, read):
    """Returns the preparation and the measured part of a round of reads, each of one packet."""

    def run():
        for _ in range(PACKETS):
            read()

    return lambda: queue_packets(network), run


def batch_reads(network, batch, segments=1):
    """Returns the preparation and the measured part of a round of batches."""

    def run():
        left = PACKETS
        while left > 0:
            left -= len(batch())

    return lambda: queue_packets(network, segments), run


def writes(write, value):
    def run():
        for _ in range(PACKETS):
            write(value)

    return lambda: None, run


def batch_writes(batch, packets):
    return lambda: None, lambda: batch(packets)


def nanoseconds(prepare, run):
    prepare()
    start = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start) / PACKETS


def compare(base, contenders):
    """Prints a line for each contender: nanoseconds a packet, and the ratio to the base. A ratio above 1 is slower."""
    ratios, costs = {name: [] for name in contenders}, {name: [] for name in (base[0], *contenders)}
    for _ in range(ROUNDS):
        for name, (prepare, run) in contenders.items():
            theirs, ours = nanoseconds(*base[1]), nanoseconds(prepare, run)
            costs[base[0]].append(theirs)
            costs[name].append(ours)
            ratios[name].append(ours / theirs)
    print(f"{base[0]:46} {statistics.median(costs[base[0]]):6.0f} ns")
    for name, values in ratios.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name:46} {statistics.median(costs[name]):6.0f} ns   {middle:.2f} ({low:.2f} to {high:.2f})")


SENDER = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
SENDER.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
theirs = pytun.TunTapDevice(name="theirs", flags=pytun.IFF_TUN | pytun.IFF_NO_PI)
theirs.addr, theirs.netmask = THEIRS + ".1", "255.255.255.0"
theirs.up()
device = tuntap.Device("ours", addrs=[OURS + ".1/24"], up=True, txqueuelen=5000)
same = tuntap.pytun.TunTapDevice(name="same", flags=tuntap.pytun.IFF_TUN | tuntap.pytun.IFF_NO_PI)
same.addr, same.netmask = SAME + ".1", "255.255.255.0"
same.up()
fast = tuntap.Device("fast", tuntap.Flag.TUN | tuntap.Flag.OFFLOAD, addrs=[FAST + ".1/24"], up=True, txqueuelen=5000)
for name in ("theirs", "same"):
    subprocess.run(["ip", "link", "set", name, "txqueuelen", "5000"], check=True)
time.sleep(0.5)  # By then the kernel has sent its own packets.
for opened in (theirs, same, device, fast):
    while select.select([opened], [], [], 0)[0]:
        os.read(opened.fileno(), 65_535)
buffer = bytearray(2000)
reader, fast_reader = device.reader(), fast.reader()
writer, fast_writer = device.writer(), fast.writer()
OUT = packet(OURS)

compare(
    ("read: python-pytun", reads(THEIRS, lambda: theirs.read(1500))),
    {
        "read: tuntap.pytun": reads(SAME, lambda: same.read(1500)),
        "read: Device.read": reads(OURS, device.read),
        "read: Device.readinto": reads(OURS, lambda: device.readinto(buffer)),
        "read: Reader.batch, as bytes": batch_reads(OURS, lambda: reader.batch().copy()),
        "read: Reader.batch, as it is": batch_reads(OURS, reader.batch),
        "read: Reader.batch, offload, as bytes": batch_reads(FAST, lambda: fast_reader.batch().copy()),
        "read: Reader.batch, offload, as it is": batch_reads(FAST, fast_reader.batch),
        "read: super-packets of 40, as bytes": batch_reads(FAST, lambda: fast_reader.batch().copy(), SEGMENTS),
        "read: super-packets of 40, as they are": batch_reads(FAST, fast_reader.batch, SEGMENTS),
    },
)
print()
compare(
    ("write: python-pytun", writes(theirs.write, packet(THEIRS))),
    {
        "write: tuntap.pytun": writes(same.write, packet(SAME)),
        "write: Device.write": writes(device.write, OUT),
        "write: Writer.batch": batch_writes(writer.batch, [OUT] * PACKETS),
        "write: Writer.batch, offload": batch_writes(fast_writer.batch, [packet(FAST)] * PACKETS),
    },
)
for opened in (device, fast, same, theirs):
    opened.close()
