# SPDX-License-Identifier: MIT
"""Events for changes that ip(8) makes."""

import errno
import ipaddress
import threading
import time

import pytest
import witness

import tuntap
from tuntap import EventKind, Reason


def kinds(monitor, until):
    seen = []
    for event in monitor:
        seen.append((event.kind, event.name))
        if event.kind is until:
            return seen


def test_all_devices():
    with tuntap.Monitor() as monitor:
        assert kinds(monitor, EventKind.COMPLETE) == [(EventKind.COMPLETE, "")]
        with tuntap.Device("t0", mtu=1400) as device:
            witness.ip("address", "add", "10.8.0.1/24", "dev", "t0")
            witness.ip("link", "set", "t0", "up")
            witness.ip("link", "set", "t0", "mtu", "1300")
            seen = []
            while not seen or seen[-1].mtu != 1300:
                seen.append(monitor.next(5))
            assert seen[0].kind is EventKind.DEVICE and seen[0].index == device.index
            added = next(event for event in seen if event.kind is EventKind.ADDR_ADDED and event.addr.version == 4)
            assert added.addr == ipaddress.ip_interface("10.8.0.1/24") and added.peer is None
            assert seen[-1].kind is EventKind.MTU and seen[-1].up
        assert kinds(monitor, EventKind.REMOVED)[-1] == (EventKind.REMOVED, "t0")
        with pytest.raises(TimeoutError) as caught:
            monitor.next(0.05)
        assert caught.value.reason is Reason.TIMEOUT
    assert monitor.closed and monitor.fileno() == -1
    with pytest.raises(tuntap.Error):
        monitor.next(0)


def test_one_device_until_it_is_removed():
    with tuntap.Device("t0") as device, tuntap.Device("t1"), device.monitor() as monitor:
        threading.Timer(0.1, witness.ip, ("link", "set", "t0", "name", "t7")).start()
        threading.Timer(0.3, witness.ip, ("link", "delete", "t7")).start()
        seen = [(event.kind, event.name) for event in monitor]
    assert seen[0] == (EventKind.DEVICE, "t0") and (EventKind.NAME, "t7") in seen
    assert seen[-1][0] is EventKind.REMOVED and all(name != "t1" for _, name in seen)


def test_routes():
    with tuntap.Device("t0", addrs=["10.8.0.1/24"], up=True) as device, device.monitor(routes=True) as monitor:
        assert EventKind.ROUTE_ADDED in [kind for kind, _ in kinds(monitor, EventKind.COMPLETE)]
        witness.ip("route", "add", "10.9.0.0/16", "via", "10.8.0.2", "metric", "7")
        event = monitor.next(5)
        while event.kind is not EventKind.ROUTE_ADDED or event.route.destination.version == 6:
            event = monitor.next(5)
        assert event.flags == tuntap.Flag.TUN and event.addr is None
        assert event.route in device.list_routes()
        assert event.route[:4] == (ipaddress.ip_network("10.9.0.0/16"), ipaddress.ip_address("10.8.0.2"), 7, 254)


def test_a_shutdown_is_permanent():
    with tuntap.Monitor() as monitor:
        threading.Timer(0.1, monitor.shutdown).start()
        for _ in range(2):
            with pytest.raises(tuntap.Error) as caught:
                while True:
                    monitor.next()
            assert caught.value.reason is Reason.SHUTDOWN


def test_closing_during_a_wait():
    monitor, ends = tuntap.Monitor(), []

    def wait():
        try:
            while True:
                monitor.next()
        except tuntap.Error as caught:
            ends.append(caught.errno)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    with pytest.raises(TimeoutError):
        monitor.next(0)
    before = witness.descriptors()
    monitor.close()
    thread.join(10)
    assert ends in ([errno.EBADF], [errno.ECANCELED]) and witness.descriptors() < before


class SlowLock:
    """Waits for another thread for a while."""

    def acquire(self, timeout):
        time.sleep(0.3)
        return True

    def release(self):
        pass


def test_the_timeout_includes_the_wait_for_another_thread(monkeypatch):
    passed = []
    with tuntap.Monitor() as monitor:
        kinds(monitor, EventKind.COMPLETE)
        monkeypatch.setattr(monitor, "_lock", SlowLock())
        monkeypatch.setattr(monitor, "_call", lambda function, event, size, timeout: passed.append(timeout))
        monitor.next(5)
    assert 0 < passed[0] <= 4700
