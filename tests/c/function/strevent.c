/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    for (uint32_t kind = 1; kind <= TUNTAP_EVENT_DEFAULT_ROUTE; kind++) {
        CHECK(strcmp(tuntap_strevent(kind), "unknown event") != 0);
        for (uint32_t other = 1; other < kind; other++)
            CHECK(strcmp(tuntap_strevent(kind), tuntap_strevent(other)) != 0);
    }
    CHECK(strcmp(tuntap_strevent(TUNTAP_EVENT_ADDR_ADDED), "address added") == 0);
    CHECK(strcmp(tuntap_strevent(TUNTAP_EVENT_REMOVED), "device removed") == 0);
    CHECK(strcmp(tuntap_strevent(0), "unknown event") == 0);
    CHECK(strcmp(tuntap_strevent(TUNTAP_EVENT_DEFAULT_ROUTE + 1), "unknown event") == 0);
    CHECK(strcmp(tuntap_strevent(UINT32_MAX), "unknown event") == 0);
    return 0;
}
