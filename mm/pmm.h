/* The frame manager: every 4 KiB frame of RAM, who owns it, and which are free.
 * Addresses are physical, in bytes. Physical address 0 means "no": frame 0 is
 * taken for ever, on every machine. */
#pragma once

#include "mm/gfp.h"

#include <oct/boot_info.h>
#include <oct/list.h>

#define PAGE_SIZE ((size_t)4096)

/* The largest order of alloc_pages: runs of 2^order frames. */
#define PAGE_ALLOC_MAX_ORDER 10

/* Who a frame belongs to. */
enum frame_kind {
    FRAME_NONE,     /* no RAM here */
    FRAME_FREE,     /* nobody */
    FRAME_FIRMWARE, /* firmware: not ours to touch */
    FRAME_IMAGE,    /* the kernel image */
    FRAME_BOOT,     /* the loader's tables, the device tree */
    FRAME_INITRD,   /* the initial RAM disk */
    FRAME_EARLY,    /* the boot-time allocator: the tables of this manager */
    FRAME_KERNEL,   /* somebody in the kernel who did not say */
    FRAME_TABLE,    /* a page table */
    FRAME_HEAP,     /* a block of the kernel heap */
    FRAME_SLAB,     /* a slab of an object cache */
    FRAME_PAGES,    /* alloc_pages */
    FRAME_VMALLOC,  /* a page of a vmalloc area */
    FRAME_PERCPU,   /* per-CPU data */
    FRAME_WINDOWS,  /* the tables of the kernel windows */
    FRAME_USER,     /* a user program's page */
    FRAME_KINDS
};

/* Takes over all RAM of *boot, and ends the early allocator. Panics if there is
 * no room for its tables. */
void pmm_init(const struct boot_info *boot);

/* One frame that the kernel reaches through its direct map, or 0: none left.
 * Not zeroed. The caller owns it. */
paddr_t pmm_alloc(void);

/* n frames in a row, the first at a multiple of `align` bytes (a power of two,
 * at least PAGE_SIZE), the last byte below `limit`. 0 if there is no such run,
 * or for n = 0. RAM high up goes first. Only frames below DIRECT_END are
 * reached through the direct map; a limit of ~0 allows any. */
paddr_t pmm_alloc_run(size_t n, uint64_t align, uint64_t limit);

/* The same anywhere in the direct map, page aligned. */
paddr_t pmm_allocs(size_t n);

/* pmm_alloc_run for callers that say what they allow (mm/gfp.h). `limit` is
 * narrowed by the flags: DIRECT_END unless __GFP_HIGH, DMA_LIMIT with
 * __GFP_DMA.
 *
 * A few frames of the direct map are a reserve, for callers that cannot wait:
 * only
 * __GFP_RESERVE takes them. When there is nothing else, a caller with
 * __GFP_WAIT has the shrinkers run before it is told no; with __GFP_NOFAIL it
 * waits until there is something. Does not report. __GFP_NOFAIL without
 * __GFP_WAIT, or in atomic context
 * (<oct/arch.h>), is reported and refused. */
paddr_t pmm_alloc_gfp(size_t n, uint64_t align, uint64_t limit, gfp_t flags);

/* Somebody who keeps frames only to be fast, and can do without them. */
struct shrinker {
    const char *name;
    /* Gives back what it can, and returns how many frames that were. Must not
     * allocate, and must not wait for a lock that an allocating caller may
     * hold: it tries, and returns 0 if it cannot have it. */
    size_t (*shrink)(void);
    struct list link;  /* the frame manager's, from here on */
    size_t calls;      /* so often it was asked, */
    size_t given_back; /* and so many frames it gave */
};

/* Registers a shrinker for ever. */
void pmm_add_shrinker(struct shrinker *s);

/* Calls visit for each shrinker. */
void pmm_visit_shrinkers(void (*visit)(void *context, const struct shrinker *),
                         void *context);

/* Has all shrinkers give back what they can. Returns the frames given back. */
size_t pmm_reclaim(void);

/* The frames of [pa, pa + n * PAGE_SIZE), granted only if all of them are free.
 * Returns 0, -EINVAL (not RAM, unaligned, n = 0) or -EBUSY. */
int pmm_alloc_at(paddr_t pa, size_t n);

/* Gives back what one of the calls above handed out, all of it: n must be the
 * number asked for. Anything else (free already, unaligned, foreign, no RAM,
 * part of a run, shared) is reported, changes nothing and returns -EINVAL. */
int pmm_frees(paddr_t pa, size_t n);
int pmm_free(paddr_t pa);

/* One more owner of an allocated frame (a run of one); one less, and the last
 * one frees it. Return the owners left, -EINVAL if there is no such frame, or
 * -ERANGE if there are too many to count. */
int pmm_ref(paddr_t pa);
int pmm_unref(paddr_t pa);
int pmm_refs(paddr_t pa);

/* Says who owns n allocated frames at pa: the kind shows in the statistics. */
void pmm_label(paddr_t pa, size_t n, enum frame_kind kind);

/* Who owns the frame that holds byte pa; FRAME_NONE where there is no RAM. */
enum frame_kind pmm_kind(paddr_t pa);
const char *pmm_kind_name(enum frame_kind kind);

/* For a frame labelled `kind`, which is FRAME_HEAP or FRAME_SLAB: the first
 * frame of the run it was allocated in. 0 if the frame is labelled otherwise.
 */
paddr_t pmm_run_start(paddr_t pa, enum frame_kind kind);

struct pmm_stats {
    size_t total;             /* frames of RAM, the firmware's included */
    size_t free;              /* frames free, */
    size_t free_direct;       /* of them in the direct map */
    size_t reserve;           /* of those, for __GFP_RESERVE alone */
    size_t reserve_used;      /* times it was needed */
    size_t reclaims;          /* times the shrinkers were called */
    size_t table_bytes;       /* what this manager keeps about frames */
    size_t kind[FRAME_KINDS]; /* frames by owner */
};

void pmm_stats(struct pmm_stats *out);

/* How free memory is broken up. Looks at every frame. */
struct pmm_runs {
    size_t longest;      /* frames in the longest free run */
    size_t whole_groups; /* large pages' worth of frames, aligned, all free */
};

struct pmm_runs pmm_runs(void);

/* Lowest and one past the highest byte of RAM known. */
paddr_t pmm_start(void);
paddr_t pmm_end(void);

/* Fills frames with one junk byte when handed out and another when freed (those
 * in the direct map). Off at boot. Returns the former setting. */
bool pmm_set_junk(bool on);

/* Lets the next n single or multiple allocations succeed and all later ones
 * fail, as if memory were out; -1: back to normal. For tests. */
void pmm_fail_after(long n);

/* NULL if every invariant holds, else which does not. */
const char *pmm_check(void);
