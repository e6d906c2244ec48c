/* SPDX-License-Identifier: MIT
 *
 * VXLAN over a device with offload: the device reads TCP and UDP inside the tunnel as super-packets of the tunnel. The
 * test passes them, split or whole, to a device in another network namespace, where the kernel's VXLAN decapsulates
 * them. All bytes arrive, and no checksum is wrong. */
#include "../netns.h"
#include "../tunnel.h"

#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { STREAM = 1 << 20, ROUNDS = 20, SEGMENTS = 20, SEGMENT = 1000 };

/** How super-packets pass: through a splitter, through a reader and a writer, or whole. */
enum way { SPLIT, BATCHES, WHOLE };

struct path {
    uint64_t kind;
    int away, v6, checksum;
    /** The VLAN device that the tunnel is on, or the device itself. */
    const char *under;
    enum way way;
    tuntap *near, *far;
    tuntap_splitter *splitter;
    /** Super-packets of the tunnel that were read from the near end. */
    size_t supers;
};

/** A counter from a file in /proc/net of this thread's network namespace. The file has a line "PREFIX name ..." and
 * then a line "PREFIX value ...", or a line "name value". */
static unsigned long counter(const char *file, const char *prefix, const char *name)
{
    char path[64], names[2048], values[2048] = "", *rest_names, *rest_values;
    snprintf(path, sizeof path, "/proc/thread-self/net/%s", file);
    FILE *stream = fopen(path, "r");
    CHECK(stream);
    while (fgets(names, sizeof names, stream)) {
        char *word = strtok_r(names, " \t\n", &rest_names);
        if (!word || strcmp(word, prefix ? prefix : name) != 0)
            continue;
        if (!prefix) {
            fclose(stream);
            return strtoul(strtok_r(NULL, " \t\n", &rest_names), NULL, 10);
        }
        CHECK(fgets(values, sizeof values, stream));
        char *value = strtok_r(values, " \n", &rest_values);
        while ((word = strtok_r(NULL, " \n", &rest_names)) && (value = strtok_r(NULL, " \n", &rest_values)))
            if (strcmp(word, name) == 0) {
                fclose(stream);
                return strtoul(value, NULL, 10);
            }
        break;
    }
    fail(__FILE__, __LINE__, name, "no such counter");
    return 0;
}

static void no_packet_was_invalid(void)
{
    CHECK(counter("snmp", "Tcp:", "InCsumErrors") == 0 && counter("snmp", "Tcp:", "InErrs") == 0);
    CHECK(counter("snmp", "Udp:", "InCsumErrors") == 0 && counter("snmp", "Udp:", "InErrors") == 0);
    CHECK(counter("snmp", "Ip:", "InHdrErrors") == 0 && counter("snmp6", NULL, "Ip6InHdrErrors") == 0);
    CHECK(counter("snmp6", NULL, "Udp6InCsumErrors") == 0 && counter("snmp6", NULL, "Udp6InErrors") == 0);
}

/** Configures end 1 or 2 of the tunnel in this thread's network namespace. */
static void configure_end(const struct path *path, int number)
{
    int peer = 3 - number;
    if (path->kind & TUNTAP_TAP)
        IP("link set t0 address 02:00:00:00:08:0%d", number);
    IP("link set t0 up");
    if (strcmp(path->under, "t0") != 0) {
        IP("link add link t0 name %s type vlan id 5", path->under);
        IP("link set %s up", path->under);
    }
    IP("addr add 10.8.0.%d/24 dev %s", number, path->under);
    IP("addr add fd08::%d/64 dev %s nodad", number, path->under);
    if (path->kind & TUNTAP_TAP) {
        IP("neigh replace 10.8.0.%d lladdr 02:00:00:00:08:0%d dev %s nud permanent", peer, peer, path->under);
        IP("neigh replace fd08::%d lladdr 02:00:00:00:08:0%d dev %s nud permanent", peer, peer, path->under);
    }
    const char *net = path->v6 ? "fd08::" : "10.8.0.";
    const char *checksum = path->checksum ? "udpcsum noudp6zerocsumtx" : "noudpcsum udp6zerocsumtx udp6zerocsumrx";
    /* The kernel reads this 0x60 as the version of the inner IP header if the VLAN tag is not counted. */
    IP("link add vx0 address 02:00:00:00:60:0%d type vxlan id 42 dstport 4789 local %s%d remote %s%d dev %s %s", number, net,
       number, net, peer, path->under, checksum);
    IP("addr add 10.9.0.%d/24 dev vx0", number);
    IP("addr add fd09::%d/64 dev vx0 nodad", number);
    IP("link set vx0 up");
    wait_for_local("fd08::");
    wait_for_local("fd09::");
}

