/* SPDX-License-Identifier: MIT */
#include "super.h"

int main(void)
{
    tuntap_joiner *joiner = NULL;
    begin();
    static const uint64_t good[] = {TUNTAP_TUN, TUNTAP_TAP, TUNTAP_TUN | TUNTAP_TRUSTED, TUNTAP_TAP | TUNTAP_TRUSTED};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        OK(tuntap_joiner_new(good[i], &joiner, &err));
        tuntap_joiner_free(joiner);
    }
    joiner = NULL;
    FAILS(tuntap_joiner_new(TUNTAP_TRUSTED, &joiner, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_joiner_new(TUNTAP_TUN | TUNTAP_TAP, &joiner, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_joiner_new(TUNTAP_TUN | TUNTAP_OFFLOAD, &joiner, &err), EINVAL, TUNTAP_REASON_FLAGS);
    MESSAGE_HAS("create a joiner: flags 0x801");
    FAILS(tuntap_joiner_new(TUNTAP_TUN, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!joiner);
    return 0;
}
