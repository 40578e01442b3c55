/* Page tables: one walker for every format. A page map is one tree of tables;
 * what its entries look like is the port's business (<arch/pte.h>).
 *
 * Arguments come in the order (map, va, pa, len, prot). Addresses and lengths
 * are multiples of the page size; anything else, an empty or wrapping range, or
 * an address the format cannot express is -EINVAL. Rights are P_* flags; P_READ
 * must be among them. All calls lock the map. A call that fails leaves the map
 * and the frame count as they were. */
#pragma once

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/lock.h>
#include <oct/prot.h>

struct pagemap {
    paddr_t root;  /* what mmu_load takes; 0: not created */
    size_t tables; /* tables of its own, the root included */
    struct lock lock;
};

/* The kernel's own map. */
extern struct pagemap kernel_map;

/* Makes an empty map, which shares the kernel's part where the layout says so.
 * Returns 0 or -ENOMEM. */
MUST_CHECK int paging_create(struct pagemap *m);

/* Frees all tables of a map that no CPU uses. What was mapped is not freed: it
 * is the caller's. */
void paging_destroy(struct pagemap *m);

/* Maps [va, va + len) to [pa, pa + len), with large pages wherever they fit.
 * Returns 0, -EINVAL, -EEXIST if any of it is mapped already, -ENOMEM. */
MUST_CHECK int paging_map(struct pagemap *m, vaddr_t va, paddr_t pa, size_t len,
                          unsigned prot);

/* Unmaps all that is mapped in the range; holes are fine. Splits large pages
 * that reach beyond it, and frees tables that went empty. When it returns no
 * CPU can reach the pages through m. Returns 0, -EINVAL, or -ENOMEM (a split
 * needed a table). */
MUST_CHECK int paging_unmap(struct pagemap *m, vaddr_t va, size_t len);

/* Gives all that is mapped in the range the rights prot; holes stay holes.
 * Splits large pages that reach beyond it. Returns 0, -EINVAL or -ENOMEM. */
MUST_CHECK int paging_protect(struct pagemap *m, vaddr_t va, size_t len,
                              unsigned prot);

/* Gives the kernel's map, for all of the range, the tables below the root,
 * which then stay for ever: so maps that share these root entries never differ.
 * Does nothing where the layout shares none. Returns 0, -EINVAL or -ENOMEM. */
MUST_CHECK int paging_pin(struct pagemap *m, vaddr_t va, size_t len);

/* What the format finds at an address: one leaf, or one hole. Addresses that it
 * cannot express are a hole. */
struct mapping {
    bool present;
    unsigned level; /* of the entry found: 0 is a page, above large */
    vaddr_t va;     /* where the entry's span begins */
    size_t len;     /* bytes it spans */
    paddr_t pa;     /* of va; 0 in a hole */
    unsigned prot;  /* rights as the format stores them; 0 in a hole */
};

struct mapping paging_query(struct pagemap *m, vaddr_t va);

/* The entries met on the way to va, root first, as stored: for looking. */
struct pt_step {
    unsigned level;
    unsigned index;           /* in its table */
    paddr_t table;            /* address of the table */
    unsigned long long entry; /* as stored */
};

/* Fills steps[] and returns how many there are, at most PT_LEVELS. */
unsigned paging_path(struct pagemap *m, vaddr_t va, struct pt_step *steps);

/* Rights as the format would report them after storing prot. */
static inline unsigned paging_effective(unsigned prot)
{
    return (prot & PT_PROT_STORED) | PT_PROT_ALWAYS;
}

/* True if the format can express every address of [va, va + len), len > 0. */
bool paging_range_valid(vaddr_t va, size_t len);

/* Bytes that an entry at `level` spans. */
static inline size_t paging_span(unsigned level)
{
    return (size_t)1 << (PAGE_SHIFT + level * PT_INDEX_BITS);
}

/* NULL if the tree obeys every rule of the format and its count of tables is
 * right, else what is wrong. */
const char *paging_check(struct pagemap *m);
