/* Software MMUs, written from the architecture manuals and sharing nothing with
 * the codecs in arch: what a CPU would do with the tables that lie in simulated
 * memory. softmmu.c walks; softmmu_x86.c and softmmu_riscv.c know the entries.
 */
#pragma once

#include <oct/types.h>

enum soft_fault {
    SOFT_OK,
    SOFT_ABSENT,       /* an entry on the way is not present */
    SOFT_RESERVED,     /* an entry has a reserved bit or combination */
    SOFT_MISALIGNED,   /* a large page whose frame is not aligned to its size */
    SOFT_NONCANONICAL, /* the format has no such address */
    SOFT_BUS,          /* a table lies where no RAM is */
};

enum soft_access { SOFT_READ, SOFT_WRITE, SOFT_EXEC };

#define SOFT_LEVELS 4

/* x86 memory types, as the page attribute table is after reset. */
enum soft_type { SOFT_WB, SOFT_WT, SOFT_UC_MINUS, SOFT_UC };

struct soft_walk {
    enum soft_fault fault; /* of the walk, whatever the access is */
    unsigned level;        /* of the last entry read; 0 is a page */
    uint64_t va, span;     /* what that entry decides about */
    uint64_t pa;           /* of va */
    bool may[2][3];        /* allowed: [user mode][enum soft_access] */
    bool global;
    bool wants_update; /* the CPU would set A or D on some allowed access */
    unsigned type;     /* index into the page attribute table */
    unsigned depth;    /* tables read, */
    uint64_t table[SOFT_LEVELS]; /* the root first */
};

struct soft_mmu {
    const char *name;
    unsigned levels, index_bits, root_bits, entry_bytes;
    unsigned va_bits;     /* of a virtual address; beyond is not canonical */
    bool sign_extended;   /* the bits above va_bits repeat the highest */
    unsigned pa_bits;     /* of a physical address */
    unsigned leaf_levels; /* levels that may hold a leaf, from 0 */

    /* What the CPU's caches are like. */
    bool root_latched;    /* root entries are read when the root is loaded */
    bool caches_absent;   /* a hole may be remembered */
    bool upper_with_leaf; /* forgetting a page forgets the way to it too */

    /* Judges one entry: sets w->fault; and for a table w->pa to its address and
     * *is_table; for a leaf all that is known about it. w comes with what the
     * levels above allowed. */
    void (*decode)(const struct soft_mmu *, uint64_t entry, struct soft_walk *w,
                   bool *is_table);

    /* What a mapping with rights P_* must come to: may, global and type. */
    void (*expect)(unsigned prot, struct soft_walk *out);
};

extern const struct soft_mmu soft_i386, soft_pae, soft_sv32, soft_sv39,
    soft_sv48;

/* EFER.NXE, for soft_pae. */
extern bool soft_nxe;

/* Reads simulated memory: NULL where no RAM is. */
typedef void *soft_view(paddr_t pa, size_t size);

/* Bytes that an entry at `level` decides about. */
static inline uint64_t soft_span(const struct soft_mmu *mmu, unsigned level)
{
    return 1ull << (12 + level * mmu->index_bits);
}

/* Translates va. */
struct soft_walk soft_translate(const struct soft_mmu *mmu, soft_view *view,
                                uint64_t root, uint64_t va);

/* What all entries of a tree are, by the raw bits of each. */
struct soft_tree {
    size_t tables; /* the root included */
    size_t leaves;
    uint64_t digest; /* of every entry and where it lies */
    bool broken;     /* a table lies outside RAM, or there are too many */
    bool dirty;      /* an absent entry is not zero */
};

/* Looks at all entries that decide about addresses in [from, end]. */
struct soft_tree soft_survey(const struct soft_mmu *mmu, soft_view *view,
                             uint64_t root, uint64_t from, uint64_t last);
