/* SPDX-License-Identifier: MIT
 *
 * A thread that is cancelled inside a call finishes that call: no lock stays held, and nothing is lost. The test calls
 * each function that can block, open or close something while a cancellation is pending. */
#include "packet.h"

#include <pthread.h>

static tuntap *dev, *other;
static tuntap_config *config;
static tuntap_reader *reader;
static tuntap_writer *writer;
static tuntap_monitor *monitor;
static tuntap_joiner *joiner;
static tuntap_splitter *splitter;
static int netns;
/** What the last call returned. */
static ssize_t result;
static char text[300];
static uint8_t buf[2000];
static uint32_t number;
static struct iovec part = {buf, sizeof buf};
static tuntap_packet got;

/** Defines a function that makes one call of the library. */
#define CALL(name, call)   \
    static void name(void) \
    {                      \
        call;              \
    }

CALL(get_mtu, result = tuntap_get_mtu(dev, &number, NULL))
CALL(get_name, result = tuntap_get_name(dev, text, sizeof text, NULL))
CALL(get_up, result = tuntap_get_up(dev, (int *)&number, NULL))
CALL(set_mtu, result = tuntap_set_mtu(dev, 1400, NULL))
CALL(bring_up, result = tuntap_up(dev, NULL))
CALL(bring_down, result = tuntap_down(dev, NULL))
CALL(set_addr, result = tuntap_set_addr(dev, "10.8.0.1/24", NULL))
CALL(add_address, result = add_addr(dev, "10.9.0.1/24", NULL, 0, NULL))
CALL(list_addrs, result = tuntap_list_addrs(dev, NULL, 0, sizeof(tuntap_addr), NULL))
CALL(del_address, result = del_addr(dev, "10.9.0.1/24", NULL, NULL))
CALL(list_routes, result = tuntap_list_routes(dev, NULL, 0, sizeof(tuntap_route), NULL))
CALL(set_persist, result = tuntap_set_persist(dev, 1, NULL))
CALL(unset_persist, result = tuntap_set_persist(dev, 0, NULL))
CALL(set_netns, result = tuntap_set_netns(dev, "/proc/self/ns/net", NULL))
CALL(set_netns_fd, result = tuntap_set_netns_fd(dev, netns, NULL))
CALL(detach, result = tuntap_detach(dev, NULL))
CALL(attach, result = tuntap_attach(dev, NULL))

CALL(open_device, result = tuntap_open("t1", TUNTAP_TUN, &other, NULL))
CALL(open_with_config, result = tuntap_open_config("t1", TUNTAP_TUN, config, &other, NULL))
CALL(open_fd, result = tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &other, NULL))
CALL(open_queue, result = tuntap_open_queue(dev, 0, &other, NULL))
CALL(close_device, tuntap_close(other))
CALL(fail_to_open, result = tuntap_open("a/b", TUNTAP_TUN, &other, &err))

CALL(make_config, result = tuntap_config_new(&config, NULL))
CALL(config_node, result = tuntap_config_set_node(config, "/dev/net/tun", NULL))
CALL(config_netns, result = tuntap_config_set_netns(config, "/proc/self/ns/net", NULL))
CALL(config_netns_fd, result = tuntap_config_set_netns_fd(config, netns, NULL))
CALL(config_no_netns, result = tuntap_config_set_netns(config, NULL, NULL))
CALL(config_alias, result = tuntap_config_set_alias(config, "alias", NULL))
CALL(config_addr, result = config_add_addr(config, "10.8.0.1/24", NULL, 0, NULL))
CALL(free_config, tuntap_config_free(config))

CALL(read_packet, result = tuntap_read(dev, buf, sizeof buf, &err))
CALL(read_with_limit, result = tuntap_read_timeout(dev, buf, sizeof buf, 20, &err))
CALL(read_parts, result = tuntap_readv(dev, &part, 1, &err))
CALL(write_packet, result = tuntap_write(dev, buf, 1, &err))
CALL(wake, result = (tuntap_wake(dev), 0))
CALL(wait_with_limit, result = tuntap_wait(dev, TUNTAP_WAIT_READ, 20, &err))
CALL(read_woken, result = tuntap_read_timeout(dev, buf, sizeof buf, -1, &err))

