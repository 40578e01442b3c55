/* What the files of the heap share; nobody else includes this. */
#pragma once

#include "mm/kheap.h"

#include <oct/list.h>
#include <oct/lock.h>

#define CHUNK ((size_t)4096)
#define SUBBLOCK ((size_t)32)
#define CHUNK_SUBBLOCKS (CHUNK / SUBBLOCK)
#define NO_RUN ((size_t)-1)

#define TAG_FREE 0x00
#define TAG_FIRST 0x01 /* of objects; two neighbours rule out two tags */
#define TAG_HEADER 0xff

struct block {
    struct list in_blocks; /* all blocks */
    struct list in_bin;    /* blocks whose `longest` is in the same octave */
    size_t chunks;
    size_t free;    /* free subblocks */
    size_t longest; /* at least the longest run of free subblocks */
    uint8_t tag[];  /* one a subblock of the whole block, header included */
};

struct heap {
    struct lock lock; /* guards the rest, and all blocks */
    struct list blocks;
    struct list bin[1 + WORD_BITS]; /* bin[0]: full blocks */
    struct block *spare;            /* an empty block kept, or NULL */
    size_t live;                    /* subblocks of live objects */
    size_t objects;
};

extern struct heap heap;

static inline unsigned log2_of(size_t n)
{
    return (unsigned)(WORD_BITS - 1) - (unsigned)__builtin_clzl(n);
}

/* The bin for blocks with such a longest run. */
static inline unsigned bin_of(size_t longest)
{
    return longest ? 1 + log2_of(longest) : 0;
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

static inline void *subblock_at(struct block *b, size_t i)
{
    return (char *)b + i * SUBBLOCK;
}

/* The first free subblock at or after i; block_subblocks(b) if there is none.
 */
size_t next_free_tag(const struct block *b, size_t i);

/* How many subblocks from i on have the tag that i has. */
size_t run_length(const struct block *b, size_t i);

/* The longest run of free subblocks, counted. */
size_t longest_run(const struct block *b);

/* kmalloc and kfree on behalf of `caller`. */
void *heap_alloc(size_t size, gfp_t flags, vaddr_t caller);
void heap_free(const void *p, vaddr_t caller, bool wipe);

struct resized {
    bool done;           /* the object has the new size, where it was */
    size_t before;       /* the bytes it had */
    const char *refused; /* why p is no object, or NULL */
};

/* Tries to change the size of the object at p without moving it. */
struct resized heap_resize(void *p, size_t size);
