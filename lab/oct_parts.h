/* What the files of the library share; nobody else includes this. */
#pragma once

#include "lab/oct.h"
#include "mm/frames.h"
#include "mm/slab.h"

struct oct_frames {
    struct frames m; /* first: one is the other */
    void *memory;    /* the frames themselves; NULL if simulated */
    uint64_t bytes;
    bool ours; /* `memory` is */
    void *tables;
    size_t table_bytes;
    bool has_caches; /* so `caches` is made; the lock of all guards this */
    struct slabs caches;
    struct list link; /* all frames */
};

/* All instances, in the order in which they were made. */
struct oct_all {
    struct lock lock; /* guards the lists; taken before an instance's own */
    struct list frames, heaps;
};

extern struct oct_all oct_all;

void oct_enlist(struct list *list, struct list *link);
void oct_strike(struct list *link);

/* Gives the memory of long free runs back to the operating system. */
void oct_release_memory(struct oct_frames *f);
