/* What a port gives to the memory manager beside its <arch/pte.h> and
 * <arch/layout.h>: the instructions that tell the CPU. */
#pragma once

#include <oct/types.h>

/* Uses the table at `root` from now on, and forgets every translation that is
 * not global. Turns address translation on if it was off. */
void mmu_load(paddr_t root);

/* What changed in a range. Flags. */
enum {
    MMU_ADDED = 0x1,   /* absent entries became present: only machines that
                          may cache absence care */
    MMU_CHANGED = 0x2, /* present entries changed or went away */
    MMU_TABLES = 0x4,  /* entries that point to tables changed */
};

/* Makes every CPU forget what it may remember of `len` bytes at `va` in the
 * table at `root` (0: every table, for kernel ranges shared by all). `stride`
 * is the size of the smallest leaf that changed, in bytes. Returns when all
 * have: only then may frames and tables be used again. */
void mmu_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what);
