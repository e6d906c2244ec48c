/* SPDX-License-Identifier: MIT
 *
 * Prints and answers all packets of packets.h with the code of the examples. Each packet is in memory of exactly its
 * size. Built with AddressSanitizer, which ends the program at the first byte that is read beyond. */
#define main printer_main
#include "../../examples-c/printer.c"
#undef main

#include "packets.h"

static unsigned used;

static void use(const uint8_t *bytes, size_t size)
{
    used++;
    for (size_t skip = 0; skip <= 2 && skip <= size; skip += 2) {
        size_t start = skip ? 0 : 12, length = start + size - skip; /* Ethernet, or IP alone */
        uint8_t *packet = calloc(length + !length, 1);
        memcpy(packet + start, bytes + skip, size - skip);
        if (start)
            print_frame(packet, length);
        else {
            print_packet(packet, length);
            answer_ping(packet, length);
        }
        free(packet);
    }
}

int main(void)
{
    if (!freopen("/dev/null", "w", stdout))
        return 1;
    each_packet(use);
    return used > 3000 ? 0 : 1;
}
