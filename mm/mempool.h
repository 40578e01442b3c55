/* Pools with a reserve: for those who must not be told no, such as whoever
 * writes pages out to free memory. A pool keeps elements back for the moment
 * when its allocator has none, and whoever may wait then waits until an element
 * of the pool is freed. So it only helps users who free what they took without
 * needing another element first. */
#pragma once

#include "mm/gfp.h"

#include <oct/types.h>

struct mempool;
struct kmem_cache;

/* One more element, or NULL; and its end. `data` is the pool's. */
typedef void *mempool_alloc_fn(gfp_t gfp, void *data);
typedef void mempool_free_fn(void *element, void *data);

/* A pool that holds min_nr > 0 elements in reserve from the start. NULL: no
 * memory, and nothing is left behind. */
MUST_CHECK struct mempool *mempool_create(size_t min_nr,
                                          mempool_alloc_fn *alloc_fn,
                                          mempool_free_fn *free_fn, void *data);

/* Of objects of a cache, which must outlive the pool; of kmalloc'ed memory. */
MUST_CHECK struct mempool *mempool_create_slab_pool(size_t min_nr,
                                                    struct kmem_cache *cache);
MUST_CHECK struct mempool *mempool_create_kmalloc_pool(size_t min_nr,
                                                       size_t size);

/* One element: of the allocator if it has one at once, else of the reserve.
 * When both are empty, a caller with __GFP_WAIT that is not in an interrupt
 * waits until there is one, and is never told no; any other gets NULL. No
 * __GFP_ZERO, which elements of the reserve would not obey. */
MUST_CHECK void *mempool_alloc(struct mempool *pool, gfp_t gfp);

/* Takes an element of the pool back: into the reserve, until that is full. NULL
 * is nothing. More than were taken are reported, and left alone. */
void mempool_free(void *element, struct mempool *pool);

/* Changes the reserve. 0, or -ENOMEM: it is as it was. Elements may be in use,
 * but nobody else may resize or destroy the pool meanwhile. */
MUST_CHECK int mempool_resize(struct mempool *pool, size_t min_nr);

/* Frees the pool and its reserve. NULL is nothing. -EBUSY, reported, and
 * nothing done, while elements are in use. */
MUST_CHECK int mempool_destroy(struct mempool *pool);

struct mempool_stats {
    size_t min_nr;  /* elements that the reserve should hold, */
    size_t reserve; /* that it holds, */
    size_t in_use;  /* and that somebody has */
    size_t waits;   /* times that somebody had to wait for one */
};

void mempool_stats(struct mempool *pool, struct mempool_stats *out);

/* NULL if every invariant holds, else which does not. */
const char *mempool_check(struct mempool *pool);
