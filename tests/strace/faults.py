#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes each system call of a tuntap_open_config with every option fail in turn, by strace.

Each time the call must either do without what failed, or fail with a message that names the step, and leave nothing
behind: no device, no descriptor, and an existing device as it was. Run by tests/strace.sh, in a network namespace
of its own. Usage: faults.py PROGRAM, which is open.c
"""

import collections
import os
import re
import signal
import subprocess
import sys
import tempfile

# Not made to fail: what cannot, what has no way to report it, and memory, for want of which the library aborts.
NEVER = {"brk", "close", "exit", "futex", "getrandom", "gettid", "kill", "madvise", "mprotect", "munmap", "prctl",
         "restart_syscall", "rseq", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity", "set_robust_list", "tgkill"}

# What a system call is about, by what strace shows of it, and what the message then says. The first that fits counts.
STEPS = [
    ("/dev/net/tun", "open the device node /dev/net/tun"),
    ("NETLINK_ROUTE", "open a netlink socket"),
    ("eventfd", "open an event counter"),
    ("TUNSETIFF", "open t0"),
    ("TUNSETOFFLOAD", "turn on the offloads of t0"),
    ("TUNSETVNETHDRSZ", "turn on the offloads of t0"),
    ("TUNSETSNDBUF", "option sndbuf: set the send buffer of t0"),
    ("TUNGETSNDBUF", "ask for the send buffer"),
    ("TUNSETOWNER", "option owner: set the owner of t0"),
    ("TUNSETGROUP", "option group: set the group of t0"),
    ("TUNSETPERSIST", "persistence of t0"),
    ("setns", "enter the network namespace"),
    ("clone", "start a thread for the network namespace"),
    ("IFLA_MTU", "option mtu: set the MTU of t0 to 1400"),
    ("IFLA_ADDRESS", "option mac: set the MAC address of t0 to 02:00:00:00:00:07"),
    ("IFLA_IFALIAS", "option alias: set the alias of t0"),
    ("IFLA_TXQLEN", "option txqueuelen: set the transmit queue length of t0 to 77"),
    ("IFF_UP", "option up: take t0 up"),
    ("RTM_NEWADDR", "option addr: give t0 the address "),
    ("RTM_NEWROUTE", "option route: add the route "),
    ("RTM_GETADDR", "list the addresses of t0"),
    ("RTM_GETROUTE", "list the routes through t0"),
    ("RTM_GETLINK", "ask for the state of"),
]

# What others may count up or let tick.
VOLATILE = re.compile(r'"(?:valid_life_time|preferred_life_time)":\d+|"ifindex":\d+')


def picture():
    """All that ip(8) shows of the device."""
    views = [["link", "show", "t0"], ["address", "show", "t0"], ["route", "show", "table", "all", "dev", "t0"],
             ["-6", "route", "show", "table", "all", "dev", "t0"]]
    shown = [subprocess.run(["ip", "-j", "-d", *view], capture_output=True, text=True).stdout for view in views]
    return VOLATILE.sub("", "\n".join(shown))


def run(program, mode, inject):
    """Runs the program under strace from where it stops itself; what it returned and printed, and what strace saw."""
    child = subprocess.Popen([program, mode], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    os.waitpid(child.pid, os.WUNTRACED)
    with tempfile.NamedTemporaryFile("r") as log:
        strace = subprocess.Popen(
            ["strace", "-f", "-s", "200", "-o", log.name, "-p", str(child.pid), *inject],
            stderr=subprocess.PIPE, text=True)
        attached = strace.stderr.readline()
        assert "attached" in attached, attached
        os.kill(child.pid, signal.SIGCONT)
        output = child.communicate(timeout=60)[0]
        strace.wait()
        return child.returncode, output.strip(), log.read()


def calls(seen):
    """Each system call up to the end of the one call: name, number among those of its thread, and arguments."""
    numbers = collections.Counter()
    for line in seen.splitlines():
        found = re.match(r"(\d+) +(\w+)\((.*)", line)
        if "tgkill" in line and "SIGCONT" in line:
            return
        if found:
            thread, name, arguments = found.groups()
            numbers[thread, name] += 1
            yield name, numbers[thread, name], arguments


def expected(name, arguments, asked):
    """What the message says when this call fails. An answer is about what was asked before it."""
    about = asked if name.startswith("recv") else name + arguments
    return next((words for mark, words in STEPS if mark in about), "")


def main():
    program = sys.argv[1]
    failures = 0
    for mode in ("here", "netns", "existing"):
        if mode == "existing":
            prepare()
        before = picture()
        code, output, seen = run(program, mode, [])
        assert code == 0 and output == "opened", f"{mode}, no fault: {output}\n{seen}"
        if mode == "existing":
            subprocess.run(["ip", "link", "delete", "t0"], check=True)
            prepare()
            before = picture()
        failures += fail_each(program, mode, list(calls(seen)), before)
    sys.exit(1 if failures else 0)


def prepare():
    """A device that somebody has set up."""
    for line in ("tuntap add dev t0 mode tap vnet_hdr user 0 group 0", "link set t0 mtu 1450 address 02:00:00:00:00:01",
                 "link set t0 alias before txqueuelen 55", "link set t0 addrgenmode none", "link set t0 up",
                 "address add 10.8.0.2/24 dev t0 label t0:mine", "address add fd02::1/64 dev t0 nodad",
                 "route add 10.10.0.0/16 via 10.8.0.9 dev t0"):
        subprocess.run(["ip", *line.split()], check=True)


def fail_each(program, mode, trace, before):
    """Fails each call of the trace in a run of its own."""
    done, survived, wrong, asked, tried = 0, 0, 0, "", set()
    for name, number, arguments in trace:
        if name.startswith("send"):
            asked = name + arguments
        # strace counts in each thread: what comes second under the same number would not be reached.
        if name in NEVER or (name, number) in tried:
            continue
        tried.add((name, number))
        inject = ["-e", f"inject={name}:error=ENOMEM:when={number}"]
        code, output, seen = run(program, mode, inject)
        words = expected(name, arguments, asked)
        fault = None
        if "(INJECTED)" not in seen:
            fault = "nothing was made to fail"
        elif code != 0:
            fault = output
        elif output == "opened":
            survived += 1
        elif words not in output:
            fault = f'no "{words}" in: {output}'
        after = picture()
        if mode == "existing" and output != "opened" and after != before:
            fault = f"the device has changed: {output}\n{before}\n{after}"
        if mode == "existing" and after != before:
            subprocess.run(["ip", "link", "delete", "t0"], check=False)
            prepare()
            before = picture()
        done += 1
        if os.environ.get("VERBOSE"):
            print(f"{mode} {name} {number}: {output}")
        if fault:
            wrong += 1
            print(f"FAIL  {mode}: {name} {number} ({arguments[:150]}): {fault}")
    print(f"{mode}: {done} system calls failed in turn, {survived} of them done without, {wrong} wrong")
    return wrong


main()
