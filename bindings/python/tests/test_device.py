# SPDX-License-Identifier: MIT
"""Opens, configures and closes devices, compared with ip(8)."""

import contextlib
import copy
import errno
import fcntl
import gc
import ipaddress
import json
import os
import pickle
import re
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings

import pytest
import witness

import tuntap
import tuntap.pytun
from tuntap import Flag, IPv6Setting, Reason

OWNER = 1234 if witness.has_other_users() else 0
# linux/if_tun.h.
TUNGETVNETHDRSZ = 0x800454D7


def test_all_options_at_once():
    with tuntap.Device(
        "vpn%d",
        Flag.TAP,
        mtu=1400,
        mac="02:00:00:00:00:07",
        alias="of the test",
        txqueuelen=77,
        addrs=["10.8.0.1/24", ipaddress.ip_interface("fd00::1/64"), tuntap.Addr("192.0.2.1", peer="192.0.2.2")],
        routes=["10.9.0.0/16", tuntap.Route(ipaddress.ip_network("10.10.0.0/16"), metric=7)],
        up=True,
        owner=OWNER,
    ) as device:
        link = witness.link("vpn0")
        assert (link["mtu"], link["address"], link["ifalias"], link["txqlen"]) == (
            1400,
            "02:00:00:00:00:07",
            "of the test",
            77,
        )
        assert link["linkinfo"]["info_data"]["user"] in (OWNER, "root")
        addresses = witness.ip("address", "show", "vpn0")
        for text in ("inet 10.8.0.1/24", "inet6 fd00::1/64", "inet 192.0.2.1 peer 192.0.2.2/32"):
            assert text in addresses
        routes = witness.ip("route", "show", "dev", "vpn0")
        assert "10.9.0.0/16" in routes and "10.10.0.0/16" in routes and "metric 7" in routes
        assert device.name == "vpn0" and device.index == link["ifindex"]
        assert device.flags == Flag.TAP
    assert "vpn0" not in witness.names()


def test_a_virtio_header_of_any_layout(open_device):
    device = open_device(flags=Flag.TUN | Flag.OFFLOAD, vnet_hdr_size=12, vnet_endian=tuntap.Endian.LITTLE)
    size = struct.unpack("i", fcntl.ioctl(device.fileno(), TUNGETVNETHDRSZ, bytes(4)))[0]
    assert size == device.vnet_hdr_size == 12
    packet = witness.ipv4("10.8.0.7", "10.8.0.1", b"behind a longer header")
    with witness.raw_socket() as receiver:
        device.write(packet)
        assert receiver.recv(2000) == packet
    with pytest.raises(tuntap.Error) as caught:
        tuntap.Device("t1", Flag.TUN, vnet_hdr_size=12)
    assert caught.value.reason is Reason.FLAGS
    with pytest.raises(tuntap.Error) as caught:
        tuntap.Device("t1", Flag.TUN | Flag.OFFLOAD, vnet_hdr_size=9)
    assert caught.value.reason is Reason.RANGE


def test_an_open_that_fails_leaves_nothing():
    before = witness.descriptors()
    with pytest.raises(tuntap.Error) as caught:
        tuntap.Device("t0", addrs=["10.8.0.1/24"], mtu=1)
    assert caught.value.reason is Reason.RANGE and "option mtu" in str(caught.value)
    with pytest.raises(ValueError):
        tuntap.Device("t0", Flag.TAP, mac="02:00")
    assert "t0" not in witness.names() and witness.descriptors() == before


