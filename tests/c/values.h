/* SPDX-License-Identifier: MIT
 *
 * Builds tuntap_addr and tuntap_route from text arguments, in one line of a test. If the first text is NULL, the
 * library gets NULL instead of the structure. */
#ifndef VALUES_H
#define VALUES_H

#include <stdio.h>
#include <string.h>

#include <tuntap.h>

#define FROM_TEXTS __attribute__((unused)) static

FROM_TEXTS tuntap_addr *addr_of(const char *addr, const char *peer, uint64_t flags)
{
    static __thread tuntap_addr value;
    memset(&value, 0, sizeof value);
    value.flags = flags;
    snprintf(value.addr, sizeof value.addr, "%s", addr ? addr : "");
    snprintf(value.peer, sizeof value.peer, "%s", peer ? peer : "");
    return addr ? &value : NULL;
}

FROM_TEXTS tuntap_route *route_of(const char *destination, const char *gateway, uint32_t metric, uint32_t table)
{
    static __thread tuntap_route value;
    memset(&value, 0, sizeof value);
    value.metric = metric;
    value.table = table;
    snprintf(value.destination, sizeof value.destination, "%s", destination ? destination : "");
    snprintf(value.gateway, sizeof value.gateway, "%s", gateway ? gateway : "");
    return destination ? &value : NULL;
}

FROM_TEXTS int add_addr(tuntap *dev, const char *addr, const char *peer, uint64_t flags, tuntap_error *why)
{
    return tuntap_add_addr(dev, addr_of(addr, peer, flags), sizeof(tuntap_addr), 0, why);
}

FROM_TEXTS int del_addr(tuntap *dev, const char *addr, const char *peer, tuntap_error *why)
{
    return tuntap_del_addr(dev, addr_of(addr, peer, 0), sizeof(tuntap_addr), why);
}

FROM_TEXTS int config_add_addr(tuntap_config *config, const char *addr, const char *peer, uint64_t flags,
                               tuntap_error *why)
{
    return tuntap_config_add_addr(config, addr_of(addr, peer, flags), sizeof(tuntap_addr), 0, why);
}

FROM_TEXTS int add_route(tuntap *dev, const char *destination, const char *gateway, uint32_t metric, uint32_t table,
                         tuntap_error *why)
{
    return tuntap_add_route(dev, route_of(destination, gateway, metric, table), sizeof(tuntap_route), 0, why);
}

FROM_TEXTS int del_route(tuntap *dev, const char *destination, const char *gateway, uint32_t metric, uint32_t table,
                         tuntap_error *why)
{
    return tuntap_del_route(dev, route_of(destination, gateway, metric, table), sizeof(tuntap_route), why);
}

FROM_TEXTS int config_add_route(tuntap_config *config, const char *destination, const char *gateway, uint32_t metric,
                                uint32_t table, tuntap_error *why)
{
    return tuntap_config_add_route(config, route_of(destination, gateway, metric, table), sizeof(tuntap_route), 0, why);
}

/** The library's answer, 1 or 0, or the negative errno. */
FROM_TEXTS int is_up(tuntap *dev, tuntap_error *why)
{
    int up = 0, result = tuntap_get_up(dev, &up, why);
    return result < 0 ? result : up;
}

FROM_TEXTS int has_carrier(tuntap *dev, tuntap_error *why)
{
    int on = 0, result = tuntap_get_carrier(dev, &on, why);
    return result < 0 ? result : on;
}

#endif
