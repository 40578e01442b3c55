/* Object caches that look for damage. */
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/report.h>

static unsigned long reports_before;

static void expect_reports(void)
{
    reports_before = report_count();
}

static bool reported(unsigned long n)
{
    return report_count() == reports_before + n;
}

/* Takes one object, breaks the byte at `offset` of it, and frees it: reported
 * by the check and at the free, and then no more. */
static void break_zone(struct test_result *result, struct kmem_cache *c,
                       ptrdiff_t offset)
{
    char *p[3];
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, 3, (void **)p));
    EXPECT(!slab_check());
    p[1][offset] ^= 1;
    expect_reports();
    EXPECT(slab_check() && !reported(0));
    expect_reports();
    kmem_cache_free(c, p[1]);
    EXPECT(reported(1) && !slab_check());
    kmem_cache_free(c, p[0]);
    kmem_cache_free(c, p[2]);
    EXPECT(reported(1));
}

TEST(slab_red_zones)
{
    for (size_t size = 1; size <= 5000; size = size * 3 + 1) {
        struct kmem_cache *c =
            kmem_cache_create("test", size, 0, SLAB_RED_ZONE, NULL);
        EXPECT(c);
        CALL(break_zone, c, -1);
        CALL(break_zone, c, -16);
        CALL(break_zone, c, (ptrdiff_t)size);
        CALL(break_zone, c, (ptrdiff_t)size + 15);
        CALL(break_zone, c, (ptrdiff_t)round_up(size + 16, sizeof(void *)) - 1);
        EXPECT(kmem_cache_destroy(c) == 0);
    }
}

/* Zones are where they should be: objects may be written to to their ends. */
TEST(slab_red_zones_hold_still)
{
    void *p[40];
    struct kmem_cache *c =
        kmem_cache_create("test", 77, 32, SLAB_RED_ZONE | SLAB_POISON, NULL);
    EXPECT(c && kmem_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(p), p));
    expect_reports();
    for (uint32_t i = 0; i < ARRAY_SIZE(p); i++)
        stamp(p[i], 77, i);
    EXPECT(!slab_check());
    for (uint32_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT(stamped(p[i], 77, i));
    kmem_cache_free_bulk(c, ARRAY_SIZE(p), p);
    EXPECT(!slab_check() && reported(0));
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Written to after it was freed: seen by the check, and by the next owner. */
TEST(slab_poison)
{
    struct kmem_cache *c = kmem_cache_create("test", 60, 0, SLAB_POISON, NULL);
    EXPECT(c);
    for (size_t at = 0; at < 60; at += 59) {
        char *p = kmem_cache_alloc(c, GFP_KERNEL);
        EXPECT(p && p[0] == p[59] && p[0] != 0);
        char fresh = p[0];
        kmem_cache_free(c, p);
        EXPECT(!slab_check() && p[0] != fresh);
        p[at] ^= 1;
        expect_reports();
        EXPECT(slab_check() && reported(1));
        EXPECT(kmem_cache_alloc(c, GFP_KERNEL) == p);
        EXPECT(reported(2) && !slab_check());
        kmem_cache_free(c, p);
        EXPECT(reported(2) && !slab_check());
    }
    EXPECT(kmem_cache_destroy(c) == 0);
}
