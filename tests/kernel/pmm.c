/* Frames: one owner each, and every wrong free refused. P1 to P11 are the
 * defects of the original frame manager (docs/testing.md). */
#include "mm/pmm.h"
#include "mm/paging.h"
#include "tests/kernel/support.h"

#include <oct/errno.h>
#include <oct/image.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

struct held {
    struct held *next;
    uint64_t self; /* the frame's own address: who overwrote it? */
};

/* Takes every frame of the direct map, linked through themselves. */
static struct held *take_all(void)
{
    struct held *all = NULL;
    for (paddr_t pa; (pa = pmm_alloc());) {
        struct held *h = phys_to_virt(pa);
        *h = (struct held){all, pa};
        all = h;
    }
    return all;
}

static bool give_all(struct held *all)
{
    bool fine = true;
    for (struct held *next; all; all = next) {
        next = all->next;
        fine &= all->self == virt_to_phys(all);
        fine &= pmm_free(virt_to_phys(all)) == 0;
    }
    return fine;
}

static bool in_image(paddr_t pa)
{
    return pa >= (uintptr_t)image_start - DIRECT_OFFSET &&
           pa < (uintptr_t)image_end - DIRECT_OFFSET;
}

/* P1, P9, P10: all free frames can be had, none belongs to somebody else. */
TEST(pmm_every_frame)
{
    struct frames_stats before, during;
    size_t kind_before[FRAME_KINDS], kind[FRAME_KINDS];
    bool junk = pmm_set_junk(false);
    pmm_stats(&before);
    pmm_by_kind(kind_before);
    struct held *all = take_all();
    pmm_stats(&during);
    pmm_by_kind(kind);
    size_t n = 0, misplaced = 0;
    for (struct held *h = all; h; h = h->next, n++)
        misplaced += in_image(h->self) || h->self == 0;
    bool intact = give_all(all);
    pmm_set_junk(junk);
    EXPECT(n == before.free_direct);
    EXPECT(during.free_direct == 0);
    EXPECT(misplaced == 0);
    EXPECT(intact);
    EXPECT(kind[FRAME_IMAGE] == kind_before[FRAME_IMAGE]);
    EXPECT(kind[FRAME_BOOT] == kind_before[FRAME_BOOT]);
    EXPECT(pmm_kind(0) != FRAME_FREE);
}

static bool refused(int result)
{
    static unsigned long seen;
    unsigned long now = report_count();
    bool reported = now > seen;
    seen = now;
    return result == -EINVAL && reported;
}

/* P2: freeing 0 is refused and leaves allocation as it was. */
TEST(pmm_free_zero)
{
    size_t before = frames_left();
    EXPECT(refused(pmm_free(0)));
    EXPECT(frames_left() == before);
    paddr_t pa = pmm_alloc();
    EXPECT(pa != 0);
    EXPECT(pmm_free(pa) == 0);
}

/* P3: a run never reaches past the end. */
TEST(pmm_runs_at_the_end)
{
    struct frames_stats s;
    pmm_stats(&s);
    EXPECT(pmm_allocs(0) == 0);
    EXPECT(pmm_allocs(s.total + 1) == 0);
    EXPECT(pmm_allocs((size_t)-1) == 0);
    EXPECT(pmm_allocs((size_t)-1 >> PAGE_SHIFT) == 0);
    for (size_t n = 1; n <= 16; n++) {
        paddr_t start = pmm_end() - PAGE_SIZE * (n - 1);
        EXPECT(pmm_alloc_at(start, n) == -EINVAL);
    }
    EXPECT(frames_left() == s.free);
}

