/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

/** A reader with packets that were not taken can be freed. */
int main(void)
{
    void *packet;
    tuntap_reader *reader;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    udp_super(&super, 10, 100);
    CHECK(send_super(sock, 0, &super) == 0);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    CHECK(tuntap_reader_next(reader, &packet, NULL) == 128);
    tuntap_reader_free(reader);
    tuntap_reader_free(NULL);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    FAILS(tuntap_reader_next(reader, &packet, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
    return 0;
}
