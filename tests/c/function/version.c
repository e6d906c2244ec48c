/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    int major, minor, patch;
    char rest;
    CHECK(sscanf(tuntap_version(), "%d.%d.%d%c", &major, &minor, &patch, &rest) == 3);
    CHECK(tuntap_version() == tuntap_version());
    /* It is the one that pkg-config told the compiler of. */
    CHECK(strncmp(output_of("pkg-config --modversion tuntap"), tuntap_version(), strlen(tuntap_version())) == 0);
    return 0;
}
