# SPDX-License-Identifier: MIT
"""The event loop: packets, batches, events, and tasks that are cancelled."""

import asyncio
import errno
import os
import threading

import pytest
import witness

import tuntap
import tuntap.aio
from tuntap import EventKind, Flag

IN = witness.ipv4("10.8.0.7", "10.8.0.1")


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


@pytest.fixture(params=[Flag(0), Flag.OFFLOAD], ids=["plain", "offload"])
def device(request, open_device):
    return open_device(flags=Flag.TUN | request.param, kind=tuntap.aio.Device)


def test_reading(device):
    async def main():
        asyncio.get_running_loop().call_later(0.05, send_many, 100)
        got = []
        async for packet in device:
            got.append(packet[28:])
            if len(got) == 100:
                return got

    assert run(main()) == [b"%d" % number for number in range(100)]


def send_many(count):
    for number in range(count):
        witness.send("10.8.0.9", b"%d" % number)


def test_writing(device):
    async def main():
        with witness.raw_socket() as receiver:
            receiver.setblocking(False)
            loop = asyncio.get_running_loop()
            assert await device.write(IN) == len(IN)
            assert await loop.sock_recv(receiver, 100) == IN
            with pytest.raises(tuntap.Error):
                await device.write(b"bad")

    run(main())


def test_without_room(open_device):
    device = open_device(flags=Flag.TAP, kind=tuntap.aio.Device, sndbuf=4000)

    async def fill():
        while True:
            await device.write(witness.STRAY)

    async def main(make_room):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(fill(), 0.3)
        asyncio.get_running_loop().call_later(0.1, make_room)
        assert await device.write(witness.STRAY) == len(witness.STRAY)

    with witness.slow_link("t0") as make_room:
        run(main(make_room))


def test_each_packet_goes_to_one_task(device):
    async def main():
        readers = [asyncio.ensure_future(device.read()) for _ in range(5)]
        await asyncio.sleep(0.05)
        readers[0].cancel()
        send_many(4)
        return sorted([(await reader)[28:] for reader in readers[1:]])

    assert run(main()) == [b"0", b"1", b"2", b"3"]


def test_cancelled_tasks_leave_nothing(device):
    async def main():
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(device.read(), 0.02)
        loop = asyncio.get_running_loop()
        assert not loop.remove_reader(device.fileno())
        send_many(1)
        return await device.read()

    assert run(main()).endswith(b"0")


def test_other_tasks_run(open_device):
    """A task that never has to wait does not block the event loop."""
    device = open_device(kind=tuntap.aio.Device)

    async def main():
        turns = 0

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        for _ in range(1000):
            await device.write(IN)
        task.cancel()
        return turns

    assert run(main()) >= 10


def test_closing(device):
    async def main():
        readers = [asyncio.ensure_future(device.read()) for _ in range(3)]
        await asyncio.sleep(0.05)
        device.close()
        ends = await asyncio.gather(*readers, return_exceptions=True)
        assert [end.errno for end in ends] == [errno.EBADF] * 3
        assert "t0" not in witness.names()

    run(main())


def test_one_loop_after_another(device):
    async def main():
        asyncio.get_running_loop().call_later(0.02, send_many, 1)
        return await device.read()

    assert run(main()).endswith(b"0")
    assert run(main()).endswith(b"0")


def test_batches(device, open_device):
    other = open_device("t1", device.flags, tuntap.aio.Device, addrs=["10.9.0.1/24"])

    async def main():
        reader, writer = device.reader(), other.writer()
        asyncio.get_running_loop().call_later(0.05, send_many, 100)
        seen = 0
        async for packets in reader:
            await writer.batch(packets)
            seen += len(packets)
            if seen == 100:
                break
        await writer.batch([IN] * 300)
        reader.close()
        writer.close()

    run(main())
    assert witness.link("t1")["stats64"]["rx"]["packets"] >= 300 or device.flags & Flag.OFFLOAD


def test_monitor():
    async def main():
        seen = []
        with tuntap.Monitor() as monitor:
            async for event in monitor:
                seen.append((event.kind, event.name))
                if event.kind is EventKind.COMPLETE:
                    asyncio.get_running_loop().call_later(0.05, lambda: tuntap.Device("t0").close())
                if event.kind is EventKind.REMOVED:
                    return seen

    seen = run(main())
    assert (EventKind.DEVICE, "t0") in seen and seen[-1] == (EventKind.REMOVED, "t0")


def test_a_cancelled_task_loses_no_packet(device):
    async def main():
        send_many(200)
        got = []
        while len(got) < 200:
            task = asyncio.ensure_future(read_into(device, got))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return got

    assert run(main()) == [b"%d" % number for number in range(200)]


async def read_into(device, got):
    while True:
        got.append((await device.read())[28:])


def test_closing_a_monitor_that_is_awaited():
    async def watch(monitor, seen):
        async for event in monitor:
            seen.append(event.kind)

    async def main():
        monitor, seen = tuntap.Monitor(), []
        tasks = [asyncio.ensure_future(watch(monitor, seen)) for _ in range(2)]
        await asyncio.sleep(0.05)
        tuntap.Device("t0").close()
        await asyncio.sleep(0.2)
        monitor.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [end.errno for end in ends] == [errno.EBADF] * 2
        assert {EventKind.COMPLETE, EventKind.DEVICE, EventKind.REMOVED} <= set(seen)

    run(main())


def test_closing_when_the_loop_does_not_run(device):
    loop = asyncio.new_event_loop()
    task = loop.create_task(device.read())
    loop.run_until_complete(asyncio.sleep(0.02))
    device.close()
    with pytest.raises(tuntap.Error):
        loop.run_until_complete(task)
    loop.close()
    device.close()
    assert "t0" not in witness.names()


def test_two_loops_at_once(device):
    async def read():
        return (await device.read())[28:]

    got = []
    thread = threading.Thread(target=lambda: got.append(run(read())))
    thread.start()

    async def main():
        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.1)
        send_many(2)
        return await task

    got.append(run(main()))
    thread.join(30)
    assert sorted(got) == [b"0", b"1"]


def test_closing_a_reader_that_is_awaited(device):
    async def main():
        async with device.reader() as reader, device.writer():
            task = asyncio.ensure_future(reader.batch())
            await asyncio.sleep(0.05)
        with pytest.raises(tuntap.Error):
            await task

    run(main())


def test_closing_from_another_thread(device):
    """The loop removes the descriptor before its number is reused."""

    async def main():
        loop = asyncio.get_running_loop()
        task, ready = asyncio.ensure_future(device.read()), asyncio.Event()
        await asyncio.sleep(0.05)
        thread = threading.Thread(target=device.close)
        thread.start()
        thread.join()
        pipes = [os.pipe() for _ in range(8)]
        for source, sink in pipes:
            loop.add_reader(source, ready.set)
            os.write(sink, b"x")
        with pytest.raises(tuntap.Error):
            await task
        await asyncio.wait_for(ready.wait(), 5)
        for source, sink in pipes:
            assert loop.remove_reader(source)
            os.close(source)
            os.close(sink)

    run(main())
    assert "t0" not in witness.names()
