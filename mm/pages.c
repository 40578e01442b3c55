#include "mm/pages.h"

#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

static void *alloc(gfp_t flags, unsigned order, vaddr_t caller)
{
    assert(!(flags & ~__GFP_ALL));
    paddr_t pa = 0;
    size_t n = (size_t)1 << (order <= PAGE_ALLOC_MAX_ORDER ? order : 0);
    if (order <= PAGE_ALLOC_MAX_ORDER)
        pa = pmm_alloc_gfp(n, n * PAGE_SIZE, DIRECT_END, flags & ~__GFP_HIGH);
    if (!pa) {
        if (!(flags & __GFP_NOWARN))
            report(caller, "alloc_pages: no 2^%u pages", order);
        return NULL;
    }
    assert(is_aligned(pa, n * PAGE_SIZE));
    pmm_label(pa, n, FRAME_PAGES);
    void *p = phys_to_virt(pa);
    return flags & __GFP_ZERO ? memset(p, 0, n * PAGE_SIZE) : p;
}

void *alloc_pages(gfp_t flags, unsigned order)
{
    return alloc(flags, order, CALLER);
}

void *alloc_page(gfp_t flags)
{
    return alloc(flags, 0, CALLER);
}

static void give_back(void *p, unsigned order, vaddr_t caller)
{
    if (!p)
        return;
    paddr_t pa = virt_to_phys(p);
    if (order > PAGE_ALLOC_MAX_ORDER || pmm_kind(pa) != FRAME_PAGES)
        report(caller, "free_pages: %p has no 2^%u pages", p, order);
    else
        pmm_frees(pa, (size_t)1 << order);
}

void free_pages(void *p, unsigned order)
{
    give_back(p, order, CALLER);
}

void free_page(void *p)
{
    give_back(p, 0, CALLER);
}
