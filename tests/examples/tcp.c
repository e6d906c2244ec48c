/* SPDX-License-Identifier: MIT
 *
 * tcp receive ADDR PORT FILE: prints "listening", and writes all data of one connection to the file.
 * tcp send ADDR PORT FILE: sends the whole file, and waits until the other end closes the connection. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(const char *what)
{
    perror(what);
    return 1;
}

/* Copies all input. Returns 0 or -1. */
static int copy(int from, int to)
{
    static char buffer[65536];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer), put = 0;
        if (got <= 0)
            return (int)got;
        while (put < got) {
            ssize_t more = write(to, buffer + put, (size_t)(got - put));
            if (more < 0)
                return -1;
            put += more;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 5 || sock < 0 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1)
        return 2;
    address.sin_port = htons((in_port_t)atoi(argv[3]));
    int sends = strcmp(argv[1], "send") == 0;
    int file = open(argv[4], sends ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        return failed(argv[4]);

    if (sends) {
        if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
            return failed("connect");
        if (copy(file, sock) < 0 || shutdown(sock, SHUT_WR) < 0)
            return failed("send");
        char end;
        return read(sock, &end, 1) == 0 ? 0 : failed("the end of the connection");
    }
    if (bind(sock, (struct sockaddr *)&address, sizeof address) < 0 || listen(sock, 1) < 0)
        return failed("listen");
    puts("listening");
    fflush(stdout);
    int connection = accept(sock, NULL, NULL);
    if (connection < 0 || copy(connection, file) < 0)
        return failed("receive");
    return 0;
}
