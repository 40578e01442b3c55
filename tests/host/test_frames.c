/* Managers of their own, as a program makes them: several at a time, over
 * memory or over none, on several CPUs. */
#define _GNU_SOURCE
#include "env.h"
#include "tests/kernel/support.h"

#include <arch/irq.h>
#include <arch/layout.h>
#include <arch/pte.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/frames.h"

#include <oct/errno.h>
#include <oct/report.h>

#define CPUS 4

struct instance {
    struct frames m;
    void *tables, *memory; /* NULL: there is none */
    size_t table_bytes, bytes;
};

static void *reserve(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool make(struct instance *x, uint64_t bytes, bool memory,
                 const struct free_manager *manager)
{
    x->bytes = memory ? (size_t)bytes : 0;
    x->table_bytes = frames_storage_bytes(bytes, manager, CPUS);
    x->tables = reserve(x->table_bytes);
    x->memory = memory ? reserve(x->bytes) : NULL;
    if (!x->tables || (memory && !x->memory))
        return false;
    frames_init_free(&x->m, x->tables, bytes, (uintptr_t)x->memory, manager,
                     CPUS);
    return true;
}

static void drop(struct instance *x)
{
    munmap(x->tables, x->table_bytes);
    if (x->memory)
        munmap(x->memory, x->bytes);
}

static struct frames_stats stats(struct instance *x)
{
    struct frames_stats s;
    frames_stats(&x->m, &s);
    return s;
}

#define SLOTS 3000

struct owned {
    paddr_t pa;
    size_t n;
};

static uint64_t mark(const struct owned *o, const struct instance *x)
{
    return o->pa * 31 + o->n + (uintptr_t)x;
}

/* A slot gets a run, or gives its own back. */
static const char *step(struct instance *x, struct owned *o, struct random *r)
{
    host_cpu = random_below(r, CPUS + 1); /* the last one keeps nothing */
    if (o->pa) {
        uint64_t *p = frames_view(&x->m, o->pa);
        if (p[1] != mark(o, x))
            return "somebody else wrote there";
        if (frames_free(&x->m, o->pa, o->n))
            return "a good free was refused";
        o->pa = 0;
        return NULL;
    }
    o->n = random_below(r, 8) ? 1 : 1 + random_below(r, 40);
    o->pa = o->n == 1 ? frames_alloc(&x->m)
                      : frames_alloc_run(&x->m, o->n, PAGE_SIZE, ~0ull);
    if (o->pa)
        ((uint64_t *)frames_view(&x->m, o->pa))[1] = mark(o, x);
    return NULL;
}

static void churn(struct test_result *result,
                  const struct free_manager *manager)
{
    static struct owned owned[2][SLOTS];
    struct instance x[2];
    struct random r = random_start(31);
    memset(owned, 0, sizeof(owned));
    EXPECT(make(&x[0], 32 * MiB + 5 * PAGE_SIZE, true, manager));
    EXPECT(make(&x[1], 64 * MiB, true, manager));
    EXPECT(stats(&x[0]).total == 32 * 256 + 5);
    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t which = i % 2;
        const char *wrong =
            step(&x[which], &owned[which][random_below(&r, SLOTS)], &r);
        EXPECT(!wrong);
        EXPECT(i % 4000 || !frames_check(&x[which].m));
    }
    EXPECT(stats(&x[0]).cached > 0 && stats(&x[1]).cached > 0);
    for (uint32_t i = 0; i < 2 * SLOTS; i++)
        if (owned[i % 2][i / 2].pa)
            EXPECT(!step(&x[i % 2], &owned[i % 2][i / 2], &r));
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT(stats(&x[i]).free == stats(&x[i]).total - 1);
        for (host_cpu = 0; host_cpu < CPUS; host_cpu++)
            frames_drain(&x[i].m);
        host_cpu = 0;
        EXPECT(stats(&x[i]).cached == 0 && !frames_check(&x[i].m));
        EXPECT(frames_runs(&x[i].m).longest == stats(&x[i]).total - 1);
        drop(&x[i]);
    }
}

TEST(frames_two_bitmaps)
{
    CALL(churn, &bitmap_manager);
}

TEST(frames_two_buddies)
{
    CALL(churn, &buddy_manager);
}

/* All frames of one CPU's can be had by another at last, by draining. */
TEST(frames_at_hand)
{
    struct instance x;
    EXPECT(make(&x, 64 * MiB, true, &bitmap_manager));
    paddr_t pa = frames_alloc(&x.m);
    size_t cached = stats(&x).cached, n = 0;
    EXPECT(pa && cached > 0 && stats(&x).free == stats(&x).total - 2);
    EXPECT(frames_free(&x.m, pa, 1) == 0 && stats(&x).cached == cached + 1);
    unsigned long reports = report_count();
    EXPECT(frames_free(&x.m, pa, 1) == -EINVAL);
    EXPECT(frames_kind(&x.m, pa) == FRAME_FREE);
    EXPECT(report_count() == reports + 1);
    host_cpu = 1;
    while (frames_alloc(&x.m))
        n++;
    EXPECT(n == stats(&x).total - 1 - (cached + 1));
    EXPECT(frames_alloc_at(&x.m, pa, 1) == -EBUSY);
    frames_drain_cpu(&x.m, 0);
    EXPECT(frames_alloc_at(&x.m, pa, 1) == 0);
    for (size_t i = 0; i < cached; i++)
        EXPECT(frames_alloc(&x.m));
    EXPECT(!frames_alloc(&x.m) && !frames_check(&x.m));
    host_cpu = 0;
    drop(&x);
}

