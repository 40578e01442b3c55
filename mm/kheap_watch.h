/* Somebody who looks on while the heap is used: to record it. Nobody does, at
 * first, and then it costs a test a call. */
#pragma once

#include <oct/types.h>

/* Called when an object at p is there (old NULL), before the one at `old` goes
 * (p NULL), and when the one at `old` = p has got a size of `size` bytes; one
 * that moved is told as a new one and one that goes. Both NULL is nothing. Must
 * not use the heap. */
typedef void heap_watcher(const void *old, const void *p, size_t size);

/* Set and reset while nobody else uses the heap. */
extern heap_watcher *kheap_watcher;

static inline void kheap_watch(const void *old, const void *p, size_t size)
{
    if (__builtin_expect(kheap_watcher != NULL, false))
        kheap_watcher(old, p, size);
}
