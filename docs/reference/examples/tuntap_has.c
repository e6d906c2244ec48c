/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

void print_support(void)
{
    tuntap_error err;
    int supported;

    if (!tuntap_has(TUNTAP_FEATURE_USO))
        printf("not on this operating system\n");
    else if (tuntap_probe(NULL, TUNTAP_FEATURE_USO, &supported, &err) < 0)
        fprintf(stderr, "not known: %s\n", err.message);
    else
        printf("UDP super-packets: %s\n", supported ? "yes" : "no");
}
