/* Large objects: whole frames, for the slab heap. For each run of them there is
 * a descriptor, found by a hash of its address: the frame manager knows where a
 * run begins, but not whose it is, nor, but by looking at each frame, where it
 * ends. */
#pragma once

#include "mm/kheap_backend.h"
#include "mm/slab.h"

#include <oct/lock.h>

struct large_run;

/* A power of two; some thousand objects are found at once. */
#define LARGE_BUCKETS 512

/* Begins as zeroes. */
struct large {
    struct frames *frames;
    struct kmem_cache *descriptors;

    struct lock lock;      /* guards the rest */
    size_t objects, taken; /* and frames of them */
    struct large_run *bucket[LARGE_BUCKETS];
};

/* The descriptors come from a cache of that set, whose frames are used. False:
 * no memory. */
bool large_init(struct large *l, struct slabs *set);

/* Gives all frames back. Nobody may use it meanwhile, or later. */
void large_destroy(struct large *l);

/* An object of `size` bytes at a multiple of `align` (a power of two); NULL: no
 * memory. */
void *large_alloc(struct large *l, size_t size, size_t align, gfp_t flags);

/* Frees the object at p. False: none begins there. */
bool large_free(struct large *l, const void *p);

/* What lies at p. */
struct heap_object large_find(struct large *l, const void *p);

/* NULL if every invariant holds, else which does not. */
const char *large_check(struct large *l);

/* Calls visit for each object. Nobody may use any meanwhile. */
void large_each(struct large *l,
                void (*visit)(void *context, void *p, size_t size),
                void *context);
