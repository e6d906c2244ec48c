/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <sys/resource.h>

#define UNTOUCHED ((tuntap *)&err)

/** The open fails, with and without an err. It writes no handle and changes no interface and no descriptor. */
#define REFUSED(name, flags, number, why)                                     \
    do {                                                                      \
        tuntap *dev_ = UNTOUCHED;                                             \
        UNCHANGED({                                                           \
            CHECK(tuntap_open(name, flags, &dev_, NULL) == -(number));        \
            FAILS(tuntap_open(name, flags, &dev_, &err), number, why);        \
        });                                                                   \
        CHECK(dev_ == UNTOUCHED);                                             \
    } while (0)

static void it_makes_the_device(const char *name, uint64_t flags, const char *made)
{
    tuntap *dev = NULL;
    tuntap_error untouched;
    memset(&untouched, 0x55, sizeof untouched);
    memset(&err, 0x55, sizeof err);
    CHECK(!exists(made));
    CHECK(tuntap_open(name, flags, &dev, &err) == 0);
    CHECK(memcmp(&err, &untouched, sizeof err) == 0);
    CHECK(exists(made));
    CHECK(!(flags_by_hand(tuntap_get_fd(dev, NULL)) & IFF_PERSIST) == !(flags & TUNTAP_PERSIST));
    tuntap_set_persist(dev, 0, NULL);
    tuntap_close(dev);
    CHECK(!exists(made));
}

static void the_caller_or_the_kernel_chooses_the_name(void)
{
    it_makes_the_device(NULL, TUNTAP_TUN, "tun0");
    it_makes_the_device("", TUNTAP_TAP, "tap0");
    it_makes_the_device("t0", TUNTAP_TUN | TUNTAP_PERSIST | TUNTAP_EXCLUSIVE, "t0");
    it_makes_the_device("fifteen-bytes-x", TUNTAP_TAP, "fifteen-bytes-x");
    it_makes_the_device("\xff\xfe.", TUNTAP_TUN | TUNTAP_PI, "\xff\xfe.");
    it_makes_the_device("...", TUNTAP_TUN, "...");
    it_makes_the_device("a%db", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, "a0b");

    tuntap *first, *second;
    OK(tuntap_open("vpn%d", TUNTAP_TUN, &first, &err));
    OK(tuntap_open("vpn%d", TUNTAP_TUN, &second, &err));
    CHECK(exists("vpn0") && exists("vpn1"));
    tuntap_close(first);
    it_makes_the_device("vpn%d", TUNTAP_TAP, "vpn0");
    tuntap_close(second);
}

static void a_new_device_is_down_and_has_the_requested_modes(uint64_t flags, const char *data)
{
    int owned[64], count = 0;
    for (int fd = 0; fd < 64; fd++)
        owned[fd] = fcntl(fd, F_GETFD) != -1;
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, NULL));
    IP_HAS("\"operstate\":\"DOWN\"", "link show t0");
    IP_HAS_NOT("\"UP\"", "link show t0");
    IP_HAS("\"addr_info\":[]", "addr show t0");
    IP_HAS("\"persist\":false", "link show t0");
    IP_HAS_NOT("\"user\"", "link show t0");
    CHECK(strstr(output_of("ip -j -d link show t0"), data));
    for (int fd = 0; fd < 64; fd++)
        if (!owned[fd] && fcntl(fd, F_GETFD) != -1) {
            CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            count++;
        }
    CHECK(count >= 1);
    tuntap_close(dev);
}

