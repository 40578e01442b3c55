/* kmalloc and its kin: what is the same whichever heap is behind it. */
#include "mm/kdebug.h"
#include "mm/kheap_backend.h"
#include "mm/kheap_watch.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/report.h>
#include <oct/string.h>

heap_watcher *kheap_watcher;

static void *alloc(size_t size, gfp_t flags, vaddr_t caller)
{
    assert(!(flags & ~__GFP_ALL));
    void *p = NULL;
    if (size <= HEAP_SIZE_MAX)
        p = kdebug_on() ? kdebug_alloc(size, flags, caller)
                        : kheap->ops->alloc(kheap, size, flags);
    if (!p && !(flags & __GFP_NOWARN))
        report(caller, "kmalloc: no memory for %zu bytes", size);
    if (p && (flags & __GFP_ZERO))
        memset(p, 0, size);
    kheap_watch(NULL, p, size);
    return p;
}

static void release(const void *p, vaddr_t caller)
{
    const char *refused = NULL;
    kheap_watch(p, NULL, 0);
    if (p)
        refused =
            kdebug_on() ? kdebug_free(p, caller) : kheap->ops->free(kheap, p);
    if (refused)
        report(caller, "kfree of %p refused: %s", p, refused);
}

static struct heap_object find(const void *p)
{
    return kdebug_on() ? kdebug_find(p) : kheap->ops->find(kheap, p);
}

static bool resize(void *p, size_t size, vaddr_t caller)
{
    return kdebug_on() ? kdebug_resize(p, size, caller)
                       : kheap->ops->resize(kheap, p, size);
}

struct heap *kheap;

void kheap_init(void)
{
    assert(!kheap); /* once */
    kheap = heap_create(heap_choice, &pmm, "kmalloc");
    if (!kheap)
        panic("kheap: no memory for the heap itself");
    kdebug_init();
}

const char *kheap_name(void)
{
    return kheap->ops->name;
}

void kheap_trim(void)
{
    kdebug_drain();
    kheap->ops->trim(kheap);
}

void kheap_stats(struct kheap_stats *out)
{
    kheap->ops->stats(kheap, out);
}

void kheap_visit(void (*visit)(void *context, const void *block, size_t chunks,
                               const uint8_t *tags),
                 void *context)
{
    if (kheap->ops == &tagged_heap)
        tagged_visit(kheap, visit, context);
}

const char *kheap_check(void)
{
    const char *wrong = kheap->ops->check(kheap);
    return wrong || !kdebug_on() ? wrong : kdebug_check();
}

size_t ksize(const void *p)
{
    return p ? find(p).size : 0;
}

void *kmalloc(size_t size, gfp_t flags)
{
    return alloc(size, flags, CALLER);
}

void *kzalloc(size_t size, gfp_t flags)
{
    return alloc(size, flags | __GFP_ZERO, CALLER);
}

static void *alloc_array(size_t n, size_t size, gfp_t flags, vaddr_t caller)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = (size_t)-1; /* more than there can be: refused as usual */
    return alloc(bytes, flags, caller);
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
    assert(p && size > 0);
    void *moved = alloc(size, flags, caller);
    if (moved) {
        memcpy(moved, p, min_size(size, before));
        release(p, caller);
    }
    return moved;
}

void *krealloc(void *p, size_t size, gfp_t flags)
{
    if (!p)
        return alloc(size, flags, CALLER);
    if (size == 0) {
        release(p, CALLER);
        return NULL;
    }
    struct heap_object o = find(p);
    if (o.refused) {
        report(CALLER, "krealloc of %p refused: %s", p, o.refused);
        return NULL;
    }
    if (size > HEAP_SIZE_MAX || !resize(p, size, CALLER))
        return move(p, size, o.size, flags, CALLER);
    if ((flags & __GFP_ZERO) && size > o.size)
        memset((char *)p + o.size, 0, size - o.size);
    kheap_watch(p, p, size);
    return p;
}

char *kstrdup(const char *s, gfp_t flags)
{
    size_t size = strlen(s) + 1;
    char *copy = alloc(size, flags, CALLER);
    return copy ? memcpy(copy, s, size) : NULL;
}

void *kmemdup(const void *p, size_t n, gfp_t flags)
{
    void *copy = alloc(n, flags, CALLER);
    return copy ? memcpy(copy, p, n) : NULL;
}

void kfree(const void *p)
{
    release(p, CALLER);
}

void kfree_sensitive(const void *p)
{
    struct heap_object o = {0};
    if (p)
        o = find(p);
    if (p && !o.refused)
        memset((void *)(uintptr_t)p, 0, o.size);
    release(p, CALLER);
}
