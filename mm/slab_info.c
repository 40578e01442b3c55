/* What the object caches tell about themselves, and how they are checked. */
#include "mm/slab_cache.h"

#include <oct/assert.h>
#include <oct/kview.h>

size_t kmem_cache_size(const struct kmem_cache *c)
{
    return c->size;
}

void kmem_cache_stats(struct kmem_cache *c, struct slab_stats *out)
{
    lock_acquire(&c->lock);
    *out = (struct slab_stats){
        .name = c->name,
        .size = c->size,
        .live = c->live,
        .total = c->slabs * c->per_slab,
        .slabs = c->slabs,
        .frames = c->slabs * c->frames,
    };
    lock_release(&c->lock);
}

void kmem_cache_visit(void (*visit)(void *context, const struct slab_stats *),
                      void *context)
{
    lock_acquire(&caches.lock);
    list_for_each (node, &caches.list) {
        struct slab_stats stats;
        kmem_cache_stats(cache_in(node), &stats);
        visit(context, &stats);
    }
    lock_release(&caches.lock);
}

static void visit_live(struct list *slabs, void (*visit)(void *context, void *),
                       void *context)
{
    list_for_each (node, slabs) {
        const struct slab *s = slab_in(node);
        for (size_t i = 0; i < s->cache->per_slab; i++)
            if (s->link[i] == LINK_LIVE)
                visit(context, object_at(s, i));
    }
}

void kmem_cache_each(struct kmem_cache *c, void (*visit)(void *context, void *),
                     void *context)
{
    lock_acquire(&c->lock);
    visit_live(&c->partly, visit, context);
    visit_live(&c->full, visit, context);
    lock_release(&c->lock);
}

/* --- checking --- */

static const char *check_frames(const struct slab *s)
{
    paddr_t pa = virt_to_phys(s);
    for (size_t i = 0; i < s->cache->frames; i++) {
        paddr_t frame = pa + i * PAGE_SIZE;
        if (pmm_run_start(frame, FRAME_SLAB) != pa)
            return "slab: a slab's frame is not known to be its";
    }
    return NULL;
}

static size_t count_live(const struct slab *s)
{
    assert(s->cache && lock_held(&s->cache->lock));
    size_t live = 0;
    for (size_t i = 0; i < s->cache->per_slab; i++)
        live += s->link[i] == LINK_LIVE;
    return live;
}

/* The chain visits every free object once, and no other: as many steps as there
 * are free objects, each on a free one, and then the end. A ring would not end.
 */
static const char *check_links(const struct slab *s)
{
    size_t live = count_live(s), i = s->free;
    if (live != s->live)
        return "slab: a slab's count of live objects is wrong";
    for (size_t n = s->cache->per_slab - live; n > 0; n--) {
        if (i >= s->cache->per_slab)
            return "slab: the chain of free objects misses some";
        i = s->link[i];
    }
    return i == LINK_END ? NULL : "slab: the chain of free objects is tangled";
}

static const char *check_objects(const struct slab *s)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < s->cache->per_slab && !wrong; i++)
        wrong = debug_check(s->cache, object_at(s, i), s->link[i] == LINK_LIVE);
    return wrong;
}

static const char *check_slab(const struct slab *s)
{
    const char *wrong = check_frames(s);
    if (!wrong)
        wrong = check_links(s);
    return wrong ? wrong : check_objects(s);
}

struct census {
    size_t slabs, live;
};

static const char *check_list(struct kmem_cache *c, struct list *slabs,
                              struct census *sum)
{
    assert(lock_held(&c->lock));
    list_for_each (node, slabs) {
        const struct slab *s = slab_in(node);
        if (s->cache != c)
            return "slab: a slab is on another cache's list";
        if (list_for(s) != slabs)
            return "slab: a slab is on the wrong list";
        const char *wrong = check_slab(s);
        if (wrong)
            return wrong;
        sum->slabs++;
        sum->live += s->live;
    }
    return NULL;
}

static const char *check_geometry(const struct kmem_cache *c)
{
    assert(lock_held(&c->lock));
    size_t end = c->first + c->per_slab * c->stride;
    size_t header = sizeof(struct slab) + c->per_slab * sizeof(uint16_t);
    if (c->first < header + c->zone || end > c->frames * PAGE_SIZE)
        return "slab: a cache's objects do not fit in its slabs";
    if (!is_aligned(c->first, c->align) || !is_aligned(c->stride, c->align))
        return "slab: a cache's objects are not aligned";
    return NULL;
}

static const char *check_cache(struct kmem_cache *c)
{
    struct census sum = {0};
    const char *wrong = check_geometry(c);
    if (!wrong)
        wrong = check_list(c, &c->empty, &sum);
    if (!wrong && (sum.slabs != c->empties || c->empties > c->keep))
        wrong = "slab: a cache's count of empty slabs is wrong";
    if (!wrong)
        wrong = check_list(c, &c->partly, &sum);
    if (!wrong)
        wrong = check_list(c, &c->full, &sum);
    if (!wrong && (sum.slabs != c->slabs || sum.live != c->live))
        wrong = "slab: a cache's counts are not those of its slabs";
    return wrong;
}

const char *slab_check(void)
{
    const char *wrong = NULL;
    lock_acquire(&caches.lock);
    list_for_each (node, &caches.list) {
        struct kmem_cache *c = cache_in(node);
        lock_acquire(&c->lock);
        wrong = wrong ? wrong : check_cache(c);
        lock_release(&c->lock);
    }
    lock_release(&caches.lock);
    return wrong;
}
