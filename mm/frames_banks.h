/* What the files of the frame manager share; nobody else includes this. */
#pragma once

#include "mm/frames.h"
#include "mm/frames_free.h"
#include "mm/freemap.h"

#include <arch/pte.h>

#define FRAME_ONE 1u /* value of a frame with one owner */

#define FRAME_ALLOCATED ((struct frame){.kind = FRAME_KERNEL, .value = 1})
#define FRAME_NOBODYS ((struct frame){.kind = FRAME_FREE})
#define FRAME_AT_HAND                                                          \
    ((struct frame){.kind = FRAME_FREE, .value = FRAME_VALUE_MAX})

static inline void frame_set(struct frame *f, struct frame to)
{
    __atomic_store(f, &to, __ATOMIC_RELAXED);
}

_Static_assert(PAGE_SIZE == 1u << PAGE_SHIFT, "one page size");

/* `units` frames from `base` on, both multiples of BANK_ALIGN. */
struct bank {
    struct frames *owner;
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

static inline struct bank *banks_end(const struct frames *m)
{
    return m->banks + m->bank_count;
}

/* The bank that holds the byte pa, or NULL. */
static inline struct bank *bank_of(const struct frames *m, paddr_t pa)
{
    for (struct bank *b = m->banks; b < banks_end(m); b++)
        if ((pa - b->base) >> PAGE_SHIFT < b->units)
            return b;
    return NULL;
}

static inline struct frame *frame_of(const struct frames *m, paddr_t pa)
{
    struct bank *b = bank_of(m, pa);
    return b ? &b->frame[unit_of(b, pa)] : NULL;
}

/* Handed out by this manager, so that it may come back. */
static inline bool is_owned(const struct frame *f)
{
    return f->kind >= FRAME_KERNEL;
}

static inline bool is_at_hand(const struct frame *f)
{
    return f->kind == FRAME_FREE && f->value == FRAME_VALUE_MAX;
}

/* The bank's manager has it. */
static inline bool is_free(const struct frame *f)
{
    return f->kind == FRAME_FREE && f->value != FRAME_VALUE_MAX;
}

/* Its value is its place in the run, not a number of owners. */
static inline bool has_place(const struct frame *f)
{
    return f->kind == FRAME_HEAP || f->kind == FRAME_SLAB;
}

/* Its memory can be reached. */
static inline bool is_direct(const struct bank *b)
{
    return b->base < b->owner->direct_end;
}

/* Counts what the bank's manager takes and gives. The lock is held. */
void bank_lost(struct bank *b, size_t n);
void bank_won(struct bank *b, size_t n);

/* frames_alloc_run, from banks that begin at `lowest` or above, with the lock
 * held. */
paddr_t alloc_between(struct frames *m, size_t n, uint64_t align,
                      paddr_t lowest, uint64_t limit);
