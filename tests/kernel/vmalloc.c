/* Scattered memory: every promise of mm/vmalloc.h. */
#include "mm/vmalloc.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmap.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

#define RW (P_READ | P_WRITE)

static bool mapped(const void *p)
{
    return paging_query(&kernel_map, (vaddr_t)p).present;
}

static size_t window_free(void)
{
    struct vmap_stats s;
    vmap_stats(&s);
    return s.free;
}

static size_t vmalloc_frames(void)
{
    size_t kind[FRAME_KINDS];
    pmm_by_kind(kind);
    return kind[FRAME_VMALLOC];
}

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* --- fragmented memory --- */

/* A frame that is held, found through itself. */
struct held {
    struct held *next;
};

static struct held *hold_all(void)
{
    struct held *all = NULL;
    for (paddr_t pa; (pa = pmm_alloc());) {
        struct held *h = phys_to_virt(pa);
        h->next = all;
        all = h;
    }
    return all;
}

/* Frees the held frames whose number has an odd (even) last bit. */
static struct held *let_go(struct held *all, paddr_t odd)
{
    struct held *kept = NULL;
    for (struct held *next; all; all = next) {
        next = all->next;
        if ((virt_to_phys(all) >> PAGE_SHIFT & 1) == odd) {
            pmm_free(virt_to_phys(all));
            continue;
        }
        all->next = kept;
        kept = all;
    }
    return kept;
}

/* No two free frames of the direct map are neighbours from here on. */
static struct held *fragment(void)
{
    bool junk = pmm_set_junk(false);
    struct held *half = let_go(hold_all(), 0);
    pmm_set_junk(junk);
    return half;
}

static void heal(struct held *half)
{
    let_go(half, 1);
}

/* True if no page's frame follows the one of the page before. */
static bool scattered(const char *p, size_t pages)
{
    for (size_t i = 1; i < pages; i++)
        if (vmalloc_to_phys(p + i * PAGE_SIZE) ==
            vmalloc_to_phys(p + (i - 1) * PAGE_SIZE) + PAGE_SIZE)
            return false;
    return true;
}

static bool has_high_memory(void)
{
    struct frames_stats s;
    pmm_stats(&s);
    return s.free > s.free_direct;
}

/* There is no run of two frames, and yet a large area. */
TEST(vmalloc_scattered)
{
    struct held *half = fragment();
    bool high = has_high_memory();
    bool run = pmm_allocs(2) != 0;
    char *p = vmalloc(100 * PAGE_SIZE);
    bool apart = p && (high || scattered(p, 100));
    if (p)
        stamp(p, 100 * PAGE_SIZE, 7);
    bool intact = p && stamped(p, 100 * PAGE_SIZE, 7);
    vfree(p);
    heal(half);
    EXPECT(!run);
    EXPECT(apart && intact);
}

/* Large requests fall back, small ones and those that cannot wait do not. */
TEST(vmalloc_kv_fragmented)
{
    kheap_trim();
    struct held *half = fragment();
    char *p = kvmalloc(64 * KiB, GFP_KERNEL);
    char *q = kvzalloc(64 * KiB, GFP_KERNEL);
    char *now = kvmalloc(64 * KiB, GFP_ATOMIC | __GFP_NOWARN);
    char *small = kvmalloc(64, GFP_KERNEL);
    bool fell_back = is_vmalloc_addr(p) && is_vmalloc_addr(q);
    bool zeroed = q && all_zero(q, 64 * KiB);
    bool in_heap = small && !is_vmalloc_addr(small);
    kvfree(p);
    kvfree(q);
    kvfree(small);
    heal(half);
    EXPECT(fell_back && zeroed);
    EXPECT(in_heap);
    EXPECT(!now);
}

