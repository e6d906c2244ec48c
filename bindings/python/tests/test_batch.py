# SPDX-License-Identifier: MIT
"""Readers and writers: segmenting and coalescing, and packets that stay in the memory of the reader."""

import array
import ctypes
import errno
import socket
import sys
import threading
import time

import pytest
import witness
from conftest import drain

import tuntap
from tuntap import Flag, GsoType, Reason, VnetHdr

UDP_SEGMENT = 103


@pytest.fixture(params=[Flag(0), Flag.OFFLOAD], ids=["plain", "offload"])
def device(request, open_device):
    return open_device(flags=Flag.TUN | request.param)


def send_segments(count, size):
    """Sends packets in one call. A device with Flag.OFFLOAD reads them as one super-packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
        sender.sendto(b"".join(bytes([number]) * size for number in range(count)), ("10.8.0.9", 9))


def test_reading(device):
    reader = device.reader()
    send_segments(40, 100)
    packets = []
    while len(packets) < 40:
        batch = reader.batch()
        assert 1 <= len(batch) <= 256
        packets += batch
    assert [packet[28:] for packet in packets] == [bytes([number]) * 100 for number in range(40)]
    assert all(type(packet) is bytes and witness.checksum(packet[:20]) == 0 for packet in packets)
    if device.flags & Flag.OFFLOAD:
        assert witness.link("t0")["stats64"]["tx"]["packets"] == 1


def test_packets_stay_after_an_access(device):
    reader = device.reader()
    send_segments(3, 10)
    accessed = reader.batch()
    first = accessed[0]
    send_segments(3, 20)
    unused = reader.batch()
    assert accessed[0] == first and len(list(accessed)) == len(accessed) and accessed[-1:] == accessed.copy()[-1:]
    send_segments(3, 30)
    reader.batch()
    with pytest.raises(tuntap.Error) as caught:
        unused[0]
    assert caught.value.reason is Reason.ARGUMENT and "copy()" in str(caught.value)


def test_runs_have_room_around_packets(device):
    reader = device.reader()
    reader.set_room(16, 8)
    send_segments(40, 100)
    payloads = []
    udp = socket.AF_INET, socket.SOCK_DGRAM
    with socket.socket(*udp) as receiver, socket.socket(*udp) as sender:
        receiver.bind(("10.8.0.1", 0))
        receiver.settimeout(5)
        while len(payloads) < 40:
            batch = reader.batch()
            packets, runs = list(batch), batch.runs()
            assert sum(len(run.data) for run in runs) == sum(len(packet) + 24 for packet in packets)
            assert len(packets) == 1 or len(runs) < len(packets)
            for run in runs:
                count = len(run.data) // run.size
                assert run.size == 152 and len(run.data) == count * run.size
                for at in range(0, len(run.data), run.size):
                    run.data[at : at + 16], run.data[at + 144 : at + 152] = b"H" * 16, b"T" * 8
                ancillary = [(socket.SOL_UDP, UDP_SEGMENT, run.size.to_bytes(2, sys.byteorder))]
                sender.sendmsg([run.data], ancillary, 0, receiver.getsockname())
                for _ in range(count):
                    got, packet = receiver.recv(2000), packets.pop(0)
                    assert got == b"H" * 16 + packet + b"T" * 8
                    payloads.append(packet[28:])
    assert payloads == [bytes([number]) * 100 for number in range(40)]
    gone = batch
    reader.set_room()
    with pytest.raises(tuntap.Error):
        gone.runs()
    with pytest.raises(tuntap.Error) as caught:
        reader.set_room(4000, 97)
    assert caught.value.reason is Reason.RANGE


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        lambda packets: [bytearray(packet) for packet in packets],
        lambda packets: [memoryview(packet) for packet in packets],
    ],
)
def test_writing(device, form):
    packets = [witness.ipv4("10.8.0.7", "10.8.0.1", b"%d" % number) for number in range(50)]
    with witness.raw_socket() as receiver, device.writer() as writer:
        writer.batch(form(packets))
        assert [receiver.recv(100) for _ in range(50)] == packets
        writer.batch([])


@pytest.mark.parametrize("form", ["batch", "copy", "put"])
def test_forwarding(device, open_device, form):
    """Forwards packets from one device to another, where a packet socket receives them."""
    other = open_device("t1", device.flags & ~Flag.NONBLOCK, addrs=["10.9.0.1/24"])
    reader, payloads, seen = device.reader(), [b"%d" % number for number in range(20)], 0
    with other.writer() as writer, witness.packet_socket("t1") as receiver:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, witness.PROTOCOL) as sender:
            for payload in payloads:
                sender.sendto(payload, ("10.8.0.9", 0))
        while seen < len(payloads):
            packets = reader.batch()
            seen += len(packets)
            if form == "put":
                for packet in packets:
                    writer.put(packet)
                writer.flush()
            else:
                writer.batch(packets.copy() if form == "copy" else packets)
        assert [receiver.recv(2000)[20:] for _ in payloads] == payloads


def test_invalid_packets_are_not_accepted(device):
    good = witness.ipv4("10.8.0.7", "10.8.0.1", b"good")
    with witness.raw_socket() as receiver, device.writer() as writer:
        for packets, taken in ([good, b"bad", good], 1), ([b"bad"], 0), ([good, good, b"bad"], 2):
            with pytest.raises(tuntap.Error) as caught:
                writer.batch(packets)
            assert caught.value.reason is Reason.PACKET and caught.value.taken == taken
            assert [receiver.recv(100) for _ in range(taken)] == [good] * taken
        with pytest.raises(tuntap.Error):
            writer.put(b"bad")


def test_lost_packets_are_reported(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD)
    device.down()
    packets = [witness.ipv4("10.8.0.7", "10.8.0.1", b"%d" % number) for number in range(100)]
    with device.writer() as writer:
        with pytest.raises(tuntap.Error) as caught:
            writer.batch(packets)
        assert caught.value.reason is Reason.DOWN and caught.value.taken == 100
        assert "100 packets are lost" in str(caught.value)


def test_the_end_of_a_with_block_flushes(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD)
    packet = witness.ipv4("10.8.0.7", "10.8.0.1", b"kept back")
    with witness.raw_socket() as receiver:
        with device.writer() as writer:
            writer.put(packet)
        assert receiver.recv(100) == packet


def test_a_writer_counts_lost_packets(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD)
    packet = witness.ipv4("10.8.0.7", "10.8.0.1", b"lost")
    with device.writer() as writer:
        for _ in range(3):
            writer.put(packet)
        assert writer.lost == 0
        witness.ip("link", "set", "t0", "down")
        with pytest.raises(tuntap.Error) as caught:
            writer.flush()
        assert caught.value.errno == errno.ENETDOWN and writer.lost == 3


def test_closing(device):
    reader, writer = device.reader(), device.writer()
    device.close()
    assert reader.closed and writer.closed and "t0" not in witness.names()
    for use in (reader.batch, writer.flush, lambda: writer.put(b"x"), lambda: writer.batch([b"x"])):
        with pytest.raises(tuntap.Error) as caught:
            use()
        assert caught.value.errno == errno.EBADF


def test_closing_during_a_read(device):
    ends = []
    reader = device.reader()

    def read():
        try:
            while True:
                reader.batch()
        except tuntap.Error as error:
            ends.append(error.errno)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.1)
    device.close()
    thread.join(10)
    assert ends and ends[0] in (errno.ECANCELED, errno.EBADF) and "t0" not in witness.names()


def test_packets_outlive_their_reader(device):
    reader = device.reader()
    send_segments(2, 10)
    kept = reader.batch()
    kept.copy()
    send_segments(2, 10)
    lost = reader.batch()
    device.close()
    assert kept[0].endswith(bytes(10))
    with pytest.raises(tuntap.Error):
        lost.copy()
    with tuntap.Device("t1") as other, other.writer() as writer, pytest.raises(tuntap.Error):
        writer.batch(lost)


def test_super_packets(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD)
    send_segments(30, 50)
    hdr, packet = device.read_super()
    assert hdr.gso_type == GsoType.UDP_L4 and hdr.gso_size == 50 and len(packet) == 28 + 30 * 50
    with tuntap.Splitter() as splitter:
        packets = list(splitter.split(hdr, packet))
    assert [part[28:] for part in packets] == [bytes([number]) * 50 for number in range(30)]
    with tuntap.Joiner() as joiner:
        for part in packets:
            joiner.put(part)
        joined = list(joiner)
    assert len(joined) == 1 and joined[0][1][28:] == packet[28:]
    drain(device)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("10.8.0.1", 0))
        receiver.settimeout(5)
        # The same super-packet, from the other host to this one.
        reply = bytearray(joined[0][1])
        reply[12:16], reply[16:20] = socket.inet_aton("10.8.0.9"), socket.inet_aton("10.8.0.1")
        reply[22:24] = receiver.getsockname()[1].to_bytes(2, "big")
        reply[10:12] = bytes(2)
        reply[10:12] = witness.checksum(bytes(reply[:20])).to_bytes(2, "big")
        reply[26:28] = pseudo_sum(reply)
        device.write_super(joined[0][0], reply)
        assert [receiver.recv(2000) for _ in range(30)] == [bytes([number]) * 50 for number in range(30)]
    with pytest.raises(tuntap.Error) as caught:
        device.write_super(VnetHdr(flags=1, gso_type=GsoType.UDP_L4, gso_size=0), packet)
    assert caught.value.reason is Reason.PACKET


def pseudo_sum(packet):
    """Returns the checksum of the pseudo-header of a UDP packet, which its partial checksum consists of."""
    length = len(packet) - 20
    data = bytes(packet[12:20]) + b"\0\x11" + length.to_bytes(2, "big")
    return (~witness.checksum(data) & 0xFFFF).to_bytes(2, "big")


def test_super_packets_need_offload(open_device):
    with pytest.raises(tuntap.Error) as caught:
        open_device().read_super()
    assert caught.value.reason is Reason.MISMATCH


class WrongLength(bytes):
    """Reports a length that is not its own."""

    def __len__(self):
        return 1000


def test_lengths_come_from_the_buffer(device):
    packet = witness.ipv4("10.8.0.7", "10.8.0.1", b"as long as it is")
    with witness.raw_socket() as receiver, device.writer() as writer:
        device.write(WrongLength(packet))
        writer.put(WrongLength(packet))
        writer.batch([WrongLength(packet), WrongLength(packet)])
        writer.flush()
        assert [receiver.recv(2000) for _ in range(4)] == [packet] * 4
        words = array.array("I", packet)
        writer.batch([words, memoryview(words)])
        device.write((ctypes.c_char * len(packet)).from_buffer_copy(packet))
        assert [receiver.recv(2000) for _ in range(3)] == [packet] * 3
    # A receiver uses the length in the IP header. This counter has all bytes that were written.
    if not device.flags & Flag.OFFLOAD:
        assert witness.link("t0")["stats64"]["rx"]["bytes"] == 7 * len(packet)


def test_only_devices_have_readers_and_monitors(device):
    reader = device.reader()
    for make in (tuntap.Monitor, tuntap.Reader, tuntap.Writer):
        for wrong in (reader, tuntap.Monitor(), tuntap.Joiner(), 5):
            with pytest.raises(TypeError):
                make(wrong)
    device.close()
    assert "t0" not in witness.names()


def test_readers_and_writers_of_a_closed_device(device):
    device.close()
    for make in (device.reader, device.writer):
        with pytest.raises(tuntap.Error) as caught:
            make()
        assert caught.value.errno == errno.EBADF


def test_a_writer_that_is_closed_early(device):
    with device.writer() as writer:
        writer.close()


def test_splitting_twice_at_once(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD)
    send_segments(10, 50)
    hdr, packet = device.read_super()
    splitter = tuntap.Splitter()
    first, second = iter(splitter.split(hdr, packet)), iter(splitter.split(hdr, packet))
    assert [next(first), next(second), next(first)][1][28:] == bytes(50)
    for field, value in (("gso_size", 1 << 16), ("gso_type", 256), ("flags", -1)):
        with pytest.raises(OverflowError):
            splitter.split(hdr._replace(**{field: value}), packet)
