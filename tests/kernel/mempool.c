/* Pools with a reserve. */
#include "mm/mempool.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/errno.h>
#include <oct/report.h>

/* An allocator of a few elements, which can be told to have none, or to have
 * one again when it is asked for the n-th time. */
struct source {
    bool out[32];    /* its elements: who has them? */
    size_t taken;    /* so many are out */
    size_t left;     /* it gives so many more */
    size_t asked;    /* times it was asked */
    size_t recovers; /* at this time of asking it has one again */
    gfp_t flags;     /* with which it was asked last */
};

static struct source source;

static void *from_source(gfp_t gfp, void *data)
{
    struct source *s = data;
    bool *element = s->out;
    s->flags = gfp;
    if (++s->asked == s->recovers)
        s->left++;
    if (s->left == 0)
        return NULL;
    while (*element)
        element++;
    s->left--;
    s->taken++;
    *element = true;
    return element;
}

static void to_source(void *element, void *data)
{
    struct source *s = data;
    *(bool *)element = false;
    s->taken--;
    s->left++;
}

static struct mempool *pool_of_source(size_t min_nr, size_t left)
{
    source = (struct source){.left = left};
    return mempool_create(min_nr, from_source, to_source, &source);
}

static struct mempool_stats stats(struct mempool *pool)
{
    struct mempool_stats s;
    mempool_stats(pool, &s);
    return s;
}

/* The allocator first, then the reserve; what comes back fills the reserve. */
TEST(mempool_order)
{
    struct mempool *pool = pool_of_source(2, 3);
    bool *p[3];
    EXPECT(pool && source.taken == 2 && stats(pool).reserve == 2);
    EXPECT((p[0] = mempool_alloc(pool, GFP_NOWAIT)));
    EXPECT(p[0] == &source.out[2] && stats(pool).reserve == 2);
    EXPECT((p[1] = mempool_alloc(pool, GFP_NOWAIT)));
    EXPECT((p[2] = mempool_alloc(pool, GFP_NOWAIT)));
    EXPECT(p[1] != p[2] && p[1] < p[0] && p[2] < p[0]);
    EXPECT(stats(pool).reserve == 0 && stats(pool).in_use == 3);
    EXPECT(!mempool_alloc(pool, GFP_NOWAIT));
    EXPECT(!mempool_alloc(pool, GFP_ATOMIC));
    EXPECT(!mempool_check(pool) && stats(pool).in_use == 3);
    mempool_free(p[0], pool);
    mempool_free(p[1], pool);
    EXPECT(source.taken == 3 && stats(pool).reserve == 2);
    EXPECT(!mempool_check(pool));
    mempool_free(p[2], pool);
    EXPECT(source.taken == 2 && stats(pool).reserve == 2);
    mempool_free(NULL, pool);
    EXPECT(mempool_destroy(pool) == 0 && source.taken == 0);
}

/* The first time the allocator is asked not to wait, for there may be no need;
 * never to report, nor to take what others need more. */
TEST(mempool_flags)
{
    struct mempool *pool = pool_of_source(1, 2);
    EXPECT(pool);
    void *p = mempool_alloc(pool, GFP_KERNEL | __GFP_RESERVE);
    EXPECT(p && source.flags == (__GFP_NOWARN | __GFP_NORETRY));
    void *q = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(q && !(source.flags & __GFP_WAIT));
    source.recovers = source.asked + 2;
    void *r = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(r);
    EXPECT(source.flags == (__GFP_WAIT | __GFP_NOWARN | __GFP_NORETRY));
    mempool_free(p, pool);
    mempool_free(q, pool);
    mempool_free(r, pool);
    EXPECT(mempool_destroy(pool) == 0 && source.taken == 0);
}

/* Who may wait is not told no: it asks until there is one. */
TEST(mempool_waits)
{
    struct mempool *pool = pool_of_source(1, 1);
    EXPECT(pool);
    void *p = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(p && stats(pool).waits == 0);
    source.recovers = source.asked + 5;
    void *q = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(q && source.asked == source.recovers);
    EXPECT(stats(pool).waits == 1 && stats(pool).in_use == 2);
    mempool_free(p, pool);
    mempool_free(q, pool);
    EXPECT(mempool_destroy(pool) == 0 && source.taken == 0);
}

static struct mempool *pool_to_help;
static void *to_give_back;

/* An allocator that has one element, and while it is asked for more, somebody
 * gives an element of the pool back. */
static void *one_then_help(gfp_t gfp, void *data)
{
    void *p = from_source(gfp, data);
    if (!p && source.asked == source.recovers - 1) {
        mempool_free(to_give_back, pool_to_help);
        to_give_back = NULL;
    }
    return p;
}

