/* Making, measuring and ending caches, and sets of them. Their descriptors come
 * from a cache like any other, whose own descriptor is the set's. What sets
 * need for themselves comes from caches that keep no empty slab and have no
 * magazines. */
#include "mm/slab_parts.h"

#include <oct/errno.h>
#include <oct/report.h>
#include <oct/string.h>

#define RED_ZONE_BYTES ((size_t)16)
#define WASTE_PART 8 /* a slab wastes less than this part of itself */

#define AT_HAND ((size_t)8192)        /* bytes of objects in a magazine */
#define IN_DEPOT ((size_t)128 * 1024) /* and in the full ones of a depot */
#define FULLS_MAX 32u
#define ROUNDS_MIN 8u
#define ROUNDS_FEW 16u /* in a magazine of the smaller kind */

static struct list sets = LIST_INIT(sets);
static struct lock sets_lock; /* guards it; taken before a set's */

/* --- geometry --- */

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

/* Objects larger than a page cost their users more than their caches. */
static unsigned rounds_for(size_t size)
{
    if (size > PAGE_SIZE)
        return 0;
    size_t rounds = max_size(AT_HAND / size, ROUNDS_MIN);
    return (unsigned)min_size(rounds, ROUNDS_MAX);
}

/* With no magazines. */
static bool cache_setup(struct slabs *set, struct kmem_cache *c,
                        const char *name, size_t size, size_t align,
                        unsigned flags)
{
    align = max_size(align, sizeof(void *));
    if (flags & SLAB_HWCACHE_ALIGN)
        align = max_size(align, line_align(size));
    assert(size > 0 && is_power_of_two(align) && align <= PAGE_SIZE);
    assert(!(flags & ~(SLAB_FLAGS | SLAB_HEAP)));
    *c = (struct kmem_cache){
        .set = set, .size = size, .align = align, .flags = flags};
    c->zone = flags & SLAB_RED_ZONE ? RED_ZONE_BYTES : 0;
    memcpy(c->name, name, strnlen(name, SLAB_NAME_SIZE - 1));
    list_init(&c->partly);
    list_init(&c->full);
    list_init(&c->empty);
    if (size > PAGE_SIZE << PAGE_ALLOC_MAX_ORDER)
        return false;
    c->stride = round_up_size(size + c->zone, align);
    c->per_index = UINT32_MAX / (uint32_t)c->stride + 1;
    return choose_frames(c);
}

/* --- making and ending --- */

_Static_assert(SET_RACKS == 64, "a bit of `ids` for each");

/* For as many caches as racks have places. */
static void add_magazines(struct kmem_cache *c)
{
    struct slabs *s = c->set;
    unsigned rounds = is_watched(c) ? 0 : rounds_for(c->size);
    assert(lock_held(&s->lock));
    c->keep = 1;
    if (rounds == 0 || s->ids == UINT64_MAX)
        return;
    c->id = (unsigned)__builtin_ctzll(~s->ids);
    s->ids |= UINT64_C(1) << c->id;
    c->rounds = rounds;
    c->fulls = (unsigned)min_size(IN_DEPOT / (rounds * c->size), FULLS_MAX);
    c->cpu = s->cpu;
    c->cpus = s->cpus;
}

const char *slabs_make(struct slabs *s, struct kmem_cache **out,
                       const char *name, size_t size, size_t align,
                       unsigned flags, void (*ctor)(void *))
{
    struct kmem_cache *c =
        kmem_cache_alloc(&s->descriptors, GFP_KERNEL | __GFP_NOWARN);
    *out = NULL;
    if (!c)
        return "no memory";
    if (!cache_setup(s, c, name, size, align, flags)) {
        kmem_cache_free(&s->descriptors, c);
        return "such large objects fit in no slab";
    }
    c->ctor = ctor;
    lock_acquire(&s->lock);
    add_magazines(c);
    list_append(&s->caches, &c->in_caches);
    lock_release(&s->lock);
    *out = c;
    return NULL;
}

struct kmem_cache *slabs_create(struct slabs *s, const char *name, size_t size,
                                size_t align, unsigned flags,
                                void (*ctor)(void *))
{
    struct kmem_cache *c;
    return slabs_make(s, &c, name, size, align, flags, ctor) ? NULL : c;
}

/* With the locks held: nobody uses the cache, so other CPUs' racks are ours. */
static void end_cache(struct kmem_cache *c)
{
    for (unsigned cpu = 0; cpu < max_size(c->cpus, 1); cpu++)
        cpu_drop(c, cpu);
    cache_settle(c, 0);
    assert(c->slabs == 0 && c->taken == 0);
    list_remove(&c->in_caches);
    if (c->rounds > 0)
        c->set->ids &= ~(UINT64_C(1) << c->id);
}

int kmem_cache_destroy(struct kmem_cache *c)
{
    struct slabs *s = c->set;
    assert(c->keep > 0); /* not one of the set's own */
    lock_acquire(&s->lock);
    lock_acquire(&c->lock);
    size_t live = count_live(c);
    if (live == 0)
        end_cache(c);
    lock_release(&c->lock);
    cpu_retire(s, arch_cpu_id());
    lock_release(&s->lock);
    if (live == 0) {
        kmem_cache_free(&s->descriptors, c);
        return 0;
    }
    report(CALLER, "slab: the cache %s is not destroyed: %zu live objects",
           c->name, live);
    return -EBUSY;
}

