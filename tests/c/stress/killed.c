/* SPDX-License-Identifier: MIT
 *
 * A process with a default route through its device is killed at any time, also in the middle of a call. The routes of
 * the host still work, and the next process removes the rules that are left. */
#include "uplink.h"

#include <limits.h>
#include <signal.h>
#include <time.h>

/** Does what a VPN does, this many times. */
static void tunnel(int times)
{
    while (times--) {
        tuntap *dev;
        tuntap_addr addr = {.addr = "10.8.0.2/24"};
        OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
        OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
        OK(tuntap_up(dev, &err));
        OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
        OK(tuntap_add_bypass(dev, SERVER6, 0, 0, 0, &err));
        OK(tuntap_add_bypass(dev, NULL, 0x77, 0, TUNTAP_KEEP, &err));
        OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
        OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_OVERRIDE, &err));
        OK(tuntap_del_default_route(dev, TUNTAP_IPV6, &err));
        OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, TUNTAP_KEEP, &err));
        tuntap_close(dev);
    }
}

/** The time that tunnel(1) takes, in microseconds. */
static long duration_of_one_tunnel(void)
{
    struct timespec begin, end;
    int status;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tunnel(1);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    return (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
}

static void the_host_works(int sock, int server)
{
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
    LEAVES("a0", SERVER6);
    LEAVES("b0", "192.0.2.1");
    udp_send(sock, SERVER, 7777, "still here", 10);
    udp_receives(server, "still here", 10);
}

int main(void)
{
    int server = -1, status, sock;
    begin();
    int gateways = make_uplinks(), traces = 0, kills = run_as("plain") ? 200 : 10;
    INSIDE(gateways, server = udp_socket(SERVER, 7777));
    CHECK((sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    srand((unsigned)time(NULL));
    long longest = duration_of_one_tunnel() * 3 / 2;
    for (int i = 0; i < kills; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            tunnel(INT_MAX);
        usleep((useconds_t)(rand() % longest));
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        the_host_works(sock, server);
        traces += has_traces();
    }
    printf("%d kills, %d of them left rules\n", kills, traces);
    CHECK(traces > 0);
    tuntap *dev = open_tunnel("t1", 0);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    tuntap_close(dev);
    CHECK(!has_traces());
    close(sock);
    close(server);
    close(gateways);
    return 0;
}
