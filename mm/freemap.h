/* Which of a row of units (frames, pages of a window) are free, and where a run
 * of free ones lies. A bitmap, bit 1 = taken, is the truth; a count per group
 * of units and two sets of groups are derived from it so that finding does not
 * scan. No locks: the caller has one. */
#pragma once

#include <oct/bitset.h>

#define FREEMAP_NONE ((size_t)-1)

struct freemap {
    size_t units;         /* units 0..units-1; a multiple of the group size */
    uint64_t base;        /* number of unit 0 where alignment counts from 0 */
    unsigned group_shift; /* log2 of the units in a group */
    size_t free;          /* units free */
    unsigned long *taken; /* one bit a unit: the truth */
    uint16_t *group_free; /* units free in each group */
    struct bitset partly; /* groups with some units free, not all */
    struct bitset wholly; /* groups with all units free */
};

/* Bytes of storage for `units` units, word aligned. */
size_t freemap_bytes(size_t units, unsigned group_shift);

/* Makes a map with every unit taken. base and units are multiples of the group
 * size; 5 <= group_shift <= 15. storage stays the caller's. */
void freemap_init(struct freemap *f, void *storage, uint64_t base, size_t units,
                  unsigned group_shift);

/* Changes units first..first+n-1. They must all be taken (give), or all be
 * free (take); both assert it. */
void freemap_give(struct freemap *f, size_t first, size_t n);
void freemap_take(struct freemap *f, size_t first, size_t n);

/* True if all of these units are free, or taken. */
bool freemap_all_free(const struct freemap *f, size_t first, size_t n);
bool freemap_all_taken(const struct freemap *f, size_t first, size_t n);

/* The first unit of a run of n >= 1 free units within [0, end), such
 * that base + unit is a multiple of align (a power of two); FREEMAP_NONE if
 * there is none. Takes nothing. Prefers groups that are already partly used, to
 * keep the others whole. */
size_t freemap_find(const struct freemap *f, size_t n, size_t align,
                    size_t end);

/* NULL if all that is derived agrees with the bitmap, else what does not. */
const char *freemap_check(const struct freemap *f);
