/* SPDX-License-Identifier: MIT
 *
 * Another process renames the device, moves it between two network namespaces, brings it up and down and changes its
 * MTU, as fast as ip(8) can. In each namespace another device takes the names that the own device leaves. No call
 * changes or queries the other device, and none reports that the own device is removed. A call may fail to find it
 * (-EXDEV). */
#include "netns.h"

enum { CALLS = 1500 };

static int namespaces[2];
static char paths[2][64];

/** Makes one change after the other: each takes at least a millisecond. `at` is the namespace of the device. */
static void change_device(pid_t parent)
{
    int at = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    for (unsigned round = 0;; round++) {
        CHECK(setns(namespaces[at], CLONE_NEWNET) == 0);
        switch (round % 5) {
        case 0:
            /* The other device of this namespace takes the name for a while. */
            IP("link set t0 name t9");
            IP("link set other name t0");
            IP("link set t0 name other");
            IP("link set t9 name t0");
            break;
        case 1:
            IP("link set t0 up");
            break;
        case 2:
            IP("link set t0 mtu %u", 1300 + round % 100);
            break;
        case 3:
            IP("link set t0 down");
            break;
        case 4:
            IP("link set t0 netns %s", paths[!at]);
            at = !at;
            break;
        }
    }
}

/** The call succeeds, or reports that it did not find the device, which moves all the time. */
static void check_result(int line, int result, long *missed)
{
    if (result >= 0)
        return;
    if (result != -EXDEV || err.reason != TUNTAP_REASON_NAMESPACE)
        fail(__FILE__, line, "a call fails", err.message);
    ++*missed;
}

int main(void)
{
    tuntap *dev, *others[2];
    long missed = 0;
    int status;
    begin();
    ipv4_only();
    namespaces[0] = own_netns();
    namespaces[1] = new_netns();
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "/proc/%d/fd/%d", (int)getpid(), namespaces[i]);
        INSIDE(namespaces[i], OK(tuntap_open("other", TUNTAP_TUN, &others[i], &err)));
        OK(tuntap_set_alias(others[i], "other", &err));
        OK(tuntap_set_mtu(others[i], 666, &err));
    }
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_alias(dev, "own", &err));
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0)
        change_device(parent);

    for (int call = 0; call < CALLS; call++) {
        char alias[256] = "own", name[TUNTAP_NAME_SIZE];
        uint32_t mtu = 1300, index;
        tuntap_addr addrs[2];
        check_result(__LINE__, tuntap_get_alias(dev, alias, sizeof alias, &err), &missed);
        CHECK(strcmp(alias, "own") == 0);
        check_result(__LINE__, tuntap_get_mtu(dev, &mtu, &err), &missed);
        CHECK(mtu >= 1300);
        check_result(__LINE__, tuntap_get_index(dev, &index, &err), &missed);
        check_result(__LINE__, tuntap_set_mtu(dev, 1400 + (uint32_t)call % 50, &err), &missed);
        check_result(__LINE__, tuntap_set_txqueuelen(dev, 100 + (uint32_t)call % 50, &err), &missed);
        check_result(__LINE__, tuntap_set_addr(dev, call % 2 ? "10.8.0.1/24" : "10.8.0.2/24", &err), &missed);
        check_result(__LINE__, (int)tuntap_list_addrs(dev, addrs, 2, sizeof *addrs, &err), &missed);
        check_result(__LINE__, (int)tuntap_list_routes(dev, NULL, 0, sizeof(tuntap_route), &err), &missed);
        OK(tuntap_get_name(dev, name, sizeof name, &err));
    }
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    if (missed != 0)
        fprintf(stderr, "%ld of %d calls did not find the device where it was\n", missed, 8 * CALLS);
    CHECK(missed < CALLS);
    uint32_t mtu;
    for (int i = 0; i < 2; i++) {
        OK(tuntap_get_mtu(others[i], &mtu, &err));
        CHECK(mtu == 666);
        tuntap_close(others[i]);
    }
    OK(tuntap_get_mtu(dev, &mtu, &err));
    tuntap_close(dev);
    close(namespaces[0]);
    close(namespaces[1]);
    return 0;
}
