/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/resource.h>

/** With so many descriptors to be had, which an open may run out of at any of its steps. */
static int open_with(int spare)
{
    struct rlimit before, few;
    tuntap *dev = NULL;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    close(next);
    few = (struct rlimit){.rlim_cur = (rlim_t)(next + spare), .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    int result = tuntap_open("t0", TUNTAP_TUN | TUNTAP_PERSIST, &dev, &err);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK((result == 0) == (dev != NULL));
    if (dev)
        OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    return result;
}

int main(void)
{
    begin();
    int before = descriptors(), failures = 0;
    for (int spare = 0; spare < 8; spare++) {
        int result = open_with(spare);
        CHECK(!exists("t0"));
        CHECK(descriptors() == before);
        if (result == 0)
            continue;
        failures++;
        CHECK(result == -EMFILE && err.reason == TUNTAP_REASON_SYSTEM);
        MESSAGE_HAS("open");
    }
    CHECK(failures >= 2 && failures < 8);
    return 0;
}