/* A run is refused only after this CPU's frames at hand were given back. */
TEST(frames_run_of_frames_at_hand)
{
    struct instance x;
    EXPECT(make(&x, 32 * MiB, true, &buddy_manager));
    size_t total = stats(&x).total;
    EXPECT(frames_free(&x.m, frames_alloc(&x.m), 1) == 0);
    EXPECT(stats(&x).cached > 0);
    EXPECT(frames_alloc_run(&x.m, total, PAGE_SIZE, ~0ull) == 0);
    EXPECT(stats(&x).cached == 0);
    EXPECT(frames_free(&x.m, frames_alloc(&x.m), 1) == 0);
    paddr_t pa = frames_alloc_run(&x.m, total - 1024, PAGE_SIZE, ~0ull);
    EXPECT(pa && frames_free(&x.m, pa, total - 1024) == 0);
    EXPECT(!frames_check(&x.m));
    drop(&x);
}

/* More RAM than this machine has: only the tables are there, and only what of
 * them is used. */
TEST(frames_of_no_memory)
{
    struct instance x;
    EXPECT(make(&x, 64ull * GiB, false, &bitmap_manager));
    size_t total = stats(&x).total;
    EXPECT(total == 64ull * GiB / PAGE_SIZE);
    EXPECT(stats(&x).map_bytes <= 64 * 1024 * 48);
    paddr_t high = frames_alloc_run(&x.m, total - 1024, PAGE_SIZE, ~0ull);
    EXPECT(high);
    EXPECT(frames_alloc_run(&x.m, 1024, PAGE_SIZE, ~0ull) == 0);
    size_t n = 0;
    while (frames_alloc(&x.m))
        n++;
    EXPECT(n == 1023);
    EXPECT(frames_free(&x.m, high, total - 1024) == 0);
    EXPECT(stats(&x).free == total - 1024);
    drop(&x);
}

/* The heaps' question, for runs so long that an entry cannot hold the place. */
TEST(frames_start_of_long_run)
{
    struct instance x;
    size_t n = FRAME_VALUE_MAX + 10ul;
    EXPECT(make(&x, 65ull * GiB, false, &bitmap_manager));
    paddr_t pa = frames_alloc_run(&x.m, n, PAGE_SIZE, ~0ull);
    EXPECT(pa);
    frames_label(&x.m, pa, n, FRAME_HEAP);
    for (size_t i = FRAME_VALUE_MAX - 2; i < n; i++)
        EXPECT(frames_run_start(&x.m, pa + i * PAGE_SIZE + 5, FRAME_HEAP) ==
               pa);
    EXPECT(frames_run_start(&x.m, pa + PAGE_SIZE, FRAME_HEAP) == pa);
    EXPECT(frames_run_start(&x.m, pa, FRAME_SLAB) == 0);
    EXPECT(frames_run_start(&x.m, 66ull * GiB, FRAME_HEAP) == 0);
    EXPECT(frames_free(&x.m, pa, n) == 0);
    EXPECT(frames_run_start(&x.m, pa, FRAME_HEAP) == 0);
    drop(&x);
}

/* After much coming and going, in whatever order, what is free is in whole
 * groups. */
TEST(frames_become_whole)
{
    struct instance x;
    struct random r = random_start(33);
    EXPECT(make(&x, 256 * MiB, false, &bitmap_manager));
    uint32_t n = 0, left;
    static paddr_t all[256 * 256];
    for (paddr_t pa; (pa = frames_alloc(&x.m));)
        all[n++] = pa;
    for (left = n; left > n / 2; left--) {
        uint32_t i = random_below(&r, left);
        EXPECT(frames_free(&x.m, all[i], 1) == 0);
        all[i] = all[left - 1];
    }
    EXPECT(frames_runs(&x.m).whole_groups == 0);
    for (uint32_t i = 0; i < 16 * n; i++) {
        paddr_t *pa = &all[random_below(&r, left)];
        EXPECT(frames_free(&x.m, *pa, 1) == 0);
        EXPECT((*pa = frames_alloc(&x.m)) != 0);
    }
    size_t whole = frames_runs(&x.m).whole_groups << PT_INDEX_BITS;
    EXPECT(whole * 10 >= stats(&x).free * 9);
    EXPECT(!frames_check(&x.m));
    drop(&x);
}
