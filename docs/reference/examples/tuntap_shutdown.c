/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <tuntap.h>

/* Ends a thread that reads from a device, and closes the device. */
void stop(tuntap *dev, pthread_t thread)
{
    tuntap_shutdown(dev); /* its calls now return -ECANCELED */
    pthread_join(thread, NULL);
    tuntap_close(dev);
}
