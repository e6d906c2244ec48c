/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <pthread.h>
#include <signal.h>

static tuntap_monitor *monitor;

static void *wait_for_event(void *unused)
{
    tuntap_event one;
    tuntap_error why;
    int result;
    (void)unused;
    while ((result = tuntap_monitor_next(monitor, &one, sizeof one, -1, &why)) == 0)
        continue;
    CHECK(result == -ECANCELED && why.reason == TUNTAP_REASON_SHUTDOWN && why.message[0]);
    return NULL;
}

static void it_ends_the_wait_of_another_thread(int milliseconds)
{
    pthread_t thread;
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    CHECK(pthread_create(&thread, NULL, wait_for_event, NULL) == 0);
    poll(NULL, 0, milliseconds);
    tuntap_monitor_shutdown(monitor);
    CHECK(pthread_join(thread, NULL) == 0);
    tuntap_monitor_close(monitor);
}

/** After a shutdown, not even queued events are reported. */
static void a_shutdown_is_permanent(void)
{
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    tuntap_monitor_shutdown(monitor);
    tuntap_monitor_shutdown(monitor);
    static const int32_t limits[] = {0, -1, 10, INT32_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        FAILS(tuntap_monitor_next(monitor, &event, sizeof event, limits[i], &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    CHECK(tuntap_monitor_get_fd(monitor, NULL) >= 0);
    tuntap_monitor_close(monitor);
}

static void in_handler(int number)
{
    (void)number;
    int before = errno;
    errno = 77;
    tuntap_monitor_shutdown(monitor);
    CHECK(errno == 77);
    errno = before;
}

static void a_signal_handler_may_call_it(void)
{
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    take_present_state(monitor);
    start_signals(in_handler, SA_RESTART);
    int result = tuntap_monitor_next(monitor, &event, sizeof event, -1, &err);
    CHECK(result == -EINTR || result == -ECANCELED);
    stop_signals();
    FAILS(tuntap_monitor_next(monitor, &event, sizeof event, -1, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    tuntap_monitor_close(monitor);
}

/** One thread at a time takes events. */
static void a_second_thread_gets_ebusy(void)
{
    pthread_t thread;
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    CHECK(pthread_create(&thread, NULL, wait_for_event, NULL) == 0);
    while (tuntap_monitor_next(monitor, &event, sizeof event, 0, &err) != -EBUSY)
        poll(NULL, 0, 1);
    CHECK(err.reason == TUNTAP_REASON_BUSY);
    tuntap_monitor_shutdown(monitor);
    CHECK(pthread_join(thread, NULL) == 0);
    tuntap_monitor_close(monitor);
}

/** A monitor that never waits needs one descriptor. */
static void the_first_wait_makes_a_descriptor(void)
{
    int before = descriptors();
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    take_present_state(monitor);
    NO_EVENT(monitor);
    CHECK(descriptors() == before + 1);
    FAILS(tuntap_monitor_next(monitor, &event, sizeof event, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    CHECK(descriptors() == before + 2);
    tuntap_monitor_close(monitor);
    CHECK(descriptors() == before);
}

int main(void)
{
    begin();
    int before = descriptors();
    tuntap_monitor_shutdown(NULL);
    for (int i = 0; i < 300; i++)
        it_ends_the_wait_of_another_thread(i % 100 ? 0 : 50);
    a_shutdown_is_permanent();
    a_signal_handler_may_call_it();
    a_second_thread_gets_ebusy();
    the_first_wait_makes_a_descriptor();
    CHECK(descriptors() == before);
    return 0;
}
