# SPDX-License-Identifier: MIT
"""Packets one by one, against sockets; waiting, waking, and closing meanwhile."""

import errno
import functools
import math
import os
import signal
import threading
import time

import pytest
import witness
from conftest import drain

import tuntap
from tuntap import Flag, Reason, Wait

IN = witness.ipv4("10.8.0.7", "10.8.0.1")


def later(action, *arguments, seconds=0.1):
    thread = threading.Timer(seconds, action, arguments)
    thread.start()
    return thread


@pytest.fixture(params=["read", "readinto"])
def take(request):
    """Both ways to read."""

    def readinto(device, timeout=None):
        buffer = bytearray(2000)
        return bytes(buffer[: device.readinto(buffer, timeout)])

    return readinto if request.param == "readinto" else lambda device, timeout=None: device.read(timeout)


@pytest.mark.parametrize("flags", [Flag(0), Flag.PI, Flag.OFFLOAD, Flag.MULTI_QUEUE])
def test_what_is_sent_is_read(opened, take, flags):
    device = opened(flags=Flag.TUN | flags)
    for number in range(20):
        witness.send("10.8.0.9", b"number %d" % number)
    for number in range(20):
        packet = take(device)
        assert packet.endswith(b"number %d" % number)
        header = packet[4:] if flags & Flag.PI else packet
        assert len(header) == 28 + len(b"number %d" % number) and header[16:20] == b"\x0a\x08\0\x09"
        assert packet[:4] == b"\0\0\x08\0" or not flags & Flag.PI
    assert witness.link("t0")["stats64"]["tx"]["packets"] == 20


@pytest.mark.parametrize("flags", [Flag(0), Flag.PI, Flag.OFFLOAD])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_what_is_written_is_received(opened, flags, kind):
    device = opened(flags=Flag.TUN | flags)
    head = b"\0\0\x08\0" if flags & Flag.PI else b""
    with witness.raw_socket() as heard:
        for payload in (b"", b"x" * 10, b"y" * 1400):
            packet = head + witness.ipv4("10.8.0.7", "10.8.0.1", payload)
            assert device.write(kind(packet)) == len(packet)
            assert heard.recv(2000)[20:] == payload


def test_frames(opened):
    device = opened(flags=Flag.TAP, mac="02:00:00:00:00:01")
    witness.ip("neighbour", "add", "10.8.0.9", "lladdr", "02:00:00:00:00:09", "dev", "t0")
    drain(device)
    witness.send("10.8.0.9", b"framed")
    frame = device.read(5)
    assert frame[:14] == bytes.fromhex("020000000009 020000000001 0800") and frame.endswith(b"framed")
    with witness.raw_socket() as heard:
        device.write(bytes.fromhex("020000000001 020000000009 0800") + IN)
        assert heard.recv(100) == IN


def test_a_buffer_of_any_kind(opened):
    device = opened()
    whole = bytearray(100)
    witness.send("10.8.0.9", b"part")
    assert device.readinto(memoryview(whole)[10:90]) == 32
    assert whole[:10] == bytes(10) and whole[38:42] == b"part" and whole[42:] == bytes(58)
    import array

    words = array.array("I", [0] * 10)
    witness.send("10.8.0.9", b"word")
    assert device.readinto(words) == 32 and words.tobytes()[28:32] == b"word"
    with pytest.raises((TypeError, BufferError)):
        device.readinto(b"read only")


@pytest.mark.parametrize("flags", [Flag(0), Flag.OFFLOAD])
def test_a_packet_that_is_longer_than_the_buffer(opened, flags):
    device = opened(flags=Flag.TUN | flags)
    for size in (1, 31):
        witness.send("10.8.0.9", b"long")
        with pytest.raises(tuntap.Error) as caught:
            device.readinto(bytearray(size), 5)
        assert (caught.value.errno, caught.value.reason) == (errno.EMSGSIZE, Reason.BUFFER)
    drain(device)
    witness.send("10.8.0.9", b"next")
    assert device.readinto(bytearray(32)) == 32


def test_no_room_at_all_takes_no_packet(opened):
    device = opened()
    witness.send("10.8.0.9", b"stays")
    with pytest.raises(tuntap.Error) as caught:
        device.readinto(bytearray(0), 1)
    assert caught.value.errno == errno.EINVAL
    assert device.read(1).endswith(b"stays")


def test_a_limit_that_is_none(opened):
    device = opened()
    for limit in (-1, -math.inf):
        with pytest.raises(TimeoutError):
            device.read(limit)
    with pytest.raises(ValueError):
        device.read(math.nan)
    late = later(device.wake)
    with pytest.raises(tuntap.Error):
        device.read(math.inf)
    late.join()


def test_what_is_no_packet(opened):
    device = opened()
    for packet in (b"", b"abc", b"\x45" * 10, b"\0" * 60, b"\x60" * 39, b"\x45" * 70_000):
        with pytest.raises(tuntap.Error) as caught:
            device.write(packet)
        assert caught.value.reason is Reason.PACKET and "t0" in str(caught.value)
    with pytest.raises(TypeError):
        device.write("E" * 40)
    device.down()
    with pytest.raises(tuntap.Error) as caught:
        device.write(IN)
    assert (caught.value.errno, caught.value.reason) == (errno.ENETDOWN, Reason.DOWN)
    assert witness.link("t0")["stats64"]["rx"]["packets"] == 0


def test_time_limits(opened, take):
    device = opened()
    for limit in (0, 0.05, 0.6):
        start = time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            take(device, limit)
        assert time.monotonic() - start >= limit
        assert caught.value.reason is Reason.TIMEOUT and isinstance(caught.value, tuntap.Error)
    late = later(witness.send, "10.8.0.9", b"late", seconds=0.4)
    assert take(device, 60).endswith(b"late")
    late.join()


