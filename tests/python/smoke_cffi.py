# SPDX-License-Identifier: MIT
"""libtuntap through cffi's ABI mode, which is given the installed tuntap.cdef.h as it is."""

import ctypes
import sys

import cffi
import smoke

library, header = sys.argv[1:3]
ffi = cffi.FFI()
ffi.cdef(open(header, encoding="utf-8").read())
lib = ffi.dlopen(library)
error = ffi.new("tuntap_error *")
assert ffi.sizeof("tuntap_error") == 256


def call(function, *arguments):
    result = function(*arguments, error)
    if result < 0:
        raise OSError(-error.code, ffi.string(error.message).decode())
    return result


smoke.enter_namespace(ctypes.CDLL(None, use_errno=True))
handle = ffi.new("tuntap **")
monitor = ffi.new("tuntap_monitor **")
call(lib.tuntap_monitor_open, ffi.NULL, 0, monitor)
config = ffi.new("tuntap_config **")
call(lib.tuntap_config_new, config)
call(lib.tuntap_config_set_alias, config[0], b"from cffi")
call(lib.tuntap_open_config, ffi.NULL, lib.TUNTAP_TUN, config[0], handle)
lib.tuntap_config_free(config[0])
dev = handle[0]
call(lib.tuntap_set_addr, dev, b"10.9.0.1")
call(lib.tuntap_set_dstaddr, dev, b"10.9.0.2")
call(lib.tuntap_up, dev)
name = ffi.new("char[]", lib.TUNTAP_NAME_SIZE)
call(lib.tuntap_get_name, dev, name, len(name))
smoke.check_link(ffi.string(name).decode(), 1500, ("10.9.0.1", 32))
infos = ffi.new("tuntap_info[4]")
assert call(lib.tuntap_list, infos, len(infos), ffi.sizeof("tuntap_info")) == 1
assert ffi.string(infos[0].name) == ffi.string(name) and infos[0].flags == lib.TUNTAP_TUN and infos[0].up

buffer = ffi.new("char[]", lib.tuntap_read_size(dev))
smoke.check_packets(
    lambda: ffi.buffer(buffer, call(lib.tuntap_read, dev, buffer, len(buffer)))[:],
    lambda packet: call(lib.tuntap_write, dev, packet, len(packet)),
    "10.9.0.1",
    "10.9.0.2",
)
lib.tuntap_close(dev)

# A super-packet is segmented, and its segments are coalesced again.
splitter, joiner = ffi.new("tuntap_splitter **"), ffi.new("tuntap_joiner **")
call(lib.tuntap_splitter_new, lib.TUNTAP_TUN, splitter)
call(lib.tuntap_joiner_new, lib.TUNTAP_TUN | lib.TUNTAP_TRUSTED, joiner)
payload = bytes(range(250)) * 10
header = bytes.fromhex("45 00 09e0 0001 4000 40 11 0000 0a090002 0a090001 1b58 1b58 09cc 0000")
hdr = ffi.new("tuntap_vnet_hdr *", (lib.TUNTAP_VNET_HDR_F_NEEDS_CSUM, lib.TUNTAP_VNET_HDR_GSO_UDP_L4, 28, 1000, 20, 6))
whole = ffi.new("char[]", header + payload)
call(lib.tuntap_splitter_begin, splitter[0], hdr, ffi.sizeof("tuntap_vnet_hdr"), whole, len(header + payload))
place, segments = ffi.new("void **"), []
while length := lib.tuntap_splitter_next(splitter[0], place, ffi.NULL):
    segments.append(ffi.buffer(place[0], length)[:])
assert [len(segment) for segment in segments] == [1028, 1028, 528]
whole, copy = ffi.new("char[]", header + payload), ffi.new("char[]", 1500)
call(lib.tuntap_splitter_begin, splitter[0], hdr, ffi.sizeof("tuntap_vnet_hdr"), whole, len(header + payload))
for segment in segments:
    assert ffi.buffer(copy, lib.tuntap_splitter_copy(splitter[0], copy, 1500, ffi.NULL))[:] == segment
for segment in segments:
    call(lib.tuntap_joiner_put, joiner[0], segment, len(segment))
assert lib.tuntap_joiner_next(joiner[0], hdr, ffi.sizeof("tuntap_vnet_hdr"), place, ffi.NULL) == len(header + payload)
assert ffi.buffer(place[0], 2528)[28:] == payload and hdr.gso_size == 1000
assert lib.tuntap_joiner_next(joiner[0], hdr, ffi.sizeof("tuntap_vnet_hdr"), place, ffi.NULL) == 0
lib.tuntap_splitter_free(splitter[0])
lib.tuntap_joiner_free(joiner[0])

# The monitor saw it all, in its order; but the carrier of a device that goes is reported at any time.
event = ffi.new("tuntap_event *")
kinds = []
while not kinds or kinds[-1] != lib.TUNTAP_EVENT_REMOVED:
    call(lib.tuntap_monitor_next, monitor[0], event, ffi.sizeof("tuntap_event"), 30000)
    if not ffi.string(event.addr).startswith(b"fe80:") and event.kind != lib.TUNTAP_EVENT_CARRIER_OFF:
        kinds.append(event.kind)
assert ffi.string(lib.tuntap_strevent(lib.TUNTAP_EVENT_ADDR_ADDED)) == b"address added"
lib.tuntap_monitor_shutdown(monitor[0])
lib.tuntap_monitor_close(monitor[0])
expected = "COMPLETE DEVICE ADDR_ADDED ADDR_REMOVED ADDR_ADDED UP DOWN ADDR_REMOVED REMOVED".split()
expected = [getattr(lib, "TUNTAP_EVENT_" + kind) for kind in expected]
assert kinds == expected, kinds
assert [link["ifname"] for link in smoke.ip("link", "show")] == ["lo"]
