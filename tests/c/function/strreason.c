/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    for (uint32_t reason = 0; reason <= TUNTAP_REASON_SHUTDOWN; reason++) {
        CHECK(strcmp(tuntap_strreason(reason), "unknown reason") != 0);
        for (uint32_t other = 0; other < reason; other++)
            CHECK(strcmp(tuntap_strreason(reason), tuntap_strreason(other)) != 0);
    }
    CHECK(strcmp(tuntap_strreason(TUNTAP_REASON_NONE), "no error") == 0);
    CHECK(strcmp(tuntap_strreason(TUNTAP_REASON_DOWN), "device is down") == 0);
    CHECK(strcmp(tuntap_strreason(TUNTAP_REASON_SHUTDOWN + 1), "unknown reason") == 0);
    CHECK(strcmp(tuntap_strreason(UINT32_MAX), "unknown reason") == 0);
    return 0;
}
