/* SPDX-License-Identifier: MIT */
#include "test.h"

/** The call finds out the kind and the modes of the device by itself. */
static void a_device_is_deleted_by_its_name(void)
{
    static const char *const modes[] = {"tun", "tap", "tun pi", "tap multi_queue", "tun vnet_hdr",
                                        "tap pi vnet_hdr multi_queue user 0 group 0"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char *before = snapshot();
        IP("tuntap add t0 mode %s", modes[i]);
        CHECK(exists("t0"));
        OK(tuntap_delete("t0", 0, &err));
        char *after = snapshot();
        CHECK(strcmp(before, after) == 0);
        free(before);
        free(after);
    }
    IP("tuntap add fifteen-bytes-x mode tun");
    IP("tuntap add t1 mode tun");
    IP("address add 10.8.0.1/24 dev t1");
    IP("link set t1 up");
    OK(tuntap_delete("t1", 0, &err));
    CHECK(!exists("t1") && exists("fifteen-bytes-x"));
    CHECK(tuntap_delete("fifteen-bytes-x", 0, NULL) == 0);
    CHECK(!exists("fifteen-bytes-x"));
}

/** A device in use is not deleted, with any modes. */
static void a_device_in_use_stays(uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, &err));
    UNCHANGED(FAILS(tuntap_delete("t0", 0, &err), EBUSY, TUNTAP_REASON_BUSY));
    MESSAGE_HAS("delete t0: it is in use");
    uint64_t now;
    OK(tuntap_get_flags(dev, &now, &err));
    CHECK(now == flags);
    if (flags & TUNTAP_MULTI_QUEUE) {
        OK(tuntap_detach(dev, &err));
        UNCHANGED(FAILS(tuntap_delete("t0", 0, &err), EBUSY, TUNTAP_REASON_BUSY));
    }
    tuntap_close(dev);
    if (!(flags & TUNTAP_PERSIST)) {
        CHECK(!exists("t0"));
        return;
    }
    CHECK(exists("t0"));
    OK(tuntap_delete("t0", 0, &err));
    CHECK(!exists("t0"));
}

static void other_interfaces_and_invalid_names_are_refused(void)
{
    IP("link add v0 type veth peer name v1");
    IP("tuntap add t0 mode tun");
    UNCHANGED(FAILS(tuntap_delete("v0", 0, &err), EINVAL, TUNTAP_REASON_KIND));
    UNCHANGED(FAILS(tuntap_delete("lo", 0, &err), EINVAL, TUNTAP_REASON_KIND));
    UNCHANGED(FAILS(tuntap_delete("t7", 0, &err), ENODEV, TUNTAP_REASON_ABSENT));
    MESSAGE_HAS("t7");
    FAILS(tuntap_delete(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    static const char *const names[] = {"", "t%d", "sixteen-bytes-xx", "a/b", ".", "a b", "t0\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        FAILS(tuntap_delete(names[i], 0, &err), EINVAL, TUNTAP_REASON_NAME);
    UNCHANGED(FAILS(tuntap_delete("t0", 1, &err), EINVAL, TUNTAP_REASON_FLAGS));
    UNCHANGED(FAILS(tuntap_delete("t0", UINT64_C(1) << 63, &err), EINVAL, TUNTAP_REASON_FLAGS));
    CHECK(tuntap_delete(NULL, 0, NULL) == -EINVAL);
    OK(tuntap_delete("t0", 0, &err));
}

/** Another process creates, renames and deletes a device of this name: the call deletes it or fails as documented. */
static void delete_races_with_deletions_and_renames(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 60; i++) {
            output_of("ip tuntap add t0 mode t%s 2>&1", i % 2 ? "un" : "ap");
            output_of("ip link set t0 name t1 2>&1; ip link delete t1 2>&1");
        }
        _exit(0);
    }
    int status, deleted = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        int result = tuntap_delete("t0", 0, &err);
        deleted += result == 0;
        if (result != 0 && result != -ENODEV && result != -EBUSY && result != -EINVAL)
            fail(__FILE__, __LINE__, "another failure", err.message);
    }
    CHECK(status == 0 && deleted > 0);
    output_of("ip link delete t0 2>&1; ip link delete t1 2>&1");
    CHECK(!exists("t0") && !exists("t1"));
}

static void delete_as_owner(void)
{
    OK(tuntap_delete("mine", 0, &err));
    FAILS(tuntap_delete("theirs", 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("user 99");
}

/** In the test's mount namespace, every user may open /dev/net/tun. */
static void the_owner_needs_no_privilege(const char *node)
{
    CHECK(mount(node, "/dev/net/tun", "", MS_BIND, NULL) == 0);
    IP("tuntap add mine mode tap multi_queue user 1234");
    IP("tuntap add theirs mode tun user 99");
    as_user(1234, 1234, delete_as_owner);
    CHECK(!exists("mine") && exists("theirs"));
    OK(tuntap_delete("theirs", 0, &err));
}

int main(void)
{
    const char *node = begin_with_users();
    int before = descriptors();
    a_device_is_deleted_by_its_name();
    a_device_in_use_stays(TUNTAP_TUN);
    a_device_in_use_stays(TUNTAP_TAP | TUNTAP_PERSIST);
    a_device_in_use_stays(TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    a_device_in_use_stays(TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE | TUNTAP_PERSIST);
    other_interfaces_and_invalid_names_are_refused();
    delete_races_with_deletions_and_renames();
    CHECK(descriptors() == before);
    needs_other_users();
    the_owner_needs_no_privilege(node);
    CHECK(descriptors() == before);
    return 0;
}
