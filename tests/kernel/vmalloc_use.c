/* Scattered memory in wrong hands, and in many. */
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"
#include "mm/vmap.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/report.h>

#define RW (P_READ | P_WRITE)

/* Frees p, which must be reported and change nothing. */
static bool refuses(void (*undo)(void *), void *p)
{
    struct vmap_stats before, after;
    size_t frames = frames_left();
    unsigned long reports = report_count();
    vmap_stats(&before);
    undo(p);
    vmap_stats(&after);
    return report_count() == reports + 1 && frames_left() == frames &&
           after.free == before.free;
}

static void undo_vmalloc(void *p)
{
    vfree(p);
}

TEST(vmalloc_wrong_frees)
{
    char *p = vmalloc(3 * PAGE_SIZE), *object = kmalloc(64, GFP_KERNEL);
    int local;
    EXPECT(p && object);
    stamp(p, 3 * PAGE_SIZE, 1);
    EXPECT(refuses(undo_vmalloc, p + 1));
    EXPECT(refuses(undo_vmalloc, p + PAGE_SIZE));
    EXPECT(refuses(undo_vmalloc, p + 3 * PAGE_SIZE));
    EXPECT(refuses(undo_vmalloc, p - PAGE_SIZE));
    EXPECT(refuses(undo_vmalloc, object));
    EXPECT(refuses(undo_vmalloc, &local));
    EXPECT(refuses(undo_vmalloc, (void *)WINDOW_END));
    EXPECT(refuses(undo_vmalloc, (void *)(WINDOW_END - PAGE_SIZE)));
    EXPECT(stamped(p, 3 * PAGE_SIZE, 1));
    vfree(p);
    EXPECT(refuses(undo_vmalloc, p));
    vfree(NULL);
    kfree(object);
}

/* Each kind of area has its own way back. */
TEST(vmalloc_kinds_of_areas)
{
    paddr_t pa = pmm_alloc(), device = pmm_end() + 0x10000;
    char *own = vmalloc(PAGE_SIZE), *alien = vmap(pa, PAGE_SIZE, RW);
    char *alias = vmap(vmalloc_to_phys(own), PAGE_SIZE, RW);
    SKIP_IF(device >> PT_PA_BITS, "RAM fills the address space");
    char *io = ioremap(device, PAGE_SIZE);
    EXPECT(pa && own && alien && alias && io);
    EXPECT(vmap_find((vaddr_t)io).kind == VMAP_IO);
    EXPECT(vmap_find((vaddr_t)alien).kind == VMAP_PAGES);
    EXPECT(refuses(vunmap, own) && refuses(iounmap, own));
    EXPECT(refuses(undo_vmalloc, alien) && refuses(iounmap, alien));
    EXPECT(refuses(undo_vmalloc, alias));
    EXPECT(refuses(undo_vmalloc, io) && refuses(vunmap, io));
    EXPECT(vmalloc_to_phys(io) == 0 && vmalloc_to_phys(alien) == 0);
    EXPECT(vmap_check() == NULL);
    vunmap(alias);
    vunmap(alien);
    iounmap(io);
    vfree(own);
    EXPECT(pmm_free(pa) == 0);
}

TEST(vmalloc_to_phys_elsewhere)
{
    char *p = vmalloc(PAGE_SIZE);
    EXPECT(p && vmalloc_to_phys(p + 17) == vmalloc_to_phys(p) + 17);
    EXPECT(vmalloc_to_phys(p + PAGE_SIZE) == 0);
    EXPECT(vmalloc_to_phys(NULL) == 0);
    EXPECT(!is_vmalloc_addr(NULL) && is_vmalloc_addr(p));
    void *object = kmalloc(64, GFP_KERNEL);
    EXPECT(object && !is_vmalloc_addr(object) && !vmalloc_to_phys(object));
    kfree(object);
    vfree(p);
}

#define SLOTS 24
#define STEPS 500

static struct slot {
    char *p;
    size_t size;
} slots[SLOTS];

static void step(struct test_result *result, struct random *r, uint32_t n)
{
    uint32_t i = random_below(r, SLOTS);
    struct slot *s = &slots[i];
    if (s->p) {
        EXPECT(stamped(s->p, s->size, i));
        vfree(s->p);
        s->p = NULL;
    } else {
        s->size = 1 + random_below(r, 40 * PAGE_SIZE);
        s->p = vmalloc(s->size);
        EXPECT(s->p);
        stamp(s->p, s->size, i);
    }
    if (n % 32 == 0)
        EXPECT(vmap_check() == NULL);
}

/* Every byte has one owner, whatever is made and freed around it. */
TEST(vmalloc_ownership)
{
    struct random r = random_start(70);
    for (uint32_t n = 0; n < STEPS; n++)
        CALL(step, &r, n);
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            EXPECT(stamped(slots[i].p, slots[i].size, i));
        vfree(slots[i].p);
        slots[i].p = NULL;
    }
    EXPECT(vmap_check() == NULL);
}
