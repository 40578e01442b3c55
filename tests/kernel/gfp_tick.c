/* Allocating in an interrupt, and waiting for one that frees. Kernel only. */
#include "kernel/trap.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <arch/layout.h>
#include <oct/arch.h>
#include <oct/context.h>
#include <oct/kview.h>

static void *volatile atomic_object;
static volatile bool was_interrupt;
static volatile paddr_t refused_frame = 1;

static void allocate(void)
{
    if (atomic_object)
        return;
    was_interrupt = in_interrupt();
    refused_frame =
        pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_KERNEL | __GFP_NOFAIL);
    atomic_object = kmalloc(5000, GFP_ATOMIC);
}

TEST(gfp_in_an_interrupt)
{
    atomic_object = NULL;
    trap_on_tick(allocate);
    for (unsigned i = 0; i < 100 && !atomic_object; i++)
        arch_idle();
    trap_on_tick(NULL);
    EXPECT(was_interrupt && !in_interrupt());
    EXPECT(atomic_object);
    EXPECT(refused_frame == 0); /* who may not wait may not ask for it */
    kfree(atomic_object);
}

static volatile unsigned ticks_left;

static void end_shortage(void)
{
    if (ticks_left > 0 && --ticks_left == 0)
        pmm_fail_after(-1);
}

/* __GFP_NOFAIL waits, while interrupts go on, until there is something. */
TEST(gfp_nofail_waits)
{
    ticks_left = 3;
    pmm_fail_after(0);
    trap_on_tick(end_shortage);
    paddr_t no = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_KERNEL);
    unsigned left = ticks_left;
    paddr_t pa =
        pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_KERNEL | __GFP_NOFAIL);
    trap_on_tick(NULL);
    pmm_fail_after(-1);
    EXPECT(!no && left > 0);
    EXPECT(pa && ticks_left == 0);
    EXPECT(pmm_free(pa) == 0);
}
