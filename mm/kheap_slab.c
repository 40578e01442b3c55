/* The other kind of heap: caches of a few sizes. A request takes an object of
 * the smallest cache that has room for it, so up to a third of an object lies
 * idle, but finding it and taking it back are a few steps each, however full
 * the heap is.
 *
 * What is larger than the largest class takes whole frames (kheap_large.c), so
 * a page takes one frame. What must lie below a limit (__GFP_DMA) takes frames
 * too, and what its cache has no slab for when free memory is too broken up for
 * one.
 *
 * An object stays in its class: it grows in place to its class's size only.
 */
#include "mm/kheap_large.h"

#include <oct/assert.h>

#define UNIT ((size_t)32) /* what sizes of classes are multiples of */
#define CLASS_MAX ((size_t)3072)

/* Objects lie at multiples of the largest power of two that divides the size.
 */
static const struct {
    const char *name;
    size_t size;
} classes[] = {
    {"kmalloc-32", 32},          {"kmalloc-64", 64},     {"kmalloc-96", 96},
    {"kmalloc-128", 128},        {"kmalloc-192", 192},   {"kmalloc-256", 256},
    {"kmalloc-384", 384},        {"kmalloc-512", 512},   {"kmalloc-768", 768},
    {"kmalloc-1024", 1024},      {"kmalloc-1536", 1536}, {"kmalloc-2048", 2048},
    {"kmalloc-3072", CLASS_MAX},
};

struct slab_heap {
    struct heap heap;
    struct slabs slabs;
    struct kmem_cache *class_for[CLASS_MAX / UNIT + 1]; /* by units needed */
    struct large large; /* objects of whole frames */
};

static struct slab_heap *slab_heap_of(struct heap *h)
{
    return container_of(h, struct slab_heap, heap);
}

static size_t units_for(size_t size)
{
    return (size + UNIT - 1) / UNIT;
}

static size_t align_of(size_t size)
{
    return size & -size;
}

/* --- the heap's operations --- */

static void slab_heap_destroy(struct heap *h)
{
    struct slab_heap *s = slab_heap_of(h);
    large_destroy(&s->large);
    slabs_destroy(&s->slabs);
}

static bool slab_heap_init(struct heap *h)
{
    struct slab_heap *s = slab_heap_of(h);
    slabs_init(&s->slabs, h->frames);
    bool done = large_init(&s->large, &s->slabs);
    for (size_t i = 0, units = 0; i < ARRAY_SIZE(classes) && done; i++) {
        size_t size = classes[i].size;
        struct kmem_cache *c = slabs_create(&s->slabs, classes[i].name, size,
                                            align_of(size), SLAB_HEAP, NULL);
        for (; units <= size / UNIT; units++)
            s->class_for[units] = c;
        done = c;
    }
    if (!done)
        slab_heap_destroy(h);
    return done;
}

static void *alloc_object(struct kmem_cache *c, gfp_t flags)
{
    return kmem_cache_alloc(c, (flags | __GFP_NOWARN) &
                                   ~(__GFP_NOFAIL | __GFP_ZERO));
}

static void *slab_alloc(struct heap *h, size_t size, gfp_t flags)
{
    struct slab_heap *s = slab_heap_of(h);
    void *p = NULL;
    assert(size <= HEAP_SIZE_MAX);
    if (size <= CLASS_MAX && !(flags & __GFP_DMA))
        p = alloc_object(s->class_for[units_for(size)], flags);
    return p ? p : large_alloc(&s->large, size, 0, flags);
}

/* The smallest class that is aligned like that, if there is one. */
static void *slab_alloc_aligned(struct heap *h, size_t size, size_t align,
                                gfp_t flags)
{
    struct slab_heap *s = slab_heap_of(h);
    assert(size <= HEAP_SIZE_MAX && is_power_of_two(align));
    size_t units = units_for(size);
    while (units <= CLASS_MAX / UNIT &&
           align_of(kmem_cache_size(s->class_for[units])) < align)
        units = kmem_cache_size(s->class_for[units]) / UNIT + 1;
    void *p = NULL;
    if (units <= CLASS_MAX / UNIT && !(flags & __GFP_DMA))
        p = alloc_object(s->class_for[units], flags);
    return p ? p : large_alloc(&s->large, size, align, flags);
}

