/* SPDX-License-Identifier: MIT
 *
 * ping ADDR COUNT: sends echo requests of many lengths and contents, one after the other. Each must be answered from
 * that address, with the same data and a correct checksum. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADER = 8, USUAL = 56, MOST = 1472 };

static unsigned checksum(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int sock = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || sock < 0) {
        perror("ping ADDR COUNT");
        return 2;
    }
    for (int i = 1; i <= atoi(argv[2]); i++) {
        uint8_t request[HEADER + MOST] = {8, 0, 0, 0, 0x4d, 0x2a, (uint8_t)(i >> 8), (uint8_t)i}, got[2048];
        size_t data = i == 1 ? USUAL : (size_t)rand() % (MOST + 1);
        for (size_t at = HEADER; at < HEADER + data; at++)
            request[at] = (uint8_t)rand();
        unsigned sum = checksum(request, HEADER + data);
        request[2] = (uint8_t)(sum >> 8);
        request[3] = (uint8_t)sum;
        if (sendto(sock, request, HEADER + data, 0, (struct sockaddr *)&to, sizeof to) < 0) {
            perror("sendto");
            return 1;
        }
        request[0] = request[2] = request[3] = 0; /* as in the answer, except the checksum */
        for (;;) {
            struct pollfd ready = {sock, POLLIN, 0};
            if (poll(&ready, 1, 20000) != 1) {
                fprintf(stderr, "no answer to request %d\n", i);
                return 1;
            }
            ssize_t length = recv(sock, got, sizeof got, 0);
            if (length < 20 + HEADER || memcmp(got + 12, &to.sin_addr, 4) != 0)
                continue; /* from another host */
            uint8_t *answer = got + 20;
            if ((size_t)length != 20 + HEADER + data || checksum(got, 20) != 0 ||
                checksum(answer, HEADER + data) != 0) {
                fprintf(stderr, "answer %d has a wrong length or checksum\n", i);
                return 1;
            }
            answer[2] = answer[3] = 0;
            if (memcmp(answer, request, HEADER + data) != 0) {
                fprintf(stderr, "answer %d is not that to the request\n", i);
                return 1;
            }
            break;
        }
    }
    return 0;
}
