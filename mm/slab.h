/* Object caches: memory for many objects of one size.
 *
 *     struct kmem_cache *inodes = kmem_cache_create("inode", sizeof(*i), 0,
 *                                                   SLAB_PANIC, inode_once);
 *     struct inode *i = kmem_cache_alloc(inodes, GFP_KERNEL);
 *     kmem_cache_free(inodes, i);
 *
 * Everything here may be called from an interrupt, with GFP_ATOMIC. */
#pragma once

#include "mm/frames.h"
#include "mm/magazine.h"

#include <oct/list.h>
#include <oct/lock.h>
#include <oct/types.h>

struct kmem_cache;

#define SLAB_HWCACHE_ALIGN                                                     \
    0x1u                   /* no more cache lines an object than need be       \
                            */
#define SLAB_POISON 0x2u   /* fill free objects; report writes to them */
#define SLAB_RED_ZONE 0x4u /* report writes just outside of an object */
#define SLAB_PANIC 0x8u    /* panic if the cache cannot be made */
#define SLAB_FLAGS 0xfu

#define SLAB_NAME_SIZE 32

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

/* Gives back the slabs that hold no live object, nor any that other CPUs have
 * at hand. Returns their frames. Does not wait: 0 if somebody is at work in the
 * cache. */
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

struct slab_stats {
    const char *name;
    size_t size;   /* bytes of an object, as asked for */
    size_t live;   /* objects that somebody has */
    size_t cached; /* objects that CPUs have at hand */
    size_t total;  /* objects there is room for */
    size_t slabs;
    size_t frames; /* of all slabs */
};

/* Looks at all objects: slow. */
void kmem_cache_stats(struct kmem_cache *c, struct slab_stats *out);

/* Calls visit for each cache over the kernel's frames, a heap's among them, the
 * cache of caches first. None may be made or destroyed by it. */
void kmem_cache_visit(void (*visit)(void *context, const struct slab_stats *),
                      void *context);

/* Calls visit for each live object. The cache is locked: visit must not use it,
 * and nobody should free meanwhile. */
void kmem_cache_each(struct kmem_cache *c, void (*visit)(void *context, void *),
                     void *context);

/* NULL if every invariant of all those caches holds, else which does not. No
 * other CPU may use them meanwhile. Damage to a red zone or to poison is also
 * reported, with the object. */
const char *slab_check(void);

/* --- sets of caches ---
 *
 * The caches above are the kernel's: a set of them over its frames. There can
 * be more sets, over the frames of any manager; the functions above that take a
 * cache or an object serve for the caches of every set. */

#define CACHE_LINE ((size_t)64)

/* One more flag of a cache: slabs_put may free its objects. */
#define SLAB_HEAP 0x10u

struct kmem_cache {
    /* Fixed when the cache is made. */
    struct slabs *set;
    struct slab_racks **cpu; /* the set's */
    unsigned cpus;           /* entries; 0: all objects come from the slabs */
    unsigned id;             /* the place of its rack among a CPU's */
    unsigned rounds;         /* in a magazine */
    unsigned fulls;     /* magazines that the depot takes when they are full */
    uint32_t per_index; /* 2^32 / stride, rounded up */
    unsigned flags;
    size_t stride;   /* from object to object */
    size_t first;    /* where the first object begins in a slab */
    size_t per_slab; /* objects */
    size_t frames;   /* of a slab */
    size_t size;     /* of an object, as asked for */
    size_t align;    /* of an object, a power of two */
    size_t zone;     /* bytes at least between objects, or 0 */
    size_t keep;     /* empty slabs not given back at once */
    void (*ctor)(void *);
    struct list in_caches;
    char name[SLAB_NAME_SIZE];

    struct depot depot;

    struct lock lock;                /* guards the rest, and all slabs */
    struct list partly, full, empty; /* slabs, by how many objects are taken */
    size_t slabs;
    size_t empties; /* slabs in `empty` */
    size_t taken;   /* objects that are live or in magazines */
};

#define SET_RACKS 64 /* so many caches of a set have magazines */
#define MAGAZINE_SIZES 2

/* What a CPU has at hand of a set: a rack for each cache. */
struct slab_racks {
    struct rack rack[SET_RACKS];
};

/* Begins as zeroes. */
struct slabs {
    struct frames *frames;
    struct slab_racks *
        *cpu;      /* by CPU, each CPU's for itself; &no_racks: none */
    unsigned cpus; /* entries */
    struct list in_sets;

    struct lock lock; /* guards the rest; taken before a cache's */
    struct list caches;
    uint64_t ids; /* those in use */

    /* What the set needs for itself comes from caches, too. */
    struct kmem_cache descriptors, racks, magazines[MAGAZINE_SIZES];
};

/* An empty set, for which some frames are taken. Without them, its caches have
 * no magazines. */
void slabs_init(struct slabs *s, struct frames *frames);

/* Gives the frames of all its caches back, objects live or not. Nobody may use
 * any of them meanwhile, or later. */
void slabs_destroy(struct slabs *s);

/* As kmem_cache_create, for this set. NULL: as there, or no memory; it does not
 * report, and SLAB_PANIC means nothing. */
MUST_CHECK struct kmem_cache *slabs_create(struct slabs *s, const char *name,
                                           size_t size, size_t align,
                                           unsigned flags,
                                           void (*ctor)(void *));

/* As kmem_cache_find, in the slabs of all sets over the same frames. */
struct slab_object slabs_find(const struct slabs *s, const void *p);

/* As kmem_cache_put, whichever of the set's caches with SLAB_HEAP p is from. */
MUST_CHECK const char *slabs_put(struct slabs *s, const void *p);

/* Frames of all slabs of the set. */
size_t slabs_frames(struct slabs *s);

/* kmem_cache_shrink for all caches of the set. Returns the frames. */
size_t slabs_shrink(struct slabs *s);

/* Has the objects that this CPU keeps at hand, or another that is no more, go
 * back to the slabs. */
void slabs_drain(struct slabs *s, unsigned cpu);

/* Takes all locks of the set, lest anybody be inside; and lets go of them. */
void slabs_hold(struct slabs *s);
void slabs_release(struct slabs *s);

/* The same for the list of all sets: before any set, and after all of them. */
void slabs_hold_list(void);
void slabs_release_list(void);

/* NULL if every invariant of the set's caches holds, else which does not. No
 * other CPU may use them meanwhile. */
const char *slabs_check(struct slabs *s);

/* Calls visit for each set there is. None may be made or destroyed by it. */
void slabs_visit(void (*visit)(void *context, struct slabs *s), void *context);
