/* SPDX-License-Identifier: MIT */
#include "super.h"

static uint8_t packet[LARGEST + 1];

/** Fills the joiner with packets of different flows. Returns how many it accepts. */
static unsigned fill(tuntap_joiner *joiner, const void *data, size_t size)
{
    for (unsigned i = 0;; i++) {
        size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", 2000 + i, data, size);
        if (tuntap_joiner_put(joiner, packet, length, NULL) < 0) {
            FAILS(tuntap_joiner_put(joiner, packet, length, &err), ENOBUFS, TUNTAP_REASON_AGAIN);
            MESSAGE_HAS("with tuntap_joiner_next first");
            return i;
        }
    }
}

static unsigned take_all(tuntap_joiner *joiner)
{
    unsigned count = 0;
    tuntap_vnet_hdr hdr;
    void *out;
    while (tuntap_joiner_next(joiner, &hdr, sizeof hdr, &out, NULL) > 0)
        count++;
    return count;
}

/** An empty packet is always refused, so that a length of 0 from tuntap_joiner_next always means the end. */
static void an_empty_packet_is_refused(tuntap_joiner *joiner)
{
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    for (int i = 0; i < 3; i++) {
        FAILS(tuntap_joiner_put(joiner, packet, 0, &err), EINVAL, TUNTAP_REASON_PACKET);
        OK(tuntap_joiner_put(joiner, packet, size, &err));
        put16(packet + 22, 4000u + (unsigned)i);
    }
    FAILS(tuntap_joiner_put(joiner, packet, 0, &err), EINVAL, TUNTAP_REASON_PACKET);
    CHECK(take_all(joiner) == 3);
}

int main(void)
{
    tuntap_joiner *joiner;
    begin();
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    for (int i = 0; i < 3; i++) {
        unsigned count = fill(joiner, "hello", 5);
        CHECK(count >= 30 && take_all(joiner) == count);
        count = fill(joiner, "", 0);
        CHECK(count >= 1000 && take_all(joiner) == count);
    }
    /* Bytes that are not a valid packet come out unchanged. */
    for (size_t size = 1; size < 100; size++) {
        tuntap_vnet_hdr hdr = {.gso_type = 1};
        void *out;
        fill_random(packet, size);
        OK(tuntap_joiner_put(joiner, packet, size, &err));
        CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &out, NULL) == (ssize_t)size);
        CHECK(memcmp(out, packet, size) == 0 && hdr.gso_type == 0 && hdr.flags == 0);
        CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &out, NULL) == 0);
    }
    an_empty_packet_is_refused(joiner);
    FAILS(tuntap_joiner_put(joiner, packet, LARGEST + 1, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    FAILS(tuntap_joiner_put(joiner, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_joiner_put(NULL, packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_joiner_free(joiner);
    return 0;
}
