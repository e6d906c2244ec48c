# SPDX-License-Identifier: MIT
"""VPNs between two network namespaces that a veth connects: the throughput of iperf3 through the tunnel, and the
processor time that the programs of both ends spend for a KB or a packet.

To add a VPN, add a line to PROGRAMS. One that `wg` cannot configure needs a class with the methods of WireGuard."""

import contextlib
import functools
import os
import shutil
import subprocess
import time

import network

BASE = "wireguard-go"
# build.sh unpacks packages of Debian here. Otherwise a program of the system is used.
UNPACKED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/benches/debian/root/usr/bin")
MTU = 1420
PORT = 51820
# The devices of the tunnel. `wg` finds a program by the name of its device, in all namespaces.
TUNNELS = (f"vpn{os.getpid()}a", f"vpn{os.getpid()}b")
INSIDE = ("10.78.0.1", "10.78.0.2")
LOADS = {"vpn-tcp": "VPN: TCP, 1 stream", "vpn-udp64": "VPN: UDP, 64 bytes"}
IPERFS = {"vpn-tcp": ["-C", "cubic"], "vpn-udp64": ["-u", "-b", "0", "-l", "64"]}


@functools.cache
def find(program):
    """The path of a program that runs on this system, or None."""
    for folders in (UNPACKED, None):
        path = shutil.which(program, path=folders)
        if path and subprocess.run([path, "--version"], check=False, capture_output=True).returncode == 0:
            return path
    return None


class WireGuard:
    """A program that runs in the foreground with the name of its device, and is configured by `wg`."""

    def __init__(self, *command):
        self.command = command

    def why_missing(self):
        for tool in (self.command[0], "wg"):
            if not find(tool):
                return f"no {tool} that runs on this system"
        return None

    def start(self, namespace, device):
        """Starts the program of one end. Returns its process when the device is there."""
        environment = {**os.environ, "WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"}
        process = subprocess.Popen(
            network.within(namespace, find(self.command[0]), *self.command[1:], device),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 5
        while not os.path.exists(f"/var/run/wireguard/{device}.sock"):
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process)
                raise RuntimeError(f"{self.command[0]} did not begin")
            time.sleep(0.01)
        return process

    def join(self, ends):
        """Gives each end the key and the address of the other one."""
        keys = [network.run(find("wg"), "genkey").strip() for _ in ends]
        public = [network.run(find("wg"), "pubkey", input=key).strip() for key in keys]
        for own, (namespace, device) in enumerate(ends):
            other = 1 - own
            peer = (
                "peer",
                public[other],
                "allowed-ips",
                f"{INSIDE[other]}/32",
                "endpoint",
                f"10.77.0.{other + 1}:{PORT}",
            )
            network.run(
                *network.within(
                    namespace, find("wg"), "set", device, "listen-port", str(PORT), "private-key", "/dev/stdin", *peer
                ),
                input=keys[own],
            )


PROGRAMS = {
    "wireguard-go": WireGuard("wireguard-go", "--foreground"),
}


def why_missing(program):
    return program.why_missing()


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def tunnel(namespaces, program):
    """A tunnel between both ends. Gives the processes."""
    ends = list(zip((namespaces.first, namespaces.second), TUNNELS))
    namespaces.connect()
    processes = []
    try:
        namespaces.configure()
        for namespace, device in ends:
            processes.append(program.start(namespace, device))
        program.join(ends)
        for (namespace, device), own, other in zip(ends, INSIDE, reversed(INSIDE)):
            network.run("ip", "-n", namespace, "address", "add", own, "peer", other, "dev", device)
            network.run("ip", "-n", namespace, "link", "set", device, "up", "mtu", str(MTU))
        yield processes
    finally:
        for process in processes:
            stop(process)
        namespaces.disconnect()


def measure(namespaces, program, load, seconds):
    with tunnel(namespaces, program) as processes:
        used = lambda: sum(network.processor_time(process.pid) for process in processes)
        return network.iperf(namespaces.first, namespaces.second, INSIDE[1], IPERFS[load], seconds, used)
