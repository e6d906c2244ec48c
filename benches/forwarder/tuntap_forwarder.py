# SPDX-License-Identifier: MIT
"""tuntap_forwarder.py IF0 IF1 FORM: forwards with the module tuntap, a thread for each direction. FORM is

single  one packet per read and write, on a device with plain packets
pytun   the same with the class of pytun
bytes   batches, with a bytes object for each packet
batch   batches, without a copy of the packets"""

import sys
import threading

import tuntap
from tuntap import Flag

names, form = sys.argv[1:3], sys.argv[3]


def single(source, target):
    while True:
        packet = source.read()
        try:
            target.write(packet)
        except tuntap.Error:
            pass  # lost, as on any link


def pytun(source, target):
    while True:
        packet = source.read(65535)
        try:
            target.write(packet)
        except OSError:
            pass


def in_bytes(source, target):
    writer = target.writer()
    for packets in source.reader():
        try:
            writer.batch(packets.copy())
        except tuntap.Error:
            pass


def in_batches(source, target):
    writer = target.writer()
    for packets in source.reader():
        try:
            writer.batch(packets)
        except tuntap.Error:
            pass


def open_device(name):
    if form == "pytun":
        from tuntap.pytun import IFF_NO_PI, IFF_TUN, TunTapDevice

        return TunTapDevice(name=name, flags=IFF_TUN | IFF_NO_PI)
    return tuntap.Device(name, Flag.TUN if form == "single" else Flag.TUN | Flag.OFFLOAD)


forward = {"single": single, "pytun": pytun, "bytes": in_bytes, "batch": in_batches}[form]
first, second = map(open_device, names)
threading.Thread(target=forward, args=(second, first), daemon=True).start()
print("ready", flush=True)
forward(first, second)
