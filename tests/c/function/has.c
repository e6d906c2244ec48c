/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    uint32_t features[] = {TUNTAP_FEATURE_TUN,     TUNTAP_FEATURE_TAP,   TUNTAP_FEATURE_PI,  TUNTAP_FEATURE_MULTI_QUEUE,
                           TUNTAP_FEATURE_PERSIST, TUNTAP_FEATURE_OWNER, TUNTAP_FEATURE_IPV4,
                           TUNTAP_FEATURE_OFFLOAD};
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        CHECK(tuntap_has(features[i]) == 1);
    CHECK(tuntap_has(0) == 0);
    CHECK(tuntap_has(9999) == 0);
    CHECK(tuntap_has(UINT32_MAX) == 0);
    return 0;
}
