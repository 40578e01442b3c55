/* How objects of a cache lie in memory: aligned, apart, with little waste. */
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

static struct slab_stats stats(struct kmem_cache *c)
{
    struct slab_stats s;
    kmem_cache_stats(c, &s);
    return s;
}

#define SEEN_MAX 1024

/* Takes all n objects of the slab that begins with `first`, which is one of
 * them: each is aligned, and none is given twice. */
static void take_slab(struct test_result *result, struct kmem_cache *c,
                      char *first, size_t n, size_t stride)
{
    static bool seen[SEEN_MAX];
    EXPECT(n <= SEEN_MAX);
    memset(seen, false, sizeof(seen));
    for (size_t i = 0; i < n; i++) {
        char *p = i ? kmem_cache_alloc(c, GFP_KERNEL) : first;
        EXPECT(p && p >= first);
        size_t offset = (size_t)(p - first), at = offset / stride;
        EXPECT(offset % stride == 0 && at < n && !seen[at]);
        seen[at] = true;
        EXPECT(pmm_kind(virt_to_phys(p)) == FRAME_SLAB);
        EXPECT(pmm_kind(virt_to_phys(p + stride - 1)) == FRAME_SLAB);
    }
}

/* The geometry of many sizes and alignments: objects are aligned, apart from
 * each other, and waste little. */
static void fill_one_slab(struct test_result *result, size_t size, size_t align)
{
    struct kmem_cache *c = kmem_cache_create("test", size, align, 0, NULL);
    EXPECT(c && kmem_cache_size(c) == size);
    size_t step = align ? align : sizeof(void *);
    size_t stride = round_up(size, step);
    char *first = kmem_cache_alloc(c, GFP_KERNEL);
    EXPECT(first && is_aligned((uintptr_t)first, step));
    struct slab_stats s = stats(c);
    EXPECT(s.slabs == 1 && s.live == 1);
    size_t used = s.total * (stride + sizeof(uint16_t));
    if (size < 64 * KiB)
        EXPECT(s.frames * PAGE_SIZE - used < s.frames * PAGE_SIZE / 8);
    CALL(take_slab, c, first, s.total, stride);
    EXPECT(stats(c).slabs == 1 && !slab_check());
    for (size_t i = 0; i < s.total; i++)
        kmem_cache_free(c, first + i * stride);
    EXPECT(stats(c).live == 0);
    EXPECT(kmem_cache_destroy(c) == 0);
}

TEST(slab_sizes)
{
    static const size_t sizes[] = {1,    8,    24,   32,    100,   256,   1000,
                                   1365, 2048, 4096, 10000, 40000, 100000};
    static const size_t aligns[] = {0, 32, 4096};
    unsigned long reports = report_count();
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t k = 0; k < ARRAY_SIZE(aligns); k++)
            CALL(fill_one_slab, sizes[i], aligns[k]);
    EXPECT(report_count() == reports);
}

TEST(slab_too_large)
{
    unsigned long reports = report_count();
    EXPECT(!kmem_cache_create("test", PAGE_SIZE << PAGE_ALLOC_MAX_ORDER, 0, 0,
                              NULL));
    EXPECT(!kmem_cache_create("test", (size_t)-1, 0, 0, NULL));
    EXPECT(!kmem_cache_create("test", (size_t)-1 / 2, 0, 0, NULL));
    EXPECT(report_count() == reports + 3);
    EXPECT(!slab_check());
}

/* With SLAB_HWCACHE_ALIGN small objects share a line, and none lies in two. */
TEST(slab_lines)
{
    for (size_t size = 1; size <= 200; size = size * 2 + 1) {
        struct kmem_cache *c =
            kmem_cache_create("test", size, 0, SLAB_HWCACHE_ALIGN, NULL);
        void *p[10];
        EXPECT(c);
        EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(p), p));
        for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
            size_t in_line = (uintptr_t)p[i] % 64;
            EXPECT(in_line == 0 || in_line + size <= 64);
        }
        size_t apart = (size_t)((char *)p[1] - (char *)p[0]);
        EXPECT(size > 32 || apart < size * 2 || apart == sizeof(void *));
        kmem_cache_free_bulk(c, ARRAY_SIZE(p), p);
        EXPECT(kmem_cache_destroy(c) == 0);
    }
}
