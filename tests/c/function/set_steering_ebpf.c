/* SPDX-License-Identifier: MIT */
#include "steering.h"

enum { FLOWS = 40 };

static tuntap *queues[3];

static void all_packets_go_to(int queue)
{
    send_flows(FLOWS);
    for (int i = 0; i < 3; i++)
        CHECK(drain(queues[i]) == (i == queue ? FLOWS : 0));
}

int main(void)
{
    begin();
    ipv4_only();
    queues[0] = device_up("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    for (int i = 1; i < 3; i++)
        OK(tuntap_open_queue(queues[0], TUNTAP_NONBLOCK, &queues[i], &err));

    /* The program returns a queue, modulo the number of queues. The kernel keeps the program. */
    for (int number = 0; number < 6; number++) {
        int program = program_returning(number, BPF_PROG_TYPE_SOCKET_FILTER);
        OK(tuntap_set_steering_ebpf(queues[number % 2], program, &err));
        close(program);
        all_packets_go_to(number % 3);
    }
    OK(tuntap_set_steering_ebpf(queues[0], -1, &err));
    OK(tuntap_set_steering_ebpf(queues[0], -1, &err));
    send_flows(FLOWS);
    int used = 0, sum = 0;
    for (int i = 0; i < 3; i++) {
        int packets = drain(queues[i]);
        used += packets > 0;
        sum += packets;
    }
    CHECK(used > 1 && sum == FLOWS);

    WRONG_PROGRAMS(tuntap_set_steering_ebpf, queues[0]);
    for (int i = 0; i < 3; i++)
        tuntap_close(queues[i]);
    return 0;
}
