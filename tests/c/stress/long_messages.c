/* SPDX-License-Identifier: MIT
 *
 * A device with 300 alternative names of 127 bytes. Each message of the kernel about it has 40 KB, more than the first
 * buffer of the library has room for. */
#include "../event.h"
#include "../netlink.h"
#include "../netns.h"

enum { NAMES = 300 };

static tuntap *dev, *others[2];
static tuntap_info devices[4];
static tuntap_monitor *monitor;

static void open_devices(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("u0", TUNTAP_TUN, &others[0], &err));
    OK(tuntap_open("u1", TUNTAP_TUN, &others[1], &err));
}

static void add_names(void)
{
    FILE *ip = popen("ip -batch -", "w");
    CHECK(ip);
    for (int i = 0; i < NAMES; i++)
        fprintf(ip, "link property add dev t0 altname %0127d\n", i);
    CHECK(pclose(ip) == 0);
    IP_HAS("\"ifname\":\"t0\"", "link show %0127d", NAMES - 1);
}

/** The list was complete, without an error, up to the long message. */
static void each_device_is_listed(void)
{
    long before = requests;
    CHECK(tuntap_list(devices, 4, sizeof *devices, &err) == 3);
    CHECK(requests <= before + 2);
    for (int i = 0; i < 3; i++)
        CHECK(devices[i].index == if_nametoindex(devices[i].name));
    CHECK(devices[0].index != devices[1].index && devices[1].index != devices[2].index);
    CHECK(devices[2].index != devices[0].index);
}

/** A monitor that is opened now loses nothing. */
static void a_new_monitor_reports_each_device_and_change(void)
{
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    CHECK(take_present_state(monitor) == 3);
    IP("link set t0 mtu 1301");
    NEXT_OF(monitor, MTU, "t0");
    IP("link set u1 mtu 1302");
    NEXT_OF(monitor, MTU, "u1");
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

/** A monitor that was opened before reports the loss of the first long message, and then the present state. */
static void an_older_monitor_continues(void)
{
    IP("link set t0 mtu 1299");
    NEXT(monitor, OVERRUN);
    CHECK(take_present_state(monitor) == 3);
    IP("link set t0 mtu 1300");
    NEXT_OF(monitor, MTU, "t0");
    CHECK(event.mtu == 1300);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

static void the_device_is_queried_and_changed(void)
{
    uint32_t mtu;
    OK(tuntap_get_mtu(dev, &mtu, &err));
    CHECK(mtu == 1301);
    OK(tuntap_set_mtu(dev, 1400, &err));
    OK(tuntap_up(dev, &err));
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    IP_HAS("\"mtu\":1400,", "link show t0");
    IP_HAS("\"UP\"", "link show t0");
    IP_HAS("\"local\":\"10.8.0.1\"", "address show t0");
    OK(tuntap_down(dev, &err));
}

static void the_device_is_opened_and_deleted(void)
{
    OK(tuntap_set_persist(dev, 1, &err));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_EXISTING, &dev, &err));
    tuntap_close(dev);
    OK(tuntap_delete("t0", 0, &err));
    CHECK(!exists("t0"));
}

/** A message of 2 MiB is an error, and not repeated. Afterwards each call works again. */
static void the_memory_is_limited(void)
{
    uint32_t mtu;
    tuntap_monitor *none;
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    CHECK(take_present_state(monitor) == 2);
    IP("link set u0 mtu 1300");
    claimed_length = 2 << 20;
    long before = requests;
    FAILS(tuntap_get_mtu(others[0], &mtu, &err), EMSGSIZE, TUNTAP_REASON_SYSTEM);
    FAILS(tuntap_list(devices, 4, sizeof *devices, &err), EMSGSIZE, TUNTAP_REASON_SYSTEM);
    FAILS(tuntap_monitor_open(NULL, 0, &none, &err), EMSGSIZE, TUNTAP_REASON_SYSTEM);
    CHECK(requests == before + 3);
    FAILS(tuntap_monitor_next(monitor, &event, sizeof event, 0, &err), EMSGSIZE, TUNTAP_REASON_SYSTEM);
    claimed_length = 0;
    OK(tuntap_get_mtu(others[0], &mtu, &err));
    CHECK(mtu == 1300 && tuntap_list(devices, 4, sizeof *devices, &err) == 2);
    NEXT(monitor, OVERRUN);
    CHECK(take_present_state(monitor) == 2);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

/** An unprivileged owner learns only from the kernel's notification that the device was moved. */
static void a_move_is_noticed(const char *node)
{
    int go[2], status;
    char path[64], byte = 0;
    uint32_t mtu;
    tuntap_config *config;
    IP("tuntap add t0 mode tun user %d", in_user_namespace ? 0 : 1234);
    add_names();
    int other = new_netns();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), other);
    CHECK(pipe(go) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        if (read(go[0], &byte, 1) == 1)
            IP("link set t0 netns %s", path);
        _exit(0);
    }
    drop_privileges();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* Otherwise the child may not open the path. */
    OK(tuntap_config_new(&config, &err));
    if (node)
        OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    tuntap_config_free(config);
    OK(tuntap_get_mtu(dev, &mtu, &err));
    CHECK(write(go[1], &byte, 1) == 1);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!exists("t0"));
    FAILS(tuntap_get_mtu(dev, &mtu, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    tuntap_close(dev);
    close(other);
    close(go[0]);
    close(go[1]);
}

int main(void)
{
    const char *node = begin_with_users();
    ipv4_only();
    open_devices();
    if (strcmp(output_of("ip link property add dev u0 altname other 2>&1"), "") != 0)
        skip("alternative names need Linux 5.5 and iproute2 5.4");
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    CHECK(take_present_state(monitor) == 3);
    add_names();
    an_older_monitor_continues();
    each_device_is_listed();
    a_new_monitor_reports_each_device_and_change();
    the_device_is_queried_and_changed();
    the_device_is_opened_and_deleted();
    the_memory_is_limited();
    tuntap_close(others[0]);
    tuntap_close(others[1]);
    a_move_is_noticed(node);
    return 0;
}
