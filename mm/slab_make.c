/* Making, measuring and ending caches. Their descriptors come from a cache like
 * any other, whose own descriptor is static. It keeps no empty slab, for caches
 * come and go seldom. */
#include "mm/slab_cache.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/report.h>
#include <oct/string.h>

#define CACHE_LINE ((size_t)64)
#define RED_ZONE_BYTES ((size_t)16)
#define WASTE_PART 8 /* a slab wastes less than this part of itself */

struct caches caches = {.list = LIST_INIT(caches.list)};

static struct kmem_cache cache_of_caches;

/* --- geometry --- */

static size_t round_up_size(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* Small objects share a line as long as none of them lies in two. */
static size_t line_align(size_t size)
{
    size_t align = CACHE_LINE;
    while (size <= align / 2)
        align /= 2;
    return align;
}

/* Where the first of n objects begins. */
static size_t first_of(const struct kmem_cache *c, size_t n)
{
    size_t header = sizeof(struct slab) + n * sizeof(uint16_t) + c->zone;
    return round_up_size(header, c->align);
}

/* How many objects fit in a slab of so many bytes. */
static size_t fit(const struct kmem_cache *c, size_t bytes)
{
    size_t n =
        min_size(bytes / (c->stride + sizeof(uint16_t)), SLAB_OBJECTS_MAX);
    while (n > 0 && first_of(c, n) + n * c->stride > bytes)
        n--;
    return n;
}

/* Chooses the size of slabs: the smallest run that wastes less than an eighth.
 * Where none does, for large objects, the one that wastes least a frame. The
 * objects' links count as used. */
static bool choose_frames(struct kmem_cache *c)
{
    size_t least = (size_t)-1;
    for (unsigned k = 0; k <= PAGE_ALLOC_MAX_ORDER; k++) {
        size_t bytes = PAGE_SIZE << k, n = fit(c, bytes);
        size_t waste = bytes - n * (c->stride + sizeof(uint16_t));
        if (n == 0 || waste >> k >= least)
            continue;
        least = waste >> k;
        c->frames = (size_t)1 << k;
        c->per_slab = n;
        c->first = first_of(c, n);
        if (waste < bytes / WASTE_PART)
            break;
    }
    return c->per_slab > 0;
}

static bool cache_setup(struct kmem_cache *c, const char *name, size_t size,
                        size_t align, unsigned flags)
{
    align = max_size(align, sizeof(void *));
    if (flags & SLAB_HWCACHE_ALIGN)
        align = max_size(align, line_align(size));
    assert(size > 0 && is_power_of_two(align) && align <= PAGE_SIZE);
    assert(!(flags & ~SLAB_FLAGS));
    *c = (struct kmem_cache){.size = size, .align = align, .flags = flags};
    c->zone = flags & SLAB_RED_ZONE ? RED_ZONE_BYTES : 0;
    c->keep = 1;
    memcpy(c->name, name, strnlen(name, SLAB_NAME_SIZE - 1));
    list_init(&c->partly);
    list_init(&c->full);
    list_init(&c->empty);
    if (size > PAGE_SIZE << PAGE_ALLOC_MAX_ORDER)
        return false;
    c->stride = round_up_size(size + c->zone, align);
    return choose_frames(c);
}

/* --- making and ending --- */

static void add_cache(struct kmem_cache *c)
{
    lock_acquire(&caches.lock);
    list_append(&caches.list, &c->in_caches);
    lock_release(&caches.lock);
}

/* NULL, or what was wrong. */
static const char *make(struct kmem_cache **out, const char *name, size_t size,
                        size_t align, unsigned flags)
{
    struct kmem_cache *c =
        kmem_cache_alloc(&cache_of_caches, GFP_KERNEL | __GFP_NOWARN);
    *out = NULL;
    if (!c)
        return "no memory";
    if (!cache_setup(c, name, size, align, flags)) {
        kmem_cache_free(&cache_of_caches, c);
        return "such large objects fit in no slab";
    }
    *out = c;
    return NULL;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
                                     size_t align, unsigned flags,
                                     void (*ctor)(void *))
{
    struct kmem_cache *c;
    assert(cache_of_caches.size); /* slab_init came first */
    const char *wrong = make(&c, name, size, align, flags);
    if (wrong && (flags & SLAB_PANIC))
        panic("slab: cannot make the cache %s: %s", name, wrong);
    if (wrong) {
        report(CALLER, "slab: cannot make the cache %s: %s", name, wrong);
        return NULL;
    }
    c->ctor = ctor;
    add_cache(c);
    return c;
}

int kmem_cache_destroy(struct kmem_cache *c)
{
    assert(c != &cache_of_caches);
    lock_acquire(&caches.lock);
    lock_acquire(&c->lock);
    size_t live = c->live;
    if (live == 0) {
        cache_settle(c, 0);
        assert(c->slabs == 0);
        list_remove(&c->in_caches);
    }
    lock_release(&c->lock);
    lock_release(&caches.lock);
    if (live == 0) {
        kmem_cache_free(&cache_of_caches, c);
        return 0;
    }
    report(CALLER, "slab: the cache %s is not destroyed: %zu live objects",
           c->name, live);
    return -EBUSY;
}

/* --- giving back --- */

size_t kmem_cache_shrink(struct kmem_cache *c)
{
    size_t frames = 0;
    if (lock_try(&c->lock)) {
        frames = cache_settle(c, 0);
        lock_release(&c->lock);
    }
    return frames;
}

static size_t shrink_all(void)
{
    size_t frames = 0;
    if (lock_try(&caches.lock)) {
        list_for_each (node, &caches.list)
            frames += kmem_cache_shrink(cache_in(node));
        lock_release(&caches.lock);
    }
    return frames;
}

void slab_init(void)
{
    static struct shrinker shrinker = {.name = "slab", .shrink = shrink_all};
    bool fits = cache_setup(&cache_of_caches, "kmem_cache",
                            sizeof(struct kmem_cache), 0, SLAB_HWCACHE_ALIGN);
    assert(fits);
    cache_of_caches.keep = 0;
    add_cache(&cache_of_caches);
    pmm_add_shrinker(&shrinker);
}
