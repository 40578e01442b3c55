/* A set of numbers 0..size-1 that finds its next member in a few word reads,
 * however large it is and however few members it has: above the words that hold
 * the members lies a level with one bit a word, above that another, up to a
 * level of one word. */
#pragma once

#include <oct/types.h>

#define BITSET_LEVELS 6
#define BITSET_NONE ((size_t)-1)

struct bitset {
    size_t size;
    unsigned levels;
    unsigned long *level[BITSET_LEVELS]; /* level[0]: the members */
};

/* Bytes of storage that a set of `size` numbers needs. */
size_t bitset_bytes(size_t size);

/* Makes *s the empty set. `storage` is word aligned and stays the caller's. The
 * second wants it zeroed, and does not touch it. */
void bitset_init(struct bitset *s, void *storage, size_t size);
void bitset_init_zeroed(struct bitset *s, void *zeroed, size_t size);

/* Adds all numbers to an empty set. */
void bitset_fill(struct bitset *s);

void bitset_add(struct bitset *s, size_t i);
void bitset_remove(struct bitset *s, size_t i);
bool bitset_has(const struct bitset *s, size_t i);

/* Looks at one word. */
static inline bool bitset_empty(const struct bitset *s)
{
    return s->level[s->levels - 1][0] == 0;
}

/* The smallest member; the set is not empty. */
static inline size_t bitset_first(const struct bitset *s)
{
    size_t i = 0;
    for (unsigned l = s->levels; l-- > 0;)
        i = i * WORD_BITS + (size_t)__builtin_ctzl(s->level[l][i]);
    return i;
}

/* The smallest member that is at least i, or BITSET_NONE. */
size_t bitset_next(const struct bitset *s, size_t i);

/* True if every upper level says what the level below says. */
bool bitset_check(const struct bitset *s);
