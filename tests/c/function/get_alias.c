/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    char alias[TUNTAP_ALIAS_SIZE] = "before", longest[256];
    tuntap *dev;
    begin();
    memset(longest, 'x', 255);
    longest[255] = 0;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_alias(dev, alias, sizeof alias, &err));
    CHECK(alias[0] == 0);
    IP("link set t0 alias 'to the office'");
    OK(tuntap_get_alias(dev, alias, sizeof alias, &err));
    CHECK(strcmp(alias, "to the office") == 0);
    FAILS(tuntap_get_alias(dev, alias, 13, &err), ERANGE, TUNTAP_REASON_BUFFER);
    MESSAGE_HAS("needs 14");
    CHECK(strcmp(alias, "to the office") == 0);
    OK(tuntap_get_alias(dev, alias, 14, &err));
    IP("link set t0 alias %s", longest);
    OK(tuntap_get_alias(dev, alias, sizeof alias, &err));
    CHECK(strcmp(alias, longest) == 0);
    FAILS(tuntap_get_alias(dev, NULL, 256, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_alias(NULL, alias, 256, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_alias(dev, alias, sizeof alias, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    return 0;
}
