# SPDX-License-Identifier: MIT
"""Single packets, compared with sockets; waiting, waking, and closing during a wait."""

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


def start_timer(action, *arguments, seconds=0.1):
    thread = threading.Timer(seconds, action, arguments)
    thread.start()
    return thread


@pytest.fixture(params=["read", "readinto"])
def read_packet(request):
    """Reads a packet, with each of the two methods."""

    def readinto(device, timeout=None):
        buffer = bytearray(2000)
        return bytes(buffer[: device.readinto(buffer, timeout)])

    return readinto if request.param == "readinto" else lambda device, timeout=None: device.read(timeout)


@pytest.mark.parametrize("flags", [Flag(0), Flag.PI, Flag.OFFLOAD, Flag.MULTI_QUEUE])
def test_sent_packets_are_read(open_device, read_packet, flags):
    device = open_device(flags=Flag.TUN | flags)
    for number in range(20):
        witness.send("10.8.0.9", b"number %d" % number)
    for number in range(20):
        packet = read_packet(device)
        assert packet.endswith(b"number %d" % number)
        header = packet[4:] if flags & Flag.PI else packet
        assert len(header) == 28 + len(b"number %d" % number) and header[16:20] == b"\x0a\x08\0\x09"
        assert packet[:4] == b"\0\0\x08\0" or not flags & Flag.PI
    assert witness.link("t0")["stats64"]["tx"]["packets"] == 20


@pytest.mark.parametrize("flags", [Flag(0), Flag.PI, Flag.OFFLOAD])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_written_packets_are_received(open_device, flags, kind):
    device = open_device(flags=Flag.TUN | flags)
    head = b"\0\0\x08\0" if flags & Flag.PI else b""
    with witness.raw_socket() as receiver:
        for payload in (b"", b"x" * 10, b"y" * 1400):
            packet = head + witness.ipv4("10.8.0.7", "10.8.0.1", payload)
            assert device.write(kind(packet)) == len(packet)
            assert receiver.recv(2000)[20:] == payload


def test_frames(open_device):
    device = open_device(flags=Flag.TAP, mac="02:00:00:00:00:01")
    witness.ip("neighbour", "add", "10.8.0.9", "lladdr", "02:00:00:00:00:09", "dev", "t0")
    drain(device)
    witness.send("10.8.0.9", b"framed")
    frame = device.read(5)
    assert frame[:14] == bytes.fromhex("020000000009 020000000001 0800") and frame.endswith(b"framed")
    with witness.raw_socket() as receiver:
        device.write(bytes.fromhex("020000000001 020000000009 0800") + IN)
        assert receiver.recv(100) == IN


def test_a_buffer_of_any_kind(open_device):
    device = open_device()
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
def test_a_packet_that_is_longer_than_the_buffer(open_device, flags):
    device = open_device(flags=Flag.TUN | flags)
    for size in (1, 31):
        witness.send("10.8.0.9", b"long")
        with pytest.raises(tuntap.Error) as caught:
            device.readinto(bytearray(size), 5)
        assert (caught.value.errno, caught.value.reason) == (errno.EMSGSIZE, Reason.BUFFER)
    drain(device)
    witness.send("10.8.0.9", b"next")
    assert device.readinto(bytearray(32)) == 32


def test_an_empty_buffer_reads_no_packet(open_device):
    device = open_device()
    witness.send("10.8.0.9", b"stays")
    with pytest.raises(tuntap.Error) as caught:
        device.readinto(bytearray(0), 1)
    assert caught.value.errno == errno.EINVAL
    assert device.read(1).endswith(b"stays")


def test_unusual_timeouts(open_device):
    device = open_device()
    for timeout in (-1, -math.inf):
        with pytest.raises(TimeoutError):
            device.read(timeout)
    with pytest.raises(ValueError):
        device.read(math.nan)
    timer = start_timer(device.wake)
    with pytest.raises(tuntap.Error):
        device.read(math.inf)
    timer.join()


def test_invalid_packets(open_device):
    device = open_device()
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


def test_timeouts(open_device, read_packet):
    device = open_device()
    for timeout in (0, 0.05, 0.6):
        start = time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            read_packet(device, timeout)
        assert time.monotonic() - start >= timeout
        assert caught.value.reason is Reason.TIMEOUT and isinstance(caught.value, tuntap.Error)
    timer = start_timer(witness.send, "10.8.0.9", b"late", seconds=0.4)
    assert read_packet(device, 60).endswith(b"late")
    timer.join()


def test_without_waiting(open_device, read_packet):
    device = open_device(flags=Flag.TUN | Flag.NONBLOCK)
    assert device.nonblock
    with pytest.raises(BlockingIOError) as caught:
        read_packet(device)
    assert caught.value.reason is Reason.AGAIN
    device.nonblock = False
    timer = start_timer(witness.send, "10.8.0.9", b"late")
    assert read_packet(device).endswith(b"late")
    timer.join()


