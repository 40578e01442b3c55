/* Which of a row of units (frames, pages of a window) are free, and where a run
 * of free ones lies. A bitmap, bit 1 = taken, is the truth; what is known about
 * each group of units is derived from it, so that finding does not scan. No
 * locks: the caller has one. */
#pragma once

#include "mm/freemap_ranks.h"

#define FREEMAP_NONE ((size_t)-1)

/* n units in a row below `end`, the first one's number a multiple of align. */
struct freemap_wish {
    size_t n, align, end;
};

struct freemap {
    size_t units;         /* units 0..units-1; a multiple of the group size */
    uint64_t base;        /* number of unit 0 where alignment counts from 0 */
    unsigned group_shift; /* log2 of the units in a group */
    size_t free;          /* units free */
    unsigned long *taken; /* one bit a unit: the truth */
    uint16_t *group_free; /* units free in each group */
    uint16_t good_free;   /* of a group from which units are well taken */
    size_t filling;       /* the group from which single units are taken */
    size_t recent, recent_end; /* a free run in one group, or nothing */
    struct freemap_wish none;  /* this and what is harder cannot come true */
    struct ranks inside;       /* by group: the longest free run within it, */
    struct ranks across; /* the run across its start, as far as it lies in this
                            group and the one before; or longer */
};

/* Bytes of storage for `units` units, word aligned. */
size_t freemap_bytes(size_t units, unsigned group_shift);

/* Makes a map with every unit taken. base and units are multiples of the group
 * size; 5 <= group_shift <= 10. storage stays the caller's. */
void freemap_init(struct freemap *f, void *storage, uint64_t base, size_t units,
                  unsigned group_shift);

/* The same with every unit free, in zeroed storage: touches less of it. */
void freemap_init_free(struct freemap *f, void *zeroed, uint64_t base,
                       size_t units, unsigned group_shift);

/* Changes units first..first+n-1. They must all be taken (give), or all be
 * free (take); both assert it. */
void freemap_give(struct freemap *f, size_t first, size_t n);
void freemap_take(struct freemap *f, size_t first, size_t n);

/* Takes up to max units, wherever they are, and stores their numbers. Returns
 * how many: fewer only if there are no more. */
size_t freemap_take_some(struct freemap *f, size_t max, size_t unit[]);

/* Taken, this unit is as well placed as what freemap_take_some would take in
 * its stead: groups that are used less should be left to become whole. May be
 * asked without the lock; then it is only likely. */
static inline bool freemap_is_well_placed(const struct freemap *f, size_t unit)
{
    size_t group = unit >> f->group_shift;
    return group == __atomic_load_n(&f->filling, __ATOMIC_RELAXED) ||
           __atomic_load_n(&f->group_free[group], __ATOMIC_RELAXED) <=
               __atomic_load_n(&f->good_free, __ATOMIC_RELAXED);
}

/* True if all of these units are free, or taken. */
bool freemap_all_free(const struct freemap *f, size_t first, size_t n);
bool freemap_all_taken(const struct freemap *f, size_t first, size_t n);

/* The first unit of a run of n >= 1 free units within [0, end), such
 * that base + unit is a multiple of align (a power of two); FREEMAP_NONE if
 * there is none. Takes nothing. Prefers groups with no longer runs than need
 * be, to keep the others whole. */
size_t freemap_find(struct freemap *f, size_t n, size_t align, size_t end);

/* NULL if all that is derived agrees with the bitmap, else what does not. */
const char *freemap_check(const struct freemap *f);
