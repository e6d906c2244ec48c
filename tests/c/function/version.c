/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    int major, minor, patch;
    char rest;
    CHECK(sscanf(tuntap_version(), "%d.%d.%d%c", &major, &minor, &patch, &rest) == 3);
    CHECK(major == TUNTAP_VERSION_MAJOR && minor == TUNTAP_VERSION_MINOR && patch == TUNTAP_VERSION_PATCH);
    /* pkg-config reports the same version. */
    if (!output_of("command -v pkg-config || true")[0])
        skip("pkg-config is not installed; the rest was run");
    CHECK(strncmp(output_of("pkg-config --modversion tuntap"), tuntap_version(), strlen(tuntap_version())) == 0);
    return 0;
}