/* --- giving back --- */

static size_t shrink(struct kmem_cache *c)
{
    size_t frames = 0;
    if (lock_try(&c->lock)) {
        cpu_drop(c, arch_cpu_id());
        frames = cache_settle(c, 0);
        lock_release(&c->lock);
    }
    return frames;
}

size_t kmem_cache_shrink(struct kmem_cache *c)
{
    size_t frames = shrink(c);
    if (lock_try(&c->set->lock)) {
        cpu_retire(c->set, arch_cpu_id());
        lock_release(&c->set->lock);
    }
    return frames;
}

size_t slabs_shrink(struct slabs *s)
{
    size_t frames = 0;
    if (lock_try(&s->lock)) {
        list_for_each (node, &s->caches)
            frames += shrink(cache_in(node));
        cpu_retire(s, arch_cpu_id());
        lock_release(&s->lock);
    }
    return frames;
}

void slabs_drain(struct slabs *s, unsigned cpu)
{
    lock_acquire(&s->lock);
    list_for_each (node, &s->caches) {
        struct kmem_cache *c = cache_in(node);
        lock_acquire(&c->lock);
        cpu_drop(c, cpu);
        cache_settle(c, c->keep);
        lock_release(&c->lock);
    }
    cpu_retire(s, cpu);
    lock_release(&s->lock);
}

/* --- sets --- */

static size_t table_frames(const struct slabs *s)
{
    size_t bytes = s->frames->cpus * sizeof(*s->cpu);
    return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

static void make_table(struct slabs *s)
{
    paddr_t pa = frames_alloc_gfp(s->frames, table_frames(s), PAGE_SIZE,
                                  s->frames->direct_end, GFP_KERNEL);
    if (!pa)
        return;
    s->cpus = s->frames->cpus;
    s->cpu = frames_view(s->frames, pa);
    for (unsigned cpu = 0; cpu < s->cpus; cpu++)
        s->cpu[cpu] = &no_racks;
}

static void add_own(struct slabs *s, struct kmem_cache *c, const char *name,
                    size_t size)
{
    bool fits = cache_setup(s, c, name, size, CACHE_LINE, 0);
    assert(fits);
    list_append(&s->caches, &c->in_caches);
}

void slabs_init(struct slabs *s, struct frames *frames)
{
    size_t few = ROUNDS_FEW * sizeof(struct round);
    size_t many = ROUNDS_MAX * sizeof(struct round);
    s->frames = frames;
    list_init(&s->caches);
    add_own(s, &s->descriptors, "kmem_cache", sizeof(struct kmem_cache));
    add_own(s, &s->racks, "rack", sizeof(struct slab_racks));
    add_own(s, &s->magazines[0], "magazine", sizeof(struct magazine) + few);
    add_own(s, &s->magazines[1], "large magazine",
            sizeof(struct magazine) + many);
    make_table(s);
    lock_acquire(&sets_lock);
    list_append(&sets, &s->in_sets);
    lock_release(&sets_lock);
}

/* The set's own caches, which others ask while locked, come last. */
void slabs_hold(struct slabs *s)
{
    lock_acquire(&s->lock);
    for (struct list *i = s->caches.prev; i != &s->caches; i = i->prev) {
        lock_acquire(&cache_in(i)->lock);
        lock_acquire(&cache_in(i)->depot.lock);
    }
}

void slabs_release(struct slabs *s)
{
    list_for_each (node, &s->caches) {
        lock_release(&cache_in(node)->depot.lock);
        lock_release(&cache_in(node)->lock);
    }
    lock_release(&s->lock);
}

void slabs_hold_list(void)
{
    lock_acquire(&sets_lock);
}

void slabs_release_list(void)
{
    lock_release(&sets_lock);
}

static void release_all(struct slabs *s, struct list *slabs, size_t frames)
{
    while (!list_empty(slabs)) {
        struct slab *slab = slab_in(slabs->next);
        list_remove(&slab->in_list);
        int error =
            frames_free(s->frames, frames_address(s->frames, slab), frames);
        assert(!error);
    }
}

/* The descriptors' slabs, the first cache's, go last. */
void slabs_destroy(struct slabs *s)
{
    lock_acquire(&sets_lock);
    list_remove(&s->in_sets);
    lock_release(&sets_lock);
    while (!list_empty(&s->caches)) {
        struct kmem_cache *c = cache_in(s->caches.prev);
        size_t frames = c->frames;
        list_remove(&c->in_caches);
        release_all(s, &c->full, frames);
        release_all(s, &c->partly, frames);
        release_all(s, &c->empty, frames);
    }
    if (s->cpu) {
        paddr_t pa = frames_address(s->frames, s->cpu);
        int error = frames_free(s->frames, pa, table_frames(s));
        assert(!error);
    }
}

void slabs_visit(void (*visit)(void *context, struct slabs *s), void *context)
{
    lock_acquire(&sets_lock);
    list_for_each (node, &sets)
        visit(context, container_of(node, struct slabs, in_sets));
    lock_release(&sets_lock);
}
