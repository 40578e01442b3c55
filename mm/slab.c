/* A cache hands out objects of one size. It cuts them from slabs: runs of 2^k
 * frames, k so small as to waste less than an eighth. A slab is
 *
 *     +-------------+--------+---+----------+----------+-- --+----------+---+
 *     | struct slab | link[] |   | object 0 | object 1 | ... | object n |   |
 *     +-------------+--------+---+----------+----------+-- --+----------+---+
 *
 * Nothing is ever written into a free object, for its owner may rely on finding
 * it as he left it. So the free objects are chained beside them, in link[]: two
 * bytes an object, which say either which free one comes next, or that this one
 * is live. Taking and giving are a pop and a push, and a second free of the
 * same object is seen for what it is.
 *
 * The slab of an object is found by the frame manager, which knows where the
 * run of a frame begins; so no object carries anything, and any address at all
 * can be judged (kmem_cache_find).
 *
 * Mostly neither slabs nor locks are met: each CPU has some objects at hand, in
 * magazines (slab_cpu.c). Those keep their places, but their links say so: not
 * live, not to be freed again. What can be told of an object is told by its
 * link alone, also how many are live. Only when two CPUs free one object at the
 * same instant may both be believed.
 *
 * Slabs are full, empty, or partly used, and objects come out of partly used
 * ones first. One empty slab is kept, lest an object that comes and goes cost a
 * slab each time; the others go back at once, and that one when memory is short
 * (slabs_shrink). Frames are asked for without the lock, for the frame manager
 * may call the shrinkers on the way.
 *
 * Slabs are not coloured (their first objects shifted, each slab by another few
 * cache lines). That served caches of one or two ways, where the same place in
 * all slabs competed for one line; caches have eight ways or more now, and the
 * busiest lines, those of link[], would not be shifted at all.
 *
 * What it does not do: objects never move, so one live object keeps its slab;
 * caches of equal size are not merged, which would hide who leaks; watched
 * caches have no magazines, so that each free object is looked at when it is
 * taken and given.
 */
#include "mm/slab_parts.h"

#include <oct/report.h>
#include <oct/string.h>

/* --- taking --- */

static void push_one(struct slab *s, void *p, size_t i)
{
    struct round r = {p, &s->link[i]};
    slab_push(s, &r, 1);
}

/* Undoes a pop of n objects for which `grown` slabs were added. */
static void unpop(struct kmem_cache *c, size_t n, void **objects, size_t grown)
{
    lock_acquire(&c->lock);
    for (size_t i = 0; i < n; i++) {
        struct slab *s = slab_of(c->set->frames, objects[i]);
        size_t offset = (size_t)((char *)objects[i] - (char *)s);
        push_one(s, objects[i], (offset - c->first) / c->stride);
    }
    cache_settle(c,
                 min_size(c->keep, c->empties - min_size(grown, c->empties)));
    lock_release(&c->lock);
}

/* n objects, not prepared for use, or none. Before there are more slabs, what
 * is at hand goes back to those there are. When there can be no more, it looks
 * once again: shrinkers may free objects of this very cache. */
static bool pop_all(struct kmem_cache *c, gfp_t gfp, size_t n, void **out)
{
    size_t got = 0, grown = 0;
    struct slab *s = NULL;
    for (bool last = false;;) {
        lock_acquire(&c->lock);
        if (s)
            add_slab(c, s);
        got += slab_pop(c, n - got, out + got, NULL);
        if (got == n)
            cache_settle(c, c->keep);
        lock_release(&c->lock);
        if (got == n)
            return true;
        s = NULL;
        if (cpu_flush(c) > 0)
            continue;
        if (last) {
            unpop(c, got, out, grown);
            return false;
        }
        s = new_slab(c, gfp);
        last = !s;
        grown += !last;
    }
}

static void *prepare(const struct kmem_cache *c, gfp_t gfp, void *p,
                     vaddr_t caller)
{
    if (is_watched(c))
        debug_take(c, p, caller);
    if (c->ctor && (c->flags & SLAB_POISON))
        c->ctor(p);
    if (gfp & __GFP_ZERO) {
        assert(!c->ctor); /* whose work it would undo */
        memset(p, 0, c->size);
    }
    return p;
}

static bool take(struct kmem_cache *c, gfp_t gfp, size_t n, void **out,
                 vaddr_t caller)
{
    bool taken = pop_all(c, gfp, n, out);
    for (size_t i = 0; i < n && taken; i++)
        prepare(c, gfp, out[i], caller);
    if (!taken && !(gfp & __GFP_NOWARN))
        report(caller, "slab: no memory for %zu objects of %s", n, c->name);
    return taken;
}

/* Kept out of the way of those who find one at hand. */
__attribute__((noinline)) static void *take_one(struct kmem_cache *c, gfp_t gfp,
                                                vaddr_t caller)
{
    void *p = c->cpus > 0 ? cpu_refill(c) : NULL;
    if (!p)
        return take(c, gfp, 1, &p, caller) ? p : NULL;
    return prepare(c, gfp, p, caller);
}

