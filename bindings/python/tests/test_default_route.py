# SPDX-License-Identifier: MIT
"""Default routes and bypasses, compared with the routes that the kernel selects."""

import errno
import ipaddress
import socket

import pytest
import witness

import tuntap
from tuntap import EventKind, Reason

ANYWHERE = "203.0.113.1"


def test_default_route(open_device):
    with witness.uplink():
        device = open_device()
        device.add_bypass(ipaddress.ip_address("198.51.100.7"))
        device.add_bypass(mark=0x30, mask=0xF0)
        device.add_default_route(4)
        assert witness.interface_to(ANYWHERE) == "t0"
        assert witness.interface_to("198.51.100.7") == witness.interface_to(ANYWHERE, "mark", "0x35") == "up0"
        assert witness.interface_to("192.0.2.9") == "up0"
        device.add_default_route(4, ipaddress.ip_address("10.8.0.2"), override=True)
        assert (
            "via 10.8.0.2 dev t0" in witness.ip("route", "get", ANYWHERE) and witness.interface_to("192.0.2.9") == "t0"
        )
        device.add_bypass(ipaddress.ip_network("192.0.2.0/24"))
        assert witness.interface_to("192.0.2.9") == "up0"

        device.del_bypass("192.0.2.0/24")
        device.del_bypass(mark=0x30, mask=0xF0)
        assert witness.interface_to("192.0.2.9") == witness.interface_to(ANYWHERE, "mark", "0x35") == "t0"
        with pytest.raises(FileNotFoundError) as caught:
            device.del_bypass("192.0.2.0/24")
        assert caught.value.reason is Reason.UNSET
        with pytest.raises(tuntap.Error) as caught:
            device.add_bypass()
        assert caught.value.reason is Reason.ARGUMENT
        device.del_default_route()
        assert witness.interface_to(ANYWHERE) == "up0" and "3000" in witness.ip("rule")
        device.del_bypass("198.51.100.7")
        assert "3000" not in witness.ip("rule")


def test_default_route_ends_with_the_device_unless_kept():
    with witness.uplink():
        with tuntap.Device("t0", addrs=["10.8.0.1/24"], up=True) as device:
            device.set_persist()
            device.add_default_route()
            assert witness.interface_to(ANYWHERE) == witness.interface_to("2001:db8::1") == "t0"
        assert witness.interface_to(ANYWHERE) == "up0"
        with tuntap.Device("t0", up=True) as device:
            device.add_default_route(keep=True)
            device.add_bypass("198.51.100.0/24", keep=True)
        assert witness.interface_to(ANYWHERE) == "t0" and witness.interface_to("198.51.100.7") == "up0"
        tuntap.delete("t0")
        assert witness.interface_to(ANYWHERE) == "up0"


def test_find_route(open_device):
    with witness.uplink():
        device = open_device()
        device.add_bypass(mark=7)
        device.add_default_route(4)
        assert device.find_route(ANYWHERE).ifindex == device.index
        found = tuntap.find_route(ipaddress.ip_address(ANYWHERE), mark=7)
        assert found.ifindex == socket.if_nametoindex("up0")
        assert (found.gateway, found.source) == (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2"))
        assert found.destination == ipaddress.ip_network("0.0.0.0/0") and found.metric == 10 and found.mtu == 1500
        assert device.find_route(ANYWHERE, source="192.0.2.2").ifindex == device.index
        assert all(route.ifindex == 0 for route in device.list_routes())
        witness.ip("route", "add", "unreachable", "203.0.113.0/24")
        with pytest.raises(tuntap.Error) as caught:
            device.find_route(ANYWHERE)
        assert caught.value.errno == errno.ENETUNREACH and caught.value.reason is Reason.UNSET
        witness.ip("route", "delete", "unreachable", "203.0.113.0/24")
        with pytest.raises(tuntap.Error) as caught:
            tuntap.find_route("example.com")
        assert caught.value.reason is Reason.ADDRESS
        with pytest.raises(TypeError):
            tuntap.find_route(7)


def test_monitor_of_the_default_route():
    def next_default_route(monitor):
        while (event := monitor.next(10)).kind is not EventKind.DEFAULT_ROUTE:
            pass
        return event

    with witness.uplink(), tuntap.Device("t0") as device, device.monitor(default_route=True) as monitor:
        event = next_default_route(monitor)
        assert event.name == "up0" and event.route.gateway == ipaddress.ip_address("192.0.2.1")
        with witness.uplink("up1", "198.51.100", 5):
            event = next_default_route(monitor)
            assert event.name == "up1" and event.index == socket.if_nametoindex("up1") and event.route.metric == 5
        assert next_default_route(monitor).name == "up0"
        witness.ip("route", "delete", "default")
        event = next_default_route(monitor)
        assert event.route is None and event.family == 4
