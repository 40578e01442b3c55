/* Object caches: memory for many objects of one size.
 *
 *     struct kmem_cache *inodes = kmem_cache_create("inode", sizeof(*i), 0,
 *                                                   SLAB_PANIC, inode_once);
 *     struct inode *i = kmem_cache_alloc(inodes, GFP_KERNEL);
 *     kmem_cache_free(inodes, i);
 *
 * Everything here may be called from an interrupt, with GFP_ATOMIC. */
#pragma once

#include "mm/gfp.h"

#include <oct/types.h>

struct kmem_cache;

#define SLAB_HWCACHE_ALIGN                                                     \
    0x1u                   /* no more cache lines an object than need be       \
                            */
#define SLAB_POISON 0x2u   /* fill free objects; report writes to them */
#define SLAB_RED_ZONE 0x4u /* report writes just outside of an object */
#define SLAB_PANIC 0x8u    /* panic if the cache cannot be made */
#define SLAB_FLAGS 0xfu

#define SLAB_NAME_SIZE 24

/* The cache of caches, and the shrinker. After the frame manager. */
void slab_init(void);

/* A cache of objects of `size` > 0 bytes, at multiples of `align` (a power of
 * two of at most a page; 0: a pointer's). `name` is copied, and cut to fit.
 *
 * ctor, unless NULL, makes an object ready; it runs once an object, when its
 * slab is made, and an object comes back from kmem_cache_alloc in the state in
 * which it was freed. Not so with SLAB_POISON, which takes that state away:
 * there ctor runs at each allocation. ctor must not use the cache.
 *
 * NULL, reported, if objects are larger than a slab can be, or there is no
 * memory. */
MUST_CHECK struct kmem_cache *kmem_cache_create(const char *name, size_t size,
                                                size_t align, unsigned flags,
                                                void (*ctor)(void *));

/* Gives all of the cache's memory back. -EBUSY, reported, and nothing done,
 * while any of its objects is live. Nobody may use the cache meanwhile. */
MUST_CHECK int kmem_cache_destroy(struct kmem_cache *c);

/* One object, in O(1) but for a new slab. NULL, reported unless __GFP_NOWARN:
 * no memory. __GFP_ZERO only without a constructor; no __GFP_DMA. */
MUST_CHECK void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp);
MUST_CHECK void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp);

/* n objects into out[], all or none: returns n, or 0. */
MUST_CHECK size_t kmem_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp,
                                        size_t n, void **out);

/* Takes an object back, in O(1). NULL is nothing. Whatever is not the start of
 * a live object of this cache is reported with the caller, and changes nothing.
 */
void kmem_cache_free(struct kmem_cache *c, const void *p);
void kmem_cache_free_bulk(struct kmem_cache *c, size_t n, void **objects);

/* As kmem_cache_free, p not NULL, but returns why it refused, not reporting. */
MUST_CHECK const char *kmem_cache_put(struct kmem_cache *c, const void *p);

/* Gives back the slabs that hold no live object. Returns the frames. Does not
 * wait: 0 if somebody is at work in the cache. */
size_t kmem_cache_shrink(struct kmem_cache *c);

/* Bytes that may be used of each object: what was asked for. */
size_t kmem_cache_size(const struct kmem_cache *c);

/* What lies at any address at all. */
struct slab_object {
    struct kmem_cache *cache; /* whose slab it is in, or NULL */
    void *start;              /* of the object it is in, or NULL */
    const char *refused;      /* NULL: a live object starts there; or why not */
};

struct slab_object kmem_cache_find(const void *p);

/* The cache in whose slab p lies, or NULL. */
struct kmem_cache *kmem_cache_of(const void *p);

struct slab_stats {
    const char *name;
    size_t size;  /* bytes of an object, as asked for */
    size_t live;  /* objects that somebody has */
    size_t total; /* objects there is room for */
    size_t slabs;
    size_t frames; /* of all slabs */
};

void kmem_cache_stats(struct kmem_cache *c, struct slab_stats *out);

/* Calls visit for each cache, the cache of caches first. None may be made or
 * destroyed by it. */
void kmem_cache_visit(void (*visit)(void *context, const struct slab_stats *),
                      void *context);

/* Calls visit for each live object. The cache is locked. */
void kmem_cache_each(struct kmem_cache *c, void (*visit)(void *context, void *),
                     void *context);

/* NULL if every invariant of all caches holds, else which does not. Damage to a
 * red zone or to poison is also reported, with the object. */
const char *slab_check(void);
