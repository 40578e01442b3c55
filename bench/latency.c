/* What single calls of the heap cost at worst: a churn of mixed sizes of which
 * each call is measured by itself. */
#include "kernel/kbench.h"
#include "mm/kheap.h"
#include "tests/kernel/support.h"

#include <oct/string.h>

#define LIVE 4000
#define CALLS 60000
#define STEP 16 /* counts that fall into one bucket */

static void *held[LIVE];
static uint16_t bucket[4096]; /* calls by cost; the last: that much or more */

static void note(uint64_t counts)
{
    size_t i = (size_t)(counts / STEP);
    bucket[min_size(i, ARRAY_SIZE(bucket) - 1)]++;
}

static void churn_once(struct random *r)
{
    size_t at = random_below(r, LIVE), size = 1 + random_below(r, 500);
    uint64_t start = arch_counter();
    kfree(held[at]);
    uint64_t freed = arch_counter();
    held[at] = kmalloc(size, GFP_KERNEL);
    note(freed - start);
    note(arch_counter() - freed);
}

static void churn(void)
{
    struct random r = {4711};
    memset(bucket, 0, sizeof(bucket));
    for (size_t i = 0; i < CALLS / 2; i++)
        churn_once(&r);
    for (size_t i = 0; i < LIVE; i++) {
        kfree(held[i]);
        held[i] = NULL;
    }
}

/* The cost that all but `out` calls have at most, to the next STEP. */
static uint64_t all_but(size_t out)
{
    size_t i = ARRAY_SIZE(bucket), calls = 0;
    while (i > 0 && calls <= out)
        calls += bucket[--i];
    return (uint64_t)(i + 1) * STEP;
}

BENCH(kmalloc_p99, 1)
{
    churn();
    meter->counts += all_but(CALLS / 100);
}

BENCH(kmalloc_p99_99, 1)
{
    churn();
    meter->counts += all_but(CALLS / 10000);
}

BENCH(kmalloc_worst, 1)
{
    churn();
    meter->counts += all_but(0);
}
