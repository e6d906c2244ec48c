/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Prints the TUN and TAP devices, and what happens to them. */
int main(void)
{
    tuntap_monitor *monitor = NULL;
    tuntap_event event;
    tuntap_error err;

    if (tuntap_monitor_open(NULL, 0, &monitor, &err) == 0)
        while (tuntap_monitor_next(monitor, &event, sizeof event, -1,
                                   &err) == 0)
            printf("%s: %s\n", event.name, tuntap_strevent(event.kind));
    fprintf(stderr, "%s\n", err.message);
    tuntap_monitor_close(monitor);
    return 1;
}
