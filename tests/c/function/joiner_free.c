/* SPDX-License-Identifier: MIT */
#include "super.h"

static uint8_t packet[100];

/** A joiner with packets in it can be freed. */
int main(void)
{
    tuntap_joiner *joiner;
    begin();
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    OK(tuntap_joiner_put(joiner, packet, size, &err));
    tuntap_joiner_free(joiner);
    tuntap_joiner_free(NULL);
    return 0;
}
