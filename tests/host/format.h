/* One page-table format with its own copy of mm/, RAM, MMU and TLB behind a
 * table of functions, so that a test can drive one or all five. */
#pragma once

#include <oct/types.h>

#include "softmmu.h"

#define FORMAT_MAPS 2    /* page maps, made and destroyed by name 0, 1 */
#define FORMAT_WINDOWS 3 /* ranges of addresses that tests use */

/* What is found at an address, by the walker. */
struct format_found {
    bool present;
    unsigned level, prot;
    uint64_t va, len, pa;
};

struct format_ops {
    const char *name;
    const struct soft_mmu *mmu;
    /* First address of each window, a multiple of 4 MiB. Window 0 is the same
     * in all formats and crosses a boundary of 1 GiB; the others lie at the
     * format's ends of user space. */
    uint64_t window[FORMAT_WINDOWS];

    void (*start)(void); /* brings the machine up; once in a process */
    int (*create)(unsigned map);
    void (*destroy)(unsigned map);
    int (*map)(unsigned map, uint64_t va, uint64_t pa, uint64_t len,
               unsigned prot);
    int (*unmap)(unsigned map, uint64_t va, uint64_t len);
    int (*protect)(unsigned map, uint64_t va, uint64_t len, unsigned prot);
    struct format_found (*query)(unsigned map, uint64_t va);
    struct soft_walk (*translate)(unsigned map, uint64_t va);
    unsigned (*effective)(unsigned prot); /* rights as query reports them */

    /* All entries of a map but those that it shares with the kernel. */
    struct soft_tree (*survey)(unsigned map);
    size_t (*tables)(unsigned map);     /* that the map says it has */
    const char *(*check)(unsigned map); /* paging_check and pmm_check */
    size_t (*free_frames)(void);
    void (*fail_after)(long n); /* pmm_fail_after */

    /* Around a call that changes [va, va + len) at most: a CPU has looked at
     * all windows and does so again after each flush. Returns what went wrong
     * in its TLB, or NULL. */
    void (*watch)(unsigned map, uint64_t window_size, uint64_t va,
                  uint64_t len);
    const char *(*watch_end)(void);
};

/* The one that this copy of the sources is compiled for. */
extern const struct format_ops FORMAT_OPS;
