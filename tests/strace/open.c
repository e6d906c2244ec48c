/* SPDX-License-Identifier: MIT
 *
 * Opens a device with every option there is, once, while faults.py makes one of its system calls fail; then
 * says what came of it, and checks that nothing is left behind. Starts no process: that would be made to fail too.
 *
 *     open here|netns|existing
 *
 * It stops itself when it is ready, for the one who watches to begin; a SIGCONT marks the end of the call. */
#include "../c/test.h"

#include <signal.h>

static int open_namespace(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static tuntap_config *everything(void)
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 7};
    tuntap_config *config;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(tuntap_config_set_mac(config, mac, &err));
    OK(tuntap_config_set_alias(config, "all of it", &err));
    OK(tuntap_config_set_txqueuelen(config, 77, &err));
    OK(tuntap_config_set_sndbuf(config, 100000, &err));
    OK(tuntap_config_add_addr(config, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_config_add_addr(config, "10.8.0.2/24", NULL, 0, &err));
    OK(tuntap_config_add_addr(config, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_config_add_route(config, "10.9.0.0/16", "10.8.0.3", 7, 0, &err));
    OK(tuntap_config_add_route(config, "fd01::/64", NULL, 0, 100, &err));
    OK(tuntap_config_set_owner(config, 0, &err));
    OK(tuntap_config_set_group(config, 0, &err));
    return config;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    int existing = strcmp(argv[1], "existing") == 0, elsewhere = strcmp(argv[1], "netns") == 0;
    tuntap *dev = NULL;
    tuntap_config *config = everything();
    int home = open_namespace(), away = home;
    CHECK(home >= 0);
    if (elsewhere) {
        CHECK(unshare(CLONE_NEWNET) == 0);
        away = open_namespace();
        CHECK(away >= 0 && setns(home, CLONE_NEWNET) == 0);
        OK(tuntap_config_set_netns_fd(config, away, &err));
    }
    int before = descriptors();

    raise(SIGSTOP);
    int result = tuntap_open_config("t0", TUNTAP_TAP | TUNTAP_OFFLOAD | (existing ? 0 : TUNTAP_PERSIST), config, &dev, &err);
    raise(SIGCONT);

    CHECK((result == 0) == (dev != NULL));
    /* Twice, as the fault that is meant for the library's thread can hit the first. */
    CHECK(setns(away, CLONE_NEWNET) == 0 || setns(away, CLONE_NEWNET) == 0);
    if (result == 0) {
        CHECK(if_nametoindex("t0") != 0);
        OK(tuntap_set_persist(dev, existing, &err));
        tuntap_close(dev);
        printf("opened\n");
    } else {
        CHECK(result == err.code && err.reason != 0 && err.message[0] != 0);
        CHECK(existing || if_nametoindex("t0") == 0);
        printf("%d %s: %s\n", result, tuntap_strreason(err.reason), err.message);
    }
    CHECK(descriptors() == before);
    tuntap_config_free(config);
    return 0;
}
