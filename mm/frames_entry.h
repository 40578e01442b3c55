/* What is known about each frame: four bytes. Users of frames know the kinds;
 * the entries are the frame manager's. */
#pragma once

#include <oct/types.h>

/* Who a frame belongs to. */
enum frame_kind {
    FRAME_FREE,     /* nobody: 0, so that a zeroed table is all free */
    FRAME_NONE,     /* no RAM here */
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

#define FRAME_VALUE_MAX 0xffffffu

struct frame {
    uint32_t kind : 7;
    uint32_t more : 1;   /* the next frame belongs to the same run */
    uint32_t value : 24; /* owners; in heap and slabs: place in the run, at
                            most FRAME_VALUE_MAX, then that many frames further
                            down; free, buddy: 1 + order where a block begins;
                            free, FRAME_VALUE_MAX: at hand for some CPU */
};

_Static_assert(sizeof(struct frame) == 4, "frame entries are one word");

/* The entries of `units` frames from `base` on. */
struct frame_row {
    paddr_t base;
    size_t units;
    struct frame *entry;
};

/* CPUs look at entries of other CPUs' frames, to see whether a frame is part of
 * a run; therefore entries are read and written whole. */
static inline struct frame frame_get(const struct frame *f)
{
    struct frame copy;
    __atomic_load(f, &copy, __ATOMIC_RELAXED);
    return copy;
}