static inline void *alloc(struct kmem_cache *c, gfp_t gfp, vaddr_t caller)
{
    unsigned long irq = arch_irq_save();
    struct round *r = rack_pop(cpu_rack(c));
    if (!r) {
        arch_irq_restore(irq);
        return take_one(c, gfp, caller);
    }
    void *p = r->object;
    link_set(r->mark, LINK_LIVE);
    arch_irq_restore(irq);
    return gfp & __GFP_ZERO ? prepare(c, gfp, p, caller) : p;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
    return alloc(c, gfp, CALLER);
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
    return alloc(c, gfp | __GFP_ZERO, CALLER);
}

size_t kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t n,
                             void **out)
{
    return take(c, gfp, n, out, CALLER) ? n : 0;
}

/* --- finding --- */

/* The link of the live object at p in a slab of c's, or NULL. Its index is its
 * offset divided by the stride: a product is exact for what is a multiple, and
 * for nothing else does it lead back. */
static inline uint16_t *live_link(const struct kmem_cache *c, struct slab *s,
                                  const void *p)
{
    size_t offset = (size_t)((const char *)p - (const char *)s) - c->first;
    size_t i = (size_t)((uint64_t)(uint32_t)offset * c->per_index >> 32);
    if (i >= c->per_slab || i * c->stride != offset)
        return NULL;
    return link_get(&s->link[i]) == LINK_LIVE ? &s->link[i] : NULL;
}

struct place {
    struct slab *slab;
    size_t index;        /* of the object, if it is in one */
    bool in_object;      /* and not in the header, or behind the last */
    const char *refused; /* why no live object starts there, or NULL */
};

static struct place find(struct frames *frames, const void *p)
{
    struct slab *s = slab_of(frames, p);
    if (!s && frames_kind(frames, frames_address(frames, p)) == FRAME_FREE)
        return (struct place){.refused = "in a free frame"};
    if (!s)
        return (struct place){.refused = "not in any slab"};
    size_t offset = (size_t)((const char *)p - (const char *)s);
    if (offset < s->cache->first)
        return (struct place){.slab = s, .refused = "inside a slab's header"};
    size_t i = (offset - s->cache->first) / s->cache->stride;
    if (i >= s->cache->per_slab)
        return (struct place){.slab = s, .refused = "behind the last object"};
    struct place at = {s, i, true, NULL};
    if (link_get(&s->link[i]) != LINK_LIVE)
        at.refused = "free already";
    else if (object_at(s, i) != p)
        at.refused = "inside an object";
    return at;
}

struct slab_object slabs_find(const struct slabs *set, const void *p)
{
    struct place at = find(set->frames, p);
    return (struct slab_object){
        .cache = at.slab ? at.slab->cache : NULL,
        .start = at.in_object ? object_at(at.slab, at.index) : NULL,
        .refused = at.refused,
    };
}

/* --- giving --- */

/* What has no place in a magazine, and what should not have been given. */
static const char *give_to_slab(struct kmem_cache *c, const void *p,
                                vaddr_t caller)
{
    lock_acquire(&c->lock);
    struct place at = find(c->set->frames, p);
    if (at.slab && at.slab->cache != c)
        at.refused = "from another cache";
    if (!at.refused) {
        if (is_watched(c))
            debug_give(c, object_at(at.slab, at.index), caller);
        push_one(at.slab, object_at(at.slab, at.index), at.index);
        cache_settle(c, c->keep);
    }
    lock_release(&c->lock);
    return at.refused;
}

__attribute__((noinline)) static const char *
give_slowly(struct kmem_cache *c, void *p, uint16_t *link, vaddr_t caller)
{
    bool given = c->cpus > 0 && cpu_make_room(c, p, link);
    return given ? NULL : give_to_slab(c, p, caller);
}

static inline const char *give(struct kmem_cache *c, struct slab *s, void *p,
                               vaddr_t caller)
{
    uint16_t *link = s && s->cache == c ? live_link(c, s, p) : NULL;
    if (!link)
        return give_to_slab(c, p, caller);
    unsigned long irq = arch_irq_save();
    bool given = rack_push(cpu_rack(c), p, link);
    if (given)
        link_set(link, LINK_CACHED);
    arch_irq_restore(irq);
    return given ? NULL : give_slowly(c, p, link, caller);
}

const char *kmem_cache_put(struct kmem_cache *c, const void *p)
{
    void *object = (void *)(uintptr_t)p;
    return give(c, slab_of(c->set->frames, p), object, CALLER);
}

const char *slabs_put(struct slabs *set, const void *p)
{
    void *object = (void *)(uintptr_t)p;
    struct slab *s = slab_of(set->frames, p);
    struct kmem_cache *c = s ? s->cache : NULL;
    if (!c || c->set != set || !(c->flags & SLAB_HEAP))
        return "not from this heap";
    return give(c, s, object, CALLER);
}

static inline void give_or_report(struct kmem_cache *c, const void *p,
                                  vaddr_t caller)
{
    const char *refused = NULL;
    if (p)
        refused =
            give(c, slab_of(c->set->frames, p), (void *)(uintptr_t)p, caller);
    if (refused)
        report(caller, "slab: free of %p to %s refused: %s", p, c->name,
               refused);
}

void kmem_cache_free(struct kmem_cache *c, const void *p)
{
    give_or_report(c, p, CALLER);
}

void kmem_cache_free_bulk(struct kmem_cache *c, size_t n, void **objects)
{
    for (size_t i = 0; i < n; i++)
        give_or_report(c, objects[i], CALLER);
}
