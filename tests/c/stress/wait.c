/* SPDX-License-Identifier: MIT
 *
 * A program waits for the descriptor of a handle by itself: poll, epoll, select and io_uring report each packet that
 * another thread sends, so that all packets arrive once and in order. */
#include "packet.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>

enum { PACKETS = 3000, WINDOW = 64 };

static tuntap *dev;
static int fd;
static atomic_int read_so_far;

/** Sends in bursts and one by one, so that the reader waits for some packets and finds others queued. */
static void *sender(void *unused)
{
    int sock = udp_socket("10.8.0.1", PORT);
    for (uint32_t number = 0; number < PACKETS; number++) {
        int lead = number % 128 < 40 ? 1 : WINDOW;
        while ((int)number - atomic_load(&read_so_far) >= lead)
            sched_yield();
        udp_send(sock, "10.8.0.2", PORT, &number, sizeof number);
    }
    close(sock);
    return unused;
}

static void is_next(const uint8_t *packet, ssize_t length)
{
    uint32_t number;
    CHECK(length == UDP_OVERHEAD + sizeof number);
    memcpy(&number, packet + UDP_OVERHEAD, sizeof number);
    CHECK(number == (uint32_t)atomic_fetch_add(&read_so_far, 1));
}

/** Reads one queued packet. */
static void read_next(void)
{
    uint8_t buf[2000];
    is_next(buf, tuntap_read_timeout(dev, buf, sizeof buf, 0, NULL));
}

/** Reads all queued packets. */
static void read_all(void)
{
    uint8_t buf[2000];
    ssize_t length;
    while ((length = tuntap_read_timeout(dev, buf, sizeof buf, 0, NULL)) > 0)
        is_next(buf, length);
    CHECK(length == -ETIMEDOUT);
}

static void read_with_poll(void)
{
    while (atomic_load(&read_so_far) < PACKETS) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        CHECK(poll(&wanted, 1, 20000) == 1 && wanted.revents == POLLIN);
        read_next();
    }
}

static void read_with_select(void)
{
    while (atomic_load(&read_so_far) < PACKETS) {
        struct timeval limit = {20, 0};
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(fd, &readable);
        CHECK(select(fd + 1, &readable, NULL, NULL, &limit) == 1 && FD_ISSET(fd, &readable));
        read_next();
    }
}

static void read_with_epoll(uint32_t how, void (*read_some)(void))
{
    struct epoll_event wanted = {.events = EPOLLIN | how}, found;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) == 0);
    while (atomic_load(&read_so_far) < PACKETS) {
        CHECK(epoll_wait(epoll, &found, 1, 20000) == 1 && found.events & EPOLLIN);
        read_some();
        if (how & EPOLLONESHOT)
            CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &wanted) == 0);
    }
    close(epoll);
}

static void read_with_epoll_level(void)
{
    read_with_epoll(0, read_next);
}

/** An edge is reported once, so all queued packets must be read. */
static void read_with_epoll_edge(void)
{
    read_with_epoll(EPOLLET, read_all);
}

/** EPOLL_CTL_MOD also reports a packet that is already queued. */
static void read_with_epoll_oneshot(void)
{
    read_with_epoll(EPOLLONESHOT, read_next);
}

struct ring {
    int fd;
    size_t size, entries_size;
    uint8_t *memory;
    struct io_uring_sqe *entries;
    struct io_uring_params params;
};

