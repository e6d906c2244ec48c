/* SPDX-License-Identifier: MIT */
#include "super.h"

int main(void)
{
    tuntap_splitter *splitter = NULL;
    begin();
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    tuntap_splitter_free(splitter);
    OK(tuntap_splitter_new(TUNTAP_TAP, &splitter, &err));
    tuntap_splitter_free(splitter);
    OK(tuntap_splitter_new(TUNTAP_TUN | TUNTAP_TRUSTED, &splitter, &err));
    tuntap_splitter_free(splitter);
    splitter = NULL;
    FAILS(tuntap_splitter_new(0, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_splitter_new(TUNTAP_TUN | TUNTAP_TAP, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_splitter_new(TUNTAP_TUN | TUNTAP_PI, &splitter, &err), EINVAL, TUNTAP_REASON_FLAGS);
    MESSAGE_HAS("create a splitter: flags 0x5");
    FAILS(tuntap_splitter_new(TUNTAP_TUN, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!splitter);
    return 0;
}