def test_properties():
    with tuntap.Device("t0", Flag.TAP) as device:
        device.mtu = 1300
        device.mac = b"\x02\0\0\0\0\x09"
        device.alias = "töst"
        device.txqueuelen = 55
        device.up()
        link = witness.link("t0")
        assert (link["mtu"], link["address"], link["ifalias"], link["txqlen"]) == (
            1300,
            "02:00:00:00:00:09",
            "töst",
            55,
        )
        assert "UP" in link["flags"] and device.is_up
        assert (device.mtu, device.mac, device.alias, device.txqueuelen) == (1300, b"\x02\0\0\0\0\x09", "töst", 55)
        device.carrier = False
        assert witness.link("t0")["operstate"] == "DOWN" and not device.carrier
        device.sndbuf = 100_000
        assert device.sndbuf == 100_000
        device.down()
        assert "UP" not in witness.link("t0")["flags"]
        assert device.owner is None and device.group is None
        device.owner, device.group = OWNER, OWNER
        assert (device.owner, device.group) == (OWNER, OWNER)
        device.name = "t9"
        assert "t9" in witness.names() and device.name == "t9"
        device.set_persist()
    assert "t9" in witness.names()
    with tuntap.Device("t9", Flag.TAP | Flag.EXISTING) as device:
        assert Flag.PERSIST in device.flags
        device.set_persist(False)
    assert "t9" not in witness.names()


def test_master():
    witness.ip("link", "add", "br0", "type", "bridge")
    with tuntap.Device("t0", Flag.TAP) as device:
        assert device.master is None
        device.master = "br0"
        assert witness.link("t0")["master"] == "br0" and device.master == "br0"
        device.master = None
        assert "master" not in witness.link("t0")
        with pytest.raises(tuntap.Error) as caught:
            device.master = "nothing"
        assert caught.value.errno == errno.ENODEV and caught.value.reason is Reason.ABSENT
    witness.ip("link", "delete", "br0")


def test_ipv6_settings():
    settings = {IPv6Setting.ACCEPT_RA: 2, IPv6Setting.ADDR_GEN_MODE: 1, IPv6Setting.DISABLE: 1}
    names = {IPv6Setting.DISABLE: "disable_ipv6"}
    with tuntap.Device("t0") as device:
        for setting, value in settings.items():
            device.set_ipv6(setting, value)
            with open(f"/proc/sys/net/ipv6/conf/t0/{names.get(setting, setting.name.lower())}") as shown:
                assert int(shown.read()) == device.get_ipv6(setting) == value
            with pytest.raises(tuntap.Error) as caught:
                device.set_ipv6(setting, 4)
            assert caught.value.reason is Reason.RANGE
        with pytest.raises(OverflowError):
            device.set_ipv6(IPv6Setting.DISABLE, -1)


def test_addresses():
    with tuntap.Device("t0") as device:
        assert device.addr is None and device.dstaddr is None and device.netmask is None
        device.addr = "10.8.0.1"
        device.dstaddr = ipaddress.ip_address("10.8.0.2")
        device.netmask = "255.255.255.0"
        assert "inet 10.8.0.1 peer 10.8.0.2/24" in witness.ip("address", "show", "t0")
        assert str(device.addr) == "10.8.0.1" and device.dstaddr == ipaddress.IPv4Address("10.8.0.2")
        assert device.netmask == ipaddress.IPv4Address("255.255.255.0")
        device.addr = ipaddress.ip_interface("fd00::1/64")
        for number in range(20):
            device.add_addr(f"10.9.{number}.1/24")
        device.del_addr(ipaddress.ip_interface("10.9.3.1/24"))
        shown = json.loads(witness.ip("-j", "address", "show", "t0"))[0]["addr_info"]
        expected = {f"{address['local']}/{address['prefixlen']}" for address in shown}
        listed = device.list_addrs()
        assert {str(entry.addr) for entry in listed} == expected and len(expected) == 21
        assert listed[0].peer == ipaddress.ip_address("10.8.0.2")
        device.add_addr("10.10.0.1/24", label="t0:1", valid=3000, preferred=2000, metric=77)
        assert "metric 77 scope global dynamic t0:1" in witness.ip("address", "show", "t0")
        with pytest.raises(FileExistsError):
            device.add_addr("10.10.0.1/24", valid=5000)
        device.add_addr("10.10.0.1/24", valid=5000, replace=True)
        entry = next(entry for entry in device.list_addrs() if entry.label == "t0:1")
        assert 4990 <= entry.valid <= 5000 and entry.metric == 77 and entry.scope is tuntap.Scope.GLOBAL
        device.del_addr(entry)
        assert "10.10.0.1" not in witness.ip("address", "show", "t0")
        device.add_addr(entry)
        with pytest.raises(TypeError, match="Addr has"):
            device.add_addr(entry, metric=5)
        with pytest.raises(TypeError, match="Addr has"):
            device.del_addr(entry, "10.10.0.2")
        assert "metric 77 scope global dynamic t0:1" in witness.ip("address", "show", "t0")
        with pytest.raises(OverflowError):
            device.add_addr("10.11.0.1/24", metric=2**32)
        with pytest.raises(ValueError, match="label"):
            device.add_addr("10.11.0.1/24", label="x" * 64)
        with pytest.raises(tuntap.Error) as caught:
            device.add_addr("10.8.0.1/33")
        assert caught.value.errno == errno.EINVAL and caught.value.reason is Reason.ADDRESS


