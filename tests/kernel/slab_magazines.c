/* What object caches keep at hand for a CPU, and sets of caches. */
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/report.h>

#define MANY 6000

static void *held[MANY];

static struct slab_stats stats(struct kmem_cache *c)
{
    struct slab_stats s;
    kmem_cache_stats(c, &s);
    return s;
}

static void take_many(struct test_result *result, struct kmem_cache *c,
                      size_t n)
{
    size_t size = kmem_cache_size(c);
    for (size_t i = 0; i < n; i++) {
        EXPECT((held[i] = kmem_cache_alloc(c, GFP_KERNEL)));
        stamp(held[i], size, (uint32_t)i);
    }
    for (size_t i = 0; i < n; i++)
        EXPECT(stamped(held[i], size, (uint32_t)i));
}

/* An object at hand is free, whatever is asked about it. */
TEST(slab_cached_is_free)
{
    struct kmem_cache *c = kmem_cache_create("test", 64, 0, 0, NULL);
    EXPECT(c);
    CALL(take_many, c, 40);
    for (size_t i = 0; i < 40; i++)
        kmem_cache_free(c, held[i]);
    EXPECT(stats(c).live == 0 && stats(c).cached >= 40 && !slab_check());
    unsigned long reports = report_count();
    for (size_t i = 0; i < 40; i++) {
        EXPECT(kmem_cache_find(held[i]).refused);
        EXPECT(kmem_cache_put(c, held[i]));
        kmem_cache_free(c, held[i]);
    }
    EXPECT(report_count() == reports + 40 && !slab_check());
    EXPECT(stats(c).live == 0 && kmem_cache_destroy(c) == 0);
}

/* Not all that is freed is kept, and shrinking leaves nothing. */
TEST(slab_keeps_few)
{
    static const size_t sizes[] = {16, 100, 700, 4096};
    for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
        struct kmem_cache *c = kmem_cache_create("test", sizes[k], 0, 0, NULL);
        EXPECT(c);
        size_t frames = frames_left(), n = sizes[k] < 1000 ? MANY : 300;
        CALL(take_many, c, n);
        EXPECT(!slab_check() && stats(c).live == n);
        for (size_t i = 0; i < n; i++)
            kmem_cache_free(c, held[i]);
        struct slab_stats s = stats(c);
        EXPECT(s.live == 0 && s.cached > 0 && s.cached < n / 2);
        EXPECT(!slab_check() && kmem_cache_shrink(c) == s.frames);
        EXPECT(stats(c).slabs == 0 && stats(c).cached == 0);
        EXPECT(frames_left() == frames && kmem_cache_destroy(c) == 0);
    }
}

/* Without memory for racks and magazines, slabs do. */
TEST(slab_without_magazines)
{
    struct kmem_cache *c = kmem_cache_create("test", 64, 0, 0, NULL);
    EXPECT(c && kmem_cache_alloc_bulk(c, GFP_KERNEL, 20, held));
    for (long k = 0; k < 3; k++) {
        pmm_fail_after(k);
        for (size_t i = 0; i < 20; i++)
            kmem_cache_free(c, held[i]);
        EXPECT(stats(c).live == 0 && (stats(c).cached > 0) == (k >= 2));
        for (size_t i = 0; i < 20; i++)
            EXPECT((held[i] = kmem_cache_alloc(c, GFP_NOWAIT)));
        pmm_fail_after(-1);
        EXPECT(stats(c).live == 20 && !slab_check());
        EXPECT(kmem_cache_shrink(c) == 0);
    }
    kmem_cache_free_bulk(c, 20, held);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Many at once: those at hand are used before memory is said to be out. */
TEST(slab_bulk_finds_cached)
{
    struct kmem_cache *c = kmem_cache_create("test", 200, 0, 0, NULL);
    EXPECT(c);
    CALL(take_many, c, 300);
    for (size_t i = 0; i < 300; i++)
        kmem_cache_free(c, held[i]);
    EXPECT(stats(c).cached > 60);
    pmm_fail_after(0);
    size_t room = stats(c).total;
    size_t got = kmem_cache_alloc_bulk(c, GFP_NOWAIT, room, held);
    pmm_fail_after(-1);
    EXPECT(got == room && stats(c).live == room && stats(c).cached == 0);
    EXPECT(!slab_check());
    kmem_cache_free_bulk(c, got, held);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Caches of a set of its own, which ends with live objects in them. */
TEST(slab_sets)
{
    static struct slabs set;
    size_t frames = frames_left();
    set = (struct slabs){0};
    slabs_init(&set, &pmm);
    struct kmem_cache *c = slabs_create(&set, "set", 64, 0, 0, NULL);
    struct kmem_cache *large = slabs_create(&set, "large", 3000, 0, 0, NULL);
    struct kmem_cache *other = kmem_cache_create("test", 64, 0, 0, NULL);
    EXPECT(c && large && other);
    CALL(take_many, large, 30);
    CALL(take_many, c, 500);
    EXPECT(stats(c).live == 500 && stats(other).slabs == 0);
    EXPECT(kmem_cache_find(held[7]).cache == c);
    EXPECT(kmem_cache_put(other, held[7]) && kmem_cache_put(large, held[7]));
    EXPECT(slabs_put(&set, held[7])); /* not a heap's */
    for (size_t i = 0; i < 200; i++)
        EXPECT(!kmem_cache_put(c, held[i]));
    EXPECT(stats(c).cached > 0 && !slabs_check(&set) && !slab_check());
    size_t used = slabs_frames(&set);
    EXPECT(used > 0 && slabs_shrink(&set) > 0 && slabs_frames(&set) < used);
    EXPECT(stats(c).cached == 0 && stats(c).live == 300);
    for (size_t i = 200; i < 300; i++)
        EXPECT(!kmem_cache_put(c, held[i]));
    EXPECT(stats(c).cached > 0);
    for (unsigned cpu = 0; cpu < pmm.cpus; cpu++)
        slabs_drain(&set, cpu);
    EXPECT(stats(c).cached == 0 && stats(c).live == 200);
    slabs_destroy(&set);
    EXPECT(kmem_cache_destroy(other) == 0 && frames_left() == frames);
    EXPECT(!slab_check() && !kmem_cache_find(held[7]).cache);
}

TEST(slab_sets_without_memory)
{
    static struct slabs set;
    size_t frames = frames_left();
    set = (struct slabs){0};
    slabs_init(&set, &pmm);
    pmm_fail_after(0);
    EXPECT(!slabs_create(&set, "none", 64, 0, 0, NULL));
    pmm_fail_after(-1);
    EXPECT(!slabs_create(&set, "none", (size_t)-1, 0, 0, NULL));
    EXPECT(!slabs_check(&set));
    slabs_destroy(&set);
    EXPECT(frames_left() == frames);
}
