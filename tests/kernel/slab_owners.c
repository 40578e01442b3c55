/* Object caches when memory runs out, and with many owners, the heap among
 * them. */
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/report.h>
#include <oct/string.h>

static struct slab_stats stats(struct kmem_cache *c)
{
    struct slab_stats s;
    kmem_cache_stats(c, &s);
    return s;
}

/* All or nothing, whichever slab cannot be had. */
TEST(slab_bulk_fails_whole)
{
    static void *p[200];
    struct kmem_cache *c = kmem_cache_create("test", 500, 0, 0, NULL);
    EXPECT(c);
    size_t frames = frames_left(), got = 0;
    for (long k = 0; !got; k++) {
        EXPECT(k < 100);
        pmm_fail_after(k);
        got = kmem_cache_alloc_bulk(c, GFP_NOWAIT | __GFP_NOWARN, ARRAY_SIZE(p),
                                    p);
        pmm_fail_after(-1);
        EXPECT(!slab_check());
        EXPECT(got || (stats(c).live == 0 && frames_left() == frames));
        EXPECT(!got || k > 10);
    }
    EXPECT(got == ARRAY_SIZE(p) && stats(c).live == got);
    for (uint32_t i = 0; i < got; i++)
        stamp(p[i], 500, i);
    for (uint32_t i = 0; i < got; i++)
        EXPECT(stamped(p[i], 500, i));
    kmem_cache_free_bulk(c, got, p);
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, 0, NULL) == 0);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* With some objects live before, and some slabs partly used. */
TEST(slab_bulk_fails_whole_in_use)
{
    static void *p[100];
    void *mine[3];
    struct kmem_cache *c =
        kmem_cache_create("test", 700, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
    EXPECT(c && kmem_cache_alloc_bulk(c, GFP_KERNEL, 3, mine));
    for (uint32_t i = 0; i < 3; i++)
        stamp(mine[i], 700, i);
    struct slab_stats before = stats(c);
    unsigned long reports = report_count();
    for (long k = 0; k < 3; k++) {
        pmm_fail_after(k);
        size_t got = kmem_cache_alloc_bulk(c, GFP_NOWAIT, ARRAY_SIZE(p), p);
        pmm_fail_after(-1);
        struct slab_stats after = stats(c);
        EXPECT(!got && !memcmp(&before, &after, sizeof(before)));
        EXPECT(!slab_check() &&
               report_count() == reports + (unsigned long)k + 1);
    }
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(stamped(mine[i], 700, i));
    kmem_cache_free_bulk(c, 3, mine);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* The empty slab that was kept before is kept still. */
TEST(slab_bulk_fails_and_keeps_one)
{
    static void *p[100];
    struct kmem_cache *c =
        kmem_cache_create("test", 700, 0, SLAB_RED_ZONE, NULL);
    EXPECT(c);
    kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
    struct slab_stats before = stats(c);
    pmm_fail_after(2);
    EXPECT(!kmem_cache_alloc_bulk(c, __GFP_NOWARN, ARRAY_SIZE(p), p));
    pmm_fail_after(-1);
    struct slab_stats after = stats(c);
    EXPECT(before.slabs == 1 && !memcmp(&before, &after, sizeof(before)));
    EXPECT(!slab_check() && kmem_cache_destroy(c) == 0);
}

/* What others do in a cache while it grows: somebody who is asked to give
 * memory back frees objects of this very cache. */
static struct {
    struct kmem_cache *cache;
    void *object[64];
    size_t n;
} to_free;

static size_t free_objects(struct shrinker *s)
{
    size_t n = to_free.n;
    (void)s;
    if (n > 0) {
        to_free.n = 0;
        kmem_cache_free_bulk(to_free.cache, n, to_free.object);
    }
    return 0;
}

static void watch_reclaim(void)
{
    static struct shrinker shrinker = {"slab test", free_objects, {0}, 0, 0};
    if (!shrinker.link.next)
        pmm_add_shrinker(&shrinker);
}

/* Two slabs full of live objects, and no more memory: somebody frees all of one
 * slab and one object more when asked. */
static void grow_and_free(struct test_result *result, unsigned flags)
{
    void *kept[64];
    struct kmem_cache *c = kmem_cache_create("test", 200, 0, flags, NULL);
    EXPECT(c);
    void *first = kmem_cache_alloc(c, GFP_KERNEL);
    size_t per_slab = stats(c).total;
    EXPECT(first && per_slab < ARRAY_SIZE(kept));
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, per_slab - 1, kept));
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, per_slab, to_free.object));
    EXPECT(stats(c).slabs == 2);
    watch_reclaim();
    to_free.object[per_slab] = first;
    to_free.n = per_slab + 1;
    to_free.cache = c;
    pmm_fail_after(0);
    void *p = kmem_cache_alloc(c, GFP_KERNEL);
    pmm_fail_after(-1);
    EXPECT(p && to_free.n == 0);
    EXPECT(!slab_check() && stats(c).live == per_slab);
    EXPECT(stats(c).slabs <= 2); /* the empty one may be asked for, too */
    kmem_cache_free(c, p);
    kmem_cache_free_bulk(c, per_slab - 1, kept);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* The cache is not locked then, and what was freed serves, wherever it lies. */
TEST(slab_freed_while_growing)
{
    CALL(grow_and_free, 0);
    CALL(grow_and_free, SLAB_RED_ZONE);
}

