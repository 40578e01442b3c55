/* The shape of a page map's tree, for the two files that walk it. */
#pragma once

#include "mm/paging.h"

#include <oct/assert.h>
#include <oct/kview.h>

#define ROOT_LEVEL (PT_LEVELS - 1)
#define VA_BITS (PAGE_SHIFT + ROOT_LEVEL * PT_INDEX_BITS + PT_ROOT_BITS)

static inline size_t entry_count(unsigned level)
{
    return (size_t)1 << (level == ROOT_LEVEL ? PT_ROOT_BITS : PT_INDEX_BITS);
}

static inline size_t index_of(vaddr_t va, unsigned level)
{
    return va >> (PAGE_SHIFT + level * PT_INDEX_BITS) &
           (entry_count(level) - 1);
}

static inline pte_t *table_at(paddr_t pa)
{
    return phys_to_virt(pa);
}

/* The last byte that the entry for va at this level spans. */
static inline vaddr_t entry_last(vaddr_t va, unsigned level)
{
    return va | (paging_span(level) - 1);
}

static inline bool is_whole_entry(vaddr_t va, vaddr_t last, unsigned level)
{
    return is_aligned(va, paging_span(level)) && last == entry_last(va, level);
}

struct place {
    pte_t *slot;
    unsigned level;
};

/* Where tables stop: the entry that decides about va. */
static inline struct place walk(const struct pagemap *m, vaddr_t va)
{
    assert(m->root);
    unsigned level = ROOT_LEVEL;
    pte_t *slot = &table_at(m->root)[index_of(va, level)];
    while (pte_is_table(*slot, level)) {
        level--;
        slot = &table_at(pte_addr(*slot))[index_of(va, level)];
    }
    return (struct place){slot, level};
}

/* Do entries at this level, once they point to a table, do so for ever? */
static inline bool is_pinned(const struct pagemap *m, unsigned level)
{
    return m == &kernel_map && level == ROOT_LEVEL && SHARED_SIZE > 0;
}
