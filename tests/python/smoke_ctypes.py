# SPDX-License-Identifier: MIT
"""libtuntap through ctypes: the lines that a Python program needs, and a look at what they did."""

import ctypes
import errno
import sys
import threading

import smoke

TUN, NONBLOCK, OFFLOAD = 0x1, 0x20, 0x800
REASON_FLAGS, REASON_UNSET, REASON_TIMEOUT, REASON_WOKEN = 2, 17, 22, 23


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int32), ("reason", ctypes.c_uint32), ("message", ctypes.c_char * 248)]


class Addr(ctypes.Structure):
    _fields_ = [
        ("family", ctypes.c_uint32),
        ("prefix", ctypes.c_uint32),
        ("scope", ctypes.c_uint32),
        ("metric", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("valid", ctypes.c_uint32),
        ("preferred", ctypes.c_uint32),
        ("protocol", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("addr", ctypes.c_char * 64),
        ("peer", ctypes.c_char * 64),
        ("broadcast", ctypes.c_char * 64),
        ("label", ctypes.c_char * 64),
    ]


class Packet(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("run", ctypes.c_size_t)]


lib = ctypes.CDLL(sys.argv[1])
error = Error()
assert ctypes.sizeof(Error) == 256
p = ctypes.c_void_p
lib.tuntap_version.restype = ctypes.c_char_p
lib.tuntap_open.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(p), ctypes.POINTER(Error)]
lib.tuntap_close.argtypes, lib.tuntap_close.restype = [p], None
lib.tuntap_get_name.argtypes = [p, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(Error)]
lib.tuntap_get_addr.argtypes = lib.tuntap_get_name.argtypes
lib.tuntap_set_addr.argtypes = [p, ctypes.c_char_p, ctypes.POINTER(Error)]
lib.tuntap_set_mtu.argtypes = [p, ctypes.c_uint32, ctypes.POINTER(Error)]
lib.tuntap_up.argtypes = [p, ctypes.POINTER(Error)]
lib.tuntap_add_addr.argtypes = [p, p, ctypes.c_size_t, ctypes.c_uint64, ctypes.POINTER(Error)]
lib.tuntap_list_addrs.argtypes = [p, p, ctypes.c_size_t, ctypes.c_size_t, ctypes.POINTER(Error)]
lib.tuntap_list_addrs.restype = ctypes.c_ssize_t
lib.tuntap_read_timeout.argtypes = [p, p, ctypes.c_size_t, ctypes.c_int32, ctypes.POINTER(Error)]
lib.tuntap_read_timeout.restype = ctypes.c_ssize_t
lib.tuntap_wake.argtypes, lib.tuntap_wake.restype = [p], None
lib.tuntap_reader_new.argtypes = [p, ctypes.c_uint64, ctypes.POINTER(p), ctypes.POINTER(Error)]
lib.tuntap_writer_new.argtypes = lib.tuntap_reader_new.argtypes
lib.tuntap_reader_free.argtypes, lib.tuntap_reader_free.restype = [p], None
lib.tuntap_writer_free.argtypes, lib.tuntap_writer_free.restype = [p], None
lib.tuntap_reader_batch.argtypes = [p, p, ctypes.c_size_t, ctypes.c_size_t, ctypes.POINTER(Error)]
lib.tuntap_reader_batch.restype = ctypes.c_ssize_t
size_p = ctypes.POINTER(ctypes.c_size_t)
lib.tuntap_writer_batch.argtypes = [p, p, ctypes.c_size_t, ctypes.c_size_t, size_p, ctypes.POINTER(Error)]
lib.tuntap_read_size.argtypes, lib.tuntap_read_size.restype = [p], ctypes.c_size_t
for name in ("tuntap_read", "tuntap_write"):
    function = getattr(lib, name)
    function.argtypes, function.restype = [p, p, ctypes.c_size_t, ctypes.POINTER(Error)], ctypes.c_ssize_t


def call(function, *arguments):
    """An OSError with the library's sentence where C returns a negative errno."""
    result = function(*arguments, ctypes.byref(error))
    if result < 0:
        raise OSError(-error.code, error.message.decode())
    return result


smoke.enter_namespace(ctypes.CDLL(None, use_errno=True))
assert lib.tuntap_version().count(b".") == 2

dev = p()
try:
    call(lib.tuntap_open, b"vpn%d", 0, ctypes.byref(dev))
    sys.exit("opened without a kind")
except OSError as caught:
    assert caught.errno == errno.EINVAL and error.reason == REASON_FLAGS and not dev, caught

call(lib.tuntap_open, b"vpn%d", TUN, ctypes.byref(dev))
text = ctypes.create_string_buffer(64)
try:
    call(lib.tuntap_get_addr, dev, text, len(text))
    sys.exit("an address out of nothing")
except OSError as caught:
    assert caught.errno == errno.ENOENT and error.reason == REASON_UNSET, caught

call(lib.tuntap_set_addr, dev, b"10.8.0.1/24")
call(lib.tuntap_set_mtu, dev, 1400)
call(lib.tuntap_up, dev)
call(lib.tuntap_get_name, dev, text, len(text))
assert text.value == b"vpn0"
smoke.check_link("vpn0", 1400, ("10.8.0.1", 24))

buffer = ctypes.create_string_buffer(lib.tuntap_read_size(dev))
smoke.check_packets(
    lambda: buffer[: call(lib.tuntap_read, dev, buffer, len(buffer))],
    lambda packet: call(lib.tuntap_write, dev, packet, len(packet)),
    "10.8.0.1",
    "10.8.0.2",
)

addr = Addr(addr=b"10.8.0.1", peer=b"10.8.0.9")
call(lib.tuntap_add_addr, dev, ctypes.byref(addr), ctypes.sizeof(addr), 0)
addrs = (Addr * 8)()
count = call(lib.tuntap_list_addrs, dev, addrs, len(addrs), ctypes.sizeof(Addr))
listed = [(addr.family, addr.addr, addr.peer) for addr in addrs[:count] if addr.family == 4]
assert listed == [(4, b"10.8.0.1/24", b""), (4, b"10.8.0.1/32", b"10.8.0.9")], listed

# A time limit, and a reader in another thread that is woken.
try:
    while call(lib.tuntap_read_timeout, dev, buffer, len(buffer), 0):
        pass
except TimeoutError:
    assert error.reason == REASON_TIMEOUT


def read_until_woken():
    own = Error()
    while lib.tuntap_read(dev, buffer, len(buffer), ctypes.byref(own)) >= 0:
        pass
    ended.append((own.code, own.reason))


ended = []
reader = threading.Thread(target=read_until_woken)
reader.start()
lib.tuntap_wake(dev)
reader.join()
assert ended == [(-errno.ECANCELED, REASON_WOKEN)], ended
lib.tuntap_close(dev)
assert [link["ifname"] for link in smoke.ip("link", "show")] == ["lo"]

# Batches: super-packets are segmented on the way out, and packets coalesced on the way in.
call(lib.tuntap_open, b"vpn1", TUN | OFFLOAD, ctypes.byref(dev))
call(lib.tuntap_set_addr, dev, b"10.8.1.1/24")
call(lib.tuntap_up, dev)
reader, writer, packets = p(), p(), (Packet * 64)()
call(lib.tuntap_reader_new, dev, 0, ctypes.byref(reader))
call(lib.tuntap_writer_new, dev, 0, ctypes.byref(writer))
batch = []


def next_packet():
    while not batch:
        count = call(lib.tuntap_reader_batch, reader, packets, len(packets), ctypes.sizeof(Packet))
        batch.extend(ctypes.string_at(packet.data, packet.size) for packet in packets[:count])
    return batch.pop(0)


def write_packet(packet):
    one = Packet(ctypes.cast(ctypes.c_char_p(packet), p), len(packet))
    taken = ctypes.c_size_t()
    call(lib.tuntap_writer_batch, writer, ctypes.byref(one), 1, ctypes.sizeof(Packet), ctypes.byref(taken))
    return len(packet) * taken.value


smoke.check_packets(next_packet, write_packet, "10.8.1.1", "10.8.1.2")
lib.tuntap_reader_free(reader)
lib.tuntap_writer_free(writer)
lib.tuntap_close(dev)
