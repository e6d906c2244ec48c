/* SPDX-License-Identifier: MIT
 *
 * Scenarios, of which every system call is made to fail in turn, with every errno; and what must hold each time:
 *
 * - a failure is a negative errno, that of the system call or what ALLOWED has for it; it has its reason, and a message
 *   that names the step and what it was about;
 * - after it everything is as before: devices, addresses, routes, queues, descriptors, threads;
 * - after a success everything is as when nothing fails;
 * - the same call, made again, succeeds then, and what is freed leaves nothing;
 * - nothing hangs, and nothing dies. */
#ifndef FAULTS_H
#define FAULTS_H

#include "allowed.h"
#include "scenario.h"
#include "snapshot.h"

/** What an undisturbed step is like. */
struct reference {
    long result;
    unsigned count;
    struct picture before, after, done;
};

struct tally {
    unsigned steps, survived, wrong, planned;
};

static struct reference reference;
static struct injector injector;
static struct tally *tally;
static int running;
static char fault[1024];

static int wrong(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(fault, sizeof fault, format, values);
    va_end(values);
    return -1;
}

/** The child comes to this mark. */
static int comes_to(enum mark wanted)
{
    int status, got = next_mark(&injector);
    if (got == (int)wanted)
        return 0;
    if (got == -1)
        return wrong("hangs");
    if (got != 0)
        return wrong("a mark out of order: %d", got);
    status = end(&injector);
    running = 0;
    if (WIFSIGNALED(status))
        return wrong("dies of signal %d", WTERMSIG(status));
    return wrong("ends with %d", WEXITSTATUS(status));
}

static void take(struct picture *picture)
{
    take_picture(picture, current->picture, injector.child, here_sock, away_sock);
    if (current->idle)
        say_idle(picture, "t0", current->idle);
}

static int is_as(const struct picture *wanted, const char *when)
{
    static struct picture now_;
    take(&now_);
    const char *differs = difference(wanted, &now_);
    return differs ? wrong("%s: %s", when, differs) : 0;
}

static void remove_here(void)
{
    if (if_nametoindex("t0"))
        IP("link delete t0");
}

/** Removes what a child left that was ended. */
static void remove_devices(void)
{
    remove_here();
    INSIDE(away_fd, remove_here());
}

static int is_before(void)
{
    if (current->set_up)
        current->set_up();
    return comes_to(BEFORE);
}

/** A step in which nothing fails. */
static int undisturbed(struct reference *to)
{
    if (is_before())
        return -1;
    take(&to->before);
    begin_step(&injector, 0, 0);
    answer(&injector, 0);
    if (comes_to(CALLED))
        return -1;
    injector.counts = 0;
    answer(&injector, 0);
    if (comes_to(AFTER))
        return -1;
    to->result = shared->result;
    to->count = injector.count;
    take(&to->after);
    answer(&injector, 0);
    if (comes_to(DONE))
        return -1;
    take(&to->done);
    answer(&injector, 1);
    return 0;
}

/** A new child, of which two undisturbed steps are alike: the first may do what is done once only. */
static int start_child(void)
{
    static struct reference first;
    start(&injector, do_steps);
    running = 1;
    injector.meanwhile = current->meanwhile;
    injector.skipped = current->skipped - 1;
    if (undisturbed(&first) || undisturbed(&reference))
        return -1;
    if (reference.count > MOST_CALLS)
        return wrong("too many system calls: %u", reference.count);
    const char *differs = difference(&first.before, &reference.before);
    if (!differs)
        differs = difference(&first.after, &reference.after);
    if (!differs)
        differs = difference(&first.done, &reference.done);
    if (differs || first.result != reference.result)
        return wrong("not alike undisturbed: %s, %ld and %ld: %s", differs ? differs : "", first.result,
                     reference.result, shared->err.message);
    return 0;
}

static void stop_child(void)
{
    if (running)
        end(&injector);
    running = 0;
    remove_devices();
}

/** A failed call says so, as it must, and has left all as it was; 1 when it was made, but its answer was lost. */
static int failed_well(const struct call *call, int error)
{
    const tuntap_error *said = &shared->err;
    char number[16];
    snprintf(number, sizeof number, "%d", error);
    if (shared->result >= 0)
        return wrong("returned %ld, not %ld", shared->result, reference.result);
    if (!is_allowed(call, error, shared->result))
        return wrong("returned %ld: %.200s", shared->result, said->message);
    if (!current->words)
        return is_as(&reference.before, "after the failure");
    if (said->code != shared->result || said->reason == 0 || !memchr(said->message, 0, sizeof said->message))
        return wrong("returned %ld, but code %d, reason %u", shared->result, said->code, said->reason);
    if (!names_the_step(call, said->message, current->words))
        return wrong("no such step: %.247s", said->message);
    if (error > 134 && shared->result == -error && !strstr(said->message, number))
        return wrong("no number: %.247s", said->message);
    if (is_unheard(call) && is_as(&reference.after, "after") == 0) {
        fault[0] = 0;
        return 1;
    }
    return is_as(&reference.before, "after the failure");
}

