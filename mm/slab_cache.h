/* What the files of the object caches share; nobody else includes this. */
#pragma once

#include "mm/pmm.h"
#include "mm/slab.h"

#include <oct/list.h>
#include <oct/lock.h>

/* What stands for an object in its slab's link[]: the next free object, or: */
#define LINK_END 0xffffu  /* it is free, and the last */
#define LINK_LIVE 0xfffeu /* it is not free */
#define SLAB_OBJECTS_MAX 0xfff0u

struct kmem_cache {
    struct lock lock; /* guards the lists, the counts, and all slabs */
    struct list partly, full, empty; /* slabs, by how many objects are live */
    size_t slabs;
    size_t empties; /* slabs in `empty` */
    size_t live;    /* objects */

    /* The rest is fixed when the cache is made. */
    size_t size;     /* of an object, as asked for */
    size_t align;    /* of an object, a power of two */
    size_t zone;     /* bytes at least between objects, or 0 */
    size_t stride;   /* from object to object */
    size_t first;    /* where the first object begins in a slab */
    size_t per_slab; /* objects */
    size_t frames;   /* of a slab */
    size_t keep;     /* empty slabs not given back at once */
    unsigned flags;
    void (*ctor)(void *);
    struct list in_caches;
    char name[SLAB_NAME_SIZE];
};

/* At the start of a run of frames labelled FRAME_SLAB. */
struct slab {
    struct list in_list;
    struct kmem_cache *cache;
    uint16_t live; /* objects */
    uint16_t free; /* the first free one, or LINK_END */
    uint16_t link[];
};

struct caches {
    struct lock lock; /* guards the list; taken before a cache's */
    struct list list;
};

extern struct caches caches;

static inline struct slab *slab_in(struct list *node)
{
    return container_of(node, struct slab, in_list);
}

static inline struct kmem_cache *cache_in(struct list *node)
{
    return container_of(node, struct kmem_cache, in_caches);
}

static inline void *object_at(const struct slab *s, size_t i)
{
    return (char *)(uintptr_t)s + s->cache->first + i * s->cache->stride;
}

static inline bool is_watched(const struct kmem_cache *c)
{
    return c->flags & (SLAB_POISON | SLAB_RED_ZONE);
}

/* The list that a slab belongs in. */
static inline struct list *list_for(const struct slab *s)
{
    struct kmem_cache *c = s->cache;
    if (s->live == 0)
        return &c->empty;
    return s->live == c->per_slab ? &c->full : &c->partly;
}

/* slab.c: gives back empty slabs until no more than `keep` are left. Returns
 * the frames. The cache's lock is held. */
size_t cache_settle(struct kmem_cache *c, size_t keep);

/* slab_debug.c: what SLAB_POISON and SLAB_RED_ZONE do. An object as its slab is
 * made, as it is handed out, and as it is taken back; damage is reported. */
void debug_make(const struct kmem_cache *c, void *p);
void debug_take(const struct kmem_cache *c, void *p, vaddr_t caller);
void debug_give(const struct kmem_cache *c, void *p, vaddr_t caller);

/* NULL, or what is damaged: reported. */
const char *debug_check(const struct kmem_cache *c, void *p, bool live);
