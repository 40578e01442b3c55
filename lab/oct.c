/* The library: lab/oct.h in terms of the kernel's memory manager. What it adds
 * is where memory comes from (oct_frames.c), and a list of all instances, for
 * fork. */
#include "lab/oct_parts.h"
#include "mm/kheap_backend.h"

#include <oct/assert.h>
#include <oct/report.h>

#include <errno.h>
#include <string.h>

#include "lab/port/cpu.h"

struct oct_all oct_all = {.frames = LIST_INIT(oct_all.frames),
                          .heaps = LIST_INIT(oct_all.heaps)};

void oct_enlist(struct list *list, struct list *link)
{
    lock_acquire(&oct_all.lock);
    list_append(list, link);
    lock_release(&oct_all.lock);
}

void oct_strike(struct list *link)
{
    lock_acquire(&oct_all.lock);
    list_remove(link);
    lock_release(&oct_all.lock);
}

/* --- heaps: a struct oct_heap is a struct heap --- */

static struct heap *heap_of(struct oct_heap *h)
{
    return (struct heap *)(void *)h;
}

struct oct_heap *oct_heap_create(struct oct_frames *f, enum oct_heap_kind kind)
{
    struct heap *h = NULL;
    if (f->memory)
        h = heap_create(kind == OCT_SLAB ? &slab_heap : &tagged_heap, &f->m,
                        "heap");
    if (!h)
        errno = f->memory ? ENOMEM : EINVAL;
    else
        oct_enlist(&oct_all.heaps, &h->link);
    return (struct oct_heap *)(void *)h;
}

void oct_heap_destroy(struct oct_heap *heap)
{
    oct_strike(&heap_of(heap)->link);
    heap_destroy(heap_of(heap));
}

/* The kind that is mostly used is called by its name, so that a compiler that
 * sees all files at once can make one function of both. */
void *oct_alloc(struct oct_heap *heap, size_t size)
{
    struct heap *h = heap_of(heap);
    if (__builtin_expect(size > HEAP_SIZE_MAX, 0))
        return NULL;
    if (__builtin_expect(h->ops == &tagged_heap, 1))
        return tagged_heap.alloc(h, size, GFP_KERNEL);
    return h->ops->alloc(h, size, GFP_KERNEL);
}

void *oct_zalloc(struct oct_heap *heap, size_t size)
{
    void *p = oct_alloc(heap, size);
    return p ? memset(p, 0, size) : NULL;
}

void *oct_alloc_aligned(struct oct_heap *heap, size_t size, size_t align)
{
    struct heap *h = heap_of(heap);
    bool possible = size <= HEAP_SIZE_MAX && is_power_of_two(align);
    return possible ? h->ops->alloc_aligned(h, size, align, GFP_KERNEL) : NULL;
}

static const char *give(struct heap *h, void *p)
{
    if (__builtin_expect(h->ops == &tagged_heap, 1))
        return tagged_heap.free(h, p);
    return h->ops->free(h, p);
}

COLD static int refuse(const char *call, const void *p, const char *why)
{
    report(CALLER, "%s of %p refused: %s", call, p, why);
    return -EINVAL;
}

int oct_free(struct oct_heap *heap, void *p)
{
    const char *refused = p ? give(heap_of(heap), p) : NULL;
    if (__builtin_expect(refused != NULL, 0))
        return refuse("oct_free", p, refused);
    return 0;
}

static void *move(struct oct_heap *heap, void *p, size_t size, size_t before)
{
    void *moved = oct_alloc(heap, size);
    if (moved) {
        memcpy(moved, p, min_size(size, before));
        oct_free(heap, p);
    }
    return moved;
}

void *oct_realloc(struct oct_heap *heap, void *p, size_t size)
{
    struct heap *h = heap_of(heap);
    if (!p)
        return oct_alloc(heap, size);
    if (size == 0) {
        oct_free(heap, p);
        return NULL;
    }
    struct heap_object o = h->ops->find(h, p);
    if (o.refused) {
        refuse("oct_realloc", p, o.refused);
        return NULL;
    }
    if (size <= HEAP_SIZE_MAX && h->ops->resize(h, p, size))
        return p;
    return move(heap, p, size, o.size);
}

size_t oct_size(struct oct_heap *heap, const void *p)
{
    struct heap *h = heap_of(heap);
    return p ? h->ops->find(h, p).size : 0;
}