/** Checks the virtio header of a super-packet of the tunnel, and counts it. */
static void check_header(struct path *path, const tuntap_vnet_hdr *hdr)
{
    size_t link = path->kind & TUNTAP_TUN ? 0 : strcmp(path->under, "t0") != 0 ? 18 : 14;
    size_t outer = link + (path->v6 ? 40 : 20), inner = outer + 8 + 8 + 14;
    uint8_t tunnel = path->v6 ? TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6 : TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4;
    if (!(hdr->gso_type & (TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4 | TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6)))
        return;
    CHECK((hdr->gso_type & 0x60) == tunnel);
    CHECK(!(hdr->flags & TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM) == !path->checksum);
    /* Linux 6.17 to 7.2 leave out the VLAN tag, and the library counts it. */
    CHECK(hdr->outer_th_offset == outer && hdr->inner_nh_offset == inner);
    path->supers++;
}

static void pass_split(struct path *path, tuntap *from, tuntap *to)
{
    static uint8_t buf[LARGEST];
    tuntap_vnet_hdr hdr;
    ssize_t length;
    void *packet;
    while ((length = tuntap_read_super(from, &hdr, sizeof hdr, buf, sizeof buf, &err)) > 0) {
        check_header(path, &hdr);
        if (path->way == WHOLE) {
            OK(tuntap_write_super(to, &hdr, sizeof hdr, buf, (size_t)length, &err));
            continue;
        }
        OK(tuntap_splitter_begin(path->splitter, &hdr, sizeof hdr, buf, (size_t)length, &err));
        while ((length = tuntap_splitter_next(path->splitter, &packet, &err)) > 0)
            OK(tuntap_write(to, packet, (size_t)length, &err));
        CHECK(length == 0);
    }
    CHECK(length == -EAGAIN);
}

static void pass_batch(tuntap *from, tuntap *to)
{
    tuntap_reader *reader;
    tuntap_writer *writer;
    void *packet;
    ssize_t length;
    OK(tuntap_reader_new(from, 0, &reader, &err));
    OK(tuntap_writer_new(to, 0, &writer, &err));
    while ((length = tuntap_reader_next(reader, &packet, &err)) >= 0) {
        if (length > 0)
            OK(tuntap_writer_put(writer, packet, (size_t)length, &err));
        else
            OK(tuntap_writer_flush(writer, &err));
    }
    CHECK(length == -EAGAIN);
    OK(tuntap_writer_flush(writer, &err));
    tuntap_writer_free(writer);
    tuntap_reader_free(reader);
}

/** Passes all queued packets in both directions. */
static void pass(struct path *path)
{
    tuntap *exec_true[2] = {path->near, path->far};
    for (int i = 0; i < 2; i++)
        if (path->way == BATCHES)
            pass_batch(exec_true[i], exec_true[!i]);
        else
            pass_split(path, exec_true[i], exec_true[!i]);
}

static socklen_t inner_address(struct sockaddr_storage *address, int v6, int number)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    char text[20];
    memset(address, 0, sizeof *address);
    snprintf(text, sizeof text, v6 ? "fd09::%d" : "10.9.0.%d", number);
    address->ss_family = v6 ? AF_INET6 : AF_INET;
    four->sin_port = htons(PORT);
    CHECK(inet_pton(address->ss_family, text, v6 ? (void *)&six->sin6_addr : (void *)&four->sin_addr) == 1);
    return v6 ? sizeof *six : sizeof *four;
}

static void fill_stream(uint8_t *to)
{
    random_state = 88172645463325252U;
    fill_random(to, STREAM);
}

/** Exits as another program, so that valgrind does not report the parent's memory as leaks of the child. */
static void exec_true(void)
{
    execlp("true", "true", (char *)NULL);
    _exit(1);
}

