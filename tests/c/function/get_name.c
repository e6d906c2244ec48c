/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    char name[TUNTAP_NAME_SIZE];
    begin();
    OK(tuntap_open("fifteen-bytes-x", TUNTAP_TUN, &dev, &err));
    CHECK(exists("fifteen-bytes-x"));
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "fifteen-bytes-x") == 0);

    /* Another program renames the device. */
    IP("link set fifteen-bytes-x name short");
    memset(name, 0x55, sizeof name);
    OK(tuntap_get_name(dev, name, 6, &err));
    CHECK(strcmp(name, "short") == 0 && name[6] == 0x55);

    strcpy(name, "untouched");
    FAILS(tuntap_get_name(dev, name, 5, &err), ERANGE, TUNTAP_REASON_BUFFER);
    MESSAGE_HAS("needs 6");
    FAILS(tuntap_get_name(dev, name, 0, &err), ERANGE, TUNTAP_REASON_BUFFER);
    FAILS(tuntap_get_name(dev, NULL, 16, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_name(NULL, name, 16, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete short");
    FAILS(tuntap_get_name(dev, name, sizeof name, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(tuntap_get_name(dev, name, sizeof name, NULL) == -ENODEV);
    CHECK(strcmp(name, "untouched") == 0);
    tuntap_close(dev);

    /* A name may contain any bytes. */
    OK(tuntap_open("\xff\xfe\x01", TUNTAP_TAP, &dev, &err));
    OK(tuntap_get_name(dev, name, 4, &err));
    CHECK(strcmp(name, "\xff\xfe\x01") == 0);
    tuntap_close(dev);
    return 0;
}
