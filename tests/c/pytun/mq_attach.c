/* SPDX-License-Identifier: MIT */
/* tun.mq_attach(); tun.mq_attach(False) */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &tun, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":0", "link show tun0");
    OK(tuntap_detach(tun, &err));
    IP_HAS("\"numqueues\":0,\"numdisabled\":1", "link show tun0");
    OK(tuntap_attach(tun, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":0", "link show tun0");
    tuntap_close(tun);
    return 0;
}
