/* What the files of the heap share; nobody else includes this. */
#pragma once

#include "mm/kheap_backend.h"

#include <oct/bitset.h>
#include <oct/list.h>
#include <oct/lock.h>

#define CHUNK ((size_t)4096)
#define SUBBLOCK ((size_t)32)
#define CHUNK_SUBBLOCKS (CHUNK / SUBBLOCK)

#define TAG_FREE 0x00
#define TAG_FIRST 0x01 /* of objects; two neighbours rule out two tags */
#define TAG_HEADER 0xff

struct block {
    struct list in_blocks; /* all blocks */
    size_t chunks;
    size_t free;   /* free subblocks */
    uint8_t tag[]; /* one a subblock of the whole block, header included */
};

#define RUNS_EXACT 64 /* lengths with a list of their own; a power of two */
#define RUNS_LISTS (RUNS_EXACT + WORD_BITS)

struct heap {
    struct lock lock; /* guards the rest, and all blocks */
    struct list blocks;
    struct block *spare; /* an empty block kept, or NULL */
    size_t live;         /* subblocks of live objects */
    size_t objects;
    struct list runs[RUNS_LISTS]; /* free runs by length */
    struct bitset used_lists;     /* those with any on them */
};

extern struct heap heap;

static inline unsigned log2_of(size_t n)
{
    return (unsigned)(WORD_BITS - 1) - (unsigned)__builtin_clzl(n);
}

static inline size_t round_up_size(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static inline size_t subblocks_for(size_t size)
{
    return size ? (size + SUBBLOCK - 1) / SUBBLOCK : 1;
}

static inline size_t header_subblocks(size_t chunks)
{
    return subblocks_for(sizeof(struct block) + chunks * CHUNK_SUBBLOCKS);
}

static inline size_t block_subblocks(const struct block *b)
{
    return b->chunks * CHUNK_SUBBLOCKS;
}

/* Subblocks for objects. */
static inline size_t block_capacity(const struct block *b)
{
    return block_subblocks(b) - header_subblocks(b->chunks);
}

static inline void *subblock_at(struct block *b, size_t i)
{
    return (char *)b + i * SUBBLOCK;
}

/* How many subblocks from i on have the tag that i has. */
size_t run_length(const struct block *b, size_t i);

/* --- kheap_runs.c: free runs, found by length. All hold the heap's lock. ---
 */

void runs_init(void);

/* Subblocks i..i+n-1 are free, and those beside them are not: they are a run
 * from now on; or no longer. The tags are the caller's business. */
void runs_add(struct block *b, size_t i, size_t n);
void runs_remove(struct block *b, size_t i, size_t n);

/* Length of the free run that ends before subblock i, or begins at it; or 0. */
size_t runs_before(struct block *b, size_t i);
size_t runs_from(struct block *b, size_t i);

/* Where an object can be: at subblock `first` of the free run i..i+n-1. */
struct place {
    struct block *block; /* NULL: nowhere */
    size_t i, n, first;
};

/* A place for n subblocks, the first at a multiple of align. */
struct place runs_find(size_t n, size_t align);

/* Subblocks of the longest free run. */
size_t runs_longest(void);

/* For checking: does the run i..i+n-1 describe itself rightly? How many runs
 * are on the lists, or -1 if one is on a wrong list? */
bool runs_describe(struct block *b, size_t i, size_t n);
size_t runs_count(void);

/* kheap_info.c: parts of tagged_heap. */
void tagged_stats(struct kheap_stats *out);
const char *tagged_check(void);
void tagged_each(void (*visit)(void *context, void *p, size_t size),
                 void *context);
