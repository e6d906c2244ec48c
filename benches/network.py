# SPDX-License-Identifier: MIT
"""Private network namespaces, the programs that run in them, and iperf3 between them."""

import json
import os
import subprocess
import time

DEVICES = ("bench-a", "bench-b")


def run(*command, check=True, **options):
    done = subprocess.run(command, check=False, text=True, capture_output=True, timeout=120, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def within(namespace, *command):
    """The command, to run in a network namespace."""
    return ["ip", "netns", "exec", namespace, *command]


class Namespaces:
    """The namespaces of both ends and of the forwarder between them. They are deleted with their devices at the end."""

    def __init__(self):
        self.first, self.second, self.middle = (f"tuntap-bench-{os.getpid()}-{end}" for end in "abf")

    def __enter__(self):
        for name in self.all():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run(*within(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"), check=False)
        return self

    def __exit__(self, *_):
        for name in self.all():
            run("ip", "netns", "delete", name, check=False)

    def all(self):
        return self.first, self.second, self.middle

    def ends(self):
        return zip(DEVICES, (self.first, self.second), ("10.77.0.1/24", "10.77.0.2/24"))

    def connect(self, mtu=1500):
        """Connects the ends by a pair of veths."""
        run(
            "ip",
            "link",
            "add",
            DEVICES[0],
            "mtu",
            str(mtu),
            "netns",
            self.first,
            "type",
            "veth",
            "peer",
            "name",
            DEVICES[1],
            "mtu",
            str(mtu),
            "netns",
            self.second,
        )

    def disconnect(self):
        run("ip", "-n", self.first, "link", "delete", DEVICES[0])
        self.wait_until_gone()

    def configure(self):
        for device, name, address in self.ends():
            run("ip", "-n", name, "address", "add", address, "dev", device)
            run("ip", "-n", name, "link", "set", device, "up", "txqueuelen", "5000")

    def wait_until_gone(self):
        while any(device in run("ip", "-n", name, "link") for device, name, _ in self.ends()):
            time.sleep(0.01)


def processor_time(pid):
    """Returns the processor time that a process has used, in seconds."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Forwarder:
    """A program that forwards packets between a device in each end. Without a command: a pair of veths."""

    def __init__(self, namespaces, command, processor=None):
        self.namespaces = namespaces
        self.process = None
        if command is None:
            namespaces.connect()
        else:
            pinned = ["taskset", "-c", processor] if processor else []
            self.process = subprocess.Popen(
                within(namespaces.middle, *pinned, *command), stdout=subprocess.PIPE, text=True
            )
            if self.process.stdout.readline() != "ready\n":
                self.process.wait()
                raise RuntimeError(f"{command[0]} did not start")
            for device, name, _ in namespaces.ends():
                run("ip", "-n", namespaces.middle, "link", "set", device, "netns", name)
        namespaces.configure()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.namespaces.wait_until_gone()
        else:
            self.namespaces.disconnect()

    def processor_time(self):
        return processor_time(self.process.pid) if self.process else None


def iperf(client, server, address, options, seconds, used):
    """Runs iperf3. Returns the rate at the receiver, and the processor time for a KB of TCP or for a UDP packet.

    The rate is in Gbit/s of TCP, or in thousands of UDP packets a second. used() returns the processor time so far, or
    None."""
    listener = subprocess.Popen(within(server, "iperf3", "-s", "-1"), stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        before = used()
        text = run(*within(client, "iperf3", "-J", "-i", "0", "-t", str(seconds), "-c", address, *options), check=False)
        spent = None if before is None else used() - before
        end = json.loads(text)["end"]
    finally:
        listener.kill()
        listener.wait()
    if "-u" in options:
        count = end["sum"]["packets"] - end["sum"]["lost_packets"]
        rate = count / end["sum"]["seconds"] / 1e3
    else:
        count = end["sum_received"]["bytes"] / 1024
        rate = end["sum_received"]["bits_per_second"] / 1e9
    return {"rate": rate} if spent is None else {"rate": rate, "ns": spent * 1e9 / max(count, 1)}
