/* What the object caches tell about themselves, and how they are checked. */
#include "mm/slab_parts.h"

size_t kmem_cache_size(const struct kmem_cache *c)
{
    return c->size;
}

static size_t slab_live(const struct slab *s)
{
    assert(s->cache && lock_held(&s->cache->lock));
    size_t live = 0;
    for (size_t i = 0; i < s->cache->per_slab; i++)
        live += link_get(&s->link[i]) == LINK_LIVE;
    return live;
}

static size_t live_on(struct list *slabs)
{
    size_t live = 0;
    list_for_each (node, slabs)
        live += slab_live(slab_in(node));
    return live;
}

size_t count_live(struct kmem_cache *c)
{
    return live_on(&c->partly) + live_on(&c->full);
}

void kmem_cache_stats(struct kmem_cache *c, struct slab_stats *out)
{
    lock_acquire(&c->lock);
    size_t live = count_live(c);
    *out = (struct slab_stats){
        .name = c->name,
        .size = c->size,
        .live = live,
        .cached = c->taken - live,
        .total = c->slabs * c->per_slab,
        .slabs = c->slabs,
        .frames = c->slabs * c->frames,
    };
    lock_release(&c->lock);
}

size_t slabs_frames(struct slabs *s)
{
    size_t frames = 0;
    lock_acquire(&s->lock);
    list_for_each (node, &s->caches) {
        struct kmem_cache *c = cache_in(node);
        lock_acquire(&c->lock);
        frames += c->slabs * c->frames;
        lock_release(&c->lock);
    }
    lock_release(&s->lock);
    return frames;
}

static void visit_live(struct list *slabs, void (*visit)(void *context, void *),
                       void *context)
{
    list_for_each (node, slabs) {
        const struct slab *s = slab_in(node);
        for (size_t i = 0; i < s->cache->per_slab; i++)
            if (link_get(&s->link[i]) == LINK_LIVE)
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
    struct frames *frames = s->cache->set->frames;
    const char *p = (const char *)s;
    for (size_t i = 0; i < s->cache->frames; i++) {
        if (slab_of(frames, p + i * PAGE_SIZE) != s)
            return "slab: a slab's frame is not known to be its";
    }
    return NULL;
}

/* The chain visits every free object once, and no other: as many steps as there
 * are free objects, each on a free one, and then the end. A ring would not end.
 */
static const char *check_links(const struct slab *s)
{
    size_t i = s->free;
    for (size_t n = s->cache->per_slab - s->taken; n > 0; n--) {
        if (i >= s->cache->per_slab)
            return "slab: the chain of free objects misses some";
        i = link_get(&s->link[i]);
    }
    return i == LINK_END ? NULL : "slab: the chain of free objects is tangled";
}

static const char *check_objects(const struct slab *s)
{
    const char *wrong = NULL;
    size_t taken = 0;
    for (size_t i = 0; i < s->cache->per_slab && !wrong; i++) {
        uint16_t link = link_get(&s->link[i]);
        taken += link == LINK_LIVE || link == LINK_CACHED;
        wrong = debug_check(s->cache, object_at(s, i), link == LINK_LIVE);
    }
    if (!wrong && taken != s->taken)
        wrong = "slab: a slab's count of objects taken is wrong";
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
    size_t slabs, taken;
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
        sum->taken += s->taken;
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
    if (!wrong && (sum.slabs != c->slabs || sum.taken != c->taken))
        wrong = "slab: a cache's counts are not those of its slabs";
    return wrong ? wrong : cpu_check(c, c->taken - count_live(c));
}

const char *slabs_check(struct slabs *s)
{
    const char *wrong = NULL;
    lock_acquire(&s->lock);
    list_for_each (node, &s->caches) {
        struct kmem_cache *c = cache_in(node);
        lock_acquire(&c->lock);
        wrong = wrong ? wrong : check_cache(c);
        lock_release(&c->lock);
    }
    lock_release(&s->lock);
    return wrong;
}
