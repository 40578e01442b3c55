/* The frame manager: every 4 KiB frame of RAM, who owns it, and which are free.
 * Addresses are physical, in bytes. Physical address 0 means "no": frame 0 is
 * taken for ever, on every machine. */
#pragma once

#include <oct/boot_info.h>

#define PAGE_SIZE ((size_t)4096)

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

/* For a frame labelled FRAME_HEAP: the first frame of the run it was allocated
 * in. 0 for any other. */
paddr_t pmm_run_start(paddr_t pa);

struct pmm_stats {
    size_t total;             /* frames of RAM, the firmware's included */
    size_t free;              /* frames free, */
    size_t free_direct;       /* of them in the direct map */
    size_t whole_groups;      /* groups (large pages) with all frames free */
    size_t table_bytes;       /* what this manager keeps about frames */
    size_t kind[FRAME_KINDS]; /* frames by owner */
};

void pmm_stats(struct pmm_stats *out);

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
