/* SPDX-License-Identifier: MIT */
#include "packet.h"

/** The queue holds as many packets as its length. */
static void the_queue_drops_packets_beyond_its_length(void)
{
    tuntap *dev;
    uint8_t buf[100];
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err));
    OK(tuntap_set_txqueuelen(dev, 7, &err));
    IP_HAS("\"txqlen\":7,", "link show t0");
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    int sock = udp_socket("10.8.0.1", PORT);
    for (int i = 0; i < 20; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    int packets = 0;
    while (tuntap_read(dev, buf, sizeof buf, NULL) > 0)
        packets++;
    CHECK(packets == 7);
    close(sock);
    tuntap_close(dev);
}

/** More packets than the kernel allocates pointers for: its largest allocation has fewer pages on every processor. */
static uint32_t above_the_limit(void)
{
    return (uint32_t)(((size_t)sysconf(_SC_PAGESIZE) << 14) / sizeof(void *));
}

/** The kernel cannot allocate so much memory, or has a limit. */
static void is_refused_as_too_long(tuntap *dev, uint32_t length)
{
    int result = tuntap_set_txqueuelen(dev, length, &err);
    CHECK((result == -ENOMEM || result == -ERANGE) && err.code == result && err.reason == TUNTAP_REASON_SYSTEM);
}

int main(void)
{
    tuntap *dev;
    begin();
    ipv4_only();
    the_queue_drops_packets_beyond_its_length();
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_set_txqueuelen(dev, 10000, &err));
    IP_HAS("\"txqlen\":10000,", "link show t0");
    UNCHANGED({
        int result = tuntap_set_txqueuelen(dev, UINT32_MAX, &err);
        CHECK(result < 0 && result == err.code && err.message[0]);
        if (!in_user_namespace) {
            is_refused_as_too_long(dev, above_the_limit());
            is_refused_as_too_long(dev, UINT32_MAX);
        }
    });
    int longest = tuntap_set_txqueuelen(dev, 524288, &err);
    CHECK(longest == 0 || longest == -ERANGE);
    if (longest == 0)
        IP_HAS("\"txqlen\":524288,", "link show t0");
    FAILS(tuntap_set_txqueuelen(NULL, 7, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_set_txqueuelen(dev, 7, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 txqueuelen 77");
    drop_privileges();
    OK(tuntap_set_txqueuelen(dev, 77, &err));
    FAILS(tuntap_set_txqueuelen(dev, 78, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"txqlen\":77,", "link show t0");
    tuntap_close(dev);
    return 0;
}
