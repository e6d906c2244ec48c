/* SPDX-License-Identifier: MIT
 *
 * Prints the changes of the TUN and TAP devices in this network namespace.
 *
 *     ./monitor
 *     sudo ip link set tun0 mtu 1400          (in another shell) prints "tun0 has the MTU 1400"
 *
 * It needs no privilege. Ctrl-C ends it. */
#include <stdio.h>
#include <string.h>
#include <tuntap.h>

static const char *peer_of(const tuntap_event *event)
{
    static char text[TUNTAP_ADDR_SIZE + 8];
    snprintf(text, sizeof text, "%s%s", event->peer[0] ? " peer " : "", event->peer);
    return text;
}

static void print_event(const tuntap_event *event)
{
    const char *name = event->name;
    const uint8_t *mac = event->mac;
    switch (event->kind) {
    case TUNTAP_EVENT_DEVICE:
        printf("%s is there, a %s, %s, MTU %u\n", name, event->flags & TUNTAP_TAP ? "TAP" : "TUN",
               event->up ? "up" : "down", (unsigned)event->mtu);
        break;
    case TUNTAP_EVENT_UP:
        printf("%s is up\n", name);
        break;
    case TUNTAP_EVENT_DOWN:
        printf("%s is down\n", name);
        break;
    case TUNTAP_EVENT_CARRIER_ON:
        printf("%s has a carrier\n", name);
        break;
    case TUNTAP_EVENT_CARRIER_OFF:
        printf("%s has no carrier\n", name);
        break;
    case TUNTAP_EVENT_MTU:
        printf("%s has the MTU %u\n", name, (unsigned)event->mtu);
        break;
    case TUNTAP_EVENT_MAC:
        printf("%s has the MAC address %02x:%02x:%02x:%02x:%02x:%02x\n", name, mac[0], mac[1],
               mac[2], mac[3], mac[4], mac[5]);
        break;
    case TUNTAP_EVENT_NAME:
        printf("%s is the new name\n", name);
        break;
    case TUNTAP_EVENT_ADDR_ADDED:
        printf("%s has got the address %s%s\n", name, event->addr, peer_of(event));
        break;
    case TUNTAP_EVENT_ADDR_REMOVED:
        printf("%s has lost the address %s%s\n", name, event->addr, peer_of(event));
        break;
    case TUNTAP_EVENT_ROUTE_ADDED:
        printf("%s has got the route to %s%s%s\n", name, event->destination, event->gateway[0] ? " via " : "",
               event->gateway);
        break;
    case TUNTAP_EVENT_ROUTE_REMOVED:
        printf("%s has lost the route to %s\n", name, event->destination);
        break;
    case TUNTAP_EVENT_MOVED:
        printf("%s went to another network namespace\n", name);
        break;
    case TUNTAP_EVENT_REMOVED:
        printf("%s is gone\n", name);
        break;
    case TUNTAP_EVENT_OVERRUN:
        printf("events were lost; these are the present devices:\n");
        break;
    case TUNTAP_EVENT_COMPLETE:
        printf("that is all for now\n");
        break;
    default: /* a kind that a later version added */
        break;
    }
}

int main(void)
{
    tuntap_monitor *monitor;
    tuntap_event event;
    tuntap_error err;

    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    if (tuntap_monitor_open(NULL, TUNTAP_MONITOR_ROUTES, &monitor, &err) < 0) {
        fprintf(stderr, "monitor: %s\n", err.message);
        return 1;
    }
    /* A NULL device means all devices. -1 milliseconds means no time limit. */
    while (tuntap_monitor_next(monitor, &event, sizeof event, -1, &err) == 0)
        print_event(&event);
    fprintf(stderr, "monitor: %s\n", err.message);
    tuntap_monitor_close(monitor);
    return 1;
}