def test_routes(open_device):
    device = open_device()
    device.add_route("10.9.0.0/16")
    device.add_route(ipaddress.ip_network("10.10.0.0/16"), metric=5)
    shown = {
        route["dst"]: route.get("metric", 0) for route in json.loads(witness.ip("-j", "route", "show", "dev", "t0"))
    }
    assert shown == {"10.8.0.0/24": 0, "10.9.0.0/16": 0, "10.10.0.0/16": 5}
    assert {str(route.destination): route.metric for route in device.list_routes()} == shown
    device.del_route("10.9.0.0/16")
    assert "10.9" not in witness.ip("route")
    device.add_route("10.12.0.0/16", source="10.8.0.1", mtu=1300, protocol=77)
    assert "proto 77 scope link src 10.8.0.1 mtu 1300" in witness.ip("route", "show", "10.12.0.0/16")
    route = next(route for route in device.list_routes() if str(route.destination) == "10.12.0.0/16")
    assert route.type is tuntap.RouteType.UNICAST and route.mtu == 1300 and route.flags == 0
    with pytest.raises(FileExistsError):
        device.add_route("10.12.0.0/16")
    device.add_route("10.12.0.0/16", replace=True)
    assert "mtu" not in witness.ip("route", "show", "10.12.0.0/16")
    device.del_route("10.12.0.0/16")
    device.add_route(route)
    with pytest.raises(TypeError, match="Route has"):
        device.add_route(route, metric=5)
    with pytest.raises(TypeError, match="Route has"):
        device.del_route(route, table=7)
    device.del_route(route)
    assert "10.12" not in witness.ip("route")
    with pytest.raises(FileNotFoundError) as caught:
        device.del_route("10.9.0.0/16")
    assert caught.value.reason is Reason.UNSET


def test_errors_are_subclasses_of_oserror():
    with pytest.raises(FileNotFoundError) as missing:
        tuntap.Device("t0", node="/nowhere/tun")
    assert isinstance(missing.value, tuntap.Error) and missing.value.reason is Reason.NO_DRIVER
    assert missing.value.errno == errno.ENOENT and "/nowhere/tun" in missing.value.strerror
    with pytest.raises(tuntap.Error) as wrong:
        tuntap.Device("a/b")
    assert wrong.value.reason is Reason.NAME and not isinstance(wrong.value, FileNotFoundError)


@pytest.mark.skipif(not witness.has_other_users(), reason="needs root, to become another user")
def test_without_privilege():
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            tuntap.Device("t0")
        except PermissionError as error:
            os._exit(error.reason)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == Reason.PRIVILEGE


