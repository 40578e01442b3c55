/* What is behind kmalloc: one of two heaps, by the build's choice (HEAP=tagged
 * or HEAP=slab). kmalloc.c adds what is the same for both: zeroing, wiping,
 * arrays, reports. Backends lock for themselves, and do not report. */
#pragma once

#include "mm/kheap.h"

struct heap_object {
    size_t size;         /* bytes that may be used */
    const char *refused; /* why it is no live object, or NULL */
};

struct heap_ops {
    const char *name;
    void (*init)(void);

    /* As kmalloc, but not zeroed, and never larger than HEAP_SIZE_MAX. */
    void *(*alloc)(size_t size, gfp_t flags);

    /* Frees p and returns NULL, or says why not and changes nothing. */
    const char *(*free)(const void *p);

    /* What lies at p. */
    struct heap_object (*find)(const void *p);

    /* Makes the live object at p `size` > 0 bytes large without moving it;
     * false if that cannot be. Keeps the alignment that kmalloc promises for
     * `size`. */
    bool (*resize)(void *p, size_t size);

    /* Gives back what is kept only to be fast. Returns the frames given back;
     * does not wait for a lock. */
    size_t (*trim)(void);

    void (*stats)(struct kheap_stats *out);
    const char *(*check)(void);

    /* Calls visit for each live object: its address and the bytes it has.
     * Nobody may use the heap meanwhile. */
    void (*each)(void (*visit)(void *context, void *p, size_t size),
                 void *context);
};

#define HEAP_SIZE_MAX ((size_t)-1 / 2)

extern const struct heap_ops tagged_heap, slab_heap;

/* The one in use (mm/choice.c). */
extern const struct heap_ops *const heap_choice;
#define HEAP_BACKEND (*heap_choice)
