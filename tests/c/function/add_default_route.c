/* SPDX-License-Identifier: MIT */
#include "uplink.h"

static int gateways;

static void both_families_go_through_the_device(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    LEAVES("t0", SERVER);
    /* Packets to the network of another interface, or to the host itself, do not. */
    LEAVES("a0", "192.0.1.1");
    LEAVES("a0", "2001:db8:1::1");
    LEAVES("lo", "192.0.1.2");
    /* The routes of the host stay. */
    IP_HAS("\"gateway\":\"192.0.1.1\"", "route show default");
    IP_HAS("\"gateway\":\"2001:db8:1::1\"", "-6 route show default");

    /* A repeated call changes nothing and adds no second rule. */
    char *before = strdup(all_rules());
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, 0, &err));
    CHECK(strcmp(before, all_rules()) == 0);
    free(before);
    tuntap_close(dev);
    CHECK(!has_traces());
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
}

static void one_family_does_not_affect_the_other(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, 0, &err));
    LEAVES("a0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    OK(tuntap_del_default_route(dev, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void with_override_it_precedes_more_specific_routes(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    IP("route add 198.18.0.0/15 via 192.0.1.1");
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    LEAVES("a0", ANYWHERE);
    OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_OVERRIDE, &err));
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", "192.0.1.1");
    LEAVES("t0", "2001:db8:1::1");
    LEAVES("lo", "192.0.1.2");
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", "2001:db8:1::1");
    tuntap_close(dev);
    IP("route del 198.18.0.0/15");
    CHECK(!has_traces());
}

/** A gateway must be reachable, and a later call can change it. */
static void the_default_route_of_a_tap_can_have_a_gateway(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("address add 10.8.0.2/24 dev t0");
    IP("link set t0 up");
    FAILS(tuntap_add_default_route(dev, TUNTAP_IPV4, "10.9.0.1", 0, &err), ENETUNREACH, TUNTAP_REASON_SYSTEM);
    CHECK(!has_traces());
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, "10.8.0.1", 0, &err));
    IP_HAS("\"gateway\":\"10.8.0.1\",\"dev\":\"t0\"", "route get " ANYWHERE);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, "10.8.0.9", 0, &err));
    IP_HAS("\"gateway\":\"10.8.0.9\",\"dev\":\"t0\"", "route get " ANYWHERE);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** With TUNTAP_KEEP a route lasts as long as the device, otherwise as long as the handle. */
static void with_keep_the_default_route_outlives_its_handle(void)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, TUNTAP_KEEP, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, 0, &err));
    tuntap_close(dev);
    LEAVES("t0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
    CHECK(!strstr(output_of("ip -6 rule"), "3000"));

    /* TUNTAP_KEEP makes a temporary route permanent. A call without it does not undo that. */
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, TUNTAP_KEEP, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    tuntap_close(dev);
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    IP("link delete t0");
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);

    /* The next device removes the rules of deleted devices. */
    CHECK(has_traces());
    dev = open_tunnel("t1", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void open_and_keep_one_family(void)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, TUNTAP_KEEP, &err));
}

