/* An area is filled and emptied in batches small enough for an array on the
 * stack. So freeing allocates nothing and cannot fail, and the frames, which
 * only the page tables remember, are known again after they are unmapped:
 *
 *   fill    take a batch of frames, map it, next
 *   empty   look a batch up, unmap it (which flushes every CPU), free it, next
 *
 * A batch is mapped whole or not at all, and is smaller than a large page, so
 * none can arise: unmapping a batch never splits one, and needs no table.
 * Frames that happen to lie in a row are mapped by one call.
 */
#include "mm/vmalloc.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmap.h"

#include <oct/assert.h>
#include <oct/context.h>
#include <oct/report.h>
#include <oct/string.h>

#define BATCH 64

static_assert(BATCH < 1 << PT_INDEX_BITS, "a batch makes no large page");

struct batch {
    size_t n;
    paddr_t frame[BATCH];
};

static void free_frames(const struct batch *b)
{
    assert(b->n <= BATCH);
    for (size_t i = 0; i < b->n; i++) {
        int error = pmm_free(b->frame[i]);
        assert(!error);
    }
}

/* Takes `want` frames; false if there were fewer, which are in *b too. */
static bool take_frames(struct batch *b, size_t want, gfp_t flags)
{
    assert(want <= BATCH);
    for (b->n = 0; b->n < want; b->n++) {
        paddr_t pa = pmm_alloc_gfp(1, PAGE_SIZE, ~0ull, flags);
        if (!pa)
            return false;
        pmm_label(pa, 1, FRAME_VMALLOC);
        b->frame[b->n] = pa;
    }
    return true;
}

/* The frames mapped at va and behind it, as many as there are and fit. */
static void find_frames(struct batch *b, vaddr_t va)
{
    struct mapping m;
    for (b->n = 0; b->n < BATCH; b->n++) {
        m = paging_query(&kernel_map, va + (b->n << PAGE_SHIFT));
        if (!m.present)
            break;
        b->frame[b->n] = m.pa;
    }
}

static void unmap(vaddr_t va, size_t pages)
{
    if (pages == 0)
        return;
    int error = paging_unmap(&kernel_map, va, pages << PAGE_SHIFT);
    assert(!error);
}

/* How many frames of the batch lie in a row from the i-th on. */
static size_t row_at(const struct batch *b, size_t i)
{
    size_t n = 1;
    while (i + n < b->n && b->frame[i + n] == b->frame[i] + n * PAGE_SIZE)
        n++;
    return n;
}

static bool map_frames(const struct batch *b, vaddr_t va)
{
    for (size_t i = 0, n; i < b->n; i += n) {
        n = row_at(b, i);
        if (paging_map(&kernel_map, va + (i << PAGE_SHIFT), b->frame[i],
                       n << PAGE_SHIFT, P_READ | P_WRITE | P_GLOBAL)) {
            unmap(va, i);
            return false;
        }
    }
    return true;
}

/* Unmaps and frees what is mapped from va on. Returns how many pages. */
static size_t empty(vaddr_t va)
{
    struct batch b;
    size_t pages = 0;
    assert(is_aligned(va, PAGE_SIZE));
    do {
        vaddr_t at = va + (pages << PAGE_SHIFT);
        find_frames(&b, at);
        unmap(at, b.n);
        free_frames(&b);
        pages += b.n;
    } while (b.n == BATCH);
    return pages;
}

/* Maps so many pages at va, or nothing. */
static bool fill(vaddr_t va, size_t pages, gfp_t flags)
{
    struct batch b;
    for (size_t done = 0; done < pages; done += b.n) {
        if (!take_frames(&b, min_size(BATCH, pages - done), flags) ||
            !map_frames(&b, va + (done << PAGE_SHIFT))) {
            free_frames(&b);
            empty(va);
            return false;
        }
    }
    return true;
}

static vaddr_t make_area(size_t pages, gfp_t flags)
{
    vaddr_t va = vmap_take(pages);
    if (va && !fill(va, pages, flags)) {
        vmap_give(va, pages);
        return 0;
    }
    if (va)
        vmap_name(va, VMAP_ALLOC);
    return va;
}

/* Why there cannot be an area of so many pages, or NULL. */
static const char *refuse(size_t pages)
{
    struct frames_stats frames;
    pmm_stats(&frames);
    if (in_interrupt())
        return "in an interrupt";
    if (pages == 0)
        return "size 0";
    return pages > frames.total ? "more than there is" : NULL;
}

static void *alloc(size_t size, gfp_t flags, vaddr_t caller)
{
    size_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
    const char *refused = refuse(pages);
    vaddr_t va = refused ? 0 : make_area(pages, flags | __GFP_HIGH);
    if (!va && !(flags & __GFP_NOWARN))
        report(caller, "vmalloc of %zu bytes: %s", size,
               refused ? refused : "no memory");
    if (va && (flags & __GFP_ZERO))
        memset((void *)va, 0, pages << PAGE_SHIFT);
    return (void *)va;
}

void *__vmalloc(size_t size, gfp_t flags)
{
    return alloc(size, flags, CALLER);
}

void *vmalloc(size_t size)
{
    return alloc(size, GFP_KERNEL, CALLER);
}

void *vzalloc(size_t size)
{
    return alloc(size, GFP_KERNEL | __GFP_ZERO, CALLER);
}

static void release(const void *p, vaddr_t caller)
{
    vaddr_t va = (vaddr_t)p;
    assert(!in_interrupt());
    if (!vmap_claim(va, VMAP_ALLOC))
        report(caller, "vfree of %p refused: no area begins there", p);
    else
        vmap_give(va, empty(va));
}

void vfree(const void *p)
{
    if (p)
        release(p, CALLER);
}

bool is_vmalloc_addr(const void *p)
{
    return (vaddr_t)p >= WINDOW_START && (vaddr_t)p < WINDOW_END;
}

paddr_t vmalloc_to_phys(const void *p)
{
    vaddr_t va = (vaddr_t)p;
    if (!is_vmalloc_addr(p))
        return 0;
    struct mapping m = paging_query(&kernel_map, va);
    if (!m.present || pmm_kind(m.pa) != FRAME_VMALLOC)
        return 0;
    return m.pa + (va - m.va);
}

/* --- contiguous if that is easy --- */

static void *alloc_either(size_t size, gfp_t flags, vaddr_t caller)
{
    if (size <= PAGE_SIZE)
        return kmalloc(size, flags);
    gfp_t easy = (flags & ~__GFP_NOFAIL) | __GFP_NORETRY | __GFP_NOWARN;
    void *p = kmalloc(size, easy);
    if (!p && (flags & __GFP_WAIT) && !in_interrupt())
        return alloc(size, flags, caller);
    if (!p && !(flags & __GFP_NOWARN))
        report(caller, "kvmalloc: no %zu bytes in a row", size);
    return p;
}

void *kvmalloc(size_t size, gfp_t flags)
{
    return alloc_either(size, flags, CALLER);
}

void *kvzalloc(size_t size, gfp_t flags)
{
    return alloc_either(size, flags | __GFP_ZERO, CALLER);
}

void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = (size_t)-1; /* more than there can be: refused as usual */
    return alloc_either(bytes, flags, CALLER);
}

void kvfree(const void *p)
{
    if (is_vmalloc_addr(p))
        release(p, CALLER);
    else
        kfree(p);
}
