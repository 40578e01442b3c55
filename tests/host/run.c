/* Runs the tests that were linked in, each in a process of its own on a freshly
 * booted machine, and prints TAP.
 *
 *   tests [-v] [-x] [name,name,...]
 *                                those whose name begins so; all by default
 *                                -v prints reports, -x stops at a failure
 *   SEED=n                       for tests that draw random numbers
 */
#include "child.h"
#include "env.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arch/layout.h>

#include "kernel/ktest.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

/* The linker makes these around the section that TEST fills. */
extern const struct test __start_tests[], __stop_tests[];

#define MACHINE_BYTES (64 * MiB)
#define SKIPPED '\1' /* first byte of a child's answer */

static bool is_wanted(const char *name, const char *filter)
{
    for (const char *word = filter; word;) {
        size_t n = strcspn(word, ",");
        if (n > 0 && strncmp(name, word, n) == 0)
            return true;
        word = word[n] ? word + n + 1 : NULL;
    }
    return !filter;
}

/* Tests shared with the kernel get a machine; those of tests/host make one. */
static bool wants_machine(const struct test *t)
{
    return strstr(t->file, "tests/kernel/") != NULL;
}

struct live {
    size_t frames, bytes;
};

/* What a CPU gets once and keeps, when it first uses the heap, is there before
 * anything is counted. */
static struct live measure(void)
{
    struct frames_stats frames;
    struct kheap_stats heap;
    kfree(kmalloc(1, GFP_KERNEL));
    kheap_trim();
    pmm_stats(&frames);
    kheap_stats(&heap);
    return (struct live){frames.free, heap.live};
}

static const char *state_of_memory(struct live before)
{
    struct live after = measure();
    if (after.frames != before.frames)
        return "leaves other free frames than it found";
    if (after.bytes != before.bytes)
        return "leaves other heap bytes than it found";
    const char *wrong = pmm_check();
    return wrong ? wrong : kheap_check();
}

static bool say(const struct test *t, const struct test_result *r, char *why,
                size_t size)
{
    if (r->skipped)
        snprintf(why, size, "%c%s", SKIPPED, r->skipped);
    else if (r->failed)
        snprintf(why, size, "%s:%d: %s", t->file, r->line, r->failed);
    else if (r->checks == 0)
        snprintf(why, size, "checks nothing");
    else
        return true;
    return r->skipped && !r->failed;
}

static bool run_test(const void *argument, char *why, size_t size)
{
    const struct test *t = argument;
    struct test_result result = {0};
    struct live before = {0};
    host_windows_start();
    if (wants_machine(t)) {
        host_machine(DIRECT_START, MACHINE_BYTES);
        before = measure();
    }
    t->run(&result);
    if (wants_machine(t) && !result.failed)
        result.failed = state_of_memory(before);
    return say(t, &result, why, size);
}

static bool report_test(const struct test *t, unsigned number)
{
    char why[CHILD_WHY];
    bool good = child_run(run_test, t, false, why);
    printf("%s %u - %s", good ? "ok" : "not ok", number, t->name);
    if (good && why[0] == SKIPPED)
        printf(" # SKIP %s", why + 1);
    printf("\n");
    if (!good)
        printf("# %s (SEED=%lu)\n", why, test_seed);
    fflush(stdout);
    return good;
}

int main(int argc, char **argv)
{
    const char *filter = NULL;
    bool stop = false;
    unsigned wanted = 0, number = 0, failed = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-v") == 0)
            host_verbose = true;
        else if (strcmp(argv[i], "-x") == 0)
            stop = true;
        else
            filter = argv[i];
    test_seed = host_number("SEED", test_seed);
    for (const struct test *t = __start_tests; t < __stop_tests; t++)
        wanted += is_wanted(t->name, filter);
    printf("TAP version 13\n1..%u\n", wanted);
    for (const struct test *t = __start_tests; t < __stop_tests; t++)
        if (is_wanted(t->name, filter) && !(stop && failed))
            failed += !report_test(t, ++number);
    return failed > 0 || wanted == 0;
}
