/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    uint32_t number = tuntap_version_number();
    char text[32];
    CHECK(number == TUNTAP_VERSION_NUMBER);
    snprintf(text, sizeof text, "%u.%u.%u", number >> 16, number >> 8 & 0xff, number & 0xff);
    CHECK(strcmp(text, tuntap_version()) == 0);
    return 0;
}
