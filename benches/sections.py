#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares forwarders between two TUN devices, in private network namespaces and in turn within one run.

Three measurements. `memory` splits and joins in memory, without a system call. `drain` is the forwarder's processor time
for a fixed load (benches/drain.c), which is steady on a noisy machine. iperf3 is the throughput from end to end, where the
kernel's own TCP takes most of the time. A ratio compares runs of the same round, so that the speed of the machine cancels
out: the report has the median and the range of the ratios. It also has the minimum time of all rounds, but no ratio of it:
a machine with a faster state shows that state to some programs only.

    throughput.py [--python] [--rounds 5] [--only NAME,…] [--loads NAME,…] [--seconds 2] [--out docs]"""
import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.path.join(os.path.dirname(HERE), "build", "benches")
DEVICES = ("bench-a", "bench-b")
BASE = "tun-rs"


def built(name, *arguments):
    return [os.path.join(BUILT, name), *DEVICES, *arguments]


def in_python(file, *arguments):
    return [os.path.join(BUILT, "venv/bin/python"), os.path.join(HERE, "forwarder", file), *DEVICES, *arguments]


CONTENDERS = {
    "libtuntap": built("libtuntap", "stream"),
    "libtuntap, batch": built("libtuntap", "batch"),
    "libtuntap, trusted": built("libtuntap", "stream", "trusted"),
    "libtuntap, super-packets": built("libtuntap", "super"),
    "libtuntap, one by one": built("libtuntap", "plain"),
    "tun-rs": built("tunrs-forwarder"),
    "wireguard-go": built("wireguard"),
    "read and write in C": built("bare", "plain"),
    "python-pytun": in_python("pytun_forwarder.py"),
    "bare super-packets": built("bare", "raw"),
}
# Forwarders in Python, compared with python-pytun.
FORMS = {"one by one": "single", "class of pytun": "pytun", "batches of bytes": "bytes", "batches": "batch"}
PYTHON = {
    "python-pytun": CONTENDERS["python-pytun"],
    **{f"tuntap, {text}": in_python("tuntap_forwarder.py", form) for text, form in FORMS.items()},
}
# Limits for comparison, without a forwarder.
LIMITS = ("veth", "loopback")

# In memory: on one processor, without system calls.
MEMORY = {
    "libtuntap": [os.path.join(BUILT, "memory"), "44"],
    "libtuntap, batch": [os.path.join(BUILT, "memory"), "44", "batch"],
    "tun-rs": [os.path.join(BUILT, "tunrs/release/tunrs-memory"), "44"],
}
# For drain: packets per cycle, and cycles.
DRAINS = {"tcp44": (32, 40), "tcp16": (80, 40), "tcp1": (400, 40), "udp64": (400, 40), "udp1400": (400, 40)}
DRAIN_TEXT = {
    "memory": "Segmenting and coalescing 44 segments, in memory",
    "tcp44": "TCP super-packet, 44 segments",
    "tcp16": "TCP super-packet, 16 segments",
    "tcp1": "TCP segment of 1448 bytes",
    "udp64": "UDP, 64 bytes",
    "udp1400": "UDP, 1400 bytes",
}
IPERFS = {
    "iperf-tcp": ["-C", "cubic"],
    "iperf-tcp-4": ["-C", "cubic", "-P", "4"],
    "iperf-udp64": ["-u", "-b", "0", "-l", "64"],
    "iperf-udp1400": ["-u", "-b", "0", "-l", "1400"],
}
PYTHON_LOADS = ["udp64", "udp1400", "tcp1", "tcp44", "iperf-udp64", "iperf-udp1400", "iperf-tcp"]
IPERF_TEXT = {
    "iperf-tcp": "TCP, 1 stream",
    "iperf-tcp-4": "TCP, 4 streams",
    "iperf-udp64": "UDP, 64 bytes",
    "iperf-udp1400": "UDP, 1400 bytes",
}


def run(*command, check=True, **options):
    return subprocess.run(command, check=check, text=True, capture_output=True, timeout=120, **options).stdout


class Namespaces:
    """Where the ends and the forwarder are: removed with all that is in them."""

    def __init__(self):
        self.first, self.second, self.middle = (f"tuntap-bench-{os.getpid()}-{end}" for end in "abf")

    def __enter__(self):
        for name in self.all():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1", check=False)
        return self

    def __exit__(self, *_):
        for name in self.all():
            run("ip", "netns", "delete", name, check=False)

    def all(self):
        return self.first, self.second, self.middle

    def ends(self):
        return zip(DEVICES, (self.first, self.second), ("10.77.0.1/24", "10.77.0.2/24"))

    def configure(self):
        for device, name, address in self.ends():
            run("ip", "-n", name, "address", "add", address, "dev", device)
            run("ip", "-n", name, "link", "set", device, "up", "txqueuelen", "5000")


class Forwarder:
    """A contender that runs, with a device in each end; or, without a command, a pair of veths."""

    def __init__(self, namespaces, command, processor=None):
        self.namespaces = namespaces
        self.process = None
        if command is None:
            first, second, _ = namespaces.all()
            run("ip", "link", "add", DEVICES[0], "netns", first, "type", "veth", "peer", "name", DEVICES[1],
                "netns", second)
        else:
            pinned = ["taskset", "-c", processor] if processor else []
            self.process = subprocess.Popen(["ip", "netns", "exec", namespaces.middle, *pinned, *command],
                                            stdout=subprocess.PIPE, text=True)
            if self.process.stdout.readline() != "ready\n":
                self.process.wait()
                raise RuntimeError(f"{command[0]} did not begin")
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
        else:
            run("ip", "-n", self.namespaces.first, "link", "delete", DEVICES[0])
        while any(device in run("ip", "-n", name, "link") for device, name, _ in self.namespaces.ends()):
            time.sleep(0.01)

    def processor_time(self):
        """Seconds that its process has run."""
        if not self.process:
            return 0.0
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drain(namespaces, command, load):
    """Nanoseconds per packet or super-packet."""
    packets, cycles = DRAINS[load]
    with Forwarder(namespaces, command, processor="1") as forwarder:
        # Then no address is local to the other end, which drops all packets: its cost is the same for all.
        run("ip", "-n", namespaces.second, "address", "flush", "dev", DEVICES[1])
        place = f"/run/netns/{namespaces.first}"
        return {"ns": float(run("taskset", "-c", "0", os.path.join(BUILT, "drain"), str(forwarder.process.pid), place,
                                DEVICES[0], load, str(packets), str(cycles)))}


def iperf(namespaces, name, command, load, seconds):
    """What arrives: Gbit/s of TCP, or thousands of UDP packets a second; and the forwarder's time for it."""
    if name == "loopback":
        return iperf_between(namespaces.first, namespaces.first, "127.0.0.1", load, seconds, lambda: 0.0)
    with Forwarder(namespaces, command) as forwarder:
        return iperf_between(namespaces.first, namespaces.second, "10.77.0.2", load, seconds, forwarder.processor_time)


