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
 * Slabs are full, empty, or partly used, and objects come out of partly used
 * ones first. One empty slab is kept, lest an object that comes and goes cost a
 * slab each time; the others go back at once, and that one when memory is short
 * (shrink_all). Frames are asked for without the lock, for the frame manager
 * may call shrink_all on the way.
 *
 * Slabs are not coloured (their first objects shifted, each slab by another few
 * cache lines). That served caches of one or two ways, where the same place in
 * all slabs competed for one line; caches have eight ways or more now, and the
 * busiest lines, those of link[], would not be shifted at all.
 *
 * What it does not do: there are no stores of objects for each CPU, so all CPUs
 * meet at the cache's lock; objects never move, so one live object keeps its
 * slab; caches of equal size are not merged, which would hide who leaks.
 */
#include "mm/slab_cache.h"

#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

/* --- slabs --- */

/* Called without the lock: the frame manager may have this cache shrunk. */
static struct slab *new_slab(struct kmem_cache *c, gfp_t gfp)
{
    assert(!(gfp & __GFP_DMA)); /* any cache's slabs lie anywhere */
    paddr_t pa = pmm_alloc_gfp(c->frames, PAGE_SIZE, DIRECT_END, gfp);
    if (!pa)
        return NULL;
    struct slab *s = phys_to_virt(pa);
    *s = (struct slab){.cache = c};
    list_init(&s->in_list);
    for (size_t i = 0; i < c->per_slab; i++) {
        s->link[i] = i + 1 < c->per_slab ? (uint16_t)(i + 1) : LINK_END;
        if (is_watched(c))
            debug_make(c, object_at(s, i));
        if (c->ctor && !(c->flags & SLAB_POISON))
            c->ctor(object_at(s, i));
    }
    pmm_label(pa, c->frames, FRAME_SLAB); /* from now on it is found */
    return s;
}

static void add_slab(struct kmem_cache *c, struct slab *s)
{
    assert(lock_held(&c->lock) && s->live == 0);
    list_push(&c->empty, &s->in_list);
    c->empties++;
    c->slabs++;
}

static void release_slab(struct kmem_cache *c, struct slab *s)
{
    assert(lock_held(&c->lock) && s->live == 0);
    list_remove(&s->in_list);
    c->empties--;
    c->slabs--;
    int error = pmm_frees(virt_to_phys(s), c->frames);
    assert(!error);
}

size_t cache_settle(struct kmem_cache *c, size_t keep)
{
    size_t frames = 0;
    for (; c->empties > keep; frames += c->frames)
        release_slab(c, slab_in(c->empty.next));
    return frames;
}

/* To where its number of live objects wants it. */
static void file_slab(struct slab *s)
{
    list_remove(&s->in_list);
    list_push(list_for(s), &s->in_list);
}

/* --- taking --- */

static void *pop(struct kmem_cache *c)
{
    assert(lock_held(&c->lock));
    struct list *from = list_empty(&c->partly) ? &c->empty : &c->partly;
    if (list_empty(from))
        return NULL;
    struct slab *s = slab_in(from->next);
    size_t i = s->free;
    assert(i < c->per_slab);
    s->free = s->link[i];
    s->link[i] = LINK_LIVE;
    s->live++;
    c->live++;
    c->empties -= s->live == 1;
    if (s->live == 1 || s->free == LINK_END)
        file_slab(s);
    return object_at(s, i);
}

static void push(struct slab *s, size_t i)
{
    struct kmem_cache *c = s->cache;
    assert(lock_held(&c->lock) && s->link[i] == LINK_LIVE);
    bool was_full = s->free == LINK_END;
    s->link[i] = s->free;
    s->free = (uint16_t)i;
    s->live--;
    c->live--;
    c->empties += s->live == 0;
    if (s->live == 0 || was_full)
        file_slab(s);
}

static size_t index_of(const struct slab *s, const void *p)
{
    size_t offset = (size_t)((const char *)p - (const char *)s);
    return (offset - s->cache->first) / s->cache->stride;
}

static struct slab *slab_of(const void *p)
{
    paddr_t pa = virt_to_phys(p);
    paddr_t start = pmm_run_start(pa, FRAME_SLAB);
    return start ? phys_to_virt(start) : NULL;
}

