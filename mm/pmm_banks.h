/* What the files of the frame manager share; nobody else includes this. */
#pragma once

#include "mm/freemap.h"
#include "mm/pmm.h"
#include "mm/pmm_free.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/list.h>
#include <oct/lock.h>

#define FRAME_ONE 1u        /* value of a frame with one owner */
#define VALUE_MAX 0xffffffu /* largest value */

struct frame {
    uint32_t kind : 7;
    uint32_t more : 1;   /* the next frame belongs to the same run */
    uint32_t value : 24; /* owners; in heap and slabs: place in the run, at
                            most VALUE_MAX, then that many frames further down;
                            free, buddy: 1 + order where a block begins */
};

_Static_assert(sizeof(struct frame) == 4, "frame entries are one word");
_Static_assert(PAGE_SIZE == 1u << PAGE_SHIFT, "one page size");

/* `units` frames from `base` on, both multiples of BANK_ALIGN. */
struct bank {
    paddr_t base;
    size_t units;
    size_t free; /* of them */
    struct frame *frame;
    const struct free_manager *manager;
    struct freemap map;                               /* the bitmap's */
    struct list free_lists[PAGE_ALLOC_MAX_ORDER + 1]; /* the buddy's */
};

#define BANK_ALIGN                                                             \
    max_size((size_t)1 << (PAGE_SHIFT + PT_INDEX_BITS),                        \
             PAGE_SIZE << PAGE_ALLOC_MAX_ORDER)

struct pmm {
    struct lock lock;   /* guards the rest */
    struct bank *banks; /* in order of address, apart from each other */
    size_t bank_count;
    struct pmm_stats stats; /* total, table_bytes and kind[] are kept up */
    bool junk;
    long fail_after;
};

extern struct pmm pmm;

static inline paddr_t address_of(const struct bank *b, size_t unit)
{
    return b->base + ((paddr_t)unit << PAGE_SHIFT);
}

static inline paddr_t bank_end(const struct bank *b)
{
    return address_of(b, b->units);
}

static inline size_t unit_of(const struct bank *b, paddr_t pa)
{
    return (size_t)((pa - b->base) >> PAGE_SHIFT);
}

/* The bank that holds the byte pa, or NULL. */
static inline struct bank *bank_of(paddr_t pa)
{
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++)
        if (pa >= b->base && pa < bank_end(b))
            return b;
    return NULL;
}

static inline struct frame *frame_of(paddr_t pa)
{
    struct bank *b = bank_of(pa);
    return b ? &b->frame[unit_of(b, pa)] : NULL;
}

/* Handed out by this manager, so that it may come back. */
static inline bool is_owned(const struct frame *f)
{
    return f->kind >= FRAME_KERNEL;
}

/* Its value is its place in the run, not a number of owners. */
static inline bool has_place(const struct frame *f)
{
    return f->kind == FRAME_HEAP || f->kind == FRAME_SLAB;
}

static inline void set_kind(struct frame *f, enum frame_kind kind)
{
    pmm.stats.kind[f->kind]--;
    pmm.stats.kind[kind]++;
    f->kind = kind;
}

/* pmm_alloc_run, from banks that begin at `lowest` or above. */
paddr_t alloc_between(size_t n, uint64_t align, paddr_t lowest, uint64_t limit);