def test_invalid_numbers_and_texts():
    with tuntap.Device("t0") as device:
        for value in (-1, 2**32, 2**32 + 1400, 2**64):
            with pytest.raises(OverflowError):
                device.mtu = value
        for value in ("1400", 1400.0, None):
            with pytest.raises(TypeError):
                device.mtu = value
        with pytest.raises(ValueError):
            device.name = "t\0"
        assert witness.link("t0")["mtu"] == 1500 and "t0" in witness.names()
    for name in ("t\0", 5):
        with pytest.raises((ValueError, TypeError)):
            tuntap.Device(name)


def test_open_fd():
    with tuntap.Device("t0", Flag.TUN | Flag.PI) as device:
        with tuntap.Device.open_fd(device.fileno(), Flag.BORROW) as borrowed:
            assert borrowed.name == "t0" and borrowed.flags & Flag.PI
            assert not os.get_inheritable(borrowed.fileno())
        ours = os.dup(device.fileno())
        with tuntap.Device.open_fd(ours):
            pass
        with pytest.raises(OSError):
            os.fstat(ours)
        assert "t0" in witness.names()
    with socket.socket() as other, pytest.raises(tuntap.Error) as caught:
        tuntap.Device.open_fd(other.fileno())
    assert caught.value.reason is Reason.KIND


def test_queues():
    with tuntap.Device("t0", Flag.TUN | Flag.MULTI_QUEUE) as device, device.open_queue() as queue:
        assert witness.link("t0")["linkinfo"]["info_data"]["numqueues"] == 2
        assert type(queue) is tuntap.Device and queue.index == device.index
        queue.detach()
        assert witness.link("t0")["linkinfo"]["info_data"]["numqueues"] == 1
        queue.attach()
        assert witness.link("t0")["linkinfo"]["info_data"]["numqueues"] == 2


