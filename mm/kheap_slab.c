/* The other heap behind kmalloc: caches of a few sizes. A request takes an
 * object of the smallest cache that has room for it, so up to a third of an
 * object lies idle, but finding it and taking it back are a few steps each,
 * however full the heap is.
 *
 * What is larger than the largest class takes whole frames: for those, the
 * frame manager's entries say all there is to know, where a run begins and
 * where it ends, so nothing is stored about them, and a page takes one frame.
 * So does what must lie below a limit (__GFP_DMA), and what its cache has no
 * slab for when free memory is too broken up for one.
 *
 * An object stays in its class: it grows in place to its class's size only.
 */
#include "mm/kheap_backend.h"
#include "mm/pmm.h"
#include "mm/slab.h"

#include <arch/layout.h>
#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/lock.h>

#define UNIT ((size_t)32) /* what sizes of classes are multiples of */
#define CLASS_MAX ((size_t)3072)

static struct {
    const char *name;
    size_t size; /* at multiples of it, if it is a power of two */
    struct kmem_cache *cache;
} class[] = {
    {"kmalloc-32", 32, NULL},          {"kmalloc-64", 64, NULL},
    {"kmalloc-96", 96, NULL},          {"kmalloc-128", 128, NULL},
    {"kmalloc-192", 192, NULL},        {"kmalloc-256", 256, NULL},
    {"kmalloc-384", 384, NULL},        {"kmalloc-512", 512, NULL},
    {"kmalloc-768", 768, NULL},        {"kmalloc-1024", 1024, NULL},
    {"kmalloc-1536", 1536, NULL},      {"kmalloc-2048", 2048, NULL},
    {"kmalloc-3072", CLASS_MAX, NULL},
};

static uint8_t class_of_units[CLASS_MAX / UNIT + 1];

/* Runs of whole frames, labelled FRAME_HEAP. */
static struct {
    struct lock lock; /* guards the rest, and is held while labels change */
    size_t runs, frames;
    paddr_t lowest, end; /* all runs there ever were lie in between */
} large = {.lowest = ~(paddr_t)0};

static size_t align_of(size_t size)
{
    return is_power_of_two(size) && size > UNIT && size <= PAGE_SIZE ? size
                                                                     : UNIT;
}

static void slab_heap_init(void)
{
    size_t units = 0;
    for (size_t i = 0; i < ARRAY_SIZE(class); i++) {
        class[i].cache =
            kmem_cache_create(class[i].name, class[i].size,
                              align_of(class[i].size), SLAB_PANIC, NULL);
        for (; units * UNIT <= class[i].size; units++)
            class_of_units[units] = (uint8_t)i;
    }
    assert(units == ARRAY_SIZE(class_of_units));
}

/* --- whole frames --- */

static size_t frames_for(size_t size)
{
    return size ? (size + PAGE_SIZE - 1) / PAGE_SIZE : 1;
}

static void *take_frames(size_t size, gfp_t flags)
{
    size_t n = frames_for(size);
    paddr_t pa = pmm_alloc_gfp(n, PAGE_SIZE, DIRECT_END, flags & ~__GFP_HIGH);
    if (!pa)
        return NULL;
    lock_acquire(&large.lock);
    pmm_label(pa, n, FRAME_HEAP);
    large.runs++;
    large.frames += n;
    large.lowest = pa < large.lowest ? pa : large.lowest;
    large.end = pa + n * PAGE_SIZE > large.end ? pa + n * PAGE_SIZE : large.end;
    lock_release(&large.lock);
    return phys_to_virt(pa);
}

/* Frames of the run that begins at pa. */
static size_t run_frames(paddr_t pa)
{
    size_t n = 1;
    assert(lock_held(&large.lock) && pmm_run_start(pa, FRAME_HEAP) == pa);
    while (pmm_run_start(pa + n * PAGE_SIZE, FRAME_HEAP) == pa)
        n++;
    return n;
}

static void give_frames(paddr_t pa)
{
    lock_acquire(&large.lock);
    size_t n = run_frames(pa);
    large.runs--;
    large.frames -= n;
    int error = pmm_frees(pa, n);
    assert(!error);
    lock_release(&large.lock);
}

static struct heap_object find_frames(paddr_t pa)
{
    struct heap_object o = {0};
    lock_acquire(&large.lock);
    if (pmm_run_start(pa, FRAME_HEAP) != pa)
        o.refused = "inside an object";
    else
        o.size = run_frames(pa) * PAGE_SIZE;
    lock_release(&large.lock);
    return o;
}