/** After a failure the same call succeeds. */
static int once_more(void)
{
    if (comes_to(CALLED))
        return -1;
    answer(&injector, 0);
    if (comes_to(AFTER))
        return -1;
    if (shared->result != reference.result)
        return wrong("once more: returned %ld: %.200s", shared->result, shared->err.message);
    if (is_as(&reference.after, "once more"))
        return -1;
    fault[0] = 0;
    answer(&injector, 0);
    return 0;
}

/** Fails the nth system call. */
static int fail_one(unsigned nth, int error)
{
    const struct call *call = &injector.calls[nth - 1];
    if (is_before() || is_as(&reference.before, "before"))
        return -1;
    begin_step(&injector, nth, error);
    answer(&injector, 0);
    if (comes_to(CALLED))
        return -1;
    injector.counts = 0;
    if (injector.count < nth)
        return wrong("nothing was made to fail: %u system calls, not %u", injector.count, reference.count);
    answer(&injector, 0);
    if (comes_to(AFTER))
        return -1;
    int survived = shared->result == reference.result;
    int outcome = survived ? is_as(&reference.after, "after the success") : failed_well(call, error);
    if (outcome < 0)
        return -1;
    tally->survived += (unsigned)survived;
    injector.met = 0;
    int again = !survived && outcome == 0 && !current->once;
    answer(&injector, again);
    if (again && once_more())
        return -1;
    if (comes_to(DONE) || is_as(&reference.done, "in the end"))
        return -1;
    answer(&injector, 1);
    return 0;
}

/** Whether the nth system call is failed with the errno of this place. */
static int is_wanted(unsigned nth, size_t place)
{
    const char *how = getenv("TUNTAP_FAULTS");
    if (how && strcmp(how, "all") == 0)
        return 1;
    return place == nth % ERRNO_COUNT || place == (nth + 3) % ERRNO_COUNT;
}

static void fail_each(void)
{
    unsigned before = tally->wrong, count = 1;
    for (unsigned nth = 1; nth <= count; nth++)
        for (size_t place = 0; place < ERRNO_COUNT; place++) {
            fault[0] = 0;
            if (!is_wanted(nth, place))
                continue;
            if (!running && start_child()) {
                printf("FAIL  %s: %s\n", current->name, fault);
                tally->wrong++;
                stop_child();
                return;
            }
            count = reference.count;
            tally->steps++;
            int bad = count ? fail_one(nth, ERRNOS[place]) : 0;
            if (bad)
                tally->wrong++;
            if (bad || getenv("VERBOSE"))
                printf("%s  %s: %u of %u, %s fails with %d: %s\n", bad ? "FAIL" : "step", current->name, nth, count,
                       call_name(&injector.calls[nth - 1]), ERRNOS[place],
                       fault[0] ? fault : shared->err.message);
            if (bad)
                stop_child();
            poll(NULL, 0, (int)current->pause + (bad ? 10 : 0));
        }
    stop_child();
    tally->planned += count;
    printf("%s  %s: %u system calls\n", tally->wrong == before ? "ok  " : "FAIL", current->name, count);
}

/** IPv6 is on, and gives no device an address of its own. */
static void no_own_addresses(void)
{
    write_file("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
    write_file("/proc/sys/net/ipv6/conf/default/router_solicitations", "0");
}

/** A process that takes every so manieth scenario, in a network namespace of its own. */
static void work(const struct scenario *scenarios, size_t count, size_t first, size_t workers, const char *only)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    begin();
    no_own_addresses();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    int home = own_netns();
    here_sock = netlink_socket();
    CHECK(unshare(CLONE_NEWNET) == 0);
    no_own_addresses();
    away_sock = netlink_socket();
    away_fd = own_netns();
    CHECK(setns(home, CLONE_NEWNET) == 0);
    close(home);
    for (size_t i = first; i < count; i += workers) {
        current = &scenarios[i];
        if (!only || strstr(current->name, only))
            fail_each();
    }
    exit(0);
}

/** Runs all scenarios; what main() returns. */
static int run(const struct scenario *scenarios, size_t count, const char *only)
{
    enum { WORKERS = 4 };
    int status, bad = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (access("/proc/sys/net/ipv6", F_OK) != 0)
        skip("needs IPv6");
    size_t size = WORKERS * sizeof *tally;
    struct tally *tallies = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tally all = {0};
    CHECK(tallies != MAP_FAILED);
    for (size_t i = 0; i < WORKERS; i++) {
        tally = &tallies[i];
        if (fork() == 0)
            work(scenarios, count, i, WORKERS, only);
    }
    while (wait(&status) > 0)
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            bad = 77;
        else if (status != 0)
            bad = 1;
    for (size_t i = 0; i < WORKERS; i++) {
        all.steps += tallies[i].steps;
        all.survived += tallies[i].survived;
        all.wrong += tallies[i].wrong;
        all.planned += tallies[i].planned;
    }
    printf("%u system calls, %u faults, %u of them done without, %u wrong\n", all.planned, all.steps,
           all.survived, all.wrong);
    return all.wrong ? 1 : bad;
}

#endif