/** The process was killed, but its persistent device still exists. */
static void the_next_open_removes_rules_of_a_killed_process(void)
{
    be_killed_after(open_and_keep_one_family);
    LEAVES("t0", ANYWHERE);
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    LEAVES("a0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    CHECK(!strstr(output_of("ip rule"), "3000"));
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** Two handles of one device: one adds a temporary route, and the other makes it permanent. */
static void a_kept_route_outlives_the_handle_that_added_it_first(void)
{
    tuntap *other, *dev = open_tunnel("t0", TUNTAP_MULTI_QUEUE);
    OK(tuntap_open_queue(dev, 0, &other, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_default_route(other, 0, NULL, TUNTAP_KEEP, &err));
    tuntap_close(dev);
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    OK(tuntap_del_default_route(other, 0, &err));
    tuntap_close(other);
    CHECK(!has_traces());
}

/** Another handle changes TUNTAP_OVERRIDE. The default route still ends with the handle that added it, and until then the
 * bypass of the other one applies. */
static void an_update_leaves_the_route_to_the_handle_that_added_it(uint64_t first, uint64_t second)
{
    for (int other_first = 0; other_first < 2; other_first++) {
        tuntap *other, *dev = open_tunnel("t0", TUNTAP_MULTI_QUEUE);
        OK(tuntap_open_queue(dev, 0, &other, &err));
        OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, first, &err));
        OK(tuntap_add_bypass(other, SERVER "/32", 0, 0, 0, &err));
        OK(tuntap_add_default_route(other, TUNTAP_IPV4, NULL, second, &err));
        LEAVES("t0", ANYWHERE);
        LEAVES("a0", SERVER);
        tuntap_close(other_first ? other : dev);
        LEAVES_IT(other_first, "t0", ANYWHERE);
        LEAVES_IT(!other_first, "a0", ANYWHERE);
        tuntap_close(other_first ? dev : other);
        CHECK(!has_traces());
    }
}

/** A later call without TUNTAP_KEEP changes TUNTAP_OVERRIDE, and the default route still stays. */
static void an_update_of_a_kept_route_keeps_it(uint64_t first, uint64_t second)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_default_route(dev, 0, NULL, first | TUNTAP_KEEP, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, second, &err));
    tuntap_close(dev);
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    LEAVES_IT(second == TUNTAP_OVERRIDE, "t0", "192.0.1.1");
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_EXISTING, &dev, &err));
    LEAVES("t0", ANYWHERE);
    OK(tuntap_del_default_route(dev, 0, &err));
    CHECK(!has_traces());
    tuntap_close(dev);
    IP("link delete t0");
}

static void open_with_a_half_kept_route(void)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    IP("rule add priority 30005 table %u protocol static", 2000000000 + if_nametoindex("t0"));
}

