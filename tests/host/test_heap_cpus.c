/* Heaps used by several CPUs, one after the other: what one allocates others
 * free, and every CPU keeps objects at hand. Each test runs with both kinds of
 * heap, and ends with the frames it began with. */
#include "env.h"
#include "tests/kernel/support.h"

#include <arch/irq.h>
#include <arch/layout.h>
#include <string.h>

#include "mm/kheap_backend.h"
#include "mm/pmm.h"

#define SLOTS 400
#define STEPS 3000
#define STAMP_MOST 4096 /* bytes of an object */

struct owned {
    void *p;
    size_t size;
};

static struct owned owned[SLOTS];

/* A CPU, or the one past the last, which keeps nothing at hand. */
static unsigned some_cpu(struct random *r)
{
    return random_below(r, pmm.cpus + 1);
}

/* Mostly few subblocks, sometimes some pages. */
static size_t some_size(struct random *r)
{
    uint32_t most = random_below(r, 16) ? 700 : 70000;
    return 1 + random_below(r, most);
}

static size_t stamped_bytes(const struct owned *o)
{
    return o->size < STAMP_MOST ? o->size : STAMP_MOST;
}

static void fill(struct heap *h, struct owned *o, size_t size)
{
    o->size = size;
    o->p = h->ops->alloc(h, size, GFP_KERNEL);
    if (o->p)
        stamp(o->p, stamped_bytes(o), (uint32_t)size);
}

/* What is wrong with it, or NULL. */
static const char *empty(struct heap *h, struct owned *o)
{
    if (!stamped(o->p, stamped_bytes(o), (uint32_t)o->size))
        return "somebody else wrote into an object";
    const char *refused = h->ops->free(h, o->p);
    o->p = NULL;
    return refused;
}

static struct kheap_stats stats(struct heap *h)
{
    struct kheap_stats s;
    h->ops->stats(h, &s);
    return s;
}

/* On each of the CPUs in turn. */
static void drain_all(struct heap *h)
{
    for (unsigned cpu = 0; cpu < pmm.cpus; cpu++)
        h->ops->drain(h, cpu);
    host_cpu = 0;
    h->ops->trim(h);
}

static void empty_all(struct test_result *result, struct heap *h,
                      struct random *r)
{
    for (size_t i = 0; i < SLOTS; i++) {
        host_cpu = some_cpu(r);
        EXPECT(!owned[i].p || !empty(h, &owned[i]));
    }
    EXPECT(stats(h).live == 0 && stats(h).objects == 0 && !h->ops->check(h));
}

/* --- the tests, for a heap of any kind --- */

static void churn(struct test_result *result, struct heap *h)
{
    struct random r = random_start(95);
    for (unsigned i = 0; i < STEPS; i++) {
        struct owned *o = &owned[random_below(&r, SLOTS)];
        host_cpu = some_cpu(&r);
        if (o->p)
            EXPECT(!empty(h, o));
        else
            fill(h, o, some_size(&r));
        if (random_below(&r, 200) == 0)
            h->ops->drain(h, random_below(&r, pmm.cpus));
        EXPECT(!h->ops->check(h));
    }
    EXPECT(stats(h).idle > 0);
    CALL(empty_all, h, &r);
    drain_all(h);
    EXPECT(stats(h).idle == 0 && !h->ops->check(h));
}

/* One CPU only allocates and another only frees, so magazines go round through
 * the depot. What lies there is bounded. */
static void hand_over(struct test_result *result, struct heap *h)
{
    for (unsigned round = 0; round < 12; round++) {
        host_cpu = 1;
        for (size_t i = 0; i < SLOTS; i++) {
            fill(h, &owned[i], 64);
            EXPECT(owned[i].p);
        }
        host_cpu = 2;
        for (size_t i = 0; i < SLOTS; i++)
            EXPECT(!empty(h, &owned[i]));
        EXPECT(stats(h).live == 0 && stats(h).idle > 0 && !h->ops->check(h));
        EXPECT(stats(h).idle <= 2 * 64 * SLOTS);
    }
    drain_all(h);
    EXPECT(stats(h).idle == 0);
}

/* Idle objects are not live, whichever CPU asks, and whoever has them. */
static void free_twice(struct test_result *result, struct heap *h)
{
    static const size_t sizes[] = {1, 64, 100, 1000, 3000};
    for (size_t k = 0; k < ARRAY_SIZE(sizes); k++)
        for (size_t i = 0; i < SLOTS; i++) {
            host_cpu = (unsigned)i % pmm.cpus;
            fill(h, &owned[i], sizes[k]);
            host_cpu = (unsigned)(i / 7) % pmm.cpus;
            void *p = owned[i].p;
            EXPECT(p && !empty(h, &owned[i]));
            struct kheap_stats before = stats(h);
            host_cpu = (unsigned)(i / 2) % (pmm.cpus + 1);
            const char *refused = h->ops->free(h, p);
            EXPECT(refused && strcmp(refused, "inside an object") != 0);
            EXPECT(h->ops->find(h, p).refused && !h->ops->resize(h, p, 8));
            EXPECT(stats(h).live == before.live && !h->ops->check(h));
            EXPECT(stats(h).idle == before.idle);
        }
    drain_all(h);
}

/* A few hundred calls on all CPUs, some in need of frames. */
static bool use(struct heap *h)
{
    struct random r = random_start(96);
    bool all = true;
    for (size_t i = 0; i < SLOTS; i++) {
        host_cpu = some_cpu(&r);
        fill(h, &owned[i], some_size(&r));
        all &= owned[i].p != NULL;
    }
    return all;
}

/* The frame manager fails from the k-th frame on, for every k. */
static void starve(struct test_result *result, struct heap *h)
{
    bool all = false;
    for (long k = 0; !all || pmm.fail_after == 0; k++) {
        struct random r = random_start(97);
        EXPECT(k < 2000);
        pmm_fail_after(k);
        all = use(h);
        EXPECT(!h->ops->check(h) && !pmm_check());
        CALL(empty_all, h, &r);
        drain_all(h);
        EXPECT(stats(h).idle == 0 && !h->ops->check(h));
    }
    pmm_fail_after(-1);
    EXPECT(all);
}

static void with(struct test_result *result, const struct heap_ops *kind,
                 void (*test)(struct test_result *, struct heap *))
{
    host_machine(DIRECT_START, 64 * MiB);
    size_t frames = frames_left();
    struct heap *h = heap_create(kind, &pmm, "test");
    EXPECT(h && pmm.cpus > 2);
    CALL(test, h);
    host_cpu = 0;
    heap_destroy(h);
    EXPECT(frames_left() == frames && !pmm_check());
}

TEST(heap_cpus_churn_tagged)
{
    CALL(with, &tagged_heap, churn);
}

TEST(heap_cpus_churn_slab)
{
    CALL(with, &slab_heap, churn);
}

TEST(heap_cpus_hand_over_tagged)
{
    CALL(with, &tagged_heap, hand_over);
}

TEST(heap_cpus_hand_over_slab)
{
    CALL(with, &slab_heap, hand_over);
}

TEST(heap_cpus_free_twice_tagged)
{
    CALL(with, &tagged_heap, free_twice);
}

TEST(heap_cpus_free_twice_slab)
{
    CALL(with, &slab_heap, free_twice);
}

TEST(heap_cpus_starve_tagged)
{
    CALL(with, &tagged_heap, starve);
}

TEST(heap_cpus_starve_slab)
{
    CALL(with, &slab_heap, starve);
}
