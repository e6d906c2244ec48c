# SPDX-License-Identifier: MIT
"""A program that uses pytun, with both modules and between them: a tunnel between two hosts that a veth connects."""

import os
import subprocess
import sys

import pytest
import witness

HERE = os.path.dirname(os.path.abspath(__file__))
# Sends payloads of several sizes, and receives each of them reversed.
CLIENT = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    for size in (1, 100, 1372):
        client.sendto(bytes(size - 1) + b"x", ("10.8.0.2", 7))
        assert client.recv(2000) == b"x" + bytes(size - 1), size
print("received")
"""
SERVER = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("10.8.0.2", 7))
    print("bound", flush=True)
    for _ in range(3):
        data, client = server.recvfrom(2000)
        server.sendto(data[::-1], client)
"""


class Host:
    """One end of the tunnel, in its own network namespace."""

    def __init__(self, module, kind, number):
        other = 3 - number
        addresses = [f"{network}.{host}" for network in ("10.8.0", "192.168.7") for host in (number, other)]
        command = ["unshare", "-n", sys.executable, os.path.join(HERE, "tunnel.py"), module, kind, *addresses]
        self.number = number
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, *command, **options):
        return subprocess.Popen(
            ["nsenter", "-t", str(self.process.pid), "-n", *command], stdout=subprocess.PIPE, text=True, **options
        )

    def start(self, wire):
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            pass
        witness.ip("link", "set", wire, "netns", str(self.process.pid))
        for command in (f"address add 192.168.7.{self.number}/24 dev {wire}", f"link set {wire} up"):
            with self.run("ip", *command.split()) as done:
                assert done.wait(10) == 0
        print(file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        return status


@pytest.mark.parametrize("kind", ["tun", "tap"])
@pytest.mark.parametrize("modules", [("pytun", "pytun"), ("tuntap.pytun", "tuntap.pytun"), ("pytun", "tuntap.pytun")])
def test_tunnel(modules, kind):
    if "pytun" in modules and os.environ.get("CI") != "true":
        pytest.importorskip("pytun", reason="python-pytun is not installed")
    witness.ip("link", "add", "wire1", "type", "veth", "peer", "name", "wire2")
    hosts = [Host(module, kind, number) for number, module in enumerate(modules, 1)]
    try:
        for host in hosts:
            host.start(f"wire{host.number}")
        with hosts[1].run(sys.executable, "-c", SERVER) as server:
            assert server.stdout.readline() == "bound\n"
            with hosts[0].run(sys.executable, "-c", CLIENT) as client:
                assert client.communicate(timeout=20)[0] == "received\n"
            assert server.wait(10) == 0
    finally:
        ends = [host.stop() for host in hosts]
    assert ends == [0, 0]