TEST(mempool_waits_for_a_free)
{
    source = (struct source){.left = 1};
    struct mempool *pool = mempool_create(1, one_then_help, to_source, &source);
    EXPECT(pool);
    pool_to_help = pool;
    void *p = to_give_back = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(p);
    source.recovers = source.asked + 4; /* given back one time before */
    EXPECT(mempool_alloc(pool, GFP_KERNEL) == p);
    EXPECT(!to_give_back && stats(pool).in_use == 1);
    EXPECT(stats(pool).waits == 1 && source.asked < source.recovers);
    mempool_free(p, pool);
    EXPECT(mempool_destroy(pool) == 0 && source.taken == 0);
}

TEST(mempool_wrong_calls)
{
    struct mempool *pool = pool_of_source(1, 4);
    EXPECT(pool);
    void *p = mempool_alloc(pool, GFP_KERNEL);
    EXPECT(p);
    unsigned long reports = report_count();
    EXPECT(mempool_destroy(pool) == -EBUSY);
    EXPECT(report_count() == reports + 1);
    mempool_free(p, pool);
    EXPECT(report_count() == reports + 1);
    mempool_free(p, pool);
    EXPECT(report_count() == reports + 2 && source.taken == 1);
    EXPECT(!mempool_check(pool));
    EXPECT(mempool_destroy(pool) == 0);
    EXPECT(mempool_destroy(NULL) == 0);
    EXPECT(report_count() == reports + 2);
}

/* Grows and shrinks, with elements in use and without, all or nothing. */
TEST(mempool_resized)
{
    struct mempool *pool = pool_of_source(2, 8);
    EXPECT(pool);
    EXPECT(mempool_resize(pool, 4) == 0);
    EXPECT(stats(pool).reserve == 4 && source.taken == 4);
    EXPECT(mempool_resize(pool, 9) == -ENOMEM);
    EXPECT(stats(pool).reserve == 4 && stats(pool).min_nr == 4);
    EXPECT(source.taken == 4);
    EXPECT(mempool_resize(pool, 1) == 0);
    EXPECT(stats(pool).reserve == 1 && source.taken == 1);
    source.left = 0;
    void *p = mempool_alloc(pool, GFP_NOWAIT);
    EXPECT(p && stats(pool).reserve == 0);
    source.left = 2;
    EXPECT(mempool_resize(pool, 3) == 0);
    EXPECT(stats(pool).reserve == 2 && stats(pool).min_nr == 3);
    mempool_free(p, pool);
    EXPECT(stats(pool).reserve == 3 && !mempool_check(pool));
    EXPECT(mempool_resize(pool, 3) == 0 && stats(pool).reserve == 3);
    EXPECT(mempool_destroy(pool) == 0 && source.taken == 0);
}

static void use_all(struct test_result *result, struct mempool *pool,
                    size_t reserve, size_t size)
{
    void *p[8];
    pmm_fail_after(0);
    size_t got = 0;
    while (got < ARRAY_SIZE(p) && (p[got] = mempool_alloc(pool, GFP_NOWAIT)))
        got++;
    pmm_fail_after(-1);
    EXPECT(got >= reserve);
    for (uint32_t i = 0; i < got; i++)
        stamp(p[i], size, i);
    EXPECT(!mempool_check(pool));
    for (uint32_t i = 0; i < got; i++) {
        EXPECT(stamped(p[i], size, i));
        mempool_free(p[i], pool);
    }
    EXPECT(stats(pool).reserve == reserve && stats(pool).in_use == 0);
    EXPECT(mempool_destroy(pool) == 0);
}

TEST(mempool_of_objects)
{
    struct kmem_cache *c = kmem_cache_create("test", 3000, 0, 0, NULL);
    EXPECT(c);
    struct mempool *pool = mempool_create_slab_pool(3, c);
    EXPECT(pool);
    CALL(use_all, pool, 3, 3000);
    EXPECT(kmem_cache_destroy(c) == 0);
}

TEST(mempool_of_bytes)
{
    struct mempool *pool = mempool_create_kmalloc_pool(4, 20000);
    EXPECT(pool);
    CALL(use_all, pool, 4, 20000);
}

/* Making a pool fails whole, whichever allocation fails. */
TEST(mempool_create_fails)
{
    kheap_trim();
    size_t frames = frames_left();
    struct mempool *pool = NULL;
    unsigned long reports = report_count();
    for (long k = 0; !pool; k++) {
        pmm_fail_after(k);
        pool = mempool_create_kmalloc_pool(5, 40000);
        pmm_fail_after(-1);
        EXPECT(k < 20);
        EXPECT(pool == NULL || k >= 5);
        kheap_trim();
        EXPECT(pool || frames_left() == frames);
    }
    for (long k = 0; k < 3; k++) {
        pmm_fail_after(k);
        int error = mempool_resize(pool, 20);
        pmm_fail_after(-1);
        EXPECT(error == -ENOMEM && stats(pool).reserve == 5);
        EXPECT(!mempool_check(pool));
    }
    EXPECT(mempool_destroy(pool) == 0);
    kheap_trim();
    EXPECT(frames_left() == frames && report_count() == reports);
}
