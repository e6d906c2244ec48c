/* SPDX-License-Identifier: MIT */
#include "super.h"

int main(void)
{
    tuntap_splitter *splitter = NULL;
    begin();
    OK(tuntap_splitter_open(TUNTAP_TUN, &splitter, &err));
    tuntap_splitter_close(splitter);
    OK(tuntap_splitter_open(TUNTAP_TAP, &splitter, &err));
    tuntap_splitter_close(splitter);
    OK(tuntap_splitter_open(TUNTAP_TUN | TUNTAP_TRUSTED, &splitter, &err));
    tuntap_splitter_close(splitter);
    splitter = NULL;
    FAILS(tuntap_splitter_open(0, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_splitter_open(TUNTAP_TUN | TUNTAP_TAP, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_splitter_open(TUNTAP_TUN | TUNTAP_PI, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_splitter_open(TUNTAP_TUN, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!splitter);
    return 0;
}
