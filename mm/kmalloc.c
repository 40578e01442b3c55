/* kmalloc and its kin, all on top of the heap's alloc, free and resize. */
#include "mm/kheap_blocks.h"

#include <oct/report.h>
#include <oct/string.h>

void *kmalloc(size_t size, gfp_t flags)
{
    return heap_alloc(size, flags, CALLER);
}

void *kzalloc(size_t size, gfp_t flags)
{
    return heap_alloc(size, flags | __GFP_ZERO, CALLER);
}

static void *alloc_array(size_t n, size_t size, gfp_t flags, vaddr_t caller)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = (size_t)-1; /* more than there can be: refused as usual */
    return heap_alloc(bytes, flags, caller);
}

void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
    return alloc_array(n, size, flags, CALLER);
}

void *kcalloc(size_t n, size_t size, gfp_t flags)
{
    return alloc_array(n, size, flags | __GFP_ZERO, CALLER);
}

static void *move(void *p, size_t size, size_t before, gfp_t flags,
                  vaddr_t caller)
{
    void *moved = heap_alloc(size, flags, caller);
    if (moved) {
        memcpy(moved, p, min_size(size, before));
        heap_free(p, caller, false);
    }
    return moved;
}

void *krealloc(void *p, size_t size, gfp_t flags)
{
    if (!p)
        return heap_alloc(size, flags, CALLER);
    if (size == 0) {
        heap_free(p, CALLER, false);
        return NULL;
    }
    struct resized r = heap_resize(p, size);
    if (r.refused) {
        report(CALLER, "krealloc of %p refused: %s", p, r.refused);
        return NULL;
    }
    if (!r.done)
        return move(p, size, r.before, flags, CALLER);
    if ((flags & __GFP_ZERO) && size > r.before)
        memset((char *)p + r.before, 0, size - r.before);
    return p;
}

char *kstrdup(const char *s, gfp_t flags)
{
    size_t size = strlen(s) + 1;
    char *copy = heap_alloc(size, flags, CALLER);
    return copy ? memcpy(copy, s, size) : NULL;
}

void *kmemdup(const void *p, size_t n, gfp_t flags)
{
    void *copy = heap_alloc(n, flags, CALLER);
    return copy ? memcpy(copy, p, n) : NULL;
}

void kfree(const void *p)
{
    heap_free(p, CALLER, false);
}

void kfree_sensitive(const void *p)
{
    heap_free(p, CALLER, true);
}
