/* SPDX-License-Identifier: MIT
 *
 * udp ADDR PORT FROM FLOWS EACH: sends datagrams of 5 bytes to one port from FLOWS ports, FROM and those
 * that follow; EACH datagrams from each. ADDR is IPv4 or IPv6. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET}, own4 = v4;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6}, own6 = v6;
    if (argc != 6)
        return 2;
    int is_v4 = inet_pton(AF_INET, argv[1], &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, argv[1], &v6.sin6_addr) != 1)
        return 2;
    v4.sin_port = v6.sin6_port = htons((in_port_t)atoi(argv[2]));

    for (int flow = 0; flow < atoi(argv[4]); flow++) {
        own4.sin_port = own6.sin6_port = htons((in_port_t)(atoi(argv[3]) + flow));
        int sock = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
        int bound = is_v4 ? bind(sock, (struct sockaddr *)&own4, sizeof own4)
                          : bind(sock, (struct sockaddr *)&own6, sizeof own6);
        int connected = is_v4 ? connect(sock, (struct sockaddr *)&v4, sizeof v4)
                              : connect(sock, (struct sockaddr *)&v6, sizeof v6);
        if (bound < 0 || connected < 0) {
            perror("bind or connect");
            return 1;
        }
        for (int i = 0; i < atoi(argv[5]); i++)
            if (send(sock, "hello", 5, 0) != 5) {
                perror("send");
                return 1;
            }
        close(sock);
    }
    return 0;
}