/** The child's end of the stream: the sender is at 1, and the receiver at 2. */
static void stream_at(int v6, int number)
{
    static uint8_t bytes[STREAM], got[STREAM];
    struct sockaddr_storage address;
    socklen_t size = inner_address(&address, v6, 2);
    int sock = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    size_t done = 0;
    ssize_t count;
    fill_stream(bytes);
    CHECK(sock >= 0 && setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    if (number == 1) {
        while (connect(sock, (struct sockaddr *)&address, size) != 0)
            CHECK(errno == ECONNREFUSED && usleep(1000) == 0);
        while (done < STREAM && (count = send(sock, bytes + done, STREAM - done, 0)) > 0)
            done += (size_t)count;
        CHECK(done == STREAM && shutdown(sock, SHUT_WR) == 0 && recv(sock, got, 1, 0) == 0);
        exec_true();
    }
    CHECK(bind(sock, (struct sockaddr *)&address, size) == 0 && listen(sock, 1) == 0);
    int stream = accept(sock, NULL, NULL);
    while (done < STREAM && (count = recv(stream, got + done, STREAM - done, 0)) > 0)
        done += (size_t)count;
    CHECK(done == STREAM && memcmp(got, bytes, STREAM) == 0 && recv(stream, got, 1, 0) == 0);
    exec_true();
}

static void a_stream_arrives(struct path *path, int v6)
{
    int left = 2, status;
    size_t before = path->supers;
    for (int number = 1; number <= 2; number++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (number == 2)
                CHECK(setns(path->away, CLONE_NEWNET) == 0);
            stream_at(v6, number);
        }
    }
    while (left > 0) {
        struct pollfd exec_true[2] = {{.fd = tuntap_get_fd(path->near, NULL), .events = POLLIN},
                                 {.fd = tuntap_get_fd(path->far, NULL), .events = POLLIN}};
        poll(exec_true, 2, 20);
        pass(path);
        for (; waitpid(-1, &status, WNOHANG) > 0; left--)
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    if (path->way != BATCHES)
        CHECK(path->supers - before > 5);
}

static void datagrams_arrive(struct path *path, int v6)
{
    static uint8_t sent[SEGMENTS * SEGMENT], got[SEGMENTS * SEGMENT];
    struct sockaddr_storage address;
    int to, from = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = SEGMENT;
    size_t before = path->supers;
    socklen_t length = inner_address(&address, v6, 2);
    INSIDE(path->away, to = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    CHECK(from >= 0 && to >= 0 && setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) == 0);
    CHECK(bind(to, (struct sockaddr *)&address, length) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        fill_random(sent, sizeof sent);
        CHECK(sendto(from, sent, sizeof sent, 0, (struct sockaddr *)&address, length) == sizeof sent);
        for (size_t at = 0; at < sizeof sent; at += SEGMENT) {
            while (!is_readable(to))
                pass(path);
            CHECK(recv(to, got, sizeof got, 0) == SEGMENT && memcmp(got, sent + at, SEGMENT) == 0);
        }
    }
    if (path->way != BATCHES)
        CHECK(path->supers - before >= ROUNDS);
    close(from);
    close(to);
}

static tuntap *open_device(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open("t0", kind | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, &dev, &err));
    OK(tuntap_set_txqueuelen(dev, 5000, &err));
    return dev;
}

static void a_tunnel_works(struct path path)
{
    path.away = new_netns();
    INSIDE(path.away, write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0");
           write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0"));
    path.near = open_device(path.kind);
    configure_end(&path, 1);
    INSIDE(path.away, path.far = open_device(path.kind); configure_end(&path, 2));
    OK(tuntap_splitter_new(path.kind, &path.splitter, &err));
    for (int v6 = 0; v6 < 2; v6++) {
        a_stream_arrives(&path, v6);
        datagrams_arrive(&path, v6);
    }
    no_packet_was_invalid();
    INSIDE(path.away, no_packet_was_invalid());
    printf("%s%s, IPv%d, %s, %s", path.kind & TUNTAP_TUN ? "TUN" : "TAP", strcmp(path.under, "t0") ? ", VLAN" : "",
           path.v6 ? 6 : 4, path.checksum ? "checksum" : "no checksum", path.way == BATCHES ? "in batches\n" : "");
    if (path.way != BATCHES)
        printf("%zu super-packets of the tunnel, %s\n", path.supers, path.way == SPLIT ? "split" : "whole");
    tuntap_splitter_free(path.splitter);
    tuntap_close(path.near);
    tuntap_close(path.far);
    CHECK(!exists("vx0"));
    close(path.away);
}

int main(void)
{
    begin();
    needs_tunnels();
    if (strstr(output_of("ip link add vx0 type vxlan id 1 dstport 4789 2>&1 && ip link delete vx0"), "Unknown"))
        skip("this kernel has no VXLAN (CONFIG_VXLAN)");
    int has_vlan = !strstr(output_of("ip link add link lo name v0 type vlan id 1 2>&1; ip link delete v0 2>&1"), "Unknown");
    if (!has_vlan)
        printf("SKIP: over a VLAN: this kernel has none (CONFIG_VLAN_8021Q)\n");
    for (int tap = 0; tap < 2; tap++)
        for (int v6 = 0; v6 < 2; v6++)
            for (int checksum = 0; checksum < 2; checksum++)
                for (enum way way = SPLIT; way <= WHOLE; way++) {
                    struct path path = {.kind = tap ? TUNTAP_TAP : TUNTAP_TUN, .v6 = v6, .checksum = checksum, .way = way};
                    path.under = "t0";
                    /* Linux 6.18 refuses super-packets of tunnels on a TUN. */
                    if (way != WHOLE || tap)
                        a_tunnel_works(path);
                    path.under = "v5";
                    if (has_vlan && tap)
                        a_tunnel_works(path);
                }
    return 0;
}
