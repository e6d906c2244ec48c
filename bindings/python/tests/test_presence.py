# SPDX-License-Identifier: MIT
"""Lists, deletes and probes devices, compared with ip(8), and releases descriptors."""

import errno
import os
import threading
import time

import pytest
import witness

import tuntap
from tuntap import Feature, Flag, Reason


def test_list_and_delete():
    assert tuntap.list() == []
    witness.ip("tuntap", "add", "t0", "mode", "tap", "multi_queue", "user", "0")
    witness.ip("link", "set", "t0", "mtu", "1400", "address", "02:00:00:00:00:07", "up")
    with tuntap.Device("t1", Flag.TUN | Flag.OFFLOAD) as device:
        tap, tun = sorted(tuntap.list(), key=lambda info: info.name)
        assert (tap.name, tap.flags, tap.mtu) == ("t0", Flag.TAP | Flag.MULTI_QUEUE | Flag.PERSIST, 1400)
        assert (tap.owner, tap.group, tap.up, tap.carrier) == (0, None, True, False)
        assert tap.mac == b"\2\0\0\0\0\7" and tap.index == witness.link("t0")["ifindex"]
        assert (tun.name, tun.flags, tun.owner) == ("t1", Flag.TUN | Flag.OFFLOAD, None)
        with pytest.raises(tuntap.Error) as caught:
            tuntap.delete("t1")
        assert caught.value.reason is Reason.BUSY and device.name == "t1"
    tuntap.delete("t0")
    assert witness.names() == ["lo"] and tuntap.list() == []
    with pytest.raises(tuntap.Error) as caught:
        tuntap.delete("t0")
    assert caught.value.reason is Reason.ABSENT and caught.value.errno == errno.ENODEV


def test_probe():
    assert tuntap.probe(Feature.TUN) and tuntap.probe(Feature.CARRIER) and not tuntap.probe(9999)
    with tuntap.Device("t0", Flag.TAP | Flag.PI) as device:
        assert tuntap.probe(Feature.TAP, device) and tuntap.probe(Feature.PI, device)
        assert not tuntap.probe(Feature.TUN, device) and not tuntap.probe(Feature.OFFLOAD, device)
    with pytest.raises(tuntap.Error):
        tuntap.probe(Feature.TUN, device)
    with pytest.raises(TypeError):
        tuntap.probe(Feature.TUN, "t0")


def test_release():
    before = witness.descriptors()
    device = tuntap.Device("t0", Flag.TAP)
    fd = device.release()
    assert device.closed and witness.descriptors() == before + 1 and "t0" in witness.names()
    with pytest.raises(tuntap.Error) as caught:
        device.release()
    assert caught.value.errno == errno.EBADF
    device.close()
    with tuntap.Device.open_fd(fd) as again:
        assert again.name == "t0" and again.flags == Flag.TAP and again.fileno() == fd
        with again.reader(), pytest.raises(tuntap.Error) as caught:
            again.release()
        assert caught.value.reason is Reason.BUSY and again.name == "t0"
        last = again.release()
    assert "t0" in witness.names()
    os.close(last)
    assert "t0" not in witness.names() and witness.descriptors() == before


def test_a_device_in_use_is_not_released():
    with tuntap.Device("t0") as device:
        ends = []

        def wait():
            try:
                device.read()
            except tuntap.Error as caught:
                ends.append(caught.reason)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        with pytest.raises(tuntap.Error) as caught:
            device.release()
        assert caught.value.reason is Reason.BUSY and device.fileno() >= 0
        device.wake()
        thread.join(10)
    assert ends
