/* What the files of the tagged heap share; nobody else includes this. */
#pragma once

#include "mm/kheap_backend.h"
#include "mm/magazine.h"

#include <oct/bitset.h>
#include <oct/list.h>
#include <oct/lock.h>

#define CHUNK ((size_t)4096)
#define SUBBLOCK ((size_t)32)
#define CHUNK_SUBBLOCKS (CHUNK / SUBBLOCK)

struct block {
    struct list in_blocks; /* all blocks */
    size_t chunks;
    size_t free;   /* free subblocks */
    uint8_t tag[]; /* one a subblock of the whole block, header included */
};

/* --- lengths ---
 *
 * An object has 1 to CLASS_EXACT subblocks, or one of four lengths an octave up
 * to CLASS_LONGEST: its length class. Longer ones have any length. */
#define CLASS_EXACT ((size_t)16)
#define CLASS_LONGEST ((size_t)1024)
#define CLASSES 40u

/* The class of objects that have room for n <= CLASS_LONGEST subblocks. */
extern const uint8_t class_by_length[CLASS_LONGEST + 1];

static inline unsigned class_for(size_t n)
{
    return class_by_length[n];
}

static inline size_t class_length(unsigned class)
{
    if (class < CLASS_EXACT)
        return class + 1;
    return (size_t)(5 + class % 4) << (class / 4 - 2);
}

/* --- tags ---
 *
 * A subblock's tag is TAG_FREE, TAG_HEADER, or an object's: all subblocks of an
 * object share one, of the three that its class has or, if its length is no
 * class's, of three more. So neighbours differ, and a tag tells a length. The
 * tag of the first subblock also has TAG_IDLE set while the object is not the
 * user's: it lies in a magazine, or is one. */
#define TAG_FREE 0x00
#define TAG_FIRST 0x01
#define TAG_IDLE 0x80
#define TAG_HEADER 0xff

static inline uint8_t first_tag(unsigned class)
{
    return (uint8_t)(TAG_FIRST + 3 * class);
}

/* Of an object that is the user's. */
static inline bool is_live_tag(uint8_t tag)
{
    return tag != TAG_FREE && tag < TAG_IDLE;
}

/* CLASSES if it is that of an object of no class. */
static inline unsigned class_of_tag(uint8_t tag)
{
    return ((unsigned)(tag & ~TAG_IDLE) - TAG_FIRST) * 171 >> 9; /* / 3 */
}

/* CPUs meet at tags: one may look at the tag beside an object of its own while
 * another hands that neighbour out. */
static inline uint8_t tag_at(const struct block *b, size_t i)
{
    return __atomic_load_n(&b->tag[i], __ATOMIC_RELAXED);
}

static inline void set_tag(uint8_t *tag, uint8_t value)
{
    __atomic_store_n(tag, value, __ATOMIC_RELAXED);
}

/* Gives subblocks i..i+n-1 that tag. */
void paint(struct block *b, size_t i, size_t n, uint8_t tag);

/* How many subblocks from i on have the tag that i has, where an object begins
 * or a free run. */
size_t run_length(const struct block *b, size_t i);

/* --- the heap --- */

#define RUNS_EXACT 64 /* lengths with a list of their own; a power of two */
#define RUNS_LISTS (RUNS_EXACT + WORD_BITS)

/* And behind them, for objects of no class, one that never has room. */
struct cpu_racks {
    struct rack rack[CLASSES + 1];
};

struct tagged {
    struct heap heap;
    struct cpu_racks **cpu; /* by CPU; &no_racks: none yet */
    struct depot depot[CLASSES];

    struct lock lock; /* guards the rest, and all blocks */
    struct list blocks;
    struct block *spare;          /* an empty block kept, or NULL */
    size_t chunks;                /* of all blocks */
    size_t taken;                 /* subblocks that are not free, nor headers */
    size_t objects;               /* how many objects these are */
    size_t own;                   /* of them, magazines */
    struct list runs[RUNS_LISTS]; /* free runs by length */
    struct bitset used_lists;     /* those with any on them */
    unsigned long used_words[RUNS_LISTS / 16];
};

static inline struct tagged *tagged_of(struct heap *h)
{
    return container_of(h, struct tagged, heap);
}

static inline size_t subblocks_for(size_t size)
{
    return size ? (size + SUBBLOCK - 1) / SUBBLOCK : 1;
}

/* How objects of n subblocks are aligned, in subblocks: to their length if that
 * is a power of two, or to a page. */
