/* A heap: objects of any size over frames. There are two kinds, and can be many
 * of each. The kernel has one, behind kmalloc, of the kind that the build picks
 * (HEAP=tagged or HEAP=slab); kmalloc.c adds what is the same for both:
 * zeroing, wiping, arrays, reports. Heaps lock for themselves, and do not
 * report. */
#pragma once

#include "mm/frames.h"
#include "mm/kheap.h"

struct heap {
    const struct heap_ops *ops;
    struct frames *frames;
    struct shrinker shrinker; /* trims it when frames are short */
    struct list link;         /* its owner's, to have it on a list */
};

struct heap_object {
    size_t size;         /* bytes that may be used */
    const char *refused; /* why it is no live object, or NULL */
};

struct heap_ops {
    const char *name;
    size_t bytes; /* of an instance, which begins with its struct heap */

    /* Makes *h, zeroed but for its struct heap, an empty heap. False: no
     * memory. */
    bool (*init)(struct heap *h);

    /* Gives all frames back, objects live or not. */
    void (*destroy)(struct heap *h);

    /* As kmalloc, but not zeroed, and never larger than HEAP_SIZE_MAX. */
    void *(*alloc)(struct heap *h, size_t size, gfp_t flags);

    /* The same at a multiple of `align` bytes, any power of two. */
    void *(*alloc_aligned)(struct heap *h, size_t size, size_t align,
                           gfp_t flags);

    /* Frees p and returns NULL, or says why not and changes nothing. */
    const char *(*free)(struct heap *h, const void *p);

    /* What lies at p. */
    struct heap_object (*find)(struct heap *h, const void *p);

    /* Makes the live object at p at least `size` > 0 bytes large without moving
     * it, and less if it is much more; false if that cannot be. Keeps the
     * alignment that kmalloc promises for `size`. */
    bool (*resize)(struct heap *h, void *p, size_t size);

    /* Gives back what is kept only to be fast. Returns the frames given back;
     * does not wait for a lock. */
    size_t (*trim)(struct heap *h);

    /* Gives back the objects that this CPU has at hand, or one that no longer
     * runs. */
    void (*drain)(struct heap *h, unsigned cpu);

    /* Takes all its locks, lest anybody be inside; and lets go of them. */
    void (*hold)(struct heap *h);
    void (*release)(struct heap *h);

    void (*stats)(struct heap *h, struct kheap_stats *out);
    const char *(*check)(struct heap *h);

    /* Calls visit for each live object: its address and the bytes it has.
     * Nobody may use the heap meanwhile. */
    void (*each)(struct heap *h,
                 void (*visit)(void *context, void *p, size_t size),
                 void *context);
};

#define HEAP_SIZE_MAX ((size_t)-1 / 2)

extern const struct heap_ops tagged_heap, slab_heap;

/* Calls visit for each block of a tagged heap, as kheap_visit does. */
void tagged_visit(struct heap *h,
                  void (*visit)(void *context, const void *block, size_t chunks,
                                const uint8_t *tags),
                  void *context);

/* A heap over those frames, some of which hold what it keeps about itself; NULL
 * if there is no memory. To be destroyed by heap_destroy. The name is for the
 * list of shrinkers. */
struct heap *heap_create(const struct heap_ops *ops, struct frames *frames,
                         const char *name);
void heap_destroy(struct heap *h);

/* The kernel's, and the kind that the build picked for it (mm/choice.c). */
extern struct heap *kheap;
extern const struct heap_ops *const heap_choice;