def iperf_between(client, server, address, load, seconds, processor_time):
    listener = subprocess.Popen(["ip", "netns", "exec", server, "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        before = processor_time()
        told = run("ip", "netns", "exec", client, "iperf3", "-J", "-i", "0", "-t", str(seconds), "-c", address,
                   *IPERFS[load], check=False)
        used = processor_time() - before
        end = json.loads(told)["end"]
    finally:
        listener.kill()
        listener.wait()
    if "udp" in load:
        packets = end["sum"]["packets"] - end["sum"]["lost_packets"]
        return {"rate": packets / end["sum"]["seconds"] / 1e3, "ns": used * 1e9 / max(packets, 1)}
    received = end["sum_received"]
    return {"rate": received["bits_per_second"] / 1e9, "ns": used * 1e9 / max(received["bytes"] / 1024, 1)}


def measure(namespaces, name, load, seconds):
    command = (PYTHON if name in PYTHON else CONTENDERS).get(name)
    if load in IPERFS:
        return iperf(namespaces, name, command, load, seconds)
    if load == "memory":
        return {"ns": float(run("taskset", "-c", "1", *MEMORY[name]))}
    return drain(namespaces, command, load)


def takes_part(name, load):
    return name in MEMORY if load == "memory" else name not in LIMITS or load in IPERFS


def measure_all(names, loads, rounds, seconds):
    results = {}
    with Namespaces() as namespaces:
        for turn in range(rounds):
            for load in loads:
                candidates = [name for name in names if takes_part(name, load)]
                for name in candidates if turn % 2 == 0 else reversed(candidates):
                    try:
                        result = measure(namespaces, name, load, seconds)
                    except (RuntimeError, ValueError, KeyError, subprocess.SubprocessError) as error:
                        print(f"FAIL  {name}, {load}: {error}", file=sys.stderr)
                        continue
                    results.setdefault(load, {}).setdefault(name, {})[turn] = result
                    print(f"{turn + 1}/{rounds} {load:14} {name:26} {result}", file=sys.stderr)
    return results


def median_of(runs, key):
    return statistics.median(result[key] for result in runs.values())


def least(runs):
    return min((result["ns"] for result in runs.values()), default=0)


def ratios(runs, base, key, more_is_better):
    """Of each round that both have: how many times as good."""
    pairs = [(runs[turn][key], base[turn][key]) for turn in runs if turn in base]
    return [(own / other if more_is_better else other / own) for own, other in pairs if own and other]


def spread(values):
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def table(results, load, base_name):
    """The Markdown of a load."""
    rate = load in IPERFS
    unit = "kpps" if "udp" in load else "Gbit/s"
    cost = "ns a packet" if "udp" in load else "ns a KB"
    base = results[load].get(base_name, {})
    head = f"| {IPERF_TEXT[load]} | {unit} | ratio | {cost} | ratio |\n| --- | --- | --- | --- | --- |" if rate else \
        f"| {DRAIN_TEXT[load]} | minimum ns | ratio |\n| --- | --- | --- |"
    lines = [head]
    for name, runs in results[load].items():
        cells = [name]
        if rate:
            cells += [f"{median_of(runs, 'rate'):.1f}", spread(ratios(runs, base, "rate", True))]
            forwards = name not in LIMITS
            cells += [f"{median_of(runs, 'ns'):.0f}" if forwards else "",
                      spread(ratios(runs, base, "ns", False)) if forwards else ""]
        else:
            cells += [f"{least(runs):.0f}", spread(ratios(runs, base, "ns", False))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report(results, rounds, base, picture):
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    lines = [
        "# Forwarding between two TUN devices",
        "",
        f"Measured on {datetime.date.today()}, Linux {platform.release()}, {cpu}, {os.cpu_count()} processors, by "
        f"`make bench`: {rounds} rounds, in each of which all programs run in turn.",
        f"A ratio compares a program with {base} in the same round; higher is better. It is the median, with the range of all rounds.",
        "",
        f"![Ratios]({picture})",
    ]
    drains, iperfs = [load for load in results if load in DRAINS], [load for load in results if load in IPERFS]
    if "memory" in results:
        lines += ["", "## In memory, without a system call", "", table(results, "memory", base)]
    if drains:
        lines += ["", "## Processor time of the forwarder for a fixed load", ""]
        lines += ["\n\n".join(table(results, load, base) for load in drains)]
    if iperfs:
        lines += ["", "## iperf3, end to end", ""]
        lines += ["\n\n".join(table(results, load, base) for load in iperfs)]
    return "\n".join(lines) + "\n"


def chart(results, base):
    """The ratios as bars, in SVG."""
    text = {**DRAIN_TEXT, **{load: f"iperf3: {text}" for load, text in IPERF_TEXT.items()}}
    out, y = [], 20
    for load, contenders in results.items():
        key, more = ("rate", True) if load in IPERFS else ("ns", False)
        out.append(f'<text x="10" y="{y}" font-weight="bold">{text[load]}</text>')
        y += 8
        for name, runs in contenders.items():
            values = ratios(runs, contenders.get(base, {}), key, more)
            if not values:
                continue
            ratio = statistics.median(values)
            colour = "#2a6f97" if name.startswith(("libtuntap", "tuntap")) else "#b0b0b0"
            out.append(f'<text x="190" y="{y + 11}" text-anchor="end">{name}</text>')
            out.append(f'<rect x="200" y="{y}" width="{min(ratio, 4) * 100:.0f}" height="13" fill="{colour}"/>')
            out.append(f'<text x="{204 + min(ratio, 4) * 100:.0f}" y="{y + 11}">{ratio:.2f}</text>')
            y += 17
        y += 22
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{y}" font-family="sans-serif" font-size="12">\n'
            f'<title>How many times as fast as {base}</title>\n'
            f'<rect width="680" height="{y}" fill="white"/>\n' + "\n".join(out) + "\n</svg>\n")


def available(name):
    if name in LIMITS:
        return True
    command = (PYTHON if name in PYTHON else CONTENDERS)[name]
    if all(os.path.exists(part) for part in command if os.sep in part):
        return True
    print(f"SKIP  {name}: not built", file=sys.stderr)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="store_true", help="compare forwarders in Python with python-pytun")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="duration of each run of iperf3")
    parser.add_argument("--only", help="contenders, separated by ;")
    parser.add_argument("--loads", help="loads, separated by ,")
    parser.add_argument("--out", help="the folder for bench.md and bench.svg, or bench-python.md and .svg with --python")
    options = parser.parse_args()
    base, file = ("python-pytun", "bench-python") if options.python else (BASE, "bench")
    all_names = PYTHON if options.python else [*CONTENDERS, *LIMITS]
    all_loads = PYTHON_LOADS if options.python else ["memory", *DRAINS, *IPERFS]
    names = [name for name in (options.only.split(";") if options.only else all_names) if available(name)]
    loads = options.loads.split(",") if options.loads else all_loads
    if not shutil.which("iperf3") and any(load in IPERFS for load in loads):
        print("SKIP  iperf3: not installed", file=sys.stderr)
        loads = [load for load in loads if load not in IPERFS]
    results = measure_all(names, loads, options.rounds, options.seconds)
    text = report(results, options.rounds, base, f"{file}.svg")
    if options.out:
        for name, content in ((f"{file}.md", text), (f"{file}.svg", chart(results, base))):
            with open(os.path.join(options.out, name), "w") as target:
                target.write(content)
    print(text)


main()