TEST(vmalloc_kv_easy)
{
    char *p = kvmalloc(3 * PAGE_SIZE, GFP_KERNEL);
    EXPECT(p && !is_vmalloc_addr(p) && ksize(p) >= 3 * PAGE_SIZE);
    char *q = kvmalloc_array(3, 100, GFP_KERNEL | __GFP_ZERO);
    EXPECT(q && all_zero(q, 300));
    EXPECT(!kvmalloc_array((size_t)-1 / 2, 3, GFP_KERNEL | __GFP_NOWARN));
    kvfree(p);
    kvfree(q);
    kvfree(NULL);
}

/* --- areas --- */

static void check_area(struct test_result *result, size_t size)
{
    size_t pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    size_t frames = vmalloc_frames();
    char *p = vmalloc(size);
    EXPECT(p && is_aligned((vaddr_t)p, PAGE_SIZE) && is_vmalloc_addr(p));
    EXPECT(vmalloc_frames() == frames + pages);
    for (size_t i = 0; i < pages; i++) {
        struct mapping m =
            paging_query(&kernel_map, (vaddr_t)p + i * PAGE_SIZE);
        EXPECT(m.present && m.level == 0);
        EXPECT(m.prot == paging_effective(RW | P_GLOBAL));
        EXPECT(pmm_kind(m.pa) == FRAME_VMALLOC);
        EXPECT(vmalloc_to_phys(p + i * PAGE_SIZE + 5) == m.pa + 5);
    }
    EXPECT(!mapped(p - 1) && !mapped(p + pages * PAGE_SIZE));
    struct vmap_area area = vmap_find((vaddr_t)p + pages * PAGE_SIZE);
    EXPECT(area.va == (vaddr_t)p && area.pages == pages);
    EXPECT(area.kind == VMAP_ALLOC);
    stamp(p, size, 3);
    EXPECT(stamped(p, size, 3));
    vfree(p);
    EXPECT(!mapped(p) && vmap_find((vaddr_t)p).kind == VMAP_NONE);
    EXPECT(vmalloc_frames() == frames);
}

TEST(vmalloc_areas)
{
    static const size_t sizes[] = {
        1, 4095, 4096, 4097, 63 * 4096, 64 * 4096, 65 * 4096, 128 * 4096 + 1};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        CALL(check_area, sizes[i]);
    EXPECT(vmap_check() == NULL);
}

/* Frames that only vmalloc can use go first, where there are any. */
TEST(vmalloc_prefers_high)
{
    bool high = has_high_memory();
    char *p = vmalloc(PAGE_SIZE), *low = __vmalloc(1, GFP_KERNEL | __GFP_DMA);
    EXPECT(p && (vmalloc_to_phys(p) >= DIRECT_END) == high);
    EXPECT(low && vmalloc_to_phys(low) < DMA_LIMIT);
    vfree(p);
    vfree(low);
}

TEST(vmalloc_zeroed)
{
    for (unsigned round = 0; round < 3; round++) {
        char *p = vmalloc(8 * PAGE_SIZE);
        EXPECT(p);
        memset(p, 0x55, 8 * PAGE_SIZE);
        vfree(p);
        p = vzalloc(8 * PAGE_SIZE);
        EXPECT(p && all_zero(p, 8 * PAGE_SIZE));
        vfree(p);
    }
}

/* What the CPU reaches at p is what the tables say, and not what was there. */
static bool reaches_its_frames(char *p, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        char *at = p + i * PAGE_SIZE;
        paddr_t pa = vmalloc_to_phys(at);
        if (pa < DIRECT_END && memcmp(at, phys_to_virt(pa), PAGE_SIZE))
            return false;
    }
    return true;
}

/* A freed range is used again at once, with other frames: a translation that
 * had stayed would show the old ones, which somebody else has now. */
