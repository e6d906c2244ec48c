/* SPDX-License-Identifier: MIT
 *
 * Calls each function with a good value for each parameter, then with every other value of each one, and with every two
 * values of each two. A function has a process of its own, in which it may crash or hang. */
#include "api.h"

#include <sys/mman.h>

enum { SECONDS = 100 };

/** What a child reports, also when it dies. */
static struct report {
    char call[600];
    long calls, good;
} *report;

static const struct function *function;
static struct argument arguments[PARAMETERS_MAX];
static int values[PARAMETERS_MAX], good[PARAMETERS_MAX];
static long result;
/** The device that the last call may have changed. */
static void *changed;

static void describe(void)
{
    size_t used = (size_t)snprintf(report->call, sizeof report->call, "%s(", function->name);
    for (int i = 0; i < function->parameters; i++) {
        used += (size_t)snprintf(report->call + used, sizeof report->call - used, "%s%s: %.60s", i ? ", " : "",
                                 function->parameter[i].name, arguments[i].says);
        if (used >= sizeof report->call)
            return;
    }
    snprintf(report->call + used, sizeof report->call - used, ")");
}

static void wrong(const char *what)
{
    fprintf(stderr, "%s = %ld: %s", report->call, result, what);
    for (int i = 0; i < function->parameters; i++)
        if (function->parameter[i].kind == &error_kind && arguments[i].pointer && result < 0)
            fprintf(stderr, "; err: %.248s", ((tuntap_error *)arguments[i].pointer)->message);
    fprintf(stderr, "\n");
    exit(1);
}

