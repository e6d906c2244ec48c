# SPDX-License-Identifier: MIT
"""pytun_forwarder.py IF0 IF1: forwards with python-pytun in the usual way: a thread for each direction."""
import sys
import threading

from pytun import IFF_NO_PI, IFF_TUN, Error, TunTapDevice


def forward(source, target):
    while True:
        packet = source.read(65535)
        try:
            target.write(packet)
        except Error:
            pass  # lost, as on any link


first, second = (TunTapDevice(name=name, flags=IFF_TUN | IFF_NO_PI) for name in sys.argv[1:3])
threading.Thread(target=forward, args=(second, first), daemon=True).start()
print("ready", flush=True)
forward(first, second)
