#include "kernel/ktest.h"
#include "kernel/console.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/percpu.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#include <oct/print.h>
#include <oct/string.h>

extern const struct test tests_start[], tests_end[];

static const char *check_kernel_map(void)
{
    return paging_check(&kernel_map);
}

const struct invariant invariants[] = {
    {"pmm_check", pmm_check},   {"paging_check", check_kernel_map},
    {"vmap_check", vmap_check}, {"percpu_check", percpu_check},
    {"slab_check", slab_check}, {"kheap_check", kheap_check},
};
const size_t invariant_count = ARRAY_SIZE(invariants);

static size_t word_length(const char *words)
{
    const char *comma = strchr(words, ',');
    return comma ? (size_t)(comma - words) : strlen(words);
}

bool ktest_selected(const char *filter, const char *name)
{
    if (!filter || !*filter)
        return true;
    for (;;) {
        size_t n = word_length(filter);
        if (n > 0 && strncmp(filter, name, n) == 0)
            return true;
        if (!filter[n])
            return false;
        filter += n + 1;
    }
}

struct resources {
    size_t frames;
    size_t bytes;
};

/* What a CPU gets once and keeps, when it first uses the heap, is there before
 * anything is counted. */
static struct resources resources_left(void)
{
    struct frames_stats frames;
    struct kheap_stats heap;
    kfree(kmalloc(1, GFP_KERNEL));
    kheap_trim();
    pmm_stats(&frames);
    kheap_stats(&heap);
    return (struct resources){frames.free, heap.live};
}

/* Why a test failed; empty: it did not. */
struct reasons {
    char text[160];
    size_t length;
};

PRINTF(2, 3)
static void add_reason(struct reasons *why, const char *format, ...)
{
    va_list args;
    size_t room = sizeof(why->text) - why->length;
    va_start(args, format);
    int n = vsnprintf(why->text + why->length, room, format, args);
    va_end(args);
    why->length += min_size((size_t)n, room - 1);
}

static void judge_result(struct reasons *why, const struct test *t,
                         const struct test_result *r)
{
    if (r->failed)
        add_reason(why, " # %s:%d %s", t->file, r->line, r->failed);
    else if (!r->skipped && r->checks == 0)
        add_reason(why, " # %s: checks nothing", t->file);
}

static void judge_difference(struct reasons *why, const char *what, size_t lost,
                             size_t won)
{
    if (lost > won)
        add_reason(why, " # leaked %zu %s", lost - won, what);
    else if (won > lost)
        add_reason(why, " # freed %zu %s too many", won - lost, what);
}

static void judge_invariants(struct reasons *why)
{
    for (size_t i = 0; i < invariant_count; i++) {
        const char *broken = invariants[i].check();
        if (broken)
            add_reason(why, " # %s: %s", invariants[i].name, broken);
    }
}

static struct test_result run_body(const struct test *t)
{
    struct test_result result = {0};
    bool junk = pmm_set_junk(true);
    console_set_prefix("# ");
    t->run(&result);
    pmm_fail_after(-1);
    pmm_set_junk(junk);
    console_set_prefix(NULL);
    return result;
}

static bool run_one(const struct test *t, unsigned number)
{
    struct reasons why = {"", 0};
    struct resources before = resources_left();
    struct test_result result = run_body(t);
    struct resources after = resources_left();
    judge_result(&why, t, &result);
    judge_difference(&why, "frames", before.frames, after.frames);
    judge_difference(&why, "heap bytes", after.bytes, before.bytes);
    judge_invariants(&why);
    kprintf("%s %u %s%s", why.length ? "not ok" : "ok", number, t->name,
            why.text);
    if (result.skipped)
        kprintf(" # SKIP %s", result.skipped);
    kprintf("\n");
    return why.length == 0;
}

static unsigned count_selected(const char *filter)
{
    unsigned n = 0;
    for (const struct test *t = tests_start; t < tests_end; t++)
        n += ktest_selected(filter, t->name);
    return n;
}

unsigned ktest_run(const char *filter)
{
    unsigned number = 0, failed = 0;
    kprintf("KTAP version 1\n1..%u\n", count_selected(filter));
    for (const struct test *t = tests_start; t < tests_end; t++)
        if (ktest_selected(filter, t->name))
            failed += !run_one(t, ++number);
    kprintf("# %u passed, %u failed\n", number - failed, failed);
    return number == 0 ? 1 : failed;
}