/* P4, P5, V5: double, unaligned, foreign, never-RAM, wrong-length frees. */
TEST(pmm_wrong_frees)
{
    paddr_t pa = pmm_allocs(4), one = pmm_alloc();
    EXPECT(pa && one);
    size_t before = frames_left();
    EXPECT(refused(pmm_frees(pa, 3)));
    EXPECT(refused(pmm_frees(pa, 5)));
    EXPECT(refused(pmm_frees(pa, 0)));
    EXPECT(refused(pmm_frees(pa, (size_t)-1)));
    EXPECT(refused(pmm_frees(pa + PAGE_SIZE, 3)));
    EXPECT(refused(pmm_free(pa)));
    EXPECT(refused(pmm_free(one + 1)));
    EXPECT(refused(pmm_free(one + 2048)));
    EXPECT(refused(pmm_free(pmm_end())));
    EXPECT(refused(pmm_free(one + (1ull << PT_PA_BITS))));
    EXPECT(refused(pmm_free(~0ull)));
    EXPECT(refused(pmm_free((uintptr_t)text_start - DIRECT_OFFSET)));
    EXPECT(frames_left() == before);
    EXPECT(pmm_frees(pa, 4) == 0);
    EXPECT(refused(pmm_frees(pa, 4)));
    EXPECT(pmm_free(one) == 0);
    EXPECT(refused(pmm_free(one)));
    EXPECT(frames_left() == before + 5);
}

TEST(pmm_alignment_and_limit)
{
    for (unsigned shift = PAGE_SHIFT; shift <= 20; shift++) {
        uint64_t align = 1ull << shift;
        paddr_t pa = pmm_alloc_run(3, align, DIRECT_END);
        EXPECT(pa && is_aligned(pa, align));
        paddr_t end = pa + 3 * PAGE_SIZE;
        EXPECT(pmm_frees(pa, 3) == 0);
        paddr_t again = pmm_alloc_run(3, PAGE_SIZE, end);
        EXPECT(again && again + 3 * PAGE_SIZE <= end);
        EXPECT(pmm_frees(again, 3) == 0);
    }
    EXPECT(pmm_alloc_run(1, PAGE_SIZE, 0) == 0);
    EXPECT(pmm_alloc_run(1, PAGE_SIZE, pmm_start()) == 0);
    EXPECT(pmm_alloc_run(1, 1ull << 63, ~0ull) == 0);
}

/* Frames the kernel has no direct view of, on machines that have such. */
TEST(pmm_above_direct_map)
{
    struct frames_stats s;
    pmm_stats(&s);
    SKIP_IF(s.free == s.free_direct, "all RAM is in the direct map");
    paddr_t pa = pmm_alloc_run(16, PAGE_SIZE, ~0ull);
    EXPECT(pa >= DIRECT_END);
    EXPECT(pmm_frees(pa, 16) == 0);
    paddr_t low = pmm_alloc();
    EXPECT(low && low < DIRECT_END);
    EXPECT(pmm_free(low) == 0);
}

TEST(pmm_named_frames)
{
    paddr_t pa = pmm_allocs(8);
    EXPECT(pa != 0);
    EXPECT(pmm_alloc_at(pa, 8) == -EBUSY);
    EXPECT(pmm_frees(pa, 8) == 0);
    EXPECT(pmm_alloc_at(pa + 2 * PAGE_SIZE, 2) == 0);
    EXPECT(pmm_alloc_at(pa, 8) == -EBUSY);
    EXPECT(pmm_alloc_at(pa, 2) == 0);
    EXPECT(pmm_alloc_at(pa + 1, 1) == -EINVAL);
    EXPECT(pmm_alloc_at(pa, 0) == -EINVAL);
    EXPECT(pmm_alloc_at(0, 1) != 0);
    EXPECT(pmm_frees(pa, 2) == 0);
    EXPECT(pmm_frees(pa + 2 * PAGE_SIZE, 2) == 0);
}

