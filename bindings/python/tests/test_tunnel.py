# SPDX-License-Identifier: MIT
"""A program of pytun's users, over both modules and between them: two hosts, a wire, and what goes through it."""

import os
import subprocess
import sys

import pytest
import witness

HERE = os.path.dirname(os.path.abspath(__file__))
# Sends what is long and what is short, and hears it back, turned round.
CLIENT = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    for size in (1, 100, 1372):
        client.sendto(bytes(size - 1) + b"x", ("10.8.0.2", 7))
        assert client.recv(2000) == b"x" + bytes(size - 1), size
print("heard")
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
    """One end: a tunnel in a namespace of its own."""

    def __init__(self, module, kind, number):
        other = 3 - number
        addresses = [f"{network}.{host}" for network in ("10.8.0", "192.168.7") for host in (number, other)]
        words = ["unshare", "-n", sys.executable, os.path.join(HERE, "tunnel.py"), module, kind, *addresses]
        self.number = number
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, *words, **options):
        return subprocess.Popen(
            ["nsenter", "-t", str(self.process.pid), "-n", *words], stdout=subprocess.PIPE, text=True, **options
        )

    def begin(self, wire):
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            pass
        witness.ip("link", "set", wire, "netns", str(self.process.pid))
        for words in (f"address add 192.168.7.{self.number}/24 dev {wire}", f"link set {wire} up"):
            with self.run("ip", *words.split()) as done:
                assert done.wait(10) == 0
        print(file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
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
            host.begin(f"wire{host.number}")
        with hosts[1].run(sys.executable, "-c", SERVER) as server:
            assert server.stdout.readline() == "bound\n"
            with hosts[0].run(sys.executable, "-c", CLIENT) as client:
                assert client.communicate(timeout=20)[0] == "heard\n"
            assert server.wait(10) == 0
    finally:
        ends = [host.end() for host in hosts]
    assert ends == [0, 0]
