/* Slabs: made of frames, given back to them, and the objects in between. */
#include "mm/slab_parts.h"

struct slab *new_slab(struct kmem_cache *c, gfp_t gfp)
{
    struct frames *frames = c->set->frames;
    assert(!(gfp & __GFP_DMA)); /* any cache's slabs lie anywhere */
    paddr_t pa = frames_alloc_gfp(frames, c->frames, PAGE_SIZE,
                                  frames->direct_end, gfp & ~__GFP_HIGH);
    if (!pa)
        return NULL;
    struct slab *s = frames_view(frames, pa);
    *s = (struct slab){.cache = c};
    list_init(&s->in_list);
    for (size_t i = 0; i < c->per_slab; i++) {
        link_set(&s->link[i], i + 1 < c->per_slab ? i + 1 : LINK_END);
        if (is_watched(c))
            debug_make(c, object_at(s, i));
        if (c->ctor && !(c->flags & SLAB_POISON))
            c->ctor(object_at(s, i));
    }
    frames_label(frames, pa, c->frames, FRAME_SLAB); /* now it is found */
    return s;
}

void add_slab(struct kmem_cache *c, struct slab *s)
{
    assert(lock_held(&c->lock) && s->taken == 0);
    list_push(&c->empty, &s->in_list);
    c->empties++;
    c->slabs++;
}

static void release_slab(struct kmem_cache *c, struct slab *s)
{
    struct frames *frames = c->set->frames;
    assert(lock_held(&c->lock) && s->taken == 0);
    list_remove(&s->in_list);
    c->empties--;
    c->slabs--;
    int error = frames_free(frames, frames_address(frames, s), c->frames);
    assert(!error);
}

size_t cache_settle(struct kmem_cache *c, size_t keep)
{
    size_t frames = 0;
    for (; c->empties > keep; frames += c->frames)
        release_slab(c, slab_in(c->empty.next));
    return frames;
}

/* To where its number of objects taken wants it. */
static void file_slab(struct slab *s)
{
    list_remove(&s->in_list);
    list_push(list_for(s), &s->in_list);
}

/* Out of one slab. */
static size_t pop_from(struct slab *s, size_t n, void **out, uint16_t **link)
{
    struct kmem_cache *c = s->cache;
    bool was_empty = s->taken == 0;
    size_t got = 0;
    assert(lock_held(&c->lock) && s->free < c->per_slab);
    for (; got < n && s->free != LINK_END; got++) {
        uint16_t *l = &s->link[s->free];
        out[got] = object_at(s, s->free);
        s->free = link_get(l);
        link_set(l, LINK_LIVE);
        if (link)
            link[got] = l;
    }
    s->taken = (uint16_t)(s->taken + got);
    c->taken += got;
    c->empties -= was_empty;
    if (was_empty || s->free == LINK_END)
        file_slab(s);
    return got;
}

size_t slab_pop(struct kmem_cache *c, size_t n, void **out, uint16_t **link)
{
    size_t got = 0;
    while (got < n) {
        struct list *from = list_empty(&c->partly) ? &c->empty : &c->partly;
        if (list_empty(from))
            break;
        got += pop_from(slab_in(from->next), n - got, out + got,
                        link ? link + got : NULL);
    }
    return got;
}

size_t slab_push(struct slab *s, const struct round *r, size_t n)
{
    struct kmem_cache *c = s->cache;
    bool was_full = s->free == LINK_END;
    size_t given = 0;
    assert(lock_held(&c->lock));
    for (; given < n && has_link(s, r[given].mark); given++) {
        uint16_t *link = r[given].mark;
        assert(link_get(link) == LINK_LIVE || link_get(link) == LINK_CACHED);
        link_set(link, s->free);
        s->free = (uint16_t)(link - s->link);
    }
    assert(given > 0);
    s->taken = (uint16_t)(s->taken - given);
    c->taken -= given;
    c->empties += s->taken == 0;
    if (s->taken == 0 || was_full)
        file_slab(s);
    return given;
}