TEST(pmm_shared_frames)
{
    paddr_t pa = pmm_alloc(), run = pmm_allocs(2);
    EXPECT(pa && run);
    EXPECT(pmm_refs(pa) == 1);
    EXPECT(pmm_ref(pa) == 2);
    EXPECT(pmm_ref(pa) == 3);
    EXPECT(refused(pmm_free(pa)));
    EXPECT(pmm_unref(pa) == 2);
    EXPECT(pmm_unref(pa) == 1);
    EXPECT(pmm_kind(pa) == FRAME_KERNEL);
    EXPECT(pmm_unref(pa) == 0);
    EXPECT(pmm_kind(pa) == FRAME_FREE);
    EXPECT(refused(pmm_unref(pa)));
    EXPECT(pmm_ref(pa) == -EINVAL);
    EXPECT(pmm_ref(run) == -EINVAL);
    EXPECT(pmm_ref(0) == -EINVAL);
    EXPECT(pmm_frees(run, 2) == 0);
}

/* Junk that tells new frames from zeroed ones, and freed ones from used ones.
 */
TEST(pmm_junk)
{
    pmm_set_junk(true);
    paddr_t pa = pmm_alloc();
    EXPECT(pa != 0);
    const uint8_t *p = phys_to_virt(pa);
    EXPECT(p[0] == p[4095] && p[0] != 0);
    uint8_t fresh = p[0];
    EXPECT(pmm_free(pa) == 0);
    /* The manager may use the first bytes. */
    EXPECT(p[64] == p[4095] && p[64] != 0 && p[64] != fresh);
}

#define SLOTS 64

/* Runs of random lengths, stamped, given back in random order. */
TEST(pmm_random_owners)
{
    static struct {
        paddr_t pa;
        size_t n;
    } slot[SLOTS];
    struct random r = random_start(1);
    size_t before = frames_left();
    memset(slot, 0, sizeof(slot));
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t i = random_below(&r, SLOTS);
        if (slot[i].pa) {
            void *p = phys_to_virt(slot[i].pa);
            EXPECT(stamped(p, 64, i));
            EXPECT(pmm_frees(slot[i].pa, slot[i].n) == 0);
            slot[i].pa = 0;
            continue;
        }
        slot[i].n = 1 + random_below(&r, random_below(&r, 8) ? 4 : 40);
        uint64_t align = PAGE_SIZE << random_below(&r, 4);
        slot[i].pa = pmm_alloc_run(slot[i].n, align, DIRECT_END);
        EXPECT(slot[i].pa && is_aligned(slot[i].pa, align));
        for (size_t page = 0; page < slot[i].n; page++)
            stamp(phys_to_virt(slot[i].pa + page * PAGE_SIZE), 64, i);
        if (step % 64 == 0)
            EXPECT(pmm_check() == NULL);
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        if (slot[i].pa) {
            EXPECT(stamped(phys_to_virt(slot[i].pa), 64, i));
            EXPECT(pmm_frees(slot[i].pa, slot[i].n) == 0);
        }
    EXPECT(frames_left() == before);
}

TEST(pmm_injected_failure)
{
    pmm_fail_after(2);
    paddr_t a = pmm_alloc(), b = pmm_allocs(3), c = pmm_alloc();
    int at = pmm_alloc_at(a, 1);
    pmm_fail_after(-1);
    EXPECT(a && b && !c);
    EXPECT(at == -EBUSY);
    EXPECT(pmm_free(a) == 0);
    EXPECT(pmm_frees(b, 3) == 0);
}

/* P11: what the manager costs is known, and is what its head says. */
TEST(pmm_footprint)
{
    struct frames_stats s;
    size_t kind[FRAME_KINDS], sum = 0;
    pmm_stats(&s);
    pmm_by_kind(kind);
    EXPECT(s.table_bytes > s.map_bytes + s.owner_bytes);
    EXPECT(kind[FRAME_EARLY] * PAGE_SIZE == s.table_bytes);
    EXPECT(s.table_bytes <= s.total * 6 + 64 * PAGE_SIZE);
    for (size_t k = 0; k < FRAME_KINDS; k++)
        sum += k == FRAME_NONE ? 0 : kind[k];
    EXPECT(sum == s.total);
    EXPECT(kind[FRAME_FREE] == s.free);
}
