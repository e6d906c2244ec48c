/* SPDX-License-Identifier: MIT
 *
 * A device is opened while another thread deletes it: each open creates the device, or finds it busy. Only the open of
 * another queue can find the device removed. */
#include "test.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <sys/socket.h>

enum { OPENERS = 2, OPENS = 150 };

static atomic_int openers;

/** Deletes t0 by rtnetlink repeatedly. */
static void *delete_repeatedly(void *unused)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        char name[4];
    } request = {.header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_DELLINK,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
                 .attribute = {.rta_len = RTA_LENGTH(3), .rta_type = IFLA_IFNAME},
                 .name = "t0"};
    char answer[512];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd >= 0);
    while (openers > 0) {
        CHECK(send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request);
        CHECK(recv(fd, answer, sizeof answer, 0) > 0);
        /* An open gives up after 64 attempts, and an emulated processor is slower, so the deletions must leave it more
         * time. */
        poll(NULL, 0, run_as("guest") ? 20 : 1);
    }
    close(fd);
    return unused;
}

static void *open_repeatedly(void *flags)
{
    for (int i = 0; i < OPENS; i++) {
        tuntap *dev = NULL, *queue = NULL;
        tuntap_error why;
        int opened = tuntap_open("t0", *(uint64_t *)flags, &dev, &why);
        int second = opened == 0 && *(uint64_t *)flags & TUNTAP_MULTI_QUEUE
                         ? tuntap_open_queue(dev, 0, &queue, &why) : 0;
        if (opened && !(opened == -EBUSY && why.reason == TUNTAP_REASON_BUSY))
            fail(__FILE__, __LINE__, "an open fails otherwise", why.message);
        if (second && !(second == -ENODEV && why.reason == TUNTAP_REASON_REMOVED))
            fail(__FILE__, __LINE__, "another queue fails otherwise", why.message);
        tuntap_close(queue);
        tuntap_close(dev);
    }
    openers--;
    return NULL;
}

static void opens_race_deletions(uint64_t flags)
{
    pthread_t threads[OPENERS + 1];
    openers = OPENERS;
    for (int i = 0; i < OPENERS; i++)
        CHECK(pthread_create(&threads[i], NULL, open_repeatedly, &flags) == 0);
    CHECK(pthread_create(&threads[OPENERS], NULL, delete_repeatedly, NULL) == 0);
    for (int i = 0; i <= OPENERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    begin();
    int before = descriptors();
    opens_race_deletions(TUNTAP_TUN);
    opens_race_deletions(TUNTAP_TAP | TUNTAP_PI);
    opens_race_deletions(TUNTAP_TAP | TUNTAP_OFFLOAD);
    opens_race_deletions(TUNTAP_TAP | TUNTAP_MULTI_QUEUE);
    CHECK(descriptors() == before && !exists("t0"));
    return 0;
}
