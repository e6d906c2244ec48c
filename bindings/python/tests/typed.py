# SPDX-License-Identifier: MIT
"""Typical programs, for mypy --strict. This file is never run."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Optional

import tuntap
import tuntap.aio
from tuntap import Addr, Device, EventKind, Flag, Packets, Reason, Route
from tuntap.pytun import IFF_NO_PI, IFF_TUN, Error, TunTapDevice

if TYPE_CHECKING:
    from typing_extensions import assert_type


def configuration(device: Device) -> None:
    device.mtu = 1400
    device.mac = "02:00:00:00:00:01"
    device.addr = ipaddress.ip_interface("10.8.0.1/24")
    device.addr = "fd00::1/64"
    device.add_route(ipaddress.ip_network("10.9.0.0/16"), metric=5)
    assert_type(device.addr, Optional[ipaddress.IPv4Address])
    assert_type(device.list_addrs(), list[Addr])
    assert_type(device.list_routes(), list[Route])
    assert_type(device.find_route("192.0.2.1", mark=7), Route)
    assert_type(tuntap.find_route(ipaddress.ip_address("192.0.2.1")), Route)
    device.add_bypass(ipaddress.ip_network("192.0.2.0/24"))
    device.add_default_route(gateway=ipaddress.ip_address("10.8.0.2"), family=4, override=True)
    assert_type(device.master, Optional[str])
    device.master = None
    device.set_ipv6(tuntap.IPv6Setting.ACCEPT_RA, 0)
    assert_type(device.stats.rx_packets, int)


def synchronous() -> None:
    with Device("vpn%d", Flag.TUN | Flag.OFFLOAD, addrs=["10.8.0.1/24"], routes=["10.9.0.0/16"], up=True) as device:
        assert_type(device, Device)
        assert_type(device.read(timeout=1.5), bytes)
        assert_type(device.readinto(bytearray(2000)), int)
        assert_type(device.write(memoryview(b"")), int)
        assert_type(device.open_queue(), Device)
        with device.writer() as writer:
            for packets in device.reader():
                assert_type(packets, Packets)
                assert_type(packets[0], bytes)
                writer.batch(packets)
                writer.batch([bytearray(packet) for packet in packets])
        try:
            device.up()
        except tuntap.Error as error:
            assert_type(error.reason, Reason)
        for event in device.monitor(routes=True):
            assert_type(event.kind, EventKind)
            assert_type(event.route, Optional[Route])
        for info in tuntap.list():
            assert_type(info, tuntap.Info)
            assert_type(info.owner, Optional[int])
        assert_type(tuntap.probe(tuntap.Feature.USO, device), bool)
        assert_type(device.release(), int)
    tuntap.delete("vpn0")


async def asynchronous() -> None:
    with tuntap.aio.Device("vpn%d", up=True) as device:
        assert_type(device, tuntap.aio.Device)
        async for packet in device:
            assert_type(packet, bytes)
            assert_type(await device.write(packet), int)
        async for event in tuntap.Monitor():
            assert_type(event.name, str)


def pytun_class() -> None:
    device = TunTapDevice(name="mytun", flags=IFF_TUN | IFF_NO_PI)
    try:
        device.mtu = 1400
        device.persist(True)
    except Error as error:
        assert_type(error.errno, Optional[int])
    assert_type(device.read(device.mtu), bytes)
