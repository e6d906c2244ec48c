# SPDX-License-Identifier: MIT
"""tunnel.py MODULE KIND ADDR DSTADDR LOCAL REMOTE: a UDP tunnel, with either module, as programs use pytun.

It forwards packets between a TUN or TAP with the address ADDR and the same program at REMOTE, in one loop with select.
It starts after a line on standard input, and ends when standard input is closed.
"""

import importlib
import select
import socket
import sys

PORT = 12_000


class Tunnel:
    def __init__(self, pytun, kind, addr, dstaddr, local, remote):
        flags = pytun.IFF_TAP if kind == "tap" else pytun.IFF_TUN
        self.device = pytun.TunTapDevice(name="tunnel0", flags=flags | pytun.IFF_NO_PI)
        self.device.addr = addr
        if kind == "tun":
            self.device.dstaddr = dstaddr
        else:
            self.device.hwaddr = b"\x02\0" + socket.inet_aton(addr)
        self.device.netmask = "255.255.255.0"
        self.device.mtu = 1400
        self.device.up()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((local, PORT))
        self.remote = (remote, PORT)

    def run(self):
        longest = self.device.mtu + 14
        while True:
            ready, _, _ = select.select([self.device, self.socket, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            if self.device in ready:
                packet = self.device.read(longest)
                try:
                    self.socket.sendto(packet, self.remote)
                except OSError:
                    pass  # Lost, as on any link. The veth may be gone, if the other end has ended.
            if self.socket in ready:
                packet, sender = self.socket.recvfrom(65_535)
                if sender == self.remote:
                    self.device.write(packet)


sys.stdin.readline()
tunnel = Tunnel(importlib.import_module(sys.argv[1]), *sys.argv[2:])
print("ready", flush=True)
tunnel.run()
tunnel.device.close()
