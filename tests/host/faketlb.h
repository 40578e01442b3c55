/* A translation cache that keeps all it ever saw, leaves, holes and the tables
 * on the way, until it is told otherwise in a way that a real CPU of the format
 * has to obey, and not a bit more. A flush that is missing, too small, too weak
 * or too early leaves an entry that no longer agrees with memory. */
#pragma once

#include "softmmu.h"

#define JOIN_AGAIN(a, b) a##b
#define JOIN(a, b) JOIN_AGAIN(a, b)
#define HOST_SOFT JOIN(soft_, HOST_MMU)

/* The machine under test: chosen when this is compiled for a format. */
extern const struct soft_mmu *const host_mmu;

/* Remembers what a CPU with this root would find in [va, last]. */
void tlb_fill(paddr_t root, vaddr_t va, vaddr_t last);

/* Forgets everything about a root, as loading it does. */
void tlb_forget(paddr_t root);

/* What mmu_flush asks for. root 0: of all roots. */
void tlb_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what);

/* NULL if all that is remembered is what memory says now, else what is not. */
const char *tlb_check(void);

/* The same for pages and holes outside [va, last] only: while that range is
 * being changed, all others have to stay what they are. */
const char *tlb_check_outside(vaddr_t va, vaddr_t last);

/* True if a CPU may still walk through the table in this frame. */
bool tlb_uses_table(paddr_t frame);

/* Entries remembered: for tests that must have filled it. */
size_t tlb_size(void);