/** The process was killed between the two steps that replace a temporary rule by a permanent one. */
static void a_half_kept_route_stays(void)
{
    be_killed_after(open_with_a_half_kept_route);
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    LEAVES("t0", ANYWHERE);
    CHECK(!strstr(output_of("ip rule"), "117"));
    OK(tuntap_del_default_route(dev, 0, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void open_and_bypass(void)
{
    tuntap *own = open_tunnel("t1", 0);
    OK(tuntap_add_bypass(own, ANYWHERE, 0, 0, 0, &err));
}

/** The next change through any handle removes the rules of deleted devices, even if the handle has rules itself. */
static void a_change_removes_rules_of_deleted_devices(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    be_killed_after(open_and_bypass);
    LEAVES("a0", ANYWHERE);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    LEAVES("t0", ANYWHERE);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** A child of fork(2) that closes its copy of the handle removes no rule of the parent. */
static void closing_in_a_forked_child_removes_nothing(void)
{
    int status;
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tuntap_close(dev);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** The handle removes its rules also from a network namespace that the device has left. */
static void rules_of_a_deleted_or_moved_device_are_removed(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    IP("link delete t0");
    tuntap_close(dev);
    CHECK(!has_traces());

    dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_set_netns_fd(dev, gateways, &err));
    CHECK(!has_traces());
    OK(tuntap_up(dev, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    CHECK(!has_traces());
    INSIDE(gateways, LEAVES("t0", ANYWHERE));
    tuntap_close(dev);
    INSIDE(gateways, CHECK(!has_traces()));

    dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), gateways);
    IP("link set t0 netns %s", path);
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void it_can_be_added_again_after_down(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    OK(tuntap_down(dev, &err));
    LEAVES("a0", ANYWHERE);
    OK(tuntap_up(dev, &err));
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    /* The same holds if another program removed the rule. */
    IP("rule del priority 30005");
    LEAVES("a0", ANYWHERE);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** Each device removes only its own rules. */
static void rules_of_other_devices_and_programs_stay(void)
{
    tuntap *first = open_tunnel("t0", 0), *second = open_tunnel("t1", 0);
    OK(tuntap_add_default_route(first, TUNTAP_IPV4, NULL, 0, &err));
    OK(tuntap_add_default_route(second, TUNTAP_IPV4, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    tuntap_close(first);
    LEAVES("t1", ANYWHERE);
    tuntap_close(second);
    CHECK(!has_traces());

    /* A default route with TUNTAP_OVERRIDE precedes one without it, in either order of the calls. */
    first = open_tunnel("t0", 0), second = open_tunnel("t1", 0);
    IP("route add 198.18.0.0/15 via 192.0.1.1");
    OK(tuntap_add_default_route(first, TUNTAP_IPV4, NULL, 0, &err));
    OK(tuntap_add_default_route(second, TUNTAP_IPV4, NULL, TUNTAP_OVERRIDE, &err));
    LEAVES("t1", ANYWHERE);
    tuntap_close(second);
    LEAVES("a0", ANYWHERE);
    LEAVES("t0", SERVER);
    tuntap_close(first);
    IP("route del 198.18.0.0/15");
    CHECK(!has_traces());

    /* Rules of other programs with the same priority stay, even one for the same table. */
    IP("rule add priority 30005 to 10.77.0.0/16 table 77");
    first = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(first, TUNTAP_IPV4, NULL, 0, &err));
    tuntap_close(first);
    CHECK(strstr(output_of("ip rule"), "10.77.0.0/16"));
    IP("rule del priority 30005");
    first = open_tunnel("t0", 0);
    IP("rule add priority 30005 ipproto 132 table %u protocol static", 2000000000 + if_nametoindex("t0"));
    OK(tuntap_add_default_route(first, TUNTAP_IPV4, NULL, 0, &err));
    LEAVES("t0", ANYWHERE);
    OK(tuntap_del_default_route(first, TUNTAP_IPV4, &err));
    CHECK(strstr(output_of("ip rule"), "ipproto"));
    IP("rule del priority 30005");
    tuntap_close(first);
    CHECK(!has_traces());
}

static void failed_calls_change_nothing(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    char *before = strdup(all_rules());
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    FAILS(tuntap_add_default_route(dev, 5, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_default_route(dev, 0, NULL, TUNTAP_REPLACE, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_default_route(dev, 0, "10.8.0.1", 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_default_route(dev, TUNTAP_IPV6, "10.8.0.1", 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_default_route(dev, TUNTAP_IPV4, "gateway", 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_default_route(NULL, 0, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, all_rules()) == 0);

    /* IPv6 fails, and IPv4 is not added either. */
    IP("address add 10.8.0.2/24 dev t0");
    IP("link set t0 mtu 1200 up");
    free(before);
    before = strdup(all_rules());
    int open = descriptors();
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("1280");
    CHECK(strcmp(before, all_rules()) == 0 && descriptors() == open);
    IP("link set t0 mtu 1400");
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), EACCES, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("TUNTAP_IPV6_DISABLE");
    CHECK(!has_traces() && descriptors() == open);
    OK(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err));
    CHECK(descriptors() == open + 1);
    OK(tuntap_del_default_route(dev, 0, &err));
    CHECK(descriptors() == open);
    free(before);
    IP("link delete t0");
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    dev = open_tunnel("t0", 0);
    before = strdup(all_rules());
    drop_privileges();
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    CHECK(strcmp(before, all_rules()) == 0);
    free(before);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    gateways = make_uplinks();
    both_families_go_through_the_device();
    one_family_does_not_affect_the_other();
    with_override_it_precedes_more_specific_routes();
    the_default_route_of_a_tap_can_have_a_gateway();
    with_keep_the_default_route_outlives_its_handle();
    the_next_open_removes_rules_of_a_killed_process();
    a_kept_route_outlives_the_handle_that_added_it_first();
    a_half_kept_route_stays();
    an_update_leaves_the_route_to_the_handle_that_added_it(0, TUNTAP_OVERRIDE);
    an_update_leaves_the_route_to_the_handle_that_added_it(TUNTAP_OVERRIDE, 0);
    an_update_of_a_kept_route_keeps_it(0, TUNTAP_OVERRIDE);
    an_update_of_a_kept_route_keeps_it(TUNTAP_OVERRIDE, 0);
    a_change_removes_rules_of_deleted_devices();
    closing_in_a_forked_child_removes_nothing();
    rules_of_a_deleted_or_moved_device_are_removed();
    it_can_be_added_again_after_down();
    rules_of_other_devices_and_programs_stay();
    failed_calls_change_nothing();
    close(gateways);
    return 0;
}
