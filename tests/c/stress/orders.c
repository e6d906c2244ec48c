/* SPDX-License-Identifier: MIT
 *
 * Queues are detached, attached and closed, and their device is deleted, in every order. Calls on a remaining queue
 * succeed, or report that the device was removed. */
#include "steering.h"

#include <signal.h>

enum { DELETED_FIRST, DELETED_BETWEEN, NEVER_DELETED, ORDERS };

static tuntap *queues[2];

/** Calls on the handle of a deleted device report the removal. The handle can still be closed. */
static void calls_report_the_removal(tuntap *queue)
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

static void queue_counts_are(int attached, int detached)
{
    char text[64];
    snprintf(text, sizeof text, "\"numqueues\":%d,\"numdisabled\":%d", attached, detached);
    IP_HAS(text, "link show t0");
}

static void run_case(uint64_t flags, int first, int second, int order, int closed)
{
    OK(tuntap_open("t0", flags | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK, &queues[0], &err));
    OK(tuntap_open_queue(queues[0], TUNTAP_NONBLOCK, &queues[1], &err));
    detach_unless(first, queues[0]);
    detach_unless(second, queues[1]);
    queue_counts_are(first + second, 2 - first - second);
    if (order == DELETED_FIRST) {
        IP("link delete t0");
        calls_report_the_removal(queues[0]);
        calls_report_the_removal(queues[1]);
    }
    tuntap_close(queues[closed]);
    tuntap *left = queues[!closed];
    int left_attached = closed ? first : second;
    if (order != DELETED_FIRST)
        queue_counts_are(left_attached, !left_attached);
    if (order == DELETED_BETWEEN) {
        IP("link delete t0");
        calls_report_the_removal(left);
    }
    if (order == NEVER_DELETED) {
        OK(tuntap_attach(left, &err));
        OK(tuntap_detach(left, &err));
        OK(tuntap_attach(left, &err));
        queue_counts_are(1, 0);
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
        run_case(TUNTAP_TUN, i & 1, i >> 1 & 1, i >> 3, i >> 2 & 1);
        run_case(TUNTAP_TAP | TUNTAP_PI, i & 1, i >> 1 & 1, i >> 3, i >> 2 & 1);
    }
    CHECK(descriptors() == before);
    return 0;
}
