/* SPDX-License-Identifier: MIT
 *
 * A thread that is cancelled inside a call finishes that call: no lock stays held, and nothing is lost. */
#include "test.h"

#include <pthread.h>

static tuntap *dev;

static void get_mtu(void)
{
    uint32_t mtu;
    CHECK(tuntap_get_mtu(dev, &mtu, NULL) == 0);
}

static void open_and_close(void)
{
    tuntap *other;
    CHECK(tuntap_open("t1", TUNTAP_TUN, &other, NULL) == 0);
    tuntap_close(other);
}

static void read_nothing(void)
{
    char buf[100];
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
}

static void is_up(void)
{
    CHECK(tuntap_is_up(dev, NULL) == 0);
}

static void *cancelled(void *call)
{
    static int finished;
    pthread_cancel(pthread_self());
    (*(void (**)(void))call)();
    return &finished;
}

int main(void)
{
    static void (*const calls[])(void) = {get_mtu, open_and_close, read_nothing, is_up};
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err));
    int before = descriptors();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, cancelled, (void *)&calls[i]) == 0);
        CHECK(pthread_join(thread, &result) == 0);
        CHECK(result != PTHREAD_CANCELED);
        calls[i]();
    }
    CHECK(descriptors() == before && !exists("t1"));
    tuntap_close(dev);
    return 0;
}
