/* SPDX-License-Identifier: MIT
 *
 * A child of fork may read, write and close a handle that other threads of its parent are busy with: it waits for no
 * lock that one of them held at that moment, and what the parent has started to read stays with the parent. */
#include "super.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { READERS = 2, FORKS = 300 };

static tuntap *dev;
static atomic_bool stop;

/** A child that does not end is killed by its own clock, and one without a parent by the kernel. */
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

static void ends_well(pid_t pid)
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

/** Super-packets, of which most of the time one is being read. */
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

/** All that a child may do. */
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

static void a_child_uses_it(const uint8_t *packet, size_t size, bool with_a_child_of_its_own)
{
    pid_t pid = child();
    if (pid == 0) {
        use_the_handle(packet, size);
        if (with_a_child_of_its_own) {
            pid_t grandchild = child();
            use_the_handle(packet, size);
            if (grandchild != 0)
                ends_well(grandchild);
        }
        tuntap_close(dev);
        _exit(0);
    }
    ends_well(pid);
}

static void a_child_of_a_busy_parent_goes_on(uint64_t flags)
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

/** A packet of ten is read, and its nine followers are the parent's. */
static void the_rest_stays_with_the_parent(void)
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
    ends_well(pid);
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
    a_child_of_a_busy_parent_goes_on(TUNTAP_OFFLOAD);
    a_child_of_a_busy_parent_goes_on(0);
    needs_uso();
    the_rest_stays_with_the_parent();
    return 0;
}
