/* The audit holds, and one lie is enough to fail it. The demos clean up. */
#include "kernel/audit.h"
#include "kernel/demo.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/string.h>

TEST(audit_holds)
{
    struct audit before, now;
    EXPECT(audit_count(&before) == NULL);
    char *heap = kmalloc(200000, GFP_KERNEL), *area = vmalloc(10 * PAGE_SIZE);
    struct kmem_cache *cache = kmem_cache_create("audit", 2000, 0, 0, NULL);
    void *object = cache ? kmem_cache_alloc(cache, GFP_KERNEL) : NULL;
    EXPECT(heap && area && object);
    EXPECT(audit_count(&now) == NULL);
    EXPECT(now.explained[FRAME_HEAP] >= before.explained[FRAME_HEAP] + 48);
    EXPECT(now.explained[FRAME_VMALLOC] ==
           before.explained[FRAME_VMALLOC] + 10);
    EXPECT(now.explained[FRAME_SLAB] > before.explained[FRAME_SLAB]);
    kmem_cache_free(cache, object);
    EXPECT(kmem_cache_destroy(cache) == 0);
    vfree(area);
    kfree(heap);
    EXPECT(audit() == NULL);
}

/* A frame that says it is what nobody uses it as. */
TEST(audit_notices_no_owner)
{
    static const enum frame_kind kinds[] = {FRAME_TABLE, FRAME_HEAP,
                                            FRAME_VMALLOC, FRAME_PERCPU};
    paddr_t pa = pmm_alloc();
    EXPECT(pa && audit() == NULL);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        pmm_label(pa, 1, kinds[i]);
        EXPECT(audit() != NULL);
        pmm_label(pa, 1, FRAME_KERNEL);
        EXPECT(audit() == NULL);
    }
    EXPECT(pmm_free(pa) == 0);
}

/* A frame in use that says it is something else. */
TEST(audit_notices_wrong_label)
{
    char *area = vmalloc(PAGE_SIZE);
    EXPECT(area && audit() == NULL);
    paddr_t pa = vmalloc_to_phys(area);
    pmm_label(pa, 1, FRAME_TABLE);
    const char *wrong = audit();
    pmm_label(pa, 1, FRAME_VMALLOC);
    EXPECT(wrong && audit() == NULL);
    vfree(area);
}

TEST(audit_without_memory)
{
    pmm_fail_after(0);
    const char *wrong = audit();
    pmm_fail_after(-1);
    EXPECT(wrong && audit() == NULL);
}

/* Also when memory runs out within them. */
TEST(audit_of_demos)
{
    static const struct demo *const demos[] = {
        &demo_entry_cache, &demo_entry_vmalloc, &demo_entry_percpu};
    static const long limits[] = {0, 1, 3, 100, -1};
    for (size_t i = 0; i < ARRAY_SIZE(demos); i++)
        for (size_t k = 0; k < ARRAY_SIZE(limits); k++) {
            size_t frames = frames_left();
            pmm_fail_after(limits[k]);
            demos[i]->run();
            pmm_fail_after(-1);
            kheap_trim();
            EXPECT(frames_left() == frames && audit() == NULL);
        }
}