def test_without_waiting(opened, take):
    device = opened(flags=Flag.TUN | Flag.NONBLOCK)
    assert device.nonblock
    with pytest.raises(BlockingIOError) as caught:
        take(device)
    assert caught.value.reason is Reason.AGAIN
    device.nonblock = False
    late = later(witness.send, "10.8.0.9", b"late")
    assert take(device).endswith(b"late")
    late.join()


def test_without_room(opened):
    device = opened(flags=Flag.TAP, sndbuf=4000)
    with witness.slow_link("t0") as make_room:
        with pytest.raises(TimeoutError) as caught:
            while True:
                device.write(witness.STRAY, 0.1)
        assert caught.value.reason is Reason.TIMEOUT
        device.nonblock = True
        with pytest.raises(BlockingIOError) as caught:
            device.write(witness.STRAY)
        assert caught.value.reason is Reason.AGAIN
        device.nonblock = False
        late = later(make_room)
        assert device.write(witness.STRAY) == len(witness.STRAY)
        late.join()


def test_a_signal_handler_that_returns(opened, take):
    device = opened()
    handled = []
    signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    late = later(witness.send, "10.8.0.9", b"late", seconds=0.2)
    assert take(device).endswith(b"late") and handled
    late.join()


@pytest.mark.parametrize("limit", [None, 60])
def test_a_signal_handler_that_raises(opened, take, limit):
    device = opened()

    def handle(*_):
        raise KeyError

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    with pytest.raises(KeyError):
        take(device, limit)
    assert time.monotonic() - start < 30
    witness.send("10.8.0.9", b"after")
    assert take(device).endswith(b"after")


@pytest.mark.parametrize("limit", [None, 60])
def test_an_interrupt_ends_a_wait_at_once(opened, take, limit):
    device, sent, took = opened(), [], []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for _ in range(7):
        late = later(interrupt)
        with pytest.raises(KeyboardInterrupt):
            take(device, limit)
        took.append(time.monotonic() - sent[-1])
        late.join()
    # On a busy machine some take longer.
    assert sorted(took)[2] < 0.1


def test_waiting(opened):
    device = opened()
    assert device.wait(Wait.READ | Wait.WRITE) is Wait.WRITE
    with pytest.raises(TimeoutError) as caught:
        device.wait(timeout=0.05)
    assert caught.value.reason is Reason.TIMEOUT
    late = later(witness.send, "10.8.0.9", b"late")
    assert device.wait() is Wait.READ and device.wait(Wait.READ, 0) is Wait.READ
    assert device.read().endswith(b"late")
    late.join()
    with pytest.raises(tuntap.Error) as caught:
        device.wait(Wait(0))
    assert caught.value.reason is Reason.FLAGS


@pytest.mark.parametrize("limit", [None, 60])
def test_shutting_down(opened, take, limit):
    """Everything that waits, and everything later, whether packets are there or not; the device is still there."""
    device = opened()
    late = later(device.shutdown)
    for _ in range(3):
        with pytest.raises(tuntap.Error) as caught:
            take(device, limit)
        assert (caught.value.errno, caught.value.reason) == (errno.ECANCELED, Reason.SHUTDOWN)
        witness.send("10.8.0.9", b"there")
    late.join()
    for use in (device.wait, lambda: device.write(IN), device.reader().batch, device.writer().flush):
        with pytest.raises(tuntap.Error) as caught:
            use()
        assert caught.value.reason is Reason.SHUTDOWN
    device.mtu = 1300
    assert device.mtu == 1300


@pytest.mark.parametrize("limit", [None, 60])
def test_waking(opened, take, limit):
    device = opened()
    late = later(device.wake)
    with pytest.raises(tuntap.Error) as caught:
        take(device, limit)
    assert (caught.value.errno, caught.value.reason) == (errno.ECANCELED, Reason.WOKEN)
    late.join()


@pytest.mark.parametrize("limit", [None, 60])
def test_closing_under_readers(opened, take, limit):
    device = opened()
    ends = []

    def read():
        try:
            take(device, limit)
        except tuntap.Error as error:
            ends.append(error.errno)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    time.sleep(0.1)
    device.close()
    for reader in readers:
        reader.join(10)
    assert len(ends) == 4 and set(ends) <= {errno.ECANCELED, errno.EBADF}
    assert "t0" not in witness.names()


def test_closing_in_a_signal_handler(opened, take):
    device = opened()
    signal.signal(signal.SIGALRM, lambda *_: device.close())
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(tuntap.Error) as caught:
        take(device)
    assert caught.value.errno in (errno.ECANCELED, errno.EBADF)
    assert "t0" not in witness.names()


def test_closing_among_packets(opened):
    """Readers, writers and a close that comes at any moment."""
    wrong = []

    def use(action):
        try:
            while True:
                action()
        except tuntap.Error as caught:
            if caught.errno not in (errno.EBADF, errno.ECANCELED):
                wrong.append(caught)

    for _ in range(30):
        device = opened()
        actions = (functools.partial(device.write, IN), functools.partial(device.read, 60))
        users = [threading.Thread(target=use, args=(action,)) for action in actions]
        for user in users:
            user.start()
        for _ in range(20):
            witness.send("10.8.0.9", b"x")
        device.close()
        for user in users:
            user.join(10)
            assert not user.is_alive()
    assert not wrong


def test_others_run_while_one_waits(opened, take):
    device = opened()
    got = []
    reader = threading.Thread(target=lambda: got.append(take(device)))
    reader.start()
    assert sum(1 for _ in range(100_000)) == 100_000 and not got
    witness.send("10.8.0.9", b"for it")
    reader.join(10)
    assert got[0].endswith(b"for it")
