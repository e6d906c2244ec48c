/* SPDX-License-Identifier: MIT */
#include "test.h"

/** Kilobytes of memory that this process has. */
static long memory(void)
{
    long kilobytes = -1;
    FILE *status = fopen("/proc/self/status", "re");
    CHECK(status);
    for (char line[200]; fgets(line, sizeof line, status);)
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1)
            break;
    fclose(status);
    CHECK(kilobytes > 0);
    return kilobytes;
}

static void open_and_close(int times)
{
    static const uint64_t kinds[] = {TUNTAP_TUN, TUNTAP_TAP, TUNTAP_TUN | TUNTAP_PI, TUNTAP_TAP | TUNTAP_MULTI_QUEUE};
    for (int i = 0; i < times; i++) {
        tuntap *dev;
        OK(tuntap_open(i % 3 ? "t%d" : NULL, kinds[i % 4], &dev, &err));
        tuntap_close(dev);
        CHECK(tuntap_open("bad name", kinds[i % 4], &dev, &err) == -EINVAL);
    }
}

int main(void)
{
    const char *preload = getenv("LD_PRELOAD");
    int times = preload && strstr(preload, "vgpreload") ? 200 : 2000;
    begin();
    open_and_close(50);
    int descriptors_before = descriptors();
    long memory_before = memory();
    open_and_close(times);
    CHECK(descriptors() == descriptors_before);
    CHECK(memory() < memory_before + 4096);
    const char *devices = output_of("ip -br link | wc -l");
    CHECK(atoi(devices) == 1);
    return 0;
}