static struct heap_object slab_find(struct heap *h, const void *p)
{
    struct slab_heap *s = slab_heap_of(h);
    enum frame_kind kind = frames_kind(h->frames, frames_address(h->frames, p));
    if (kind == FRAME_HEAP)
        return large_find(&s->large, p);
    struct slab_object o = slabs_find(&s->slabs, p);
    if (!o.cache || o.cache->set != &s->slabs || !(o.cache->flags & SLAB_HEAP))
        return (struct heap_object){
            0, kind == FRAME_FREE ? "free already" : "not from this heap"};
    return (struct heap_object){o.refused ? 0 : o.cache->size, o.refused};
}

/* What no cache took back. */
static const char *free_run(struct heap *h, const void *p)
{
    bool given = large_free(&slab_heap_of(h)->large, p);
    return given ? NULL : slab_find(h, p).refused;
}

static const char *slab_free(struct heap *h, const void *p)
{
    const char *refused = slabs_put(&slab_heap_of(h)->slabs, p);
    return refused ? free_run(h, p) : NULL;
}

static bool slab_resize(struct heap *h, void *p, size_t size)
{
    struct heap_object o = slab_find(h, p);
    size_t align = is_power_of_two(size) ? min_size(size, PAGE_SIZE) : 1;
    return !o.refused && size <= o.size && size > o.size / 4 &&
           is_aligned((uintptr_t)p, align);
}

static size_t slab_trim(struct heap *h)
{
    return slabs_shrink(&slab_heap_of(h)->slabs);
}

static void slab_drain(struct heap *h, unsigned cpu)
{
    slabs_drain(&slab_heap_of(h)->slabs, cpu);
}

static void slab_hold(struct heap *h)
{
    struct slab_heap *s = slab_heap_of(h);
    lock_acquire(&s->large.lock);
    slabs_hold(&s->slabs);
}

static void slab_release(struct heap *h)
{
    struct slab_heap *s = slab_heap_of(h);
    slabs_release(&s->slabs);
    lock_release(&s->large.lock);
}

/* --- looking --- */

static void slab_heap_stats(struct heap *h, struct kheap_stats *out)
{
    struct slab_heap *s = slab_heap_of(h);
    struct large *l = &s->large;
    lock_acquire(&l->lock);
    *out = (struct kheap_stats){.blocks = l->objects,
                                .chunks = l->taken,
                                .live = l->taken * PAGE_SIZE,
                                .objects = l->objects};
    lock_release(&l->lock);
    out->chunks += slabs_frames(&s->slabs);
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        struct slab_stats c;
        kmem_cache_stats(s->class_for[classes[i].size / UNIT], &c);
        size_t free = c.total - c.live - c.cached;
        out->blocks += c.slabs;
        out->live += c.live * c.size;
        out->objects += c.live;
        out->idle += c.cached * c.size;
        out->free += free * c.size;
        out->largest = free > 0 ? c.size : out->largest;
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

static void slab_each(struct heap *h,
                      void (*visit)(void *context, void *p, size_t size),
                      void *context)
{
    struct slab_heap *s = slab_heap_of(h);
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        struct visitor v = {visit, context, classes[i].size};
        kmem_cache_each(s->class_for[v.size / UNIT], visit_object, &v);
    }
    large_each(&s->large, visit, context);
}

static const char *slab_heap_check(struct heap *h)
{
    struct slab_heap *s = slab_heap_of(h);
    const char *wrong = large_check(&s->large);
    return wrong ? wrong : slabs_check(&s->slabs);
}

const struct heap_ops slab_heap = {
    .name = "slab",
    .bytes = sizeof(struct slab_heap),
    .init = slab_heap_init,
    .destroy = slab_heap_destroy,
    .alloc = slab_alloc,
    .alloc_aligned = slab_alloc_aligned,
    .free = slab_free,
    .find = slab_find,
    .resize = slab_resize,
    .trim = slab_trim,
    .drain = slab_drain,
    .hold = slab_hold,
    .release = slab_release,
    .stats = slab_heap_stats,
    .check = slab_heap_check,
    .each = slab_each,
};
