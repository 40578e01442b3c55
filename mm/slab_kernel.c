/* The kernel's object caches: one set, over the kernel's frames. Others over
 * the same frames, such as those of a heap, are shown and checked together with
 * it.
 */
#include "mm/pmm.h"
#include "mm/slab_parts.h"

#include <oct/report.h>

static struct slabs kernel_slabs;

static size_t shrink(struct shrinker *s)
{
    (void)s;
    return slabs_shrink(&kernel_slabs);
}

void slab_init(void)
{
    static struct shrinker shrinker = {.name = "slab", .shrink = shrink};
    slabs_init(&kernel_slabs, &pmm);
    pmm_add_shrinker(&shrinker);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
                                     size_t align, unsigned flags,
                                     void (*ctor)(void *))
{
    struct kmem_cache *c;
    assert(kernel_slabs.frames); /* slab_init came first */
    const char *wrong =
        slabs_make(&kernel_slabs, &c, name, size, align, flags, ctor);
    if (wrong && (flags & SLAB_PANIC))
        panic("slab: cannot make the cache %s: %s", name, wrong);
    if (wrong)
        report(CALLER, "slab: cannot make the cache %s: %s", name, wrong);
    return c;
}

struct slab_object kmem_cache_find(const void *p)
{
    return slabs_find(&kernel_slabs, p);
}

/* --- all sets --- */

struct visitor {
    void (*visit)(void *context, const struct slab_stats *stats);
    void *context;
};

static void visit_caches(void *context, struct slabs *s)
{
    const struct visitor *v = context;
    if (s->frames != kernel_slabs.frames)
        return;
    lock_acquire(&s->lock);
    list_for_each (node, &s->caches) {
        struct slab_stats stats;
        kmem_cache_stats(cache_in(node), &stats);
        v->visit(v->context, &stats);
    }
    lock_release(&s->lock);
}

void kmem_cache_visit(void (*visit)(void *context, const struct slab_stats *),
                      void *context)
{
    struct visitor v = {visit, context};
    slabs_visit(visit_caches, &v);
}

static void check(void *context, struct slabs *s)
{
    const char **wrong = context;
    if (s->frames == kernel_slabs.frames && !*wrong)
        *wrong = slabs_check(s);
}

const char *slab_check(void)
{
    const char *wrong = NULL;
    slabs_visit(check, &wrong);
    return wrong;
}
