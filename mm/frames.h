/* Frames: who owns each 4 KiB frame of some range of physical memory, and which
 * are free. There can be several such managers; the kernel has one, under the
 * names of mm/pmm.h. Addresses are physical, in bytes. Physical address 0 means
 * "no": frame 0 is never handed out.
 *
 * Every CPU keeps a few single frames at hand (frames_cache.c), so mostly one
 * frame comes and goes without a lock. */
#pragma once

#include "mm/frames_entry.h"
#include "mm/gfp.h"

#include <oct/list.h>
#include <oct/lock.h>
#include <oct/types.h>

#define PAGE_SIZE ((size_t)4096)

/* The largest order of alloc_pages: runs of 2^order frames. */
#define PAGE_ALLOC_MAX_ORDER 10

const char *frame_kind_name(enum frame_kind kind);

/* Somebody who keeps frames only to be fast, and can do without them. */
struct shrinker {
    const char *name;
    /* Gives back what it can, and returns how many frames that were. Must not
     * allocate, and must not wait for a lock that an allocating caller may
     * hold: it tries, and returns 0 if it cannot have it. */
    size_t (*shrink)(struct shrinker *s);
    struct list link;  /* the frame manager's, from here on */
    size_t calls;      /* so often it was asked, */
    size_t given_back; /* and so many frames it gave */
};

/* What a manager counts. */
struct frames_stats {
    size_t total;       /* frames of RAM, the firmware's included */
    size_t free;        /* frames free, those at hand for CPUs included, */
    size_t free_direct; /* of them in the direct map, */
    size_t cached;      /* of them at hand for CPUs */
    size_t reserve; /* of those in the direct map, for __GFP_RESERVE alone */
    size_t reserve_used; /* times it was needed */
    size_t reclaims;     /* times the shrinkers were called */
    size_t table_bytes;  /* all that was set aside for this manager; of that: */
    size_t map_bytes;    /* what says which frames are free, */
    size_t owner_bytes;  /* and what says whose the others are */
};

struct bank;
struct freemap;
struct frame_cache;

struct frames {
    /* Fixed once the manager is made. */
    struct bank *banks; /* in order of address, apart from each other */
    size_t bank_count;
    uintptr_t offset;          /* from a physical address to the memory there */
    paddr_t direct_end;        /* memory can be reached below this only */
    paddr_t dma_limit;         /* what __GFP_DMA means */
    bool high;                 /* there is memory above it */
    struct bank *home;         /* whose frames CPUs keep at hand, or NULL, */
    struct frame_row home_row; /* where these are, */
    const struct freemap *home_map; /* its map, if that knows good places */
    struct frame_cache *cache;      /* by CPU, */
    unsigned cpus;                  /* of which so many may have one, */
    unsigned cache_size;            /* of so many frames at most */

    struct lock lock;          /* guards the rest, and the banks */
    struct frames_stats stats; /* but for free and cached; here free_direct does
                                  not count what is at hand */
    struct list shrinkers;     /* changes while nobody reclaims, */
    unsigned reclaiming;       /* which is when this is 0 */
    unsigned cpus_used;        /* CPUs from this on never had a frame at hand */
    unsigned cpus_allowed;     /* CPUs below may use theirs now; all or none */
    size_t few; /* which is when fewer are free than this in the direct map */
    bool junk;
    long fail_after;
};

/* The memory of a frame below direct_end, and back. */
static inline void *frames_view(const struct frames *m, paddr_t pa)
{
    return (void *)(uintptr_t)(pa + m->offset);
}

static inline paddr_t frames_address(const struct frames *m, const void *p)
{
    return (paddr_t)((uintptr_t)p - m->offset);
}

/* One frame that is reached through the direct map, or 0: none left. Not
 * zeroed. The caller owns it. */
paddr_t frames_alloc(struct frames *m);

/* n frames in a row, the first at a multiple of `align` bytes (a power of two,
 * at least PAGE_SIZE), the last byte below `limit`. 0 if there is no such run,
 * or for n = 0. RAM high up goes first. Only frames below direct_end can be
 * reached; a limit of ~0 allows any. */
paddr_t frames_alloc_run(struct frames *m, size_t n, uint64_t align,
                         uint64_t limit);

/* frames_alloc_run for callers that say what they allow (mm/gfp.h). `limit` is
 * narrowed by the flags: direct_end unless __GFP_HIGH, dma_limit with
 * __GFP_DMA.
 *
 * A few frames of the direct map are a reserve, for callers that cannot wait:
 * only __GFP_RESERVE takes them. When there is nothing else, a caller with
 * __GFP_WAIT has the shrinkers run before it is told no; with __GFP_NOFAIL it
 * waits until there is something. Does not report. __GFP_NOFAIL without
 * __GFP_WAIT, or in atomic context (<oct/context.h>), is reported and refused.
 */
paddr_t frames_alloc_gfp(struct frames *m, size_t n, uint64_t align,
                         uint64_t limit, gfp_t flags);

/* The frames of [pa, pa + n * PAGE_SIZE), granted only if all of them are free.
 * Returns 0, -EINVAL (not RAM, unaligned, n = 0) or -EBUSY. */
int frames_alloc_at(struct frames *m, paddr_t pa, size_t n);

/* Gives back what one of the calls above handed out, all of it: n must be the
 * number asked for. Anything else (free already, unaligned, foreign, no RAM,
 * part of a run, shared) is reported, with the caller, changes nothing and
 * returns -EINVAL. */
int frames_free(struct frames *m, paddr_t pa, size_t n);

