/* SPDX-License-Identifier: MIT
 *
 * Calls each function with a good value for each parameter, then with every other value of each parameter, and then
 * with all combinations of values of each two parameters. Each function has its own process, in which it may crash or
 * hang. */
#include "api.h"

#include <sys/mman.h>

enum { SECONDS = 100 };

/** What a child reports. It is in shared memory, so the parent can read it even if the child crashes. */
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

static void report_failure(const char *what)
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
            report_failure(#condition); \
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

static void check_error(const tuntap_error *error)
{
    MUST(error->code == result);
    MUST(error->reason != TUNTAP_REASON_NONE);
    MUST(strcmp(tuntap_strreason(error->reason), tuntap_strreason(UINT32_MAX)) != 0);
    MUST(is_printable(error->message, sizeof error->message));
}

/** Checks what a failure or a success leaves in an output. */
static void check_output(const struct parameter *parameter, const struct argument *argument)
{
    bool failed = result < 0;
    if (parameter->kind == &fd_kind && failed && (int)argument->number > 2 && values[parameter - function->parameter] != 7)
        MUST((int)argument->number == INT_MAX || fcntl((int)argument->number, F_GETFD) >= 0);
    if (parameter->kind->way != OUT || !argument->pointer)
        return;
    if (parameter->kind == &error_kind) {
        if (failed)
            check_error(argument->pointer);
        else
            MUST(is_untouched(argument));
    } else if (failed) {
        MUST(is_untouched(argument) != parameter->written_after_failure);
    } else if (parameter->kind == &text_out_kind) {
        MUST(memchr(argument->pointer, 0, argument->bytes));
    }
}

/** Only this argument differs from the good ones, and it is NULL, so that it must cause the failure. */
static bool is_null_alone(int i)
{
    for (int other = 0; other < function->parameters; other++)
        if (other != i && values[other] != good[other])
            return false;
    return function->parameter[i].nonnull && values[i] != good[i] && !arguments[i].pointer;
}

static void check_result(void)
{
    MUST(result >= -4095);
    MUST(result <= 0 || function->returns != ZERO);
    MUST(result >= 0 || is_documented((int)-result));
    for (int i = 0; i < function->parameters; i++) {
        const struct parameter *parameter = &function->parameter[i];
        bool null = parameter->unit && parameter->nonnull && !arguments[i].pointer;
        check_output(parameter, &arguments[i]);
        MUST(!null || result < 0 || (function->returns == SIZE && result == 0));
        MUST(!is_null_alone(i) || result == -EINVAL || function->returns == SIZE);
    }
}

/** Frees the results of the call and the memory of its arguments. */
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

/** Blocks the signal while a handle is freed, because the signal handler wakes all handles. */
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
    check_result();
    clean_up();
    if (function->frees)
        change_signals(SIG_UNBLOCK);
}

/** Calls with each combination of values of two parameters, or each value of one if they are the same. Can end at the
 * first call that succeeds. */
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

/** Finds good values: the first value of each parameter, with at most two exceptions. */
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
        report_failure("no good call was found");
    for (int first = 0; first < function->parameters; first++)
        for (int second = first; second < function->parameters; second++)
            try_pair(first, second, false);
    if (function->parameters == 0)
        call();
    close_handles();
    MUST(descriptors() == before);
    exit(0);
}

/** Tests a function in a child. Returns whether it passed. A child that hangs is killed. */
static bool test_in_child(void)
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

/** The results of a process. Several processes share the functions, because a function mostly waits for the kernel. */
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
        sum->failed += !test_in_child();
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
