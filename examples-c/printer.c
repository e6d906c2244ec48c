/* SPDX-License-Identifier: MIT
 *
 * Prints the packets that the kernel sends out through a device: a small tcpdump for TUN (IP
 * packets) and TAP (Ethernet frames).
 *
 *     sudo ./printer tap tap0 10.8.0.1/24          until Ctrl-C
 *     sudo ./printer tun tun0 10.8.0.1/24 20       20 packets
 *     ping 10.8.0.2                                (in another shell)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuntap.h>

#include "ip.h"

static void print_mac(const uint8_t *mac)
{
    printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* ARP for IPv4 over Ethernet: requests and replies. */
static void print_arp(const uint8_t *arp, size_t length)
{
    static const uint8_t ethernet_and_ipv4[6] = {0, 1, 8, 0, 6, 4};
    char sender[INET_ADDRSTRLEN], target[INET_ADDRSTRLEN];

    if (length < 28 || memcmp(arp, ethernet_and_ipv4, sizeof ethernet_and_ipv4) != 0) {
        printf("ARP cut short or not for IPv4, %zu bytes\n", length);
        return;
    }
    inet_ntop(AF_INET, arp + 14, sender, sizeof sender);
    inet_ntop(AF_INET, arp + 24, target, sizeof target);
    switch (two_bytes(arp + 6)) {
    case 1:
        printf("ARP who has %s? tell %s\n", target, sender);
        break;
    case 2:
        printf("ARP %s is at ", sender);
        print_mac(arp + 8);
        printf("\n");
        break;
    default:
        printf("ARP operation %u\n", two_bytes(arp + 6));
    }
}

static void print_frame(const uint8_t *frame, size_t length)
{
    if (length < 14) {
        printf("malformed frame, %zu bytes\n", length);
        return;
    }
    print_mac(frame + 6); /* a frame begins with the destination; print the source first */
    printf(" > ");
    print_mac(frame);
    printf("  ");

    size_t header = 14;
    unsigned type = two_bytes(frame + 12);
    if (type == 0x8100 && length >= 18) { /* a VLAN tag comes before the type */
        printf("VLAN %u  ", two_bytes(frame + 14) & 0xfff);
        type = two_bytes(frame + 16);
        header = 18;
    }
    switch (type) {
    case 0x0800:
    case 0x86dd:
        print_packet(frame + header, length - header);
        break;
    case 0x0806:
        print_arp(frame + header, length - header);
        break;
    default:
        printf("type 0x%04x, %zu bytes\n", type, length);
    }
}

int main(int argc, char **argv)
{
    int tap = argc > 1 && strcmp(argv[1], "tap") == 0;
    if (argc < 3 || argc > 5 || (!tap && strcmp(argv[1], "tun") != 0)) {
        fprintf(stderr, "usage: printer tun|tap NAME [ADDR/PREFIX] [COUNT]\n");
        return 2;
    }
    long count = argc > 4 ? strtol(argv[4], NULL, 10) : -1; /* -1: no limit */

    tuntap *dev = NULL;
    tuntap_error err;
    if (tuntap_open(argv[2], tap ? TUNTAP_TAP : TUNTAP_TUN, &dev, &err) < 0 ||
        (argc > 3 && tuntap_set_addr(dev, argv[3], &err) < 0) ||
        tuntap_up(dev, &err) < 0) {
        fprintf(stderr, "printer: %s\n", err.message);
        tuntap_close(dev);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    printf("%s is up\n", argv[2]);

    /* A buffer of this size holds every packet, and the size never changes. */
    size_t size = tuntap_read_size(dev);
    uint8_t *packet = malloc(size);
    while (packet && count != 0) {
        ssize_t length = tuntap_read(dev, packet, size, &err);
        if (length < 0) {
            fprintf(stderr, "printer: %s\n", err.message);
            break;
        }
        if (tap)
            print_frame(packet, length);
        else
            print_packet(packet, length);
        if (count > 0)
            count--;
    }
    free(packet);
    tuntap_close(dev);
    return count == 0 ? 0 : 1;
}