/* One more owner of an allocated frame (a run of one); one less, and the last
 * one frees it. Return the owners left, -EINVAL if there is no such frame, or
 * -ERANGE if there are too many to count. */
int frames_ref(struct frames *m, paddr_t pa);
int frames_unref(struct frames *m, paddr_t pa);
int frames_refs(struct frames *m, paddr_t pa);

/* Says who owns n allocated frames at pa. */
void frames_label(struct frames *m, paddr_t pa, size_t n, enum frame_kind kind);

/* Who owns the frame that holds byte pa; FRAME_NONE where there is no RAM. */
enum frame_kind frames_kind(const struct frames *m, paddr_t pa);

/* For a frame labelled `kind`, which is FRAME_HEAP or FRAME_SLAB: the first
 * frame of the run it was allocated in. 0 if the frame is labelled otherwise.
 * Heaps ask at every free, and mostly for frames of the home bank. */
COLD paddr_t frames_run_start_far(const struct frames *m, paddr_t pa,
                                  enum frame_kind kind);

static inline paddr_t frames_run_start(const struct frames *m, paddr_t pa,
                                       enum frame_kind kind)
{
    const struct frame_row *home = &m->home_row;
    paddr_t unit = (pa - home->base) / PAGE_SIZE;
    if (unit >= home->units)
        return frames_run_start_far(m, pa, kind);
    struct frame f = frame_get(&home->entry[unit]);
    if (f.kind != kind)
        return 0;
    if (f.value == FRAME_VALUE_MAX)
        return frames_run_start_far(m, pa, kind);
    return round_down(pa, PAGE_SIZE) - (paddr_t)f.value * PAGE_SIZE;
}

/* Registers a shrinker, and takes it off again: it is not called any more when
 * that returns, so a shrinker must not do it. */
void frames_add_shrinker(struct frames *m, struct shrinker *s);
void frames_remove_shrinker(struct frames *m, struct shrinker *s);

/* Has all shrinkers give back what they can. Returns the frames given back. */
size_t frames_reclaim(struct frames *m);

/* Calls visit for each shrinker. */
void frames_visit_shrinkers(struct frames *m,
                            void (*visit)(void *context,
                                          const struct shrinker *),
                            void *context);

/* Gives the frames at hand for this CPU back to all; or those of a CPU that
 * does not run and will not until this returns. */
void frames_drain(struct frames *m);
void frames_drain_cpu(struct frames *m, unsigned cpu);

void frames_stats(struct frames *m, struct frames_stats *out);

/* Frames by owner. Looks at every frame. */
void frames_by_kind(struct frames *m, size_t kind[static FRAME_KINDS]);

/* How free memory is broken up. Looks at every frame. */
struct frames_runs {
    size_t longest;      /* frames in the longest free run */
    size_t whole_groups; /* large pages' worth of frames, aligned, all free */
};

struct frames_runs frames_runs(struct frames *m);

/* Fills frames with one junk byte when handed out and another when freed (those
 * in the direct map). Off at first. Returns the former setting. */
bool frames_set_junk(struct frames *m, bool on);

/* Lets the next n allocations succeed and all later ones fail, as if memory
 * were out; -1: back to normal. For tests. */
void frames_fail_after(struct frames *m, long n);

/* NULL if every invariant holds, else which does not. No other CPU may use its
 * frames at hand meanwhile. */
const char *frames_check(struct frames *m);

/* Lowest and one past the highest byte that it manages. */
paddr_t frames_start(const struct frames *m);
paddr_t frames_end(const struct frames *m);

/* --- making a manager --- */

/* How it finds out which frames are free: frames_free.h. */
struct free_manager;
extern const struct free_manager bitmap_manager, buddy_manager;

/* A manager of RAM [0, bytes), rounded down to whole frames, all of it free but
 * frame 0. `zeroed` is frames_storage_bytes(...) bytes at a multiple of
 * PAGE_SIZE, zeroed, and touched as little as can be; it stays the caller's.
 * The frames' memory is at their addresses + offset; nobody looks at it but the
 * buddies. CPUs from number `cpus` on keep no frames at hand. */
size_t frames_storage_bytes(uint64_t bytes, const struct free_manager *manager,
                            unsigned cpus);
void frames_init_free(struct frames *m, void *zeroed, uint64_t bytes,
                      uintptr_t offset, const struct free_manager *manager,
                      unsigned cpus);

/* A manager of a machine as it is found, step by step. First offset, direct_end
 * and dma_limit of the zeroed *m are set, and this is called; `zeroed` is
 * frames_begin_bytes(banks, cpus) bytes, and stays the caller's. */
size_t frames_begin_bytes(size_t banks, unsigned cpus);
void frames_begin(struct frames *m, void *zeroed, size_t banks, unsigned cpus);

/* Then the banks are added, lowest first: stretches [start, end) with mostly
 * RAM, multiples of frames_bank_align(), that do not cross dma_limit or
 * direct_end. All is FRAME_NONE yet. `zeroed` is frames_bank_bytes(...) bytes.
 */
uint64_t frames_bank_align(void);
size_t frames_bank_bytes(size_t frames, const struct free_manager *manager);
void frames_add_bank(struct frames *m, void *zeroed, paddr_t start, paddr_t end,
                     const struct free_manager *manager);

/* Then it is told of what kind the frames of [start, end) are, as far as they
 * lie in banks; the last word counts. */
void frames_tell(struct frames *m, paddr_t start, paddr_t end,
                 enum frame_kind kind);

/* At last all frames that are FRAME_FREE by now can be had, and as many of them
 * as `reserve` by nobody without __GFP_RESERVE. */
void frames_open(struct frames *m, size_t reserve);
