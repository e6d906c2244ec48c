/* SPDX-License-Identifier: MIT
 *
 * bare IF0 IF1 plain|raw: only a loop of read(2) and write(2). plain: packets, without offload. raw: super-packets
 * without segmentation. These are the limits for a library. */
#include "forwarder.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* Larger than a super-packet and its virtio header. */
enum { ROOM = 65536 + 64 };

static int open_tun(const char *name, int raw)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (raw ? IFF_VNET_HDR : 0));
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        die(name);
    unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, udp = 0x20 | 0x40; /* TUN_F_USO4 and 6, since Linux 6.2 */
    if (raw && ioctl(fd, TUNSETOFFLOAD, tcp | udp) < 0 && ioctl(fd, TUNSETOFFLOAD, tcp) < 0)
        die("TUNSETOFFLOAD");
    return fd;
}

static void *forward(void *argument)
{
    const struct direction *direction = argument;
    int in = (int)(intptr_t)direction->in, out = (int)(intptr_t)direction->out;
    char *packet = aligned_alloc(4096, (ROOM + 4095) / 4096 * 4096);
    ssize_t length;
    while ((length = read(in, packet, ROOM)) > 0)
        if (write(out, packet, (size_t)length) < 0)
            continue; /* lost, as on any link */
    die("read");
    return NULL;
}

int main(int count, char **arguments)
{
    if (count != 4)
        return fprintf(stderr, "usage: bare IF0 IF1 plain|raw\n"), 2;
    int raw = strcmp(arguments[3], "raw") == 0;
    intptr_t first = open_tun(arguments[1], raw), second = open_tun(arguments[2], raw);
    const struct direction directions[2] = {{(void *)first, (void *)second}, {(void *)second, (void *)first}};
    forward_all(directions, 2, forward);
    return 0;
}
