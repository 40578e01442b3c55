/* The order of taking an area down, which the running machine does not show. */
#include "env.h"

#include <arch/layout.h>

#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"
#include "mm/vmap.h"
#include "tests/kernel/support.h"

#include <oct/mmu.h>
#include <oct/report.h>

#define MACHINE_BYTES (64 * MiB)
#define PAGES 150

static paddr_t frame[PAGES];
static vaddr_t area;
static size_t flushed, freed_early;

/* Until every CPU has forgotten a page, its frame must not be free. */
static void on_flush(const struct host_flush *f, bool after)
{
    if (!(f->what & MMU_CHANGED))
        return;
    for (size_t i = 0; i < PAGES; i++) {
        vaddr_t va = area + i * PAGE_SIZE;
        if (va < f->va || va - f->va >= f->len)
            continue;
        freed_early += pmm_kind(frame[i]) != FRAME_VMALLOC;
        flushed += after;
    }
}

TEST(vmalloc_host_flush_then_free)
{
    host_machine(DIRECT_START, MACHINE_BYTES);
    char *p = vmalloc(PAGES * PAGE_SIZE);
    EXPECT(p);
    area = (vaddr_t)p;
    for (size_t i = 0; i < PAGES; i++)
        frame[i] = vmalloc_to_phys(p + i * PAGE_SIZE);
    host_on_flush = on_flush;
    vfree(p);
    host_on_flush = NULL;
    EXPECT(flushed == PAGES && freed_early == 0);
    for (size_t i = 0; i < PAGES; i++)
        EXPECT(pmm_kind(frame[i]) == FRAME_FREE);
}

/* In an interrupt there is none; what cannot wait gets what is in a row. */
TEST(vmalloc_host_interrupt)
{
    host_machine(DIRECT_START, MACHINE_BYTES);
    size_t frames = frames_left();
    host_interrupt = true;
    void *p = __vmalloc(PAGE_SIZE, GFP_ATOMIC);
    void *q = kvmalloc(MACHINE_BYTES, GFP_ATOMIC);
    host_interrupt = false;
    EXPECT(!p && !q && frames_left() == frames);
}

/* Frames that the direct map does not reach go first. */
TEST(vmalloc_host_high_frames)
{
    static const struct host_bank banks[] = {{DIRECT_END - 16 * MiB, 16 * MiB},
                                             {DIRECT_END, 8 * MiB}};
    static const struct mem_range ranges[] = {
        {DIRECT_END - 16 * MiB, 24 * MiB, MEM_FREE}};
    host_windows_start();
    host_ram(banks, ARRAY_SIZE(banks));
    host_start(host_boot(ranges, ARRAY_SIZE(ranges)));
    size_t high = 8 * MiB / PAGE_SIZE, pages = high + 100;
    char *p = vmalloc(pages * PAGE_SIZE);
    EXPECT(p);
    for (size_t i = 0; i < pages; i++)
        EXPECT((vmalloc_to_phys(p + i * PAGE_SIZE) >= DIRECT_END) ==
               (i < high));
    stamp(p, pages * PAGE_SIZE, 1);
    EXPECT(stamped(p, pages * PAGE_SIZE, 1));
    vfree(p);
    EXPECT(pmm_check() == NULL);
}

#define GROUP ((size_t)1 << PT_INDEX_BITS)

/* Leaves as the only room a run of pages with a table border in its midst. */
static bool leave_room_over_border(void)
{
    struct vmap_stats s;
    vaddr_t low = vmap_take(GROUP - 212);
    vmap_stats(&s);
    size_t rest = s.pages - GROUP - 1;
    vaddr_t high = vmap_take(rest);
    if (low != WINDOW_START + PAGE_SIZE ||
        high != WINDOW_START + GROUP * PAGE_SIZE)
        return false;
    vmap_give(high, 200);
    return true;
}

/* Takes all frames but every other one. */
static void fragment(void)
{
    static paddr_t held[MACHINE_BYTES / PAGE_SIZE + 1];
    size_t n = 0;
    while ((held[n] = pmm_alloc()))
        n++;
    while (n-- > 0)
        if (held[n] >> PAGE_SHIFT & 1)
            pmm_free(held[n]);
}

/* A batch of frames that lie apart lacks the table for its last ones. */
TEST(vmalloc_host_half_a_batch)
{
    host_machine(DIRECT_START, MACHINE_BYTES);
    EXPECT(leave_room_over_border());
    fragment();
    size_t frames = frames_left();
    unsigned long reports = report_count();
    void *p = NULL;
    for (long k = 0; !p; k++) {
        EXPECT(k < 400);
        pmm_fail_after(k);
        p = __vmalloc(350 * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN);
        pmm_fail_after(-1);
        if (!p)
            EXPECT(frames_left() == frames &&
                   paging_check(&kernel_map) == NULL);
    }
    EXPECT(report_count() == reports);
    vfree(p);
    EXPECT(frames_left() == frames && report_count() == reports);
}
