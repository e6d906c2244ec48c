/* SPDX-License-Identifier: MIT
 *
 * Runs scenarios. In each, makes every system call fail in turn, with different errnos, and checks each time:
 *
 * - a failed call returns the negative errno of the system call, or the code that ALLOWED has for it. Its error has a
 *   reason, and a message that names the step and its object;
 * - a failed call changes nothing: devices, addresses, routes, queues, descriptors and threads are as before;
 * - after a success everything is as without a fault;
 * - the same call succeeds when it is repeated, and closing or freeing leaves nothing;
 * - no call hangs or crashes. */
#ifndef FAULTS_H
#define FAULTS_H

#include "allowed.h"
#include "scenario.h"
#include "snapshot.h"

/** The results of a step without a fault. */
struct reference {
    long result;
    unsigned count;
    struct snapshot before, after, done;
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

/** The child must reach this mark next. */
static int reaches(enum mark wanted)
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

static void take(struct snapshot *snapshot)
{
    take_snapshot(snapshot, current->ignored, injector.child, here_sock, away_sock);
    if (current->idle)
        print_idle(snapshot, "t0", current->idle);
}

static int matches(const struct snapshot *wanted, const char *when)
{
    static struct snapshot now_;
    take(&now_);
    const char *differs = difference(wanted, &now_);
    return differs ? wrong("%s: %s", when, differs) : 0;
}

static void remove_here(void)
{
    if (if_nametoindex("t0"))
        IP("link delete t0");
}

/** Removes the devices of a child that was ended. */
static void remove_devices(void)
{
    remove_here();
    INSIDE(away_fd, remove_here());
}

static int reaches_before(void)
{
    if (current->set_up)
        current->set_up();
    return reaches(BEFORE);
}

/** Runs a step in which no system call fails. */
static int run_without_fault(struct reference *to)
{
    if (reaches_before())
        return -1;
    take(&to->before);
    begin_step(&injector, 0, 0);
    answer(&injector, 0);
    if (reaches(CALLED))
        return -1;
    injector.counting = 0;
    answer(&injector, 0);
    if (reaches(AFTER))
        return -1;
    to->result = shared->result;
    to->count = injector.count;
    take(&to->after);
    answer(&injector, 0);
    if (reaches(DONE))
        return -1;
    take(&to->done);
    answer(&injector, 1);
    return 0;
}

/** Starts a child and runs two steps without a fault, which must have the same results. */
static int start_child(void)
{
    static struct reference first;
    start(&injector, do_steps);
    running = 1;
    injector.meanwhile = current->meanwhile;
    injector.skipped = current->skipped - 1;
    if (run_without_fault(&first) || run_without_fault(&reference))
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

/** The failed call returned a correct error and changed nothing. Returns 1 if the kernel made the change, but its
 * answer was lost. */
static int failed_correctly(const struct call *call, int error)
{
    const tuntap_error *said = &shared->err;
    char number[16];
    snprintf(number, sizeof number, "%d", error);
    if (shared->result >= 0)
        return wrong("returned %ld, not %ld", shared->result, reference.result);
    if (!is_allowed(call, error, shared->result))
        return wrong("returned %ld: %.200s", shared->result, said->message);
    if (!current->words)
        return matches(&reference.before, "after the failure");
    if (said->code != shared->result || said->reason == 0 || !memchr(said->message, 0, sizeof said->message))
        return wrong("returned %ld, but code %d, reason %u", shared->result, said->code, said->reason);
    if (!names_the_step(call, said->message, current->words))
        return wrong("no such step: %.247s", said->message);
    if (error > 134 && shared->result == -error && !strstr(said->message, number))
        return wrong("no number: %.247s", said->message);
    if (answer_was_lost(call) && matches(&reference.after, "after") == 0) {
        fault[0] = 0;
        return 1;
    }
    return matches(&reference.before, "after the failure");
}

/** After a failure, the same call succeeds. */
static int retry(void)
{
    if (reaches(CALLED))
        return -1;
    answer(&injector, 0);
    if (reaches(AFTER))
        return -1;
    if (shared->result != reference.result)
        return wrong("once more: returned %ld: %.200s", shared->result, shared->err.message);
    if (matches(&reference.after, "once more"))
        return -1;
    fault[0] = 0;
    answer(&injector, 0);
    return 0;
}

/** Fails the nth system call. */
static int fail_one(unsigned nth, int error)
{
    const struct call *call = &injector.calls[nth - 1];
    if (reaches_before() || matches(&reference.before, "before"))
        return -1;
    begin_step(&injector, nth, error);
    answer(&injector, 0);
    if (reaches(CALLED))
        return -1;
    injector.counting = 0;
    if (injector.count < nth)
        return wrong("nothing was made to fail: %u system calls, not %u", injector.count, reference.count);
    answer(&injector, 0);
    if (reaches(AFTER))
        return -1;
    int survived = shared->result == reference.result;
    int outcome = survived ? matches(&reference.after, "after the success") : failed_correctly(call, error);
    if (outcome < 0)
        return -1;
    tally->survived += (unsigned)survived;
    injector.meanwhile_done = 0;
    int again = !survived && outcome == 0 && !current->once;
    answer(&injector, again);
    if (again && retry())
        return -1;
    if (reaches(DONE) || matches(&reference.done, "in the end"))
        return -1;
    answer(&injector, 1);
    return 0;
}

/** Whether the nth system call is made to fail with the errno at this place. */
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

/** Keeps IPv6 on, but without automatic addresses. */
static void no_own_addresses(void)
{
    write_file("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
    write_file("/proc/sys/net/ipv6/conf/default/router_solicitations", "0");
}

/** A process that runs every `workers`th scenario, in its own network namespaces. */
static void run_worker(const struct scenario *scenarios, size_t count, size_t first, size_t workers, const char *only)
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

/** Runs all scenarios. Returns the exit status of the test. */
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
            run_worker(scenarios, count, i, WORKERS, only);
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
