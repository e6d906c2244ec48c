/* SPDX-License-Identifier: MIT
 *
 * Queues that are detached, attached, closed, and whose device is deleted, in every order: what can be done afterwards is
 * done, and what cannot says that the device is gone. */
#include "steering.h"

#include <signal.h>

enum { DELETED_FIRST, DELETED_BETWEEN, NEVER_DELETED, ORDERS };

static tuntap *queues[2];

/** What a handle says once its device is gone; it can still be closed. */
static void it_is_gone(tuntap *queue)
{
    uint8_t buf[100] = {0x45};
    char name[TUNTAP_NAME_SIZE];
    uint64_t flags;
    tuntap *another;
    FAILS(tuntap_attach(queue, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_detach(queue, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_open_queue(queue, 0, &another, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_read(queue, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_write(queue, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_get_name(queue, name, sizeof name, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_get_flags(queue, &flags, &err), ENODEV, TUNTAP_REASON_REMOVED);
}

static void detach_unless(int attached, tuntap *queue)
{
    if (!attached)
        OK(tuntap_detach(queue, &err));
    CHECK(!!(flags_by_hand(tuntap_get_fd(queue, NULL)) & IFF_DETACH_QUEUE) == !attached);
}

static void count_is(int attached, int detached)
{
    char text[64];
    snprintf(text, sizeof text, "\"numqueues\":%d,\"numdisabled\":%d", attached, detached);
    IP_HAS(text, "link show t0");
}

static void in_one_order(uint64_t flags, int first, int second, int order, int closed)
{
    OK(tuntap_open("t0", flags | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK, &queues[0], &err));
    OK(tuntap_open_queue(queues[0], TUNTAP_NONBLOCK, &queues[1], &err));
    detach_unless(first, queues[0]);
    detach_unless(second, queues[1]);
    count_is(first + second, 2 - first - second);
    if (order == DELETED_FIRST) {
        IP("link delete t0");
        it_is_gone(queues[0]);
        it_is_gone(queues[1]);
    }
    tuntap_close(queues[closed]);
    tuntap *left = queues[!closed];
    int left_attached = closed ? first : second;
    if (order != DELETED_FIRST)
        count_is(left_attached, !left_attached);
    if (order == DELETED_BETWEEN) {
        IP("link delete t0");
        it_is_gone(left);
    }
    if (order == NEVER_DELETED) {
        OK(tuntap_attach(left, &err));
        OK(tuntap_detach(left, &err));
        OK(tuntap_attach(left, &err));
        count_is(1, 0);
    }
    CHECK(exists("t0") == (order == NEVER_DELETED));
    tuntap_close(left);
    CHECK(!exists("t0"));
}

int main(void)
{
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    begin();
    ipv4_only();
    int before = descriptors();
    for (int i = 0; i < 2 * 2 * 2 * ORDERS; i++) {
        in_one_order(TUNTAP_TUN, i & 1, i >> 1 & 1, i >> 3, i >> 2 & 1);
        in_one_order(TUNTAP_TAP | TUNTAP_PI, i & 1, i >> 1 & 1, i >> 3, i >> 2 & 1);
    }
    CHECK(descriptors() == before);
    return 0;
}
