/* SPDX-License-Identifier: MIT
 *
 * Several handles configure the same device at the same time. A setting that another handle has already made is not a
 * failure. */
#include "packet.h"

#include <pthread.h>

enum { HANDLES = 4, ROUNDS = 300 };

static tuntap *handles[HANDLES];

static void *set_addresses(void *handle)
{
    tuntap_error why;
    for (int round = 0; round < ROUNDS; round++) {
        const char *address = round % 2 ? "10.8.0.1/24" : "10.8.0.2/24";
        if (tuntap_set_addr(*(tuntap **)handle, address, &why) != 0)
            fail(__FILE__, __LINE__, address, why.message);
        if (add_addr(*(tuntap **)handle, "fd00::1/64", NULL, 0, &why) != 0)
            fail(__FILE__, __LINE__, "fd00::1/64", why.message);
    }
    return NULL;
}

static void *add_routes(void *handle)
{
    tuntap_error why;
    char network[32];
    for (int round = 0; round < ROUNDS; round++) {
        snprintf(network, sizeof network, "10.%d.%d.0/24", 100 + round / 256, round % 256);
        if (add_route(*(tuntap **)handle, network, NULL, 0, 0, &why) != 0)
            fail(__FILE__, __LINE__, network, why.message);
    }
    return NULL;
}

static void in_all_threads(void *(*action)(void *))
{
    pthread_t threads[HANDLES];
    for (int i = 0; i < HANDLES; i++)
        CHECK(pthread_create(&threads[i], NULL, action, &handles[i]) == 0);
    for (int i = 0; i < HANDLES; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &handles[0], &err));
    for (int i = 1; i < HANDLES; i++)
        OK(tuntap_open_queue(handles[0], 0, &handles[i], &err));
    OK(tuntap_up(handles[0], &err));
    in_all_threads(set_addresses);
    IP_HAS("\"local\":\"fd00::1\"", "address show t0");
    IP_HAS("\"local\":\"10.8.0.", "address show t0");
    in_all_threads(add_routes);
    IP_HAS("\"dst\":\"10.100.255.0/24\"", "route show dev t0");
    IP_HAS("\"dst\":\"10.101.43.0/24\"", "route show dev t0");
    for (int i = 0; i < HANDLES; i++)
        tuntap_close(handles[i]);
    return 0;
}
