/* SPDX-License-Identifier: MIT
 *
 * 2,000 opens and closes leave nothing behind: no descriptor, no device, no memory. Removing a device is mostly waiting
 * inside the kernel, so threads do it in parallel. */
#include "test.h"

#include <malloc.h>
#include <pthread.h>

enum { THREADS = 20 };

/** The number of allocated bytes, if the C library reports them. Otherwise valgrind and the sanitizer check them. */
static size_t allocated(void)
{
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
    return mallinfo2().uordblks;
#endif
#endif
    return 0;
}

/** Every other round also has failures, whose messages must not leak either. */
static void *open_and_close(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        tuntap *dev;
        tuntap_error why;
        if (tuntap_open(NULL, i % 2 ? TUNTAP_TAP : TUNTAP_TUN, &dev, &why) != 0)
            fail(__FILE__, __LINE__, "tuntap_open", why.message);
        CHECK(i % 2 || tuntap_set_mtu(dev, 1, NULL) == -EINVAL);
        tuntap_close(dev);
        CHECK(i % 2 || tuntap_open("no/name", TUNTAP_TUN, &dev, &why) == -EINVAL);
    }
    return NULL;
}

static void in_threads(int count)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, open_and_close, &count) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    /* valgrind runs one thread at a time. */
    const char *preload = getenv("LD_PRELOAD");
    int times = preload && strstr(preload, "vgpreload") ? 200 : 2000;
    begin();
    in_threads(2);
    int descriptors_before = descriptors();
    size_t allocated_before = allocated();
    in_threads(times / THREADS);
    CHECK(descriptors() == descriptors_before);
    /* A handle has more than 16 bytes. The C library keeps a little memory for each thread. */
    CHECK(allocated() < allocated_before + (size_t)times * 16);
    CHECK(atoi(output_of("ip -br link | wc -l")) == 1);
    return 0;
}
