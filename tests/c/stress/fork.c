/* SPDX-License-Identifier: MIT
 *
 * A child of fork(2) may read, write and close a handle that other threads of its parent use at the same time. It waits
 * for no lock that one of them held during the fork. Packets that the parent has started to read stay with the
 * parent. */
#include "super.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { READERS = 2, FORKS = 300 };

static tuntap *dev;
static atomic_bool stop;

/** Forks. An alarm kills a child that hangs, and the kernel kills a child without a parent. */
static pid_t child(void)
{
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        alarm(20);
    }
    return pid;
}

static void exits_with_0(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *read_all(void *unused)
{
    uint8_t buf[70000];
    while (!atomic_load(&stop)) {
        ssize_t length = tuntap_read(dev, buf, sizeof buf, NULL);
        CHECK(length > 0 || length == -EAGAIN);
    }
    return unused;
}

/** Sends super-packets so fast that the parent is usually reading one. */
static void *send_all(void *unused)
{
    static uint8_t data[50000];
    struct sockaddr_in to = udp_address("10.8.0.2", PORT);
    int sock = udp_socket("10.8.0.1", PORT + 1), size = 1000;
    CHECK(setsockopt(sock, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &size, sizeof size) == 0);
    while (!atomic_load(&stop))
        sendto(sock, data, sizeof data, 0, (struct sockaddr *)&to, sizeof to);
    close(sock);
    return unused;
}

/** All calls that a child may make. */
static void use_the_handle(const uint8_t *packet, size_t size)
{
    static uint8_t buf[70000];
    for (int i = 0; i < 3; i++) {
        ssize_t length = tuntap_read(dev, buf, sizeof buf, NULL);
        CHECK(length > 0 || length == -EAGAIN);
        CHECK(tuntap_write(dev, packet, size, NULL) == (ssize_t)size);
    }
    CHECK(tuntap_get_fd(dev, NULL) >= 0);
}

static void a_child_uses_it(const uint8_t *packet, size_t size, bool with_grandchild)
{
    pid_t pid = child();
    if (pid == 0) {
        use_the_handle(packet, size);
        if (with_grandchild) {
            pid_t grandchild = child();
            use_the_handle(packet, size);
            if (grandchild != 0)
                exits_with_0(grandchild);
        }
        tuntap_close(dev);
        _exit(0);
    }
    exits_with_0(pid);
}

static void a_child_of_a_busy_parent_can_use_the_handle(uint64_t flags)
{
    uint8_t packet[100];
    pthread_t readers[READERS], sender;
    int forks = run_as("plain") ? FORKS : 10;
    dev = ready_tun(TUNTAP_NONBLOCK | flags);
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    atomic_store(&stop, false);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_all, NULL) == 0);
    CHECK(pthread_create(&sender, NULL, send_all, NULL) == 0);
    poll(NULL, 0, 50);
    for (int i = 0; i < forks; i++)
        a_child_uses_it(packet, size, i % 10 == 0);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_join(readers[i], NULL) == 0);
    CHECK(pthread_join(sender, NULL) == 0);
    tuntap_close(dev);
}

/** The parent has read one of ten packets of a super-packet. The other nine stay with the parent. */
static void split_packets_stay_with_the_parent(void)
{
    static uint8_t data[1000], buf[70000];
    struct sockaddr_in to = udp_address("10.8.0.2", PORT);
    dev = ready_tun(TUNTAP_NONBLOCK | TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT + 1), size = 100;
    CHECK(setsockopt(sock, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &size, sizeof size) == 0);
    CHECK(sendto(sock, data, sizeof data, 0, (struct sockaddr *)&to, sizeof to) == sizeof data);
    CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == UDP_OVERHEAD + 100);
    pid_t pid = child();
    if (pid == 0) {
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        CHECK(sendto(sock, data, 200, 0, (struct sockaddr *)&to, sizeof to) == 200);
        for (int i = 0; i < 2; i++)
            CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == UDP_OVERHEAD + 100);
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        tuntap_close(dev);
        _exit(0);
    }
    exits_with_0(pid);
    for (int i = 0; i < 9; i++)
        CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == UDP_OVERHEAD + 100);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    a_child_of_a_busy_parent_can_use_the_handle(TUNTAP_OFFLOAD);
    a_child_of_a_busy_parent_can_use_the_handle(0);
    needs_uso();
    split_packets_stay_with_the_parent();
    return 0;
}