static void arguments_are_checked_before_anything_is_changed(void)
{
    static const char *const names[] = {
        "sixteen-bytes-xy", "a/b", "a:b", "a b", "a\tb", "a\nb", "a\vb", "a\fb", "a\rb", " ", "a\xa0",
        ".", "..", "all", "default", "%s", "%d%d", "50%", "%", "a%%d", "%5d",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        REFUSED(names[i], TUNTAP_TUN, EINVAL, TUNTAP_REASON_NAME);
    static const uint64_t flags[] = {
        0, TUNTAP_TUN | TUNTAP_TAP, TUNTAP_PI, TUNTAP_TUN | 0x2000, TUNTAP_TAP | UINT64_C(1) << 63,
        TUNTAP_TUN | TUNTAP_BORROW, TUNTAP_TUN | TUNTAP_EXCLUSIVE | TUNTAP_EXISTING, TUNTAP_TUN | TUNTAP_NAPI_FRAGS,
        TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_PI, TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_NAPI_FRAGS,
        TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_TRUSTED,
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        REFUSED("t0", flags[i], EINVAL, TUNTAP_REASON_FLAGS);
    UNCHANGED(FAILS(tuntap_open("t0", TUNTAP_TUN, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
}

static void an_existing_device_is_joined_only_with_its_modes(const char *kind, uint64_t same, uint64_t other)
{
    IP("tuntap add t0 mode %s", kind);
    REFUSED("t0", other, EINVAL, TUNTAP_REASON_KIND);
    MESSAGE_HAS("TUN");
    MESSAGE_HAS("TAP");
    MESSAGE_HAS("t0");
    REFUSED("t0", same | TUNTAP_EXCLUSIVE, EBUSY, TUNTAP_REASON_BUSY);
    REFUSED("t0", other | TUNTAP_EXCLUSIVE, EBUSY, TUNTAP_REASON_BUSY);
    REFUSED("t0", same | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("does not have several queues");
    IP("link delete t0");

    /* The message names only modes that the open cannot change. It could turn off the packet information of an idle
     * device. */
    IP("tuntap add t0 mode %s pi", kind);
    unsigned index = if_nametoindex("t0");
    REFUSED("t0", same | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_MISMATCH);
    CHECK(!strstr(err.message, "TUNTAP_PI"));

    tuntap *dev;
    OK(tuntap_open("t0", same, &dev, &err));
    CHECK(if_nametoindex("t0") == index);
    REFUSED("t0", same, EBUSY, TUNTAP_REASON_BUSY);
    REFUSED("t0", same | TUNTAP_PI, EBUSY, TUNTAP_REASON_BUSY);
    REFUSED("t0", other, EINVAL, TUNTAP_REASON_KIND);
    CHECK(flags_by_hand(tuntap_get_fd(dev, NULL)) & IFF_PERSIST);
    tuntap_close(dev);
    IP("link delete t0");

    IP("tuntap add t0 mode %s multi_queue", kind);
    REFUSED("t0", same, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("several queues");
    IP("link delete t0");
}

/** With TUNTAP_EXISTING, an open never creates a device, not even for root. */
static void with_existing_no_device_is_created(void)
{
    tuntap *dev;
    REFUSED("t0", TUNTAP_TUN | TUNTAP_EXISTING, ENODEV, TUNTAP_REASON_ABSENT);
    MESSAGE_HAS("there is no such device");
    REFUSED(NULL, TUNTAP_TUN | TUNTAP_EXISTING, EINVAL, TUNTAP_REASON_NAME);
    REFUSED("t%d", TUNTAP_TUN | TUNTAP_EXISTING, EINVAL, TUNTAP_REASON_NAME);
    IP("tuntap add t0 mode tun");
    unsigned index = if_nametoindex("t0");
    REFUSED("t0", TUNTAP_TAP | TUNTAP_EXISTING, EINVAL, TUNTAP_REASON_KIND);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_EXISTING, &dev, &err));
    CHECK(if_nametoindex("t0") == index);
    REFUSED("t0", TUNTAP_TUN | TUNTAP_EXISTING, EBUSY, TUNTAP_REASON_BUSY);
    tuntap_close(dev);
    IP("link delete t0");
}

/** The device has the modes, and packets go both ways. */
static void packets_go_through_napi(uint64_t flags)
{
    tuntap *dev;
    if (flags & TUNTAP_NAPI_FRAGS && in_user_namespace) {
        REFUSED("t0", flags, EPERM, TUNTAP_REASON_PRIVILEGE);
        MESSAGE_HAS("in the initial user namespace");
        return;
    }
    OK(tuntap_open("t0", flags, &dev, &err));
    int granted = flags_by_hand(tuntap_get_fd(dev, NULL));
    CHECK(granted & IFF_NAPI && !(granted & IFF_NAPI_FRAGS) == !(flags & TUNTAP_NAPI_FRAGS));
    int sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
}

/** The device has IFF_VNET_HDR, and the library still reads and writes plain packets. */
static void packets_go_with_offload(uint64_t flags)
{
    tuntap *dev;
    uint64_t granted = 0;
    OK(tuntap_open("t0", flags | TUNTAP_OFFLOAD, &dev, &err));
    CHECK(flags_by_hand(tuntap_get_fd(dev, NULL)) & IFF_VNET_HDR);
    OK(tuntap_get_flags(dev, &granted, &err));
    CHECK(granted == (flags | TUNTAP_OFFLOAD));
    int sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
}

/** Another program has set a longer virtio header. The device is idle, or the program still has it open. */
static void the_virtio_header_size_of_the_device_is_used(int modes, uint64_t flags)
{
    tuntap *dev;
    int size = 12, fd = join_by_hand("t0", modes | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    if (!(flags & TUNTAP_MULTI_QUEUE))
        close(fd);
    OK(tuntap_open("t0", flags | TUNTAP_OFFLOAD, &dev, &err));
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETVNETHDRSZ, &size) == 0 && size == 12);
    if (flags & TUNTAP_MULTI_QUEUE)
        close(fd);
    int sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    OK(tuntap_set_persist(dev, 0, &err));
    close(sock);
    tuntap_close(dev);
}

/** The driver gives an idle device the modes of the next open. If that open fails later, the library restores the
 * modes. */
static void a_failed_open_restores_the_modes(void)
{
    int size = 300, fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    CHECK(ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
    fd = join_by_hand("t0", IFF_TUN | IFF_MULTI_QUEUE);
    close(fd);
    IP_HAS("\"pi\":true,\"vnet_hdr\":false", "link show t0");
    REFUSED("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("open t0: its virtio header has 300 bytes");
    IP("link delete t0");
}

static void a_queue_must_have_the_napi_mode_of_the_device(void)
{
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_NAPI);
    CHECK(fd >= 0);
    REFUSED("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("has NAPI (TUNTAP_NAPI), which was not requested");
    close(fd);
}

static void other_interfaces_are_refused(void)
{
    IP("link add v0 type veth peer name v1");
    REFUSED("lo", TUNTAP_TUN, EINVAL, TUNTAP_REASON_KIND);
    REFUSED("lo", TUNTAP_TAP, EINVAL, TUNTAP_REASON_KIND);
    REFUSED("v0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_KIND);
    MESSAGE_HAS("v0");
    REFUSED("v0", TUNTAP_TAP | TUNTAP_EXCLUSIVE, EBUSY, TUNTAP_REASON_BUSY);
}

/** The kernel accepts another queue with any modes, and gives it the modes of the device. TUNGETIFF reports
 * IFF_NOFILTER instead of IFF_NO_PI. */
static void a_queue_must_have_the_modes_of_the_device(int modes, uint64_t asked, const char *difference)
{
    int fd = join_by_hand("t0", modes | IFF_MULTI_QUEUE);
    CHECK(fd >= 0);
    REFUSED("t0", asked | TUNTAP_MULTI_QUEUE, EINVAL, TUNTAP_REASON_MISMATCH);
    CHECK(strstr(err.message, difference) && strstr(err.message, "t0"));
    close(fd);
}

static void too_many_queues_are_refused(void)
{
    int fds[256];
    for (int i = 0; i < 256; i++)
        CHECK((fds[i] = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE)) >= 0);
    REFUSED("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, E2BIG, TUNTAP_REASON_BUSY);
    for (int i = 0; i < 256; i++)
        close(fds[i]);
}

static void it_fails_without_a_free_descriptor(void)
{
    struct rlimit before, limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int lowest = dup(0);
    close(lowest);
    for (int spare = 0; spare < 2; spare++) {
        tuntap *dev = UNTOUCHED;
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + spare);
        UNCHANGED({
            CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
            FAILS(tuntap_open("t0", TUNTAP_TUN, &dev, &err), EMFILE, TUNTAP_REASON_SYSTEM);
            CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
        });
        CHECK(dev == UNTOUCHED);
    }
}

static void the_handle_keeps_acting_in_its_network_namespace(void)
{
    tuntap *dev;
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(unshare(CLONE_NEWNET) == 0);
    OK(tuntap_set_mtu(dev, 1400, &err));
    CHECK(setns(home, CLONE_NEWNET) == 0);
    IP_HAS("\"mtu\":1400,", "link show t0");
    close(home);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    the_caller_or_the_kernel_chooses_the_name();
    a_new_device_is_down_and_has_the_requested_modes(
        TUNTAP_TUN, "\"type\":\"tun\",\"pi\":false,\"vnet_hdr\":false,\"multi_queue\":false");
    a_new_device_is_down_and_has_the_requested_modes(TUNTAP_TAP | TUNTAP_PI, "\"type\":\"tap\",\"pi\":true");
    a_new_device_is_down_and_has_the_requested_modes(TUNTAP_TUN | TUNTAP_MULTI_QUEUE,
                                                     "\"multi_queue\":true,\"numqueues\":1");
    arguments_are_checked_before_anything_is_changed();
    an_existing_device_is_joined_only_with_its_modes("tun", TUNTAP_TUN, TUNTAP_TAP);
    an_existing_device_is_joined_only_with_its_modes("tap", TUNTAP_TAP, TUNTAP_TUN);
    a_queue_must_have_the_modes_of_the_device(IFF_TUN | IFF_NO_PI, TUNTAP_TUN | TUNTAP_PI, "packet-information");
    a_queue_must_have_the_modes_of_the_device(IFF_TAP, TUNTAP_TAP, "packet-information");
    a_queue_must_have_the_modes_of_the_device(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, TUNTAP_TUN,
                                              "has offload (TUNTAP_OFFLOAD), which was not");
    a_queue_must_have_the_modes_of_the_device(IFF_TUN | IFF_NO_PI, TUNTAP_TUN | TUNTAP_OFFLOAD,
                                             "does not have offload (TUNTAP_OFFLOAD), which was");
    with_existing_no_device_is_created();
    packets_go_through_napi(TUNTAP_TUN | TUNTAP_NAPI);
    packets_go_through_napi(TUNTAP_TAP | TUNTAP_NAPI);
    packets_go_through_napi(TUNTAP_TAP | TUNTAP_NAPI_FRAGS);
    packets_go_with_offload(TUNTAP_TUN);
    packets_go_with_offload(TUNTAP_TAP | TUNTAP_MULTI_QUEUE);
    the_virtio_header_size_of_the_device_is_used(IFF_TUN, TUNTAP_TUN);
    the_virtio_header_size_of_the_device_is_used(IFF_TAP, TUNTAP_TAP);
    the_virtio_header_size_of_the_device_is_used(IFF_TUN | IFF_MULTI_QUEUE, TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    a_failed_open_restores_the_modes();
    a_queue_must_have_the_napi_mode_of_the_device();
    too_many_queues_are_refused();
    it_fails_without_a_free_descriptor();
    the_handle_keeps_acting_in_its_network_namespace();
    other_interfaces_are_refused();
    return 0;
}
