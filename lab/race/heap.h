/* The objects of the heap races. Each is stamped when it is allocated and
 * looked at before it is freed, so that an allocator that gives the same memory
 * to two does not win. The stamp costs the same for all. */
#pragma once

#include "lab/race/race.h"

#include <stdlib.h>

enum { SIZES = 4096 }; /* random sizes made beforehand, used in a circle */

/* Sizes of 16 to 512 bytes, small ones more often: the lesser of two draws. */
extern uint16_t small_sizes[SIZES];
/* 16 to 1024 bytes, all as often. */
extern uint16_t mixed_sizes[SIZES];

static inline uint64_t stamp_of(const void *p)
{
    return (uint64_t)(uintptr_t)p ^ 0x6f63742072616365;
}

static inline void *make_object(size_t size)
{
    uint64_t *p = malloc(size);
    if (!p)
        die("malloc(%zu) fails", size);
    *p = stamp_of(p);
    return p;
}

static inline void free_object(void *p)
{
    uint64_t *stamp = p;
    if (*stamp != stamp_of(p))
        die("the object at %p was overwritten", p);
    *stamp = 0;
    free(p);
}

/* `n` live objects, of which random ones are replaced. */
struct population {
    void **objects;
    size_t n;
    size_t next_size;
    uint64_t seed;
};

static inline size_t take_size(struct population *p)
{
    return small_sizes[p->next_size++ % SIZES];
}

void population_make(struct population *p, size_t n, uint64_t seed);
void population_free(struct population *p);
void population_replace(struct population *p, size_t steps);

/* The races; `parameter` is a size or a number of live objects. */
void race_pair(size_t parameter, size_t operations);
void race_batch_lifo(size_t parameter, size_t operations);
void race_batch_mixed(size_t parameter, size_t operations);
void race_churn(size_t parameter, size_t operations);
void race_latency(size_t parameter, size_t operations);
void race_footprint(size_t parameter, size_t operations);
void race_realloc(size_t parameter, size_t operations);
void race_larson(size_t parameter, size_t operations);
void race_prodcons(size_t parameter, size_t operations);
