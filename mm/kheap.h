/* The kernel heap: kmalloc and its kin.
 *
 * Sizes are bytes. Objects are aligned to 32 bytes at least; one whose size is
 * a power of two is aligned to its size, or to a page if that is less. A size
 * of 0 gives a pointer that may only be freed. NULL: no memory, which is
 * reported unless
 * __GFP_NOWARN. None of these may be passed to another allocator's free. */
#pragma once

#include "mm/gfp.h"

#include <oct/types.h>

void kheap_init(void);

/* "tagged" or "slab": what is behind kmalloc. */
const char *kheap_name(void);

MUST_CHECK void *kmalloc(size_t size, gfp_t flags);
MUST_CHECK void *kzalloc(size_t size, gfp_t flags);

/* n objects of `size` bytes in a row: NULL if the product overflows. */
MUST_CHECK void *kmalloc_array(size_t n, size_t size, gfp_t flags);
MUST_CHECK void *kcalloc(size_t n, size_t size, gfp_t flags); /* zeroed */

/* Changes the size of p, keeping min(old, new) bytes; may move it. On failure
 * returns NULL and p stays as it was. p = NULL allocates; size 0 frees and
 * returns NULL. __GFP_ZERO clears what lies beyond ksize(p). */
MUST_CHECK void *krealloc(void *p, size_t size, gfp_t flags);

MUST_CHECK char *kstrdup(const char *s, gfp_t flags);
MUST_CHECK void *kmemdup(const void *p, size_t n, gfp_t flags);

/* NULL is nothing. Whatever is not the start of a live object (free already,
 * interior, header, foreign) is reported with the caller and changes nothing.
 */
void kfree(const void *p);

/* The same, after wiping the object. */
void kfree_sensitive(const void *p);

/* Bytes that may be used at p, at least what was asked; 0 for NULL, and for
 * what kfree would refuse. */
size_t ksize(const void *p);

/* Gives empty blocks back to the frame manager, the spare one too. */
void kheap_trim(void);

struct kheap_stats {
    size_t blocks;  /* blocks, */
    size_t chunks;  /* of so many frames, */
    size_t live;    /* bytes of live objects, in whole subblocks, */
    size_t objects; /* how many they are, */
    size_t idle;    /* bytes of objects at hand for CPUs, */
    size_t free;    /* bytes free, */
    size_t largest; /* bytes of the longest free run */
};

void kheap_stats(struct kheap_stats *out);

/* Calls visit for each block of the tagged heap: its address, chunks, and its
 * tags, one a 32-byte subblock: 0 free, 0xff header, else an object's; the
 * first has bit 7 set if it is at hand for a CPU. The heap is locked. */
void kheap_visit(void (*visit)(void *context, const void *block, size_t chunks,
                               const uint8_t *tags),
                 void *context);

/* NULL if every invariant holds, else which does not. */
const char *kheap_check(void);
