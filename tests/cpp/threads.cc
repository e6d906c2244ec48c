// SPDX-License-Identifier: MIT
// Another thread ends each kind of wait with wake() or shutdown(), and the wait of a monitor.
#include <functional>
#include <thread>

#include "test.hpp"

using namespace test;

/** A call that waits until another thread ends it. */
using wait = std::function<libtuntap::result<>(libtuntap::device &, tuntap_error &)>;

static std::array<std::uint8_t, 2048> buffer;

static const wait waits[] = {
    [](libtuntap::device &dev, tuntap_error &err) { return dev.read(buffer, &err); },
    [](libtuntap::device &dev, tuntap_error &err) { return dev.read_timeout(buffer, libtuntap::no_limit, &err); },
    [](libtuntap::device &dev, tuntap_error &err) {
        const auto ready = dev.wait(libtuntap::wait_events::read, std::chrono::minutes(10), &err);
        return libtuntap::result<>(-ready.error());
    },
    [](libtuntap::device &dev, tuntap_error &err) {
        libtuntap::reader reader(dev);
        libtuntap::bytes place;
        return reader.next(place, &err);
    },
};

template <class End>
static void wait_ends(const wait &waits_for, reason why, End end)
{
    libtuntap::device dev = ready();
    tuntap_error err{};
    libtuntap::result<> ended;
    std::thread thread([&] { ended = waits_for(dev, err); });
    end(dev);
    thread.join();
    IS_ERROR(ended, err, ECANCELED, why);
}

static void a_monitor_is_shut_down()
{
    libtuntap::monitor monitor;
    tuntap_error err{};
    libtuntap::result<> ended;
    std::thread thread([&] {
        libtuntap::event change;
        do
            ended = monitor.next(change, libtuntap::no_limit, &err);
        while (ended.ok());
    });
    monitor.shutdown();
    thread.join();
    IS_ERROR(ended, err, ECANCELED, reason::shutdown);
}

int main()
{
    for (const auto &waiting : waits) {
        wait_ends(waiting, reason::woken, [](libtuntap::device &dev) { dev.wake(); });
        wait_ends(waiting, reason::shutdown, [](libtuntap::device &dev) { dev.shutdown(); });
    }
    a_monitor_is_shut_down();
}