/* Calls visit for each run. */
static void each_run(void (*visit)(void *context, void *p, size_t size),
                     void *context)
{
    for (paddr_t pa = large.lowest; pa < large.end; pa += PAGE_SIZE)
        if (pmm_run_start(pa, FRAME_HEAP) == pa)
            visit(context, phys_to_virt(pa), find_frames(pa).size);
}

/* --- the heap's operations --- */

static void *slab_alloc(size_t size, gfp_t flags)
{
    assert(size <= HEAP_SIZE_MAX);
    if (size > CLASS_MAX || (flags & __GFP_DMA))
        return take_frames(size, flags);
    struct kmem_cache *c =
        class[class_of_units[(size + UNIT - 1) / UNIT]].cache;
    gfp_t try = (flags | __GFP_NOWARN) & ~(__GFP_NOFAIL | __GFP_ZERO);
    void *p = kmem_cache_alloc(c, try);
    return p ? p : take_frames(size, flags);
}

/* The cache of p's slab if it is one of ours, or NULL. */
static struct kmem_cache *our_cache(const void *p)
{
    struct kmem_cache *c = kmem_cache_of(p);
    size_t size = c ? kmem_cache_size(c) : CLASS_MAX + 1;
    if (size > CLASS_MAX || size % UNIT)
        return NULL;
    return class[class_of_units[size / UNIT]].cache == c ? c : NULL;
}

static struct heap_object slab_find(const void *p)
{
    paddr_t pa = virt_to_phys(p);
    enum frame_kind kind = pmm_kind(pa);
    struct kmem_cache *c = our_cache(p);
    if (kind == FRAME_HEAP)
        return find_frames(pa);
    if (!c)
        return (struct heap_object){
            0, kind == FRAME_FREE ? "free already" : "not from this heap"};
    struct slab_object o = kmem_cache_find(p);
    return (struct heap_object){o.refused ? 0 : kmem_cache_size(c), o.refused};
}

static const char *slab_free(const void *p)
{
    struct kmem_cache *c = our_cache(p);
    if (c)
        return kmem_cache_put(c, p);
    struct heap_object o = slab_find(p);
    if (!o.refused)
        give_frames(virt_to_phys(p));
    return o.refused;
}

static bool slab_resize(void *p, size_t size)
{
    struct heap_object o = slab_find(p);
    return !o.refused && size <= o.size && size > o.size / 4 &&
           is_aligned((uintptr_t)p, align_of(size));
}

static size_t slab_trim(void)
{
    size_t frames = 0;
    for (size_t i = 0; i < ARRAY_SIZE(class); i++)
        frames += kmem_cache_shrink(class[i].cache);
    return frames;
}

/* --- looking --- */

static void slab_heap_stats(struct kheap_stats *out)
{
    *out = (struct kheap_stats){
        large.runs, large.frames, large.frames * PAGE_SIZE, large.runs, 0, 0};
    for (size_t i = 0; i < ARRAY_SIZE(class); i++) {
        struct slab_stats s;
        kmem_cache_stats(class[i].cache, &s);
        out->blocks += s.slabs;
        out->chunks += s.frames;
        out->live += s.live * s.size;
        out->objects += s.live;
        out->free += (s.total - s.live) * s.size;
        if (s.total > s.live)
            out->largest = s.size;
    }
}

struct visitor {
    void (*visit)(void *context, void *p, size_t size);
    void *context;
    size_t size;
};

static void visit_object(void *context, void *p)
{
    const struct visitor *v = context;
    v->visit(v->context, p, v->size);
}

static void slab_each(void (*visit)(void *context, void *p, size_t size),
                      void *context)
{
    for (size_t i = 0; i < ARRAY_SIZE(class); i++) {
        struct visitor v = {visit, context, class[i].size};
        kmem_cache_each(class[i].cache, visit_object, &v);
    }
    each_run(visit, context);
}

struct census {
    size_t runs, frames;
};

static void count_run(void *context, void *p, size_t size)
{
    struct census *sum = context;
    (void)p;
    sum->runs++;
    sum->frames += size / PAGE_SIZE;
}

static const char *slab_heap_check(void)
{
    struct census sum = {0};
    each_run(count_run, &sum);
    if (sum.runs != large.runs || sum.frames != large.frames)
        return "kheap: the count of large objects is not that of the frames";
    return slab_check();
}

const struct heap_ops slab_heap = {
    .name = "slab",
    .init = slab_heap_init,
    .alloc = slab_alloc,
    .free = slab_free,
    .find = slab_find,
    .resize = slab_resize,
    .trim = slab_trim,
    .stats = slab_heap_stats,
    .check = slab_heap_check,
    .each = slab_each,
};
