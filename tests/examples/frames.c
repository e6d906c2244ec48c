/* SPDX-License-Identifier: MIT
 *
 * frames NAME ip|ethernet: sends all packets of packets.h out through a device, without the IP layer of the kernel. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "packets.h"

static int sock, tap;

/* A TUN does not carry the EtherType. A full queue drops packets, so this pauses after every 50 packets. */
static void send_packet(const uint8_t *bytes, size_t size)
{
    static unsigned sent;
    uint8_t frame[256] = "\x02\0\0\0\0\x02\x02\0\0\0\0\x01"; /* the addresses */
    size_t skip = tap ? 0 : 2, start = tap ? 12 : 0;
    if (size > skip) {
        memcpy(frame + start, bytes + skip, size - skip);
        (void)!send(sock, frame, start + size - skip, 0);
    }
    if (++sent % 50 == 0)
        nanosleep(&(struct timespec){0, 2000000}, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    tap = strcmp(argv[2], "ethernet") == 0;
    struct sockaddr_ll device = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    device.sll_ifindex = (int)if_nametoindex(argv[1]);
    sock = socket(AF_PACKET, SOCK_RAW, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&device, sizeof device) < 0) {
        perror("frames");
        return 1;
    }
    each_packet(send_packet);
    return 0;
}