void oct_heap_stats(struct oct_heap *heap, struct oct_heap_stats *out)
{
    struct kheap_stats s;
    heap_of(heap)->ops->stats(heap_of(heap), &s);
    *out = (struct oct_heap_stats){
        .frames = s.chunks,
        .live = s.live,
        .objects = s.objects,
        .cached = s.idle,
        .free = s.free,
        .largest = s.largest,
    };
}

size_t oct_heap_trim(struct oct_heap *heap)
{
    struct heap *h = heap_of(heap);
    struct kheap_stats before, after;
    h->ops->stats(h, &before);
    for (unsigned cpu = 0; cpu < oct_cpus_seen(); cpu++)
        if (oct_cpu_borrow(cpu)) {
            h->ops->drain(h, cpu);
            oct_cpu_return(cpu);
        }
    h->ops->trim(h);
    h->ops->stats(h, &after);
    oct_release_memory(container_of(h->frames, struct oct_frames, m));
    return before.chunks > after.chunks ? before.chunks - after.chunks : 0;
}

const char *oct_heap_check(struct oct_heap *heap)
{
    return heap_of(heap)->ops->check(heap_of(heap));
}

/* --- object caches: a struct oct_cache is a struct kmem_cache --- */

static struct kmem_cache *cache_of(struct oct_cache *c)
{
    return (struct kmem_cache *)(void *)c;
}

/* The set of an instance's caches takes frames, so it is made for the first. */
static struct slabs *caches_of(struct oct_frames *f)
{
    lock_acquire(&oct_all.lock);
    if (!f->has_caches)
        slabs_init(&f->caches, &f->m);
    f->has_caches = true;
    lock_release(&oct_all.lock);
    return &f->caches;
}

struct oct_cache *oct_cache_create(struct oct_frames *f, const char *name,
                                   size_t size, size_t align,
                                   void (*made)(void *object))
{
    bool possible = f->memory && size > 0 && align <= PAGE_SIZE &&
                    (align == 0 || is_power_of_two(align));
    struct kmem_cache *c =
        possible ? slabs_create(caches_of(f), name, size, align, 0, made)
                 : NULL;
    if (!c)
        errno = possible ? ENOMEM : EINVAL;
    return (struct oct_cache *)(void *)c;
}

int oct_cache_destroy(struct oct_cache *c)
{
    return kmem_cache_destroy(cache_of(c));
}

void *oct_cache_alloc(struct oct_cache *c)
{
    return kmem_cache_alloc(cache_of(c), GFP_KERNEL | __GFP_NOWARN);
}

int oct_cache_free(struct oct_cache *c, void *p)
{
    const char *refused = p ? kmem_cache_put(cache_of(c), p) : NULL;
    return refused ? refuse("oct_cache_free", p, refused) : 0;
}

const char *oct_cache_check(struct oct_cache *c)
{
    return slabs_check(cache_of(c)->set);
}

/* --- fork --- */

static struct oct_frames *frames_in(struct list *node)
{
    return container_of(node, struct oct_frames, link);
}

static struct heap *heap_in(struct list *node)
{
    return container_of(node, struct heap, link);
}

/* In the order in which they are taken elsewhere: heaps ask caches, and those
 * ask frames. */
void oct_before_fork(void)
{
    lock_acquire(&oct_all.lock);
    slabs_hold_list();
    list_for_each (node, &oct_all.heaps)
        heap_in(node)->ops->hold(heap_in(node));
    list_for_each (node, &oct_all.frames)
        if (frames_in(node)->has_caches)
            slabs_hold(&frames_in(node)->caches);
    list_for_each (node, &oct_all.frames)
        lock_acquire(&frames_in(node)->m.lock);
}

void oct_after_fork_in_parent(void)
{
    list_for_each (node, &oct_all.frames)
        lock_release(&frames_in(node)->m.lock);
    list_for_each (node, &oct_all.frames)
        if (frames_in(node)->has_caches)
            slabs_release(&frames_in(node)->caches);
    list_for_each (node, &oct_all.heaps)
        heap_in(node)->ops->release(heap_in(node));
    slabs_release_list();
    lock_release(&oct_all.lock);
}

/* Who had shrinkers called is not there to say that they are done. */
void oct_after_fork_in_child(void)
{
    oct_cpu_forked();
    list_for_each (node, &oct_all.frames)
        frames_in(node)->m.reclaiming = 0;
    oct_after_fork_in_parent();
}