TEST(vmalloc_reused_at_once)
{
    enum { PAGES = 6 };
    char *first = NULL;
    for (uint32_t round = 0; round < 4; round++) {
        char *p = vmalloc(PAGES * PAGE_SIZE);
        EXPECT(p && (!first || p == first));
        first = p;
        stamp(p, PAGES * PAGE_SIZE, round);
        paddr_t old = vmalloc_to_phys(p);
        vfree(p);
        EXPECT(pmm_alloc_at(old, 1) == 0);
        char *q = vmalloc(PAGES * PAGE_SIZE);
        EXPECT(q == p && vmalloc_to_phys(q) != old);
        stamp(q, PAGES * PAGE_SIZE, round + 100);
        EXPECT(reaches_its_frames(q, PAGES));
        EXPECT(stamped(q, PAGES * PAGE_SIZE, round + 100));
        vfree(q);
        EXPECT(pmm_free(old) == 0);
    }
}

/* --- failing --- */

TEST(vmalloc_sizes_refused)
{
    static const size_t sizes[] = {0, (size_t)-1, (size_t)-4096,
                                   (size_t)-1 / 2};
    size_t frames = frames_left(), room = window_free();
    struct frames_stats s;
    pmm_stats(&s);
    unsigned long reports = report_count();
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT(!vmalloc(sizes[i]));
    EXPECT(!vzalloc((min_size(s.total, room) + 1) << PAGE_SHIFT));
    EXPECT(report_count() == reports + ARRAY_SIZE(sizes) + 1);
    EXPECT(!__vmalloc((size_t)-1, GFP_KERNEL | __GFP_NOWARN));
    EXPECT(report_count() == reports + ARRAY_SIZE(sizes) + 1);
    EXPECT(frames_left() == frames && window_free() == room);
}

/* More than there is, by a little: all that was taken goes back. */
TEST(vmalloc_more_than_free)
{
    kheap_trim();
    size_t frames = frames_left(), room = window_free();
    bool junk = pmm_set_junk(false);
    size_t pages = min_size(frames, room) + 1;
    char *p = __vmalloc(pages << PAGE_SHIFT, GFP_KERNEL | __GFP_NOWARN);
    pmm_set_junk(junk);
    EXPECT(!p && frames_left() == frames && window_free() == room);
    EXPECT(vmap_check() == NULL);
}

/* The k-th frame or table cannot be had, for every k. */
TEST(vmalloc_out_of_memory)
{
    enum { PAGES = 131 };
    kheap_trim();
    size_t frames = frames_left(), room = window_free();
    bool junk = pmm_set_junk(false);
    char *p = NULL;
    for (long k = 0; !p; k++) {
        EXPECT(k < PAGES + 10);
        pmm_fail_after(k);
        p = __vmalloc(PAGES * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN);
        pmm_fail_after(-1);
        if (!p)
            EXPECT(frames_left() == frames && window_free() == room);
        if (k % 16 == 0)
            EXPECT(vmap_check() == NULL);
    }
    vfree(p);
    pmm_set_junk(junk);
    EXPECT(frames_left() == frames && window_free() == room);
}

/* Freeing needs no memory. */
TEST(vmalloc_free_without_memory)
{
    char *p = vmalloc(70 * PAGE_SIZE);
    EXPECT(p);
    pmm_fail_after(0);
    vfree(p);
    pmm_fail_after(-1);
    EXPECT(!mapped(p) && vmap_check() == NULL);
}

/* All of the windows are taken, in ever smaller pieces. */
TEST(vmalloc_out_of_room)
{
    static void *held[256];
    size_t n = 0, room = window_free(), len = (size_t)1 << (WORD_BITS - 2);
    for (; len >= PAGE_SIZE; len /= 2)
        for (void *p; n < ARRAY_SIZE(held) && (p = vmap(0, len, RW));)
            held[n++] = p;
    bool full = n < ARRAY_SIZE(held);
    size_t frames = frames_left();
    void *none = __vmalloc(1, GFP_KERNEL | __GFP_NOWARN);
    bool nothing_taken = frames_left() == frames;
    while (n > 0)
        vunmap(held[--n]);
    EXPECT(full && !none && nothing_taken);
    EXPECT(window_free() == room && vmap_check() == NULL);
}
