# SPDX-License-Identifier: MIT
"""VPNs between two network namespaces that a veth connects: the throughput of iperf3 through the tunnel, and the
processor time that the programs of both ends need for a KB or a packet.

To add a VPN, add a line to PROGRAMS. One that `wg` cannot configure needs a class with the methods of WireGuard."""

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass

import network

BASE = "wireguard-go"
BUILT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/benches")
# build.sh puts programs here, and unpacks packages of Debian. Otherwise a program of the system is used.
FOLDERS = [os.path.join(BUILT, folder) for folder in ("vpn", "boringtun/bin", "debian/unpacked/usr/bin")]
MTU = 1420
PORT = 51820
# The devices of the tunnel. `wg` finds a program by the name of its device, in all namespaces.
TUNNELS = (f"vpn{os.getpid()}a", f"vpn{os.getpid()}b")
INSIDE = ("10.78.0.1", "10.78.0.2")
LOADS = {
    "vpn-tcp": "VPN: TCP, 1 stream",
    "vpn-tcp-4": "VPN: TCP, 4 streams",
    "vpn-udp64": "VPN: UDP, 64 bytes",
    "vpn-udp1392": "VPN: UDP, 1392 bytes",
}
IPERFS = {
    "vpn-tcp": ["-C", "cubic"],
    "vpn-tcp-4": ["-C", "cubic", "-P", "4"],
    "vpn-udp64": ["-u", "-b", "0", "-l", "64"],
    "vpn-udp1392": ["-u", "-b", "0", "-l", str(MTU - 28)],  # the largest that is not sent in fragments
}


@functools.cache
def find(program):
    """Returns the path of a program that runs on this system, or None."""
    for folders in (os.pathsep.join(FOLDERS), None):
        path = shutil.which(program, path=folders)
        if path and subprocess.run([path, "--version"], check=False, capture_output=True).returncode == 0:
            return path
    return None


def generate_keys():
    """Returns the private and the public keys of both ends."""
    private = [network.run(find("wg"), "genkey").strip() for _ in INSIDE]
    return private, [network.run(find("wg"), "pubkey", input=key).strip() for key in private]


def endpoint(end):
    return f"10.77.0.{end + 1}:{PORT}"


class WireGuard:
    """A program that runs in the foreground, takes the name of its device, and is configured by `wg`."""

    def __init__(self, *command):
        self.command = command

    def why_missing(self, skipped):
        """Returns why the program is missing, or None. skipped: the reasons of build.sh, by program."""
        for tool in (self.command[0], "wg"):
            if not find(tool):
                return skipped.get(tool, f"no {tool} that runs on this system")
        return None

    def version(self):
        """Returns the version from the file that build.sh wrote, or else from the program."""
        path = find(self.command[0])
        if os.path.exists(path + ".version"):
            with open(path + ".version") as text:
                return text.read().strip()
        return network.run(path, "--version").split()[1].removeprefix("v")

    def start(self, ends):
        """Starts the program of each end, and sets the key and the address of its peer. Yields each process as soon as
        its device exists."""
        environment = {**os.environ, "WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error", "WG_LOG_LEVEL": "error"}
        for namespace, device in ends:
            process = subprocess.Popen(
                network.within(namespace, find(self.command[0]), *self.command[1:], device),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.wait_for(process, device)
            yield process
        private, public = generate_keys()
        for own, (namespace, device) in enumerate(ends):
            other = 1 - own
            peer = ("peer", public[other], "allowed-ips", f"{INSIDE[other]}/32", "endpoint", endpoint(other))
            network.run(
                *network.within(
                    namespace, find("wg"), "set", device, "listen-port", str(PORT), "private-key", "/dev/stdin", *peer
                ),
                input=private[own],
            )

    def wait_for(self, process, device):
        deadline = time.monotonic() + 5
        while not os.path.exists(f"/var/run/wireguard/{device}.sock"):
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process)
                raise RuntimeError(f"{self.command[0]} did not start")
            time.sleep(0.01)


class Example:
    """A variant of examples-c/wireguard, which reads a configuration file."""

    def __init__(self, name):
        self.path = os.path.join(BUILT, "example", name)

    def why_missing(self, skipped):
        if not os.path.exists(self.path):
            return skipped.get("examples-c/wireguard", "it is not built")
        return None if find("wg") else "no wg that runs on this system"

    def version(self):
        return None

    def start(self, ends):
        private, public = generate_keys()
        with tempfile.TemporaryDirectory() as folder:
            for own, (namespace, device) in enumerate(ends):
                other = 1 - own
                config = os.path.join(folder, device)
                with open(config, "w") as file:
                    file.write(
                        f"[Interface]\nPrivateKey = {private[own]}\nListenPort = {PORT}\n[Peer]\n"
                        f"PublicKey = {public[other]}\nAllowedIPs = {INSIDE[other]}/32\nEndpoint = {endpoint(other)}\n"
                    )
                process = subprocess.Popen(
                    network.within(namespace, self.path, "-m", str(MTU), device, config),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                with process.stdout:
                    if "is up" not in process.stdout.readline():
                        stop(process)
                        raise RuntimeError(f"{self.path} did not start")
                yield process


PROGRAMS = {
    "libtuntap": Example("wireguard"),
    "libtuntap, one by one": Example("wireguard-single"),
    "libtuntap, no cipher": Example("wireguard-open"),
    "wireguard-go": WireGuard("wireguard-go", "--foreground"),
    "boringtun": WireGuard("boringtun-cli", "--foreground", "--disable-drop-privileges", "--disable-connected-udp"),
}


@dataclass
class Target:
    """A ratio to another program that libtuntap must reach."""

    load: str
    column: str
    base: str
    ratio: float
    program: str = "libtuntap"


TARGETS = (
    Target("vpn-tcp", "rate", "wireguard-go", 1.7),
    Target("vpn-tcp", "ns", "wireguard-go", 2.0),
    Target("vpn-tcp", "rate", "libtuntap, one by one", 2.9),
    Target("vpn-udp64", "rate", "wireguard-go", 2.0),
)


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def tunnel(namespaces, program):
    """Runs a tunnel between both ends. Yields its processes."""
    ends = list(zip((namespaces.first, namespaces.second), TUNNELS))
    namespaces.connect()
    processes = []
    try:
        namespaces.configure()
        for process in program.start(ends):
            processes.append(process)
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
