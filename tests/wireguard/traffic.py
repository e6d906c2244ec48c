# SPDX-License-Identifier: MIT
"""Traffic for tests/wireguard.sh.

receive ADDRESS PORT               one TCP connection; prints the SHA-256 of what came
send ADDRESS PORT KILOBYTES        sends random bytes; prints their SHA-256
count ADDRESS PORT                 UDP, until SIGTERM; prints how many datagrams came, and how many different ones
datagrams ADDRESS PORT COUNT [FROM]
relay PORT NEAR FAR HOW            UDP between the ports of two hosts, "ADDRESS:PORT" each. HOW is plain; lossy: some
                                   datagrams are lost, others overtaken; or twice: each datagram is sent again at once.
                                   On SIGUSR1 the first initiation is sent again, and the number of responses within a
                                   second printed
watch DEVICE                       prints "SOURCE TYPE" of each message of a handshake, and of each keepalive
flood ADDRESS PORT PUBLIC_KEY      initiations with a valid mac1 and nothing else, until SIGTERM
"""
import base64
import hashlib
import os
import random
import select
import signal
import socket
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp(address, port):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((address, port))
    return sock


def receive(address, port):
    with socket.create_server((address, int(port)), family=family(address)) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
        digest = hashlib.sha256()
        while block := connection.recv(1 << 16):
            digest.update(block)
        print(digest.hexdigest(), flush=True)


def send(address, port, kilobytes):
    digest = hashlib.sha256()
    with socket.create_connection((address, int(port)), timeout=40) as connection:
        for _ in range(int(kilobytes)):
            block = os.urandom(1024)
            digest.update(block)
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    print(digest.hexdigest())


def count(address, port):
    sock = udp(address, int(port))
    came = []
    signal.signal(signal.SIGTERM, lambda *_: (print(len(came), len(set(came)), flush=True), os._exit(0)))
    print("listening", flush=True)
    while True:
        came.append(sock.recv(2048))


def datagrams(address, port, number, source=None):
    sock = udp(source, 0) if source else socket.socket(family(address), socket.SOCK_DGRAM)
    for i in range(int(number)):
        sock.sendto(b"datagram %d" % i, (address, int(port)))
        time.sleep(0.0005)


def relay(port, near, far, how):
    ends = []
    for end in near, far:
        address, end_port = end.rsplit(":", 1)
        ends.append((address, int(end_port)))
    sock = udp("0.0.0.0", int(port))
    replays = []
    signal.signal(signal.SIGUSR1, lambda *_: replays.append(1))
    first, until, answers, late = None, None, 0, []
    print("listening", flush=True)
    while True:
        ready, _, _ = select.select([sock], [], [], 0.01 if late else 0.1)
        if replays and first:
            replays.clear()
            until, answers = time.monotonic() + 1, 0
            sock.sendto(*first)
        if until and time.monotonic() > until:
            print("answers", answers, flush=True)
            until = None
        if ready:
            message, source = sock.recvfrom(65535)
            other = ends[0] if source == ends[1] else ends[1]
            if message[0] == 1 and not first:
                first = message, other
            answers += message[0] == 2
            if how == "lossy" and message[0] == 4 and random.random() < 0.02:
                continue
            if how == "lossy" and random.random() < 0.1:
                late.append((message, other))
                continue
            sock.sendto(message, other)
            if how == "twice":
                sock.sendto(message, other)
        if late and (not ready or len(late) > 3):
            sock.sendto(*late.pop(0))


def watch(device):
    """The messages of the protocol over IPv4. Data is not parsed."""
    names = {(1, 148): "initiation", (2, 92): "response", (3, 64): "cookie", (4, 32): "keepalive"}
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((device, 0))
    print("listening", flush=True)
    while True:
        packet = sock.recv(64)
        if len(packet) > 28 and packet[0] == 0x45 and packet[9] == socket.IPPROTO_UDP:
            name = names.get((packet[28], int.from_bytes(packet[24:26], "big") - 8))
            if name:
                print(socket.inet_ntoa(packet[12:16]), name, flush=True)


def flood(address, port, public_key):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    key = hashlib.blake2s(b"mac1----" + base64.b64decode(public_key)).digest()
    message = b"\1\0\0\0" + os.urandom(112)
    message += hashlib.blake2s(message, key=key, digest_size=16).digest() + bytes(16)
    while True:
        sock.sendto(message, (address, int(port)))
        time.sleep(0.001)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