def test_without_room(open_device):
    device = open_device(flags=Flag.TAP, sndbuf=4000)
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
        timer = start_timer(make_room)
        assert device.write(witness.STRAY) == len(witness.STRAY)
        timer.join()


def test_a_signal_handler_that_returns(open_device, read_packet):
    device = open_device()
    handled = []
    signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    timer = start_timer(witness.send, "10.8.0.9", b"late", seconds=0.2)
    assert read_packet(device).endswith(b"late") and handled
    timer.join()


@pytest.mark.parametrize("timeout", [None, 60])
def test_a_signal_handler_that_raises(open_device, read_packet, timeout):
    device = open_device()

    def handle(*_):
        raise KeyError

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    with pytest.raises(KeyError):
        read_packet(device, timeout)
    assert time.monotonic() - start < 30
    witness.send("10.8.0.9", b"after")
    assert read_packet(device).endswith(b"after")


@pytest.mark.parametrize("timeout", [None, 60])
def test_an_interrupt_ends_a_wait_at_once(open_device, read_packet, timeout):
    device, sent, took = open_device(), [], []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for _ in range(7):
        timer = start_timer(interrupt)
        with pytest.raises(KeyboardInterrupt):
            read_packet(device, timeout)
        took.append(time.monotonic() - sent[-1])
        timer.join()
    # On a busy machine some of the waits take longer.
    assert sorted(took)[2] < 0.1


def test_waiting(open_device):
    device = open_device()
    assert device.wait(Wait.READ | Wait.WRITE) is Wait.WRITE
    with pytest.raises(TimeoutError) as caught:
        device.wait(timeout=0.05)
    assert caught.value.reason is Reason.TIMEOUT
    timer = start_timer(witness.send, "10.8.0.9", b"late")
    assert device.wait() is Wait.READ and device.wait(Wait.READ, 0) is Wait.READ
    assert device.read().endswith(b"late")
    timer.join()
    with pytest.raises(tuntap.Error) as caught:
        device.wait(Wait(0))
    assert caught.value.reason is Reason.FLAGS


@pytest.mark.parametrize("timeout", [None, 60])
def test_shutting_down(open_device, read_packet, timeout):
    """Ends present and later calls, even if packets are waiting. The device still exists."""
    device = open_device()
    timer = start_timer(device.shutdown)
    for _ in range(3):
        with pytest.raises(tuntap.Error) as caught:
            read_packet(device, timeout)
        assert (caught.value.errno, caught.value.reason) == (errno.ECANCELED, Reason.SHUTDOWN)
        witness.send("10.8.0.9", b"there")
    timer.join()
    for use in (device.wait, lambda: device.write(IN), device.reader().batch, device.writer().flush):
        with pytest.raises(tuntap.Error) as caught:
            use()
        assert caught.value.reason is Reason.SHUTDOWN
    device.mtu = 1300
    assert device.mtu == 1300


@pytest.mark.parametrize("timeout", [None, 60])
def test_waking(open_device, read_packet, timeout):
    device = open_device()
    timer = start_timer(device.wake)
    with pytest.raises(tuntap.Error) as caught:
        read_packet(device, timeout)
    assert (caught.value.errno, caught.value.reason) == (errno.ECANCELED, Reason.WOKEN)
    timer.join()


@pytest.mark.parametrize("timeout", [None, 60])
def test_closing_during_reads(open_device, read_packet, timeout):
    device = open_device()
    ends = []

    def read():
        try:
            read_packet(device, timeout)
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


def test_closing_in_a_signal_handler(open_device, read_packet):
    device = open_device()
    signal.signal(signal.SIGALRM, lambda *_: device.close())
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(tuntap.Error) as caught:
        read_packet(device)
    assert caught.value.errno in (errno.ECANCELED, errno.EBADF)
    assert "t0" not in witness.names()


def test_closing_during_traffic(open_device):
    """Closes a device while other threads read and write."""
    wrong = []

    def use(action):
        try:
            while True:
                action()
        except tuntap.Error as caught:
            if caught.errno not in (errno.EBADF, errno.ECANCELED):
                wrong.append(caught)

    for _ in range(30):
        device = open_device()
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


def test_other_threads_run_during_a_wait(open_device, read_packet):
    device = open_device()
    got = []
    reader = threading.Thread(target=lambda: got.append(read_packet(device)))
    reader.start()
    assert sum(1 for _ in range(100_000)) == 100_000 and not got
    witness.send("10.8.0.9", b"for it")
    reader.join(10)
    assert got[0].endswith(b"for it")