CALL(open_reader, result = tuntap_reader_new(dev, 0, &reader, NULL))
CALL(read_batch, result = tuntap_reader_batch(reader, &got, 1, sizeof got, &err))
CALL(close_reader, tuntap_reader_free(reader))
CALL(open_writer, result = tuntap_writer_new(dev, 0, &writer, NULL))
CALL(flush, result = tuntap_writer_flush(writer, &err))
CALL(close_writer, tuntap_writer_free(writer))
CALL(open_joiner, result = tuntap_joiner_new(TUNTAP_TUN, &joiner, NULL))
CALL(close_joiner, tuntap_joiner_free(joiner))
CALL(open_splitter, result = tuntap_splitter_new(TUNTAP_TUN, &splitter, NULL))
CALL(close_splitter, tuntap_splitter_free(splitter))
CALL(open_monitor, result = tuntap_monitor_open(NULL, 0, &monitor, NULL))
CALL(take_events, {
    tuntap_event event;
    do
        result = tuntap_monitor_next(monitor, &event, sizeof event, 20, NULL);
    while (result == 0);
})
CALL(close_monitor, tuntap_monitor_close(monitor))

/** The order matters: one call opens an object, the next calls use it, and a later one closes it. */
static const struct {
    const char *name;
    void (*call)(void);
    ssize_t result;
} calls[] = {
#define RETURNS(number, name) {#name, name, number}
    RETURNS(0, get_mtu),
    RETURNS(0, get_name),
    RETURNS(0, get_up),
    RETURNS(0, set_mtu),
    RETURNS(0, set_addr),
    RETURNS(0, add_address),
    RETURNS(2, list_addrs),
    RETURNS(0, del_address),
    RETURNS(0, bring_up),
    RETURNS(1, list_routes),
    RETURNS(0, bring_down),
    RETURNS(0, set_persist),
    RETURNS(0, unset_persist),
    RETURNS(0, set_netns),
    RETURNS(0, set_netns_fd),
    RETURNS(0, detach),
    RETURNS(0, attach),
    RETURNS(0, open_device),
    RETURNS(0, close_device),
    RETURNS(0, open_fd),
    RETURNS(0, close_device),
    RETURNS(0, open_queue),
    RETURNS(0, close_device),
    RETURNS(-EINVAL, fail_to_open),
    RETURNS(0, make_config),
    RETURNS(0, config_node),
    RETURNS(0, config_netns),
    RETURNS(0, config_netns_fd),
    RETURNS(0, config_no_netns),
    RETURNS(0, config_netns),
    RETURNS(0, config_alias),
    RETURNS(0, config_addr),
    RETURNS(0, open_with_config),
    RETURNS(0, close_device),
    RETURNS(0, free_config),
    RETURNS(-EAGAIN, read_packet),
    RETURNS(-ETIMEDOUT, read_with_limit),
    RETURNS(-ETIMEDOUT, wait_with_limit),
    RETURNS(-EAGAIN, read_parts),
    RETURNS(-EINVAL, write_packet),
    RETURNS(0, wake),
    RETURNS(-ECANCELED, read_woken),
    RETURNS(0, open_reader),
    RETURNS(-EAGAIN, read_batch),
    RETURNS(0, close_reader),
    RETURNS(0, open_writer),
    RETURNS(0, flush),
    RETURNS(0, close_writer),
    RETURNS(0, open_joiner),
    RETURNS(0, close_joiner),
    RETURNS(0, open_splitter),
    RETURNS(0, close_splitter),
    RETURNS(0, open_monitor),
    RETURNS(-ETIMEDOUT, take_events),
    RETURNS(0, close_monitor),
};

static void *run_cancelled(void *call)
{
    static int finished;
    pthread_cancel(pthread_self());
    (*(void (*const *)(void))call)();
    return &finished;
}

static void calls_return(uint64_t flags)
{
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK | TUNTAP_MULTI_QUEUE | flags, &dev, &err));
    int before = descriptors();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        pthread_t thread;
        void *ended;
        result = 0;
        CHECK(pthread_create(&thread, NULL, run_cancelled, (void *)&calls[i].call) == 0);
        CHECK(pthread_join(thread, &ended) == 0);
        if (ended == PTHREAD_CANCELED)
            fail(__FILE__, __LINE__, "cancelled within", calls[i].name);
        if (result != calls[i].result) {
            snprintf(text, sizeof text, "%s returned %zd", calls[i].name, result);
            fail(__FILE__, __LINE__, text, "");
        }
    }
    /* A wait of the handle made one more descriptor. */
    CHECK(descriptors() == before + 1 && !exists("t1"));
    tuntap_close(dev);
    CHECK(!exists("t0"));
}

int main(void)
{
    begin();
    ipv4_only();
    netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(netns >= 0);
    calls_return(0);
    calls_return(TUNTAP_OFFLOAD);
    close(netns);
    return 0;
}
