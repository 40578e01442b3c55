/* What the paging tests share: a machine, a map, and the CPU's view of it. */
#pragma once

#include <oct/types.h>

#include "env.h"
#include "faketlb.h"
#include "kernel/ktest.h"
#include "mm/paging.h"
#include "mm/pmm.h"

/* Boots 16 MiB whose new frames are full of junk, and makes *m. Panics if it
 * cannot. */
void fixture_start(struct pagemap *m);

/* The first multiple of `align` in the part of the address space that a user
 * map has to itself. */
vaddr_t fixture_va(uint64_t align);

/* The highest address that the format can express below the gap, if any. */
vaddr_t fixture_last(void);

/* What a CPU finds. */
struct soft_walk cpu_finds(const struct pagemap *m, vaddr_t va);

/* True if CPU and walker both find [va, va + len) mapped to pa with rights
 * prot; and both find nothing there. */
bool is_mapped_to(struct pagemap *m, vaddr_t va, paddr_t pa, uint64_t len,
                  unsigned prot);
bool is_hole(struct pagemap *m, vaddr_t va, uint64_t len);

/* Everything that a call which fails has to leave alone. */
struct state {
    struct soft_tree tree;
    size_t tables, free;
};

struct state state_of(const struct pagemap *m);
bool is_state(const struct pagemap *m, const struct state *before);

/* Flushes since log_start, the first LOG_MAX of them. */
#define LOG_MAX 8

extern struct host_flush flush_log[LOG_MAX];
extern size_t flush_logged;

void log_start(void);
