/* Numbered places, each with a length, and where there is one that is long
 * enough. A place of length 2^(c-1) up to 2^c - 1 is in class c, and each class
 * is a set; class 0 would have those of length 0, but is not kept. */
#pragma once

#include <oct/bitset.h>

#define RANK_CLASSES 13
#define RANK_NONE BITSET_NONE

struct ranks {
    uint16_t *length;                 /* of each place */
    uint32_t classes;                 /* bit c: class c is not empty */
    uint16_t none_from[RANK_CLASSES]; /* no member is this long, or longer */
    struct bitset class[RANK_CLASSES];
};

/* Bytes of storage for `size` places with lengths up to `longest`, which is
 * less than 2^(RANK_CLASSES - 1). */
size_t ranks_bytes(size_t size, size_t longest);

/* All lengths are 0, or all `longest`. */
void ranks_init(struct ranks *r, void *zeroed, size_t size, size_t longest,
                bool full);

void ranks_set(struct ranks *r, size_t place, size_t length);

/* A place at least `length` > 0 long, of the lowest class that has one; and the
 * next after that. RANK_NONE: no more. */
size_t ranks_first(struct ranks *r, size_t length);
size_t ranks_after(const struct ranks *r, size_t length, size_t place);

/* True if the sets say what the lengths say. */
bool ranks_check(const struct ranks *r, size_t size);
