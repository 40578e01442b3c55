/* Pages by the order, and who gets memory when there is little: the reserve,
 * shrinkers, limits. */
#include "mm/kheap.h"
#include "mm/pages.h"
#include "tests/kernel/support.h"

#include <arch/layout.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

TEST(pages_orders)
{
    for (unsigned order = 0; order <= PAGE_ALLOC_MAX_ORDER; order++) {
        size_t bytes = PAGE_SIZE << order;
        char *p = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
        if (!p && order > 8)
            break; /* so long a run need not be there on a small machine */
        EXPECT(p && is_aligned(virt_to_phys(p), bytes));
        stamp(p, 64, order);
        stamp(p + bytes - 64, 64, order);
        EXPECT(stamped(p, 64, order));
        free_pages(p, order);
    }
    char *zero = alloc_page(GFP_KERNEL | __GFP_ZERO);
    EXPECT(zero && zero[0] == 0 && zero[PAGE_SIZE - 1] == 0);
    free_page(zero);
    free_page(NULL);
}

TEST(pages_refusals)
{
    unsigned long reports = report_count();
    size_t frames = frames_left();
    EXPECT(!alloc_pages(GFP_KERNEL, PAGE_ALLOC_MAX_ORDER + 1));
    EXPECT(!alloc_pages(GFP_KERNEL, ~0u));
    EXPECT(report_count() == reports + 2);
    EXPECT(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, 64));
    EXPECT(report_count() == reports + 2);
    char *p = alloc_pages(GFP_KERNEL, 2);
    EXPECT(p);
    free_pages(p, 1);
    free_pages(p, 3);
    free_pages(p + PAGE_SIZE, 0);
    EXPECT(report_count() == reports + 5);
    free_pages(p, 2);
    free_pages(p, 2);
    EXPECT(report_count() == reports + 6);
    EXPECT(frames_left() == frames);
}

struct held {
    struct held *next;
};

/* Takes what these flags can have, one frame at a time. */
static struct held *take_all(gfp_t flags)
{
    struct held *all = NULL;
    for (paddr_t pa; (pa = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, flags));) {
        struct held *h = phys_to_virt(pa);
        h->next = all;
        all = h;
    }
    return all;
}

static size_t give_all(struct held *all)
{
    size_t n = 0;
    for (struct held *next; all; all = next, n++) {
        next = all->next;
        (void)pmm_free(virt_to_phys(all));
    }
    return n;
}

/* Those who cannot wait find something when the rest are told no. */
TEST(gfp_reserve)
{
    struct frames_stats before, empty, after;
    bool junk = pmm_set_junk(false);
    pmm_stats(&before);
    struct held *most = take_all(GFP_NOWAIT);
    pmm_stats(&empty);
    void *object = kmalloc(100000, GFP_NOWAIT | __GFP_NOWARN);
    struct held *rest = take_all(GFP_ATOMIC);
    pmm_stats(&after);
    size_t most_frames = give_all(most), rest_frames = give_all(rest);
    pmm_set_junk(junk);
    EXPECT(before.reserve > 0);
    EXPECT(empty.free_direct == before.reserve);
    EXPECT(!object);
    EXPECT(after.free_direct == 0);
    EXPECT(rest_frames == before.reserve);
    EXPECT(most_frames + rest_frames == before.free_direct);
    EXPECT(after.reserve_used >= before.reserve_used + before.reserve);
}

/* --- a shrinker --- */

static struct held *hoard;

static size_t shrink_hoard(struct shrinker *s)
{
    (void)s;
    struct held *all = hoard;
    hoard = NULL;
    return give_all(all);
}

static struct shrinker hoarder = {.name = "a test's", .shrink = shrink_hoard};

static void start_hoard(void)
{
    static bool added;
    if (!added)
        pmm_add_shrinker(&hoarder);
    added = true;
    hoard = take_all(GFP_NOWAIT);
}

TEST(gfp_shrinkers)
{
    struct frames_stats before, after;
    bool junk = pmm_set_junk(false);
    pmm_stats(&before);
    start_hoard();
    paddr_t no = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_NOWAIT);
    size_t calls = hoarder.calls;
    paddr_t yes = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_KERNEL);
    pmm_stats(&after);
    bool emptied = hoard == NULL;
    if (yes)
        (void)pmm_free(yes);
    start_hoard();
    void *object = kmalloc(50000, GFP_KERNEL);
    kfree(object);
    (void)pmm_reclaim();
    pmm_set_junk(junk);
    EXPECT(!no && yes && emptied);
    EXPECT(hoarder.calls > calls && hoarder.given_back > 0);
    EXPECT(after.reclaims > before.reclaims);
    EXPECT(object);
    EXPECT(frames_left() + 8 >= before.free);
}

TEST(gfp_nofail_refusals)
{
    unsigned long reports = report_count();
    gfp_t nofail = GFP_KERNEL | __GFP_NOFAIL;
    paddr_t pa = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, nofail);
    EXPECT(pa && pmm_free(pa) == 0);
    EXPECT(!pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, __GFP_NOFAIL));
    EXPECT(
        !pmm_alloc_gfp((size_t)-1 / PAGE_SIZE, PAGE_SIZE, DIRECT_END, nofail));
    EXPECT(report_count() == reports + 2);
}

TEST(gfp_limits)
{
    struct frames_stats s;
    pmm_stats(&s);
    paddr_t dma = pmm_alloc_gfp(4, PAGE_SIZE, ~0ull, GFP_DMA);
    EXPECT(dma && dma + 4 * PAGE_SIZE <= DMA_LIMIT);
    EXPECT(pmm_frees(dma, 4) == 0);
    paddr_t low = pmm_alloc_gfp(1, PAGE_SIZE, ~0ull, GFP_KERNEL);
    EXPECT(low && low < DIRECT_END && pmm_free(low) == 0);
    paddr_t any = pmm_alloc_gfp(1, PAGE_SIZE, ~0ull, GFP_HIGHUSER);
    EXPECT(any && pmm_free(any) == 0);
    EXPECT((any >= DIRECT_END) == (s.free > s.free_direct));
}

/* Memory that devices with short addresses reach is left to them while there is
 * other memory. */
TEST(gfp_dma_is_kept)
{
    SKIP_IF(pmm_end() <= DMA_LIMIT, "all RAM is below the limit");
    paddr_t held[64], lowest = ~0ull;
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        held[i] = pmm_alloc();
        lowest = held[i] < lowest ? held[i] : lowest;
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        EXPECT(pmm_free(held[i]) == 0);
    EXPECT(DMA_LIMIT >= DIRECT_END || lowest >= DMA_LIMIT);
}