static inline size_t align_for(size_t n)
{
    return is_power_of_two(n) ? min_size(n, CHUNK_SUBBLOCKS) : 1;
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

/* The block that p lies in, or NULL. */
static ALWAYS_INLINE struct block *block_of(const struct tagged *t,
                                            const void *p)
{
    struct frames *frames = t->heap.frames;
    paddr_t start =
        frames_run_start(frames, frames_address(frames, p), FRAME_HEAP);
    return start ? frames_view(frames, start) : NULL;
}

/* What p points to. */
struct object {
    struct block *block;
    size_t first;        /* its first subblock */
    uint8_t tag;         /* and that one's tag */
    const char *refused; /* or why p is no live object */
};

/* kheap.c: why it is not, if it is not. */
COLD const char *why_refused(const struct block *b, const void *p);

static ALWAYS_INLINE struct object find_object(const struct tagged *t,
                                               const void *p)
{
    struct block *b = block_of(t, p);
    if (!b)
        return (struct object){.refused = "not from this heap"};
    size_t offset = (size_t)((const char *)p - (const char *)b);
    size_t i = offset / SUBBLOCK;
    uint8_t tag = tag_at(b, i);
    if (is_live_tag(tag) && offset % SUBBLOCK == 0 &&
        (tag_at(b, i - 1) & ~TAG_IDLE) != tag)
        return (struct object){b, i, tag, NULL};
    return (struct object){.refused = why_refused(b, p)};
}

/* --- kheap.c: objects and runs. All hold the heap's lock. --- */

/* Where an object can be: at subblock `first` of the free run i..i+n-1. */
struct place {
    struct block *block; /* NULL: nowhere */
    size_t i, n, first;
};

/* A tag for an object of n subblocks at i that its neighbours do not have. */
uint8_t pick_tag(const struct block *b, size_t i, size_t n);

/* An object of n subblocks in the place, and in the free run behind it up to
 * `more` others of that length. Stores their addresses in out[]; returns how
 * many they are. */
size_t take_row(struct tagged *t, const struct place *p, size_t n, size_t more,
                void *out[]);

/* Frees subblocks i..i+n-1, one object's or its end. */
void free_run(struct tagged *t, struct block *b, size_t i, size_t n);

/* Frees all of an object; its block may go with it. */
void free_object(struct tagged *t, struct block *b, size_t i);

/* --- kheap_runs.c: free runs, found by length. All hold the heap's lock. ---
 */

void runs_init(struct tagged *t);

/* Subblocks i..i+n-1 are free, and those beside them are not: they are a run
 * from now on; or no longer. The tags are the caller's business. */
void runs_add(struct tagged *t, struct block *b, size_t i, size_t n);
void runs_remove(struct tagged *t, struct block *b, size_t i, size_t n);

/* Length of the free run that ends before subblock i, or begins at it; or 0. */
size_t runs_before(struct block *b, size_t i);
size_t runs_from(struct block *b, size_t i);

/* A place for n subblocks, the first at a multiple of `align` subblocks in
 * memory. */
struct place runs_find(struct tagged *t, size_t n, size_t align);

/* Subblocks of the longest free run. */
size_t runs_longest(struct tagged *t);

/* For checking: does the run i..i+n-1 describe itself rightly? How many runs
 * are on the lists, or -1 if one is on a wrong list? */
bool runs_describe(struct tagged *t, struct block *b, size_t i, size_t n);
size_t runs_count(struct tagged *t);

/* --- kheap_cpu.c: the objects that CPUs have at hand --- */

/* Makes the CPUs' table. False: no memory. And gives it back. */
bool cpus_init(struct tagged *t);
void cpus_destroy(struct tagged *t);

/* tagged_heap's own; and what they do when this CPU has nothing at hand, or no
 * room for more. */
void *tagged_alloc(struct heap *h, size_t size, gfp_t flags);
const char *tagged_free(struct heap *h, const void *p);
COLD void *alloc_slowly(struct tagged *t, size_t size, gfp_t flags);
COLD const char *free_slowly(struct tagged *t, const void *p);

/* Has this CPU take objects of the class from the depot, or give some to it or
 * back to the runs. Then there is something at hand, or room for more; false
 * otherwise. */
bool stock_up(struct tagged *t, unsigned class);
bool make_room(struct tagged *t, unsigned class);

/* The lock is held: an object from the free runs for the user, and some more
 * for this CPU. NULL: no run has room. */
void *refill(struct tagged *t, unsigned class);

/* Gives back the objects that a CPU has, this one or one that no longer runs,
 * and those that the depots have. The lock is held. */
void drain(struct tagged *t, unsigned cpu);

/* A round's object, without what kheap_cpu.c keeps in the address. */
void *round_object(const struct round *r);

/* Calls visit for every round, until it says what is wrong. Nobody may use the
 * heap meanwhile. */
const char *each_round(const struct tagged *t,
                       const char *(*visit)(void *context,
                                            const struct round *r,
                                            unsigned class),
                       void *context);

/* kheap_resize.c and kheap_info.c: parts of tagged_heap. */
struct heap_object tagged_find(struct heap *h, const void *p);
bool tagged_resize(struct heap *h, void *p, size_t size);
void tagged_stats(struct heap *h, struct kheap_stats *out);
const char *tagged_check(struct heap *h);
void tagged_each(struct heap *h,
                 void (*visit)(void *context, void *p, size_t size),
                 void *context);