def test_another_namespace():
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        witness.enter_namespace()
        os.write(ready[1], b"x")
        os.read(done[0], 1)
        os._exit(0 if "t0" in witness.names() else 1)
    os.read(ready[0], 1)
    with tuntap.Device("t0") as device, open(f"/proc/{child}/ns/net") as namespace:
        device.set_netns(namespace.fileno())
        assert "t0" not in witness.names()
        device.mtu = 1400
        with tuntap.Device("t1", netns=f"/proc/{child}/ns/net") as other:
            assert other.mtu == 1500 and "t1" not in witness.names()
        os.write(done[1], b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for descriptor in (*ready, *done):
        os.close(descriptor)


def test_closed():
    device = tuntap.Device("t0")
    device.close()
    device.close()
    assert device.closed and device.fileno() == -1 and "t0" not in witness.names()
    for use in (
        device.read,
        device.up,
        lambda: device.mtu,
        lambda: device.write(b"x" * 40),
        device.reader,
        lambda: device.readinto(bytearray(10)),
        device.wake,
        device.monitor,
    ):
        with pytest.raises(tuntap.Error) as caught:
            use()
        assert caught.value.errno == errno.EBADF
    assert "closed" in repr(device)


def test_gone():
    with tuntap.Device("t0") as device:
        witness.ip("link", "delete", "t0")
        for use in (
            device.read,
            device.up,
            lambda: device.mtu,
            lambda: device.write(witness.ipv4("10.0.0.1", "10.0.0.2")),
        ):
            with pytest.raises(tuntap.Error) as caught:
                use()
            assert caught.value.errno == errno.ENODEV and caught.value.reason is Reason.REMOVED
        assert "gone" in repr(device)


def test_unclosed_device():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        device = tuntap.Device("t0")
        del device
        gc.collect()
    assert [warning.category for warning in seen] == [ResourceWarning] and "t0" in str(seen[0].message)
    assert "t0" not in witness.names()


def test_unclosed_device_where_a_warning_is_an_error(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "unraisablehook", lambda _: None)
            device = tuntap.Device("t0")
            del device
            gc.collect()
    assert "t0" not in witness.names()


def test_a_signal_handler_that_raises_at_any_moment():
    """An exception at any point of an open, a call or a close leaks nothing once the object is deleted."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            sys.unraisablehook = lambda _: None
            warnings.simplefilter("ignore")
            status = count_leaks(200)
        except BaseException:
            signal.setitimer(signal.ITIMER_REAL, 0)
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def count_leaks(turns):
    before, armed = witness.descriptors(), False

    def handle(*_):
        nonlocal armed
        armed = False
        raise KeyError

    def use():
        with tuntap.Device("t0", Flag.TUN | Flag.NONBLOCK) as device:
            while armed:
                with contextlib.suppress(OSError), device.reader():
                    device.read()

    signal.signal(signal.SIGALRM, handle)
    for turn in range(turns):
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + turn * 7 % 2000))
            use()
        except KeyError:
            pass
        gc.collect()
    return abs(witness.descriptors() - before) + witness.names().count("t0")


def open_and_read():
    with tuntap.Device("t0", Flag.TUN | Flag.NONBLOCK) as device, device.reader(), contextlib.suppress(OSError):
        device.read()


def release():
    os.close(tuntap.Device("t0").release())


def at_each_moment(use, interrupt):
    """Interrupts use() as a signal handler can: at the first call or return from C, at the second one, and so on."""
    moment = passed = 0

    def trace(frame, event, _):
        nonlocal passed
        # ctypes has no event for a call of C. The return of the package's function call() replaces it.
        passed += event in ("call", "c_return") or (event, frame.f_code.co_name) == ("return", "call")
        if passed == moment:
            sys.setprofile(None)
            interrupt()

    while passed >= moment:
        moment, passed = moment + 1, 0
        try:
            sys.setprofile(trace)
            use()
            sys.setprofile(None)
        except KeyError:
            pass
        gc.collect()
        yield moment
    assert moment > 20


@pytest.mark.parametrize("use", [open_and_read, release])
def test_an_exception_at_each_moment(monkeypatch, use):
    def interrupt():
        raise KeyError

    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    warnings.simplefilter("ignore")
    before = witness.descriptors()
    for moment in at_each_moment(use, interrupt):
        names = [name for _, name in socket.if_nameindex()]
        assert (witness.descriptors(), names) == (before, ["lo"]), f"at moment {moment}"


def test_a_use_at_each_moment_of_a_release():
    device, freed = tuntap.Device("t0"), []

    def interrupt():
        with contextlib.suppress(tuntap.Error):
            assert device.mtu == 1500

    def use():
        nonlocal device
        device = tuntap.Device("t0")
        device._handle._free = freed.append
        os.close(device.release())

    device.close()
    for moment in at_each_moment(use, interrupt):
        assert not freed, f"at moment {moment}"


def test_exceptions_hold_no_reference_to_a_device():
    with tuntap.Device("t0") as device:
        with pytest.raises(tuntap.Error) as wrong:
            device.reader(Flag(1 << 40))
        with pytest.raises(TimeoutError) as late:
            device.read(0.01)
    assert "t0" not in witness.names() and wrong.value and late.value
    gc.disable()
    try:
        device = tuntap.Device("t0")
        with contextlib.suppress(TimeoutError):
            device.read(0.01)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del device
        assert "t0" not in witness.names()
    finally:
        gc.enable()


def test_fork():
    """The child can close its copy of the device: a thread that waits in the parent does not exist there."""
    with tuntap.Device("t0") as device:

        def read():
            with contextlib.suppress(tuntap.Error):
                device.read()

        reader = threading.Thread(target=read)
        reader.start()
        while not device._handle.users:
            pass
        child = os.fork()
        if child == 0:
            before = witness.descriptors()
            device.close()
            os._exit(0 if witness.descriptors() < before else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        device.wake()
        reader.join(10)
        assert not reader.is_alive()
    assert "t0" not in witness.names()


def test_errors_can_be_sent_to_another_process():
    for make in (lambda: tuntap.Device("a/b"), lambda: tuntap.Device("t0", node="/nowhere/tun")):
        with pytest.raises(tuntap.Error) as caught:
            make()
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), again.args, again.reason) == (type(caught.value), caught.value.args, caught.value.reason)


def test_devices_cannot_be_copied():
    with tuntap.Device("t0") as device, device.reader() as reader, device.monitor() as monitor:
        for thing in (device, reader, monitor):
            for action in (copy.copy, pickle.dumps):
                with pytest.raises(TypeError):
                    action(thing)
    assert "t0" not in witness.names()


def test_a_name_that_is_not_utf8():
    with tuntap.Monitor() as monitor, tuntap.Device(b"\xff\xfe") as device:
        while monitor.next(5).kind is not tuntap.EventKind.DEVICE:
            pass
        assert os.fsencode(device.name) == b"\xff\xfe"


def test_values_of_a_later_library():
    assert (int(Reason(99)), Reason(99).name, int(tuntap.EventKind(77))) == (99, "UNKNOWN_99", 77)


def test_ten_thousand_opens_leave_nothing():
    """Most of them open an existing device, because the kernel needs time to create one."""
    witness.ip("tuntap", "add", "dev", "t0", "mode", "tun")
    witness.ip("tuntap", "add", "dev", "t1", "mode", "tun", "multi_queue")

    def many(count):
        for number in range(count):
            (tuntap.Device if number % 2 else tuntap.pytun.TunTapDevice)("t0").close()
            with tuntap.Device("t1", Flag.TUN | Flag.MULTI_QUEUE) as device, device.reader(), device.writer():
                if number % 10 == 0:
                    device.monitor().close()
            with pytest.raises(tuntap.Error):
                tuntap.Device("t0", Flag.TAP)
        for _ in range(count // 50):
            tuntap.Device("t2").close()

    many(100)
    gc.collect()
    descriptors, memory = witness.descriptors(), witness.resident()
    many(5_000)
    gc.collect()
    assert witness.descriptors() == descriptors and witness.resident() - memory < 4 << 20
    assert witness.names() == ["lo", "t0", "t1"]
    witness.ip("link", "delete", "t0")
    witness.ip("link", "delete", "t1")


def test_every_function_of_the_library_is_used():
    """The package uses every function, except those that Python does not need."""
    from tuntap import _abi

    folder = os.path.dirname(tuntap.__file__)
    sources = ""
    for name in os.listdir(folder):
        if name.endswith(".py") and name != "_abi.py":
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                sources += file.read()
    unused = {name for name in _abi.PROTOTYPES if not re.search(rf"lib(rary)?\.{name}\b", sources)}
    assert unused == {
        "tuntap_open",  # tuntap_open_config does the same
        "tuntap_strreason",  # the names of Reason
        "tuntap_version_number",  # for the C preprocessor: see version()
        "tuntap_strevent",  # the names of EventKind
        "tuntap_readv",
        "tuntap_writev",  # memoryviews and joined bytes
        "tuntap_reader_next",
        "tuntap_splitter_copy",
        "tuntap_reader_copy",
        "tuntap_writer_reserve",
        "tuntap_writer_commit",  # faster only in C
    }


def test_everything_is_documented():
    from tuntap import _abi

    for name in tuntap.__all__:
        thing = getattr(tuntap, name)
        assert thing.__doc__, name
        if isinstance(thing, type) and thing.__module__.startswith("tuntap") and not issubclass(thing, (tuple, int)):
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_") and (callable(value) or isinstance(value, property)):
                    assert value.__doc__, f"{name}.{attribute}"
    assert "68 to 65535" in tuntap.Device.mtu.__doc__
    in_c = r"TUNTAP_(?!MAC_SIZE)|NULL|milliseconds|EINTR|\b(buf|sizeof)\b|Flag\.(FEATURE|REASON|EVENT)_"
    for name, text in _abi.DOCS.items():
        assert not re.search(rf"{in_c}|\( | \.$", text), f"{name}: {text}"
    assert sys.modules["tuntap"].has(tuntap.Feature.TUN)
    assert tuntap.version().count(".") == 2
