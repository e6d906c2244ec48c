/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Opens a device with count queues, each with its own handle. */
int open_queues(tuntap **queues, int count)
{
    uint64_t flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE;
    tuntap_error err;
    int code = tuntap_open("vpn0", flags, &queues[0], &err);

    for (int i = 1; code == 0 && i < count; i++)
        code = tuntap_open_queue(queues[0], 0, &queues[i], &err);
    if (code < 0)
        fprintf(stderr, "%s\n", err.message);
    return code;
}