/* Undoes a pop of n objects for which `grown` slabs were added. */
static void unpop(struct kmem_cache *c, size_t n, void **objects, size_t grown)
{
    lock_acquire(&c->lock);
    for (size_t i = 0; i < n; i++) {
        struct slab *s = slab_of(objects[i]);
        push(s, index_of(s, objects[i]));
    }
    cache_settle(c, c->empties - min_size(grown, c->empties));
    lock_release(&c->lock);
}

/* n objects, not prepared for use, or none. */
static bool pop_all(struct kmem_cache *c, gfp_t gfp, size_t n, void **out)
{
    size_t got = 0, grown = 0;
    for (struct slab *s = NULL;; grown++) {
        lock_acquire(&c->lock);
        if (s)
            add_slab(c, s);
        while (got < n && (out[got] = pop(c)))
            got++;
        if (got == n)
            cache_settle(c, c->keep);
        lock_release(&c->lock);
        if (got == n)
            return true;
        s = new_slab(c, gfp);
        if (!s) {
            unpop(c, got, out, grown);
            return false;
        }
    }
}

static void prepare(const struct kmem_cache *c, gfp_t gfp, void *p,
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

/* Mostly there is one. */
static void *take_one(struct kmem_cache *c, gfp_t gfp, vaddr_t caller)
{
    lock_acquire(&c->lock);
    void *p = pop(c);
    lock_release(&c->lock);
    if (!p)
        return take(c, gfp, 1, &p, caller) ? p : NULL;
    prepare(c, gfp, p, caller);
    return p;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
    return take_one(c, gfp, CALLER);
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
    return take_one(c, gfp | __GFP_ZERO, CALLER);
}

size_t kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t n,
                             void **out)
{
    return take(c, gfp, n, out, CALLER) ? n : 0;
}

/* --- giving --- */

struct place {
    struct slab *slab;
    size_t index;        /* of the object, if it is in one */
    bool in_object;      /* and not in the header, or behind the last */
    const char *refused; /* why no live object starts there, or NULL */
};

static struct place find(const void *p)
{
    struct slab *s = slab_of(p);
    if (!s && pmm_kind(virt_to_phys(p)) == FRAME_FREE)
        return (struct place){.refused = "in a free frame"};
    if (!s)
        return (struct place){.refused = "not in any slab"};
    size_t offset = (size_t)((const char *)p - (const char *)s);
    if (offset < s->cache->first)
        return (struct place){.slab = s, .refused = "inside a slab's header"};
    size_t i = index_of(s, p);
    if (i >= s->cache->per_slab)
        return (struct place){.slab = s, .refused = "behind the last object"};
    struct place at = {s, i, true, NULL};
    if (s->link[i] != LINK_LIVE)
        at.refused = "free already";
    else if (object_at(s, i) != p)
        at.refused = "inside an object";
    return at;
}

static const char *give(struct kmem_cache *c, const void *p, vaddr_t caller)
{
    lock_acquire(&c->lock);
    struct place at = find(p);
    if (at.slab && at.slab->cache != c)
        at.refused = "from another cache";
    if (!at.refused) {
        if (is_watched(c))
            debug_give(c, object_at(at.slab, at.index), caller);
        push(at.slab, at.index);
        cache_settle(c, c->keep);
    }
    lock_release(&c->lock);
    return at.refused;
}

static void give_or_report(struct kmem_cache *c, const void *p, vaddr_t caller)
{
    const char *refused = p ? give(c, p, caller) : NULL;
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

const char *kmem_cache_put(struct kmem_cache *c, const void *p)
{
    return give(c, p, CALLER);
}

/* --- looking --- */

struct slab_object kmem_cache_find(const void *p)
{
    struct place at = find(p);
    return (struct slab_object){
        .cache = at.slab ? at.slab->cache : NULL,
        .start = at.in_object ? object_at(at.slab, at.index) : NULL,
        .refused = at.refused,
    };
}

struct kmem_cache *kmem_cache_of(const void *p)
{
    const struct slab *s = slab_of(p);
    return s ? s->cache : NULL;
}