#define MUST(condition)        \
    do {                       \
        if (!(condition))      \
            wrong(#condition); \
    } while (0)

static void make_arguments(void)
{
    memset(arguments, 0, sizeof arguments);
    for (int memory = 0; memory < 2; memory++)
        for (int i = 0; i < function->parameters; i++) {
            const struct parameter *parameter = &function->parameter[i];
            if (memory == (parameter->unit != 0))
                parameter->kind->make(&arguments[i], parameter, values[i], arguments);
        }
}

static bool is_untouched(const struct argument *argument)
{
    for (size_t i = 0; i < argument->bytes; i++)
        if (((uint8_t *)argument->pointer)[i] != CANARY)
            return false;
    return true;
}

static bool is_printable(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    if (!end || end == text)
        return false;
    for (; text < end; text++)
        if ((uint8_t)*text < ' ' || *text == 127)
            return false;
    return true;
}

static bool is_documented(int number)
{
    if (function->open)
        return true;
    for (const int *one = function->documented; *one; one++)
        if (*one == number)
            return true;
    return false;
}

static void judge_error(const tuntap_error *error)
{
    MUST(error->code == result);
    MUST(error->reason != TUNTAP_REASON_NONE);
    MUST(strcmp(tuntap_strreason(error->reason), tuntap_strreason(UINT32_MAX)) != 0);
    MUST(is_printable(error->message, sizeof error->message));
}

/** What a failure, and a success, leave in the places for results. */
static void judge_place(const struct parameter *parameter, const struct argument *argument)
{
    bool failed = result < 0;
    if (parameter->kind == &fd_kind && failed && (int)argument->number > 2 && values[parameter - function->parameter] != 7)
        MUST((int)argument->number == INT_MAX || fcntl((int)argument->number, F_GETFD) >= 0);
    if (parameter->kind->way != OUT || !argument->pointer)
        return;
    if (parameter->kind == &error_kind) {
        if (failed)
            judge_error(argument->pointer);
        else
            MUST(is_untouched(argument));
    } else if (failed) {
        MUST(is_untouched(argument) != parameter->always);
    } else if (parameter->kind == &text_out_kind) {
        MUST(memchr(argument->pointer, 0, argument->bytes));
    }
}

/** One argument is not the good one, and that is NULL, which only this argument can be blamed for. */
static bool is_null_alone(int i)
{
    for (int other = 0; other < function->parameters; other++)
        if (other != i && values[other] != good[other])
            return false;
    return function->parameter[i].needed && values[i] != good[i] && !arguments[i].pointer;
}

static void judge(void)
{
    MUST(result >= -4095);
    MUST(result <= 0 || function->returns != ZERO);
    MUST(result >= 0 || is_documented((int)-result));
    for (int i = 0; i < function->parameters; i++) {
        const struct parameter *parameter = &function->parameter[i];
        bool null = parameter->unit && parameter->needed && !arguments[i].pointer;
        judge_place(parameter, &arguments[i]);
        MUST(!null || result < 0 || (function->returns == SIZE && result == 0));
        MUST(!is_null_alone(i) || result == -EINVAL || function->returns == SIZE);
    }
}

/** Frees what the call made and what was made for it. */
static void clean_up(void)
{
    changed = function->changes && !function->frees && result >= 0 ? arguments[0].pointer : NULL;
    for (int i = 0; i < function->parameters; i++) {
        const struct parameter *parameter = &function->parameter[i];
        if (parameter->kind == &object_out_kind && arguments[i].pointer && result >= 0)
            parameter->release(*(void **)arguments[i].pointer);
        if (parameter->kind == &fd_out_kind && arguments[i].pointer && result >= 0)
            close(*(int *)arguments[i].pointer);
        if (function->frees && result >= 0 && parameter->unit)
            forget_handle(arguments[i].pointer);
    }
    for (int i = 0; i < function->parameters; i++) {
        if (function->parameter[i].kind == &fd_kind && (int)arguments[i].number > 2)
            close((int)arguments[i].number);
        free(arguments[i].memory);
    }
}

/** No call may use a handle that is being freed, and the signal handler wakes all handles. */
static void change_signals(int how)
{
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    CHECK(sigprocmask(how, &alarm, NULL) == 0);
}

static void call(void)
{
    restore_handles(changed);
    if (strcmp(function->name, "tuntap_delete") == 0)
        make_idle_device();
    make_arguments();
    describe();
    if (function->frees)
        change_signals(SIG_BLOCK);
    report->calls++;
    result = function->call(arguments);
    report->good += result >= 0;
    judge();
    clean_up();
    if (function->frees)
        change_signals(SIG_UNBLOCK);
}

/** Calls with each value of two parameters; of one when they are the same. Ends early at a good call. */
static bool try_pair(int first, int second, bool until_good)
{
    const struct kind *kind = function->parameter[first].kind, *other = function->parameter[second].kind;
    for (int i = 0; i < (first == second ? 1 : kind->pairs); i++)
        for (int j = 0; j < (first == second ? other->values : other->pairs); j++) {
            memcpy(values, good, sizeof values);
            values[first] = i;
            values[second] = j;
            call();
            if (until_good && result >= 0)
                return true;
        }
    return false;
}

/** The good values of a function: the first ones, but for two at the most. */
static bool find_good(void)
{
    for (int first = 0; first < function->parameters; first++)
        for (int second = first; second < function->parameters; second++)
            if (try_pair(first, second, true)) {
                memcpy(good, values, sizeof good);
                return true;
            }
    return function->parameters == 0;
}

static void test_function(void)
{
    int before;
    begin();
    before = descriptors();
    interrupt_waits();
    if (!find_good())
        wrong("no good call was found");
    for (int first = 0; first < function->parameters; first++)
        for (int second = first; second < function->parameters; second++)
            try_pair(first, second, false);
    if (function->parameters == 0)
        call();
    close_handles();
    MUST(descriptors() == before);
    exit(0);
}

/** Whether the function passed. A child that hangs is ended by an alarm that it does not handle. */
static bool passes(void)
{
    int status, waited = 0;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        test_function();
    }
    while (waitpid(child, &status, WNOHANG) == 0) {
        poll(NULL, 0, 5);
        if ((waited += 5) < SECONDS * 1000)
            continue;
        fprintf(stderr, "%s: no end\n", report->call);
        kill(child, SIGKILL);
    }
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: signal %d\n", report->call, WTERMSIG(status));
    return status == 0;
}

/** The results of the processes that share the functions: most of the time a function waits for the kernel. */
static struct sum {
    long calls;
    int tested, failed;
} *sum;

static void test_share(int share, int shares, const char *name)
{
    for (int i = share; i < functions_count; i += shares) {
        function = &functions[i];
        if (name && strcmp(function->name, name) != 0)
            continue;
        int64_t began = now();
        memset(report, 0, sizeof *report);
        sum->failed += !passes();
        sum->calls += report->calls;
        sum->tested++;
        if (getenv("TUNTAP_API_VERBOSE"))
            printf("%s: %ld calls, %ld of them good, %ld ms\n", function->name, report->calls, report->good,
                   (long)((now() - began) / 1000000));
    }
    exit(0);
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

int main(int count, char **names)
{
    enum { SHARES = 4 };
    struct sum *sums = shared_memory(SHARES * sizeof *sums), all = {0, 0, 0};
    for (int share = 0; share < SHARES; share++) {
        sum = &sums[share];
        report = shared_memory(sizeof *report);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child != 0)
            continue;
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        test_share(share, SHARES, count > 1 ? names[1] : NULL);
    }
    for (int status; wait(&status) > 0;)
        all.failed += status != 0;
    for (int share = 0; share < SHARES; share++) {
        all.calls += sums[share].calls;
        all.tested += sums[share].tested;
        all.failed += sums[share].failed;
    }
    printf("%d functions, %ld calls, %d functions failed\n", all.tested, all.calls, all.failed);
    return all.failed || !all.tested;
}