/** Opens a ring without liburing. Both rings are in one mapping since Linux 5.4. */
static int open_ring(struct ring *ring)
{
    memset(ring, 0, sizeof *ring);
    ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
    if (ring->fd < 0)
        return 0;
    CHECK(fcntl(ring->fd, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(ring->params.features & IORING_FEAT_SINGLE_MMAP);
    size_t submitted = ring->params.sq_off.array + ring->params.sq_entries * sizeof(unsigned);
    size_t completed = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
    ring->size = submitted > completed ? submitted : completed;
    ring->entries_size = ring->params.sq_entries * sizeof *ring->entries;
    ring->memory = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
    ring->entries = mmap(NULL, ring->entries_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
    CHECK(ring->memory != MAP_FAILED && (void *)ring->entries != MAP_FAILED);
    return 1;
}

static void close_ring(struct ring *ring)
{
    munmap(ring->entries, ring->entries_size);
    munmap(ring->memory, ring->size);
    close(ring->fd);
}

static unsigned *word(struct ring *ring, unsigned offset)
{
    return (unsigned *)(void *)(ring->memory + offset);
}

static void submit(struct ring *ring, struct io_uring_sqe entry)
{
    unsigned tail = *word(ring, ring->params.sq_off.tail), place = tail & *word(ring, ring->params.sq_off.ring_mask);
    ring->entries[place] = entry;
    word(ring, ring->params.sq_off.array)[place] = place;
    __atomic_store_n(word(ring, ring->params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

static struct io_uring_cqe completion(struct ring *ring)
{
    unsigned head = *word(ring, ring->params.cq_off.head), mask = *word(ring, ring->params.cq_off.ring_mask);
    CHECK(head != __atomic_load_n(word(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE));
    struct io_uring_cqe result = ((struct io_uring_cqe *)(void *)(ring->memory + ring->params.cq_off.cqes))[head & mask];
    __atomic_store_n(word(ring, ring->params.cq_off.head), head + 1, __ATOMIC_RELEASE);
    return result;
}

/** Submits a poll with a linked read, as the documentation of tuntap_get_fd says: the descriptor is nonblocking. */
static void read_with_io_uring(void)
{
    uint8_t buf[2000] = {0};
    struct ring ring;
    CHECK(open_ring(&ring));
    while (atomic_load(&read_so_far) < PACKETS) {
        submit(&ring, (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD, .fd = fd, .flags = IOSQE_IO_LINK,
                                            .poll_events = POLLIN, .user_data = 1});
        submit(&ring, (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)buf,
                                            .len = sizeof buf, .user_data = 2});
        CHECK(syscall(SYS_io_uring_enter, ring.fd, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0) == 2);
        struct io_uring_cqe polled = completion(&ring), read = completion(&ring);
        CHECK(polled.user_data == 1 && polled.res & POLLIN && read.user_data == 2);
        is_next(buf, read.res);
    }
    close_ring(&ring);
}

static void all_packets_arrive(void (*read_with)(void), uint64_t flags)
{
    pthread_t thread;
    OK(tuntap_open("t0", TUNTAP_TUN | flags, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    fd = tuntap_get_fd(dev, NULL);
    CHECK(!is_readable(fd));
    atomic_store(&read_so_far, 0);
    CHECK(pthread_create(&thread, NULL, sender, NULL) == 0);
    read_with();
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(!is_readable(fd));
    tuntap_close(dev);
}

static short events(void)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&wanted, 1, 0) >= 0);
    return wanted.revents;
}

/** POLLOUT: the device is up and has room. POLLERR: the device was removed, which ends every wait. */
static void poll_reports_the_state_of_the_device(void)
{
    OK(tuntap_open("t1", TUNTAP_TAP, &dev, &err));
    fd = tuntap_get_fd(dev, NULL);
    CHECK(events() == 0);
    IP("link set t1 up");
    CHECK(events() == POLLOUT);
    IP("link set t1 down");
    CHECK(events() == 0);
    pid_t child = fork();
    if (child == 0) {
        poll(NULL, 0, 50);
        execlp("ip", "ip", "link", "delete", "t1", (char *)NULL);
    }
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    CHECK(poll(&wanted, 1, 20000) == 1 && wanted.revents & POLLERR);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(events() & POLLERR);
    tuntap_close(dev);

    dev = full_device(0, 4000);
    fd = tuntap_get_fd(dev, NULL);
    CHECK(events() == 0);
    make_room();
    wait_for(fd, POLLOUT);
    close_full_device(dev);
}

int main(void)
{
    static void (*const all[])(void) = {read_with_poll, read_with_select, read_with_epoll_level, read_with_epoll_edge,
                                        read_with_epoll_oneshot};
    struct ring ring;
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        all_packets_arrive(all[i], 0);
        all_packets_arrive(all[i], TUNTAP_NONBLOCK);
    }
    poll_reports_the_state_of_the_device();
    if (run_as("valgrind"))
        return 0; /* With valgrind 3.19, io_uring_enter does not return. Only the other runs test it. */
    if (!open_ring(&ring))
        skip("no io_uring here; the rest was run");
    close_ring(&ring);
    all_packets_arrive(read_with_io_uring, 0);
    all_packets_arrive(read_with_io_uring, TUNTAP_NONBLOCK);
    return 0;
}