TEST(slab_create_fails)
{
    struct kmem_cache *c = NULL, *more[64];
    size_t frames = frames_left(), n = 0;
    unsigned long reports = report_count();
    pmm_fail_after(0); /* until the descriptors' slab is full */
    while (n < ARRAY_SIZE(more) &&
           (more[n] = kmem_cache_create("test", 10, 0, 0, NULL)))
        n++;
    pmm_fail_after(-1);
    EXPECT(n < ARRAY_SIZE(more) && report_count() == reports + 1);
    EXPECT(frames_left() == frames && !slab_check());
    EXPECT((c = kmem_cache_create("test", 10, 0, 0, NULL)));
    pmm_fail_after(0);
    EXPECT(!kmem_cache_alloc(c, GFP_NOWAIT));
    EXPECT(report_count() == reports + 2);
    EXPECT(!kmem_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN));
    pmm_fail_after(-1);
    EXPECT(report_count() == reports + 2 && stats(c).slabs == 0);
    EXPECT(kmem_cache_destroy(c) == 0);
    while (n > 0)
        EXPECT(kmem_cache_destroy(more[--n]) == 0);
    EXPECT(frames_left() == frames);
}

/* --- many owners --- */

#define SLOTS 200

struct held {
    void *p;
    bool in_use;
};

static size_t constructed;

static void construct(void *p)
{
    (void)p;
    constructed++;
}

/* Takes or gives one object, or some; a stamp says whose each is. */
static void step(struct test_result *result, struct kmem_cache *c,
                 struct held *h, struct random *r)
{
    size_t size = kmem_cache_size(c);
    uint32_t n = random_below(r, 4) ? 1 : 1 + random_below(r, 30);
    uint32_t first = random_below(r, SLOTS);
    for (uint32_t i = first; i < min_size(first + n, SLOTS); i++) {
        if (h[i].in_use) {
            EXPECT(stamped(h[i].p, size, i));
            kmem_cache_free(c, h[i].p);
        } else {
            EXPECT((h[i].p = kmem_cache_alloc(c, GFP_KERNEL)));
            stamp(h[i].p, size, i);
        }
        h[i].in_use = !h[i].in_use;
    }
}

static void bulk_step(struct test_result *result, struct kmem_cache *c,
                      struct random *r)
{
    void *p[32];
    size_t n = 1 + random_below(r, ARRAY_SIZE(p));
    pmm_fail_after(random_below(r, 3));
    size_t got = kmem_cache_alloc_bulk(c, GFP_NOWAIT | __GFP_NOWARN, n, p);
    pmm_fail_after(-1);
    EXPECT(got == n || got == 0);
    kmem_cache_free_bulk(c, got, p);
}

static size_t in_use(const struct held *h)
{
    size_t n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        n += h[i].in_use;
    return n;
}

static void churn(struct test_result *result, size_t size, unsigned flags,
                  uint32_t stream)
{
    static struct held held[SLOTS];
    struct random r = random_start(stream);
    struct kmem_cache *c = kmem_cache_create("test", size, 0, flags, construct);
    unsigned long reports = report_count();
    EXPECT(c);
    memset(held, 0, sizeof(held));
    for (uint32_t i = 0; i < 400; i++) {
        CALL(step, c, held, &r);
        if (random_below(&r, 8) == 0)
            CALL(bulk_step, c, &r);
        if (random_below(&r, 32) == 0)
            kmem_cache_shrink(c);
        EXPECT(!slab_check());
        EXPECT(stats(c).live == in_use(held));
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        if (held[i].in_use) {
            EXPECT(stamped(held[i].p, size, i));
            kmem_cache_free(c, held[i].p);
        }
    EXPECT(report_count() == reports && kmem_cache_destroy(c) == 0);
}

TEST(slab_random_owners)
{
    CALL(churn, 24, 0, 31);
    CALL(churn, 100, SLAB_HWCACHE_ALIGN, 32);
    CALL(churn, 900, 0, 33);
    CALL(churn, 5000, 0, 34);
}

TEST(slab_random_owners_watched)
{
    CALL(churn, 24, SLAB_RED_ZONE, 35);
    CALL(churn, 100, SLAB_POISON, 36);
    CALL(churn, 900, SLAB_RED_ZONE | SLAB_POISON, 37);
}

/* The constructor runs for each object of each slab made, and not again. */
TEST(slab_constructed_once)
{
    static void *p[64];
    struct kmem_cache *c = kmem_cache_create("test", 300, 0, 0, construct);
    size_t slabs = 0, expected = 0;
    EXPECT(c);
    constructed = 0;
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
            EXPECT((p[i] = kmem_cache_alloc(c, GFP_KERNEL)));
            struct slab_stats s = stats(c);
            expected += s.slabs > slabs ? s.total / s.slabs : 0;
            slabs = s.slabs;
            EXPECT(constructed == expected);
        }
        kmem_cache_free_bulk(c, ARRAY_SIZE(p), p);
        kmem_cache_shrink(c);
        slabs = 0;
    }
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* kfree is not for objects of a cache, nor the other way round. */
TEST(slab_is_not_the_heap)
{
    struct kmem_cache *c = kmem_cache_create("not heap", 96, 0, 0, NULL);
    EXPECT(c);
    char *object = kmem_cache_alloc(c, GFP_KERNEL), *other = kmalloc(96, 0);
    EXPECT(object && other);
    memset(object, 0x01, 96);
    unsigned long reports = report_count();
    for (size_t i = 0; i < PAGE_SIZE; i += 32) {
        char *p = object - (uintptr_t)object % PAGE_SIZE + i;
        kfree(p);
        EXPECT(ksize(p) == 0);
    }
    EXPECT(report_count() == reports + 128);
    kmem_cache_free(c, other);
    EXPECT(report_count() == reports + 129);
    EXPECT(!slab_check() && !kheap_check());
    kfree(other);
    kmem_cache_free(c, object);
    EXPECT(kmem_cache_destroy(c) == 0);
}
